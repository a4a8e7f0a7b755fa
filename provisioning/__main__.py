"""landlink-bench and landlink-hq: what runs off the box, at the technician's bench and at headquarters.

Each room declares its verbs in its own `verbs.py`: `add_verbs(verbs)` adds parsers whose default `run` takes the
arguments and returns the exit code.
"""

import argparse
import sys
from pathlib import Path

from appliance.errors import LandlinkError

CODES = "Exit codes: 0 done; 1 something that was checked is not as it should be; 64 to 78 as in sysexits.h."


def _run(parser: argparse.ArgumentParser) -> int:
    arguments = parser.parse_args()
    try:
        return int(arguments.run(arguments))
    except LandlinkError as error:
        print(f"{parser.prog} {arguments.verb}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def bench() -> int:
    """landlink-bench: the technician's command."""
    from provisioning.bench import verbs as bench_verbs

    parser = argparse.ArgumentParser(prog="landlink-bench", description=f"The technician's bench. {CODES}")
    bench_verbs.add_verbs(parser.add_subparsers(dest="verb", required=True, metavar="VERB"))
    return _run(parser)


def headquarters() -> int:
    """landlink-hq: headquarters' command."""
    from provisioning.audit import verbs as audit_verbs
    from provisioning.authority import verbs as authority_verbs
    from provisioning.collector import verbs as collector_verbs

    parser = argparse.ArgumentParser(prog="landlink-hq", description=f"Headquarters. {CODES}")
    parser.add_argument(
        "--home", type=Path, default=Path("hq"), metavar="FOLDER", help="headquarters' keys and papers (%(default)s)"
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    authority_verbs.add_verbs(verbs)
    collector_verbs.add_verbs(verbs)
    audit_verbs.add_verbs(verbs)
    return _run(parser)
