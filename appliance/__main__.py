"""landlink-box: what runs on the box."""

import argparse
import sys
from pathlib import Path

from appliance.command import Parser, run, table_of_codes
from appliance.config import read_config
from appliance.last_words import keep_texts_out_of_the_journal
from appliance.verbs import add_verbs

DEFAULT_CONFIG = Path("/etc/landlink/box.toml")


def build_parser() -> Parser:
    """The command's verbs and their help."""
    parser = Parser(
        prog="landlink-box",
        description="The screening box of a border post. Each verb explains itself: landlink-box VERB --help",
        epilog=table_of_codes(),
    )
    parser.add_argument(
        "--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help="the box's configuration (%(default)s)"
    )
    add_verbs(parser.add_subparsers(dest="verb", required=True, metavar="VERB"))
    return parser


def main() -> int:
    """Run one verb; the exit code names whose fault a failure is."""
    keep_texts_out_of_the_journal()
    return run(build_parser(), act)


def act(arguments: argparse.Namespace) -> int:
    """What a verb does with this box's configuration."""
    return int(arguments.run(read_config(arguments.config), arguments))


if __name__ == "__main__":
    sys.exit(main())
