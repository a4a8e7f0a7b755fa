"""Where recorded cases come from: this home's pulled copies, or files that `landlink-hq open` wrote."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from appliance.errors import Malformed, NoInput
from appliance.formats.refusal import refusal
from provisioning.audit.opened.lines import opened_lines
from provisioning.audit.opened.opening import record_identity
from provisioning.audit.opened.reading import opened_logs
from provisioning.audit.opened.records import RecordLine
from provisioning.audit.progress import bars
from provisioning.authority.home import Home
from provisioning.custody.act import Did
from provisioning.custody.log import Use, operator

OPENED: Final = "opened.jsonl"
"""What a rehearsal leaves in its folder."""


class _Kind(msgspec.Struct):
    """What tells a screening's line from another: a carrier check has its kind."""

    kind: str = ""


def pulled_cases(home: Home) -> Iterator[RecordLine]:
    """Every screening of the pulled logs, opened with the record key; nothing is written.

    Raises:
        Refused: Nothing has been pulled.
        ConfigError: The record key is not here.
    """
    for opened in opened_logs(home, record_identity(home), None, Use(Did.TESTED, operator(None))):
        yield from opened.lines


def opened_cases(over: Path) -> Iterator[RecordLine]:
    """Every screening of a file that `landlink-hq open` wrote, or of a folder's (`opened.jsonl`, else each `*.jsonl`).

    Raises:
        NoInput: There is no such file, or it cannot be read.
        Malformed: A line is none of `landlink-hq open`; file and line are named, never its content.
    """
    with bars() as shown:
        for path in _files(over):
            for what, line in opened_lines(path, shown.bar(path.name)):
                case = _case(line, what)
                if case is not None:
                    yield case


def _files(over: Path) -> list[Path]:
    if not over.is_dir():
        return [over]
    if (over / OPENED).is_file():
        return [over / OPENED]
    found = sorted(over.glob("*.jsonl"))
    if not found:
        raise NoInput(f"{over} has no {OPENED}; write one with: landlink-hq open --out {over / OPENED}")
    return found


def _case(line: bytes, what: str) -> RecordLine | None:
    """One line; None for one of no screening."""
    try:
        if msgspec.json.decode(line, type=_Kind).kind:
            return None
        return msgspec.json.decode(line, type=RecordLine)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(what, f"no record of `landlink-hq open`: {refusal(error)}") from None
