"""The collector's verb of landlink-hq: `collect`."""

import argparse
import re
from pathlib import Path
from typing import Final

from appliance.command import Verbs
from appliance.errors import Misuse
from provisioning.authority.home import Home

LISTEN: Final = re.compile(r"(?:\[([0-9a-fA-F:]+)\]|([^\s:\[\]]+)):([0-9]{1,5})")


COLLECT: Final = """\
Be the collector until SIGTERM or Ctrl-C: take logs and sealed bodies from enrolled boxes over mutual TLS, sign a
receipt for each, and serve what boxes mirror and what the auditor pulls. It opens no record. DIR is made where it is
not there; it holds the ledger (ledger.db), the logs and the bodies, and grows with them: `landlink-hq disk`.

Example: landlink-hq collect --data /var/lib/landlink-collector --listen 0.0.0.0:8443
"""


def add_verbs(verbs: Verbs) -> None:
    """Declare `collect`."""
    parser = verbs.add_parser(
        "collect", help="receive logs and bodies from boxes; serve them what they mirror", description=COLLECT
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="where ledger, logs and bodies lie")
    parser.add_argument(
        "--listen",
        default="0.0.0.0:8443",
        metavar="HOST:PORT",
        help="where boxes connect (%(default)s)",
    )
    parser.set_defaults(run=_collect)


def _collect(arguments: argparse.Namespace) -> int:
    from provisioning.collector.server import collect  # noqa: PLC0415 - uvicorn only for who serves

    listen: str = arguments.listen
    match = LISTEN.fullmatch(listen)
    if match is None or int(match[3]) > 65_535:
        raise Misuse(f"--listen {listen}: HOST:PORT with a port from 0 to 65535")
    collect(Home.open(arguments.home), arguments.data, match[1] or match[2], int(match[3]))
    return 0
