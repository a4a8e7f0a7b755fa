"""landlink-bench's verbs: rehearse a whole post on one machine."""

import argparse
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from appliance.command import Verbs, named
from appliance.errors import ConfigError, LandlinkError, Misuse
from provisioning.bench import headless, tray
from provisioning.bench.evidence import read_recorder_status
from provisioning.bench.post import DIALECTS, SAMPLES, Folders, Post, listens, prepare
from provisioning.bench.report import Report, make_report
from provisioning.bench.specimens import Traveller, cast, read_specimens

PAGE_PORT: Final = 8080
TRAY_PORT: Final = 8081
TRAVELLERS: Final = 20

EPILOG: Final = """\
Leaves in DIR: box/log (the tlog-tiles tree), box/log.vkey, hq/record.identity, collector/bodies, and after --headless
opened.jsonl, lamps.jsonl, laid.jsonl and report.json.

Exit code 1: something that was laid or lit is missing.
Example: landlink-bench rehearse --headless --travellers 50 --out rehearsal
Exit codes: 0 done, 64 misuse; all of them: landlink-bench --help"""


def add_verbs(verbs: Verbs) -> None:
    """Declare the bench's verbs."""
    parser = verbs.add_parser(
        "rehearse",
        help="a whole post on one machine: box, desk, collector and headquarters as real processes",
        description="Put a whole post on this machine. Without --headless: the booth's page on port 8080, the tray of\n"
        "specimens on port 8081, until Ctrl-C. With it: travellers come by themselves, then headquarters is asked.",
        epilog=EPILOG,
    )
    parser.add_argument("--headless", action="store_true", help="no people: run the travellers, report, stop")
    parser.add_argument("--out", type=Path, default=Path("rehearsal"), metavar="DIR", help="made anew (%(default)s)")
    parser.add_argument(
        "--travellers", type=_number, metavar="N", help=f"how many ({TRAVELLERS}, or all that SPECIMENS has)"
    )
    parser.add_argument(
        "--specimens", type=Path, metavar="FILE", help="MRZs to lay, a blank line between documents; then a quiet day"
    )
    parser.add_argument(
        "--documents", type=Path, default=SAMPLES / "documents.csv", metavar="FILE.csv", help="SLTD-like list"
    )
    parser.add_argument(
        "--persons", type=Path, default=SAMPLES / "persons.xml", metavar="FILE.xml", help="UN consolidated list"
    )
    parser.add_argument(
        "--scanner",
        choices=DIALECTS,
        default=DIALECTS[0],
        metavar="DIALECT",
        help="what the simulated one speaks: %(choices)s (%(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the synthetic travellers (%(default)s)")
    parser.add_argument(
        "--page-port", type=_port, default=PAGE_PORT, metavar="PORT", help="the booth's page (%(default)s)"
    )
    parser.add_argument(
        "--tray-port", type=_port, default=TRAY_PORT, metavar="PORT", help="the tray of specimens (%(default)s)"
    )
    parser.set_defaults(run=rehearse)


def rehearse(arguments: argparse.Namespace) -> int:
    """Run a rehearsal; the exit code."""
    for path in (arguments.specimens, arguments.documents, arguments.persons):
        if path is not None:
            _need_file(path)
    travellers = _travellers(arguments)
    _need_ports(arguments)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _end)
    console = Console(stderr=True)
    folders = prepare(arguments.out)
    post = Post(folders, page_port=arguments.page_port, dialect=arguments.scanner)
    try:
        with console.status("founding headquarters, enrolling the box, publishing the lists ..."):
            imported = post.enrol(arguments.documents.resolve(), arguments.persons.resolve())
        # The import's last line names headquarters' next verb; here it has been done already.
        console.print(imported.partition("Next:")[0].strip(), highlight=False, markup=False)
        with console.status("starting the post ..."):
            post.start()
        if arguments.headless:
            return _headless(post, folders, travellers, console)
        return _attended(post, travellers, arguments, console)
    finally:
        post.stop()


def _headless(post: Post, folders: Folders, travellers: list[Traveller], console: Console) -> int:
    laid: list[headless.Laid] = []
    trouble = ""
    try:
        headless.run(post, travellers, laid)
    except LandlinkError as error:
        trouble = str(error)
        console.print(trouble, highlight=False, markup=False)
    for verb in (("pull",), ("verify",), ("open", "--out", str(folders.out / "opened.jsonl"))):
        console.print(post.audit(*verb).strip(), highlight=False, markup=False)
    report = make_report(folders.out, laid, read_recorder_status(folders.runtime))
    if trouble:
        report = msgspec.structs.replace(report, missing=(*report.missing, trouble))
    (folders.out / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    _print(report, console, folders.out)
    return 1 if report.missing else 0


def _attended(post: Post, travellers: list[Traveller], arguments: argparse.Namespace, console: Console) -> int:
    place = "under the camera" if post.dialect == "none" else "on the scanner"
    with tray.serve(post, travellers, port=arguments.tray_port):
        console.print(
            f"\nThe booth's page   http://127.0.0.1:{arguments.page_port}\n"
            f"The tray           http://127.0.0.1:{arguments.tray_port}   lay a document {place}\n"
            f"Journals           {post.folders.journals}\nCtrl-C ends it.",
            highlight=False,
        )
        while True:
            time.sleep(3600)


def _need_file(path: Path) -> None:
    with named(path), path.open("rb"):
        return


def _need_ports(arguments: argparse.Namespace) -> None:
    wanted = {"--page-port": arguments.page_port} | ({} if arguments.headless else {"--tray-port": arguments.tray_port})
    if len(set(wanted.values())) < len(wanted):
        raise Misuse("--page-port and --tray-port name the same port")
    for option, port in wanted.items():
        if listens(port):
            raise ConfigError(f"somebody listens on port {port} of this machine already; name another with {option}")


def _travellers(arguments: argparse.Namespace) -> list[Traveller]:
    today = datetime.now(UTC).date()
    if arguments.specimens is None:
        return cast(today, arguments.seed, arguments.travellers or TRAVELLERS)
    given = read_specimens(arguments.specimens)
    wanted = arguments.travellers or len(given)
    return (given + cast(today, arguments.seed, max(0, wanted - len(given))))[:wanted]


def _print(report: Report, console: Console, out: Path) -> None:
    table = Table(show_header=False, box=None)
    for name, value in (
        ("travellers", report.travellers),
        ("leaves of the log", report.leaves),
        ("sealed records", report.records),
        ("delivered (verified receipts)", report.delivered),
        ("hits", report.hits),
        ("referrals", report.referrals),
        ("last byte to lamp, p50 / p99", f"{report.latency.p50_ms} / {report.latency.p99_ms} ms"),
        ("of it, sync", report.latency.share_that_is_sync),
    ):
        table.add_row(name, str(value))
    console.print(table)
    for problem in report.missing:
        console.print(f"MISSING: {problem}", highlight=False, markup=False)
    console.print(f"in {out}", highlight=False, markup=False)


def _number(text: str) -> int:
    return _whole(text, least=1, most=100_000)


def _port(text: str) -> int:
    return _whole(text, least=1024, most=65_535)


def _whole(text: str, *, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
    return int(text)


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)
