"""landlink-bench and landlink-hq: what runs off the box, at the technician's bench and at headquarters.

Each room declares its verbs in its own `verbs.py`: `add_verbs(verbs)` adds parsers whose default `run` takes the
arguments and returns the exit code.
"""

import argparse
from pathlib import Path

from appliance.command import Parser, run, table_of_codes


def bench() -> int:
    """landlink-bench: the technician's command."""
    from provisioning.bench.verbs import add_verbs as add_bench_verbs

    parser = Parser(
        prog="landlink-bench",
        description="The technician's bench. Each verb explains itself: landlink-bench VERB --help",
        epilog=table_of_codes(),
    )
    add_bench_verbs(parser.add_subparsers(dest="verb", required=True, metavar="VERB"))
    return run(parser, _act)


def headquarters() -> int:
    """landlink-hq: headquarters' command."""
    from provisioning.audit.verbs import add_verbs as add_audit_verbs
    from provisioning.authority.verbs import add_verbs as add_authority_verbs
    from provisioning.collector.verbs import add_verbs as add_collector_verbs
    from provisioning.duty.verbs import add_verbs as add_duty_verbs
    from provisioning.exhibit.verbs import add_verbs as add_exhibit_verbs
    from provisioning.policy.verbs import add_verbs as add_policy_verbs

    parser = Parser(
        prog="landlink-hq",
        description="Headquarters. Each verb explains itself: landlink-hq VERB --help",
        epilog=table_of_codes(),
    )
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
    return run(parser, _act)


def _act(arguments: argparse.Namespace) -> int:
    return int(arguments.run(arguments))
