"""landlink-bench and landlink-hq: what runs off the box, at the technician's bench and at headquarters.

Each room declares its verbs in its own `verbs.py`: `add_verbs(verbs)` adds parsers whose default `run` takes the
arguments and returns the exit code.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from appliance.command import Parser, run, table_of_codes


def bench(words: Sequence[str] | None = None) -> int:
    """landlink-bench: the technician's command, with what stands after its name."""
    return run(bench_parser(), act, words)


def headquarters(words: Sequence[str] | None = None) -> int:
    """landlink-hq: headquarters' command, with what stands after its name."""
    return run(headquarters_parser(), act, words)


def act(arguments: argparse.Namespace) -> int:
    """What a verb does."""
    return int(arguments.run(arguments))


def bench_parser() -> Parser:
    """The bench's verbs and their help."""
    from provisioning.bench.verbs import add_verbs as add_bench_verbs

    parser = Parser(
        prog="landlink-bench",
        description="The technician's bench. Each verb explains itself: landlink-bench VERB --help",
        epilog=table_of_codes(),
    )
    add_bench_verbs(parser.add_subparsers(dest="verb", required=True, metavar="VERB"))
    return parser


def headquarters_parser() -> Parser:
    """Headquarters' verbs, which each room adds, and their help."""
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
    for add in (
        add_authority_verbs,
        add_collector_verbs,
        add_audit_verbs,
        add_exhibit_verbs,
        add_duty_verbs,
        add_policy_verbs,
    ):
        add(verbs)
    return parser
