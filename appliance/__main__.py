"""landlink-box: what runs on the box.

Each verb is one process with one privilege (systemd/README.md) or one question of a technician.
"""

import argparse
import sys
from pathlib import Path

from appliance.config import Config, config_sha256, read_config
from appliance.errors import LandlinkError
from appliance.last_words import keep_texts_out_of_the_journal

DEFAULT_CONFIG = Path("/etc/landlink/box.toml")
PROCESSES = frozenset({"recorder", "releases", "booth", "uplink", "audit"})


def build_parser() -> argparse.ArgumentParser:
    """The command's verbs and their help."""
    parser = argparse.ArgumentParser(
        prog="landlink-box",
        description="The screening box of a border post. Exit codes: 0 done, 64 to 78 as in sysexits.h.",
    )
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="the box's configuration (%(default)s)")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("recorder", help="commit, encrypt, sign and log records; keeps the keys")
    verbs.add_parser("releases", help="verify what headquarters publishes and switch to it")
    verbs.add_parser("booth", help="the lane: scanner, camera, lamps and the officer's page")
    verbs.add_parser("uplink", help="deliver records and fetch releases whenever there is a link")
    verbs.add_parser("audit", help="serve the log and sealed bodies to headquarters' auditor (off by default)")
    export = verbs.add_parser(
        "export",
        help="write the log and sealed bodies onto a stick for headquarters",
        description="Write the whole log, and the sealed bodies that headquarters has not acknowledged, onto a stick, "
        "and read all of it back. The log says so first. A stick that was pulled out half-way goes on where it was.",
    )
    export.add_argument("stick", type=Path, metavar="FOLDER", help="where the stick is mounted")
    export.add_argument("--since", type=_entry, default=0, metavar="ENTRY", help="bodies from this entry on (all)")
    export.add_argument("--all", action="store_true", help="bodies that headquarters has acknowledged, too")
    seal = verbs.add_parser(
        "seal",
        help="give this box the keys that its secrets are sealed under; before request",
        description="Make sealing keys and keep them, and a token's PIN, as encrypted credentials of systemd. As root. "
        "Doing it again with another --with-key keeps the keys and wraps them anew.",
    )
    seal.add_argument(
        "--with-key",
        choices=("auto", "host", "tpm2", "host+tpm2"),
        default="auto",
        help="as systemd-creds has it; host lies on this card, tpm2 does not (%(default)s: with a TPM if there is one)",
    )
    seal.add_argument("--pin", type=Path, metavar="FILE", help="a file with the token's PIN; - is standard input")
    request = verbs.add_parser("request", help="make this box's keys and write the enrolment request")
    request.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write the request")
    accept = verbs.add_parser("accept", help="take headquarters' answer to the request")
    accept.add_argument("answer", type=Path, metavar="FOLDER", help="the answer that headquarters gave")
    status = verbs.add_parser("status", help="what each process last said of itself")
    status.add_argument("--json", action="store_true", help="for scripts")
    status.add_argument("--check", action="store_true", help="exit code 1 where somebody has to look into something")
    verbs.add_parser("disk", help="what takes how much of the disk, and how long there is room at this rate")
    check = verbs.add_parser(
        "check",
        help="try a device of this box",
        description="Say in plain words what answers. Exit code 0: as box.toml says; 1: otherwise than box.toml says; "
        "69: nothing there, held by another process (a running booth is not disturbed), or nothing that we know.",
    )
    check.add_argument(
        "--scanner",
        nargs="?",
        const="",
        required=True,
        metavar="PORT",
        help="a document scanner; as configured if alone",
    )
    check.add_argument(
        "--listen", type=_seconds, default=15.0, metavar="SECONDS", help="how long to wait for a document (%(default)s)"
    )
    return parser


def _seconds(text: str) -> float:
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and int(text) <= 600):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of seconds from 0 to 600")
    return float(text)


def _entry(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of an entry")
    return int(text)


def _tell(words: str) -> None:
    print(words, flush=True)


def main() -> int:
    """Run one verb; the exit code names whose fault a failure is."""
    arguments = build_parser().parse_args()
    keep_texts_out_of_the_journal()
    try:
        config = read_config(arguments.config)
        if arguments.verb in PROCESSES:
            _serve(config, arguments)
            return 0
        return _answer(config, arguments)
    except LandlinkError as error:
        print(f"landlink-box {arguments.verb}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _serve(config: Config, arguments: argparse.Namespace) -> None:
    """Be one of the box's processes until told to stop."""
    from appliance import wiring

    match arguments.verb:
        case "recorder":
            wiring.recorder(config, config_sha256=config_sha256(arguments.config))
        case "releases":
            wiring.releases(config)
        case "booth":
            wiring.booth(config)
        case "uplink":
            wiring.uplink(config)
        case _:
            wiring.audit(config)


def _answer(config: Config, arguments: argparse.Namespace) -> int:
    """Answer a technician; the exit code."""
    from appliance import wiring

    match arguments.verb:
        case "export":
            print(wiring.export(config, stick=arguments.stick, since=arguments.since, everything=arguments.all))
        case "seal":
            print(wiring.seal(config, with_key=arguments.with_key, pin=arguments.pin))
        case "disk":
            print(wiring.disk(config))
        case "request":
            print(wiring.request(config, out=arguments.out))
        case "accept":
            print(wiring.accept(config, answer=arguments.answer))
        case "check":
            agrees = wiring.check_scanner(config, port=arguments.scanner, listen_s=arguments.listen, tell=_tell)
            return int(not agrees)
        case _:
            words, well = wiring.status(config, as_json=arguments.json)
            print(words)
            return int(arguments.check and not well)
    return 0


if __name__ == "__main__":
    sys.exit(main())
