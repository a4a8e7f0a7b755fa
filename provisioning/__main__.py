"""landlink-bench and landlink-hq: what runs off the box, at the technician's bench and at headquarters.

Each room declares its verbs in its own `verbs.py`: `add_verbs(verbs)` adds parsers whose default `run` takes the
arguments and returns the exit code.
"""

import argparse
import os
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
    except BrokenPipeError:  # whoever read has enough (`| head`); what is left to print goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def bench() -> int:
    """landlink-bench: the technician's command."""
    from provisioning.bench.verbs import add_verbs as add_bench_verbs

    parser = argparse.ArgumentParser(prog="landlink-bench", description=f"The technician's bench. {CODES}")
    add_bench_verbs(parser.add_subparsers(dest="verb", required=True, metavar="VERB"))
    return _run(parser)


def headquarters() -> int:
    """landlink-hq: headquarters' command."""
    from provisioning.audit.verbs import add_verbs as add_audit_verbs
    from provisioning.authority.verbs import add_verbs as add_authority_verbs
    from provisioning.collector.verbs import add_verbs as add_collector_verbs
    from provisioning.duty.verbs import add_verbs as add_duty_verbs
    from provisioning.exhibit.verbs import add_verbs as add_exhibit_verbs
    from provisioning.policy.verbs import add_verbs as add_policy_verbs

    parser = argparse.ArgumentParser(prog="landlink-hq", description=f"Headquarters. {CODES}")
    parser.add_argument(
        "--home", type=Path, default=Path("hq"), metavar="FOLDER", help="headquarters' keys and papers (%(default)s)"
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add_authority_verbs(verbs)
    add_collector_verbs(verbs)
    add_audit_verbs(verbs)
    add_exhibit_verbs(verbs)
    add_duty_verbs(verbs)
    add_policy_verbs(verbs)
    return _run(parser)
