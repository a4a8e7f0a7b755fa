"""`find`: which opened records answer a question. Nothing is stored: each search opens the bodies again."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from anyascii import anyascii

from appliance.errors import Misuse
from appliance.model import TravelDocument
from provisioning.audit.opened.carrier_checks import CarrierLine
from provisioning.audit.opened.records import RecordLine, iso

WORDS_MAX: Final = 2_000
RECORD: Final = re.compile(r"[0-9a-f]{4,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for; every part that is given must hold.

    Attributes:
        number: A document number; letters and digits count, case does not.
        name: Words that all begin a word of the name, accents and case aside.
        since_ms, until_ms: The claimed time, milliseconds since 1970, the first included and the last not.
        referred: Only records where the box asked for a person to look.
    """

    number: str = ""
    name: str = ""
    since_ms: int | None = None
    until_ms: int | None = None
    referred: bool = False

    def words(self) -> str:
        """The question as it is written down, sealed, in headquarters' own log."""
        asked = {
            "number": self.number,
            "name": self.name,
            "from": "" if self.since_ms is None else iso(self.since_ms),
            "to": "" if self.until_ms is None else iso(self.until_ms),
            "referred": "yes" if self.referred else "",
        }
        return ", ".join(f"{part} {value}" for part, value in asked.items() if value)[:WORDS_MAX]


def find(question: Question, lines: Iterable[RecordLine | CarrierLine]) -> list[RecordLine | CarrierLine]:
    """The lines that answer the question, in the order given."""
    return [line for line in lines if _answers(question, line)]


def nearly(question: Question, lines: Iterable[RecordLine | CarrierLine]) -> list[str]:
    """What to ask instead, when nothing answered: which part of the question nothing has, in words."""
    asked = list(lines)
    parts = {
        "the number": (question.number, replace(question, number="")),
        "the name": (question.name, replace(question, name="")),
        "the time": (question.since_ms or question.until_ms, replace(question, since_ms=None, until_ms=None)),
        "--referred": (question.referred, replace(question, referred=False)),
    }
    without = ((part, len(find(other, asked))) for part, (given, other) in parts.items() if given)
    words = [f"Without {part}: {count} {'record' if count == 1 else 'records'}." for part, count in without if count]
    if any(isinstance(line, RecordLine) and line.document is None for line in asked) and (
        question.number or question.name
    ):
        words.append("Some documents could not be read: they have neither number nor name; search by time.")
    return words


def _answers(question: Question, line: RecordLine | CarrierLine) -> bool:
    if isinstance(line, CarrierLine):
        return _in_time(question, line) and (line.call or not question.referred) and _is_asked(question, line)
    return _in_time(question, line) and (line.refers or not question.referred) and _is_of(question, line.document)


def _is_asked(question: Question, line: CarrierLine) -> bool:
    """A carrier's check has no name, so it answers no question for one."""
    return not question.name and (
        not question.number or plain_number(line.document_number) == plain_number(question.number)
    )


def _in_time(question: Question, line: RecordLine | CarrierLine) -> bool:
    at_ms = line.clock.wall_ms
    since, until = question.since_ms, question.until_ms
    return (since is None or at_ms >= since) and (until is None or at_ms < until)


def _is_of(question: Question, document: TravelDocument | None) -> bool:
    if document is None:  # nothing was read, so it answers only what asks for neither number nor name
        return not question.number and not question.name
    if question.number and plain_number(document.document_number) != plain_number(question.number):
        return False
    words = _words(f"{document.primary_identifier} {document.secondary_identifier}")
    return all(any(word.startswith(asked) for word in words) for asked in _words(question.name))


def plain_number(number: str) -> str:
    """Its letters and digits, in upper case."""
    return re.sub(r"[^0-9A-Z]", "", number.upper())


def _words(name: str) -> list[str]:
    return re.findall(r"[0-9A-Z]+", anyascii(name).upper())


def asked_number(text: str | None) -> str:
    """A document number as typed, "" where none was. Raises Misuse for one that nothing could ever be."""
    if text is not None and not plain_number(text):
        raise Misuse(f"--number {text[:40]!r}: a document number has letters A to Z, or digits")
    return text or ""


def asked_name(text: str | None) -> str:
    """Words of a name as typed, "" where none were. Raises Misuse for what has no word: it would ask for everybody."""
    if text is not None and not _words(text):
        raise Misuse(f"--name {text[:40]!r}: it has no word; give one that begins a word of the name")
    return text or ""


def record_prefix(text: str) -> str:
    """A record's identifier as typed, or how it begins, in lower case. Raises Misuse."""
    prefix = text.lower()
    if not RECORD.fullmatch(prefix):
        raise Misuse(
            f"{text[:40]!r} is no identifier of a record: that is 32 hexadecimal digits, of which the first 4 do; "
            "`landlink-hq find` prints it"
        )
    return prefix


def parse_time(text: str, *, end: bool) -> int:
    """A day (`2026-11-03`) or a time (`2026-11-03T14:05`, UTC unless it says otherwise), as milliseconds since 1970.

    Args:
        text: As typed.
        end: The end of a range: a day then stands for its last moment.

    Raises:
        Misuse: Neither.
    """
    try:
        if len(text) == len("2026-11-03"):
            at = datetime.combine(date.fromisoformat(text), time.min, UTC) + timedelta(days=1 if end else 0)
        else:
            at = datetime.fromisoformat(text)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    except ValueError:
        raise Misuse(f"{text[:40]!r} is neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM") from None
    return int(at.timestamp() * 1000)


def parse_range(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """What --from and --to mean, each as `parse_time` has it; None for one that was not given.

    Raises:
        Misuse: One is no time, or the range is empty: nothing could ever answer.
    """
    since_ms = None if since is None else parse_time(since, end=False)
    until_ms = None if until is None else parse_time(until, end=True)
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise Misuse("--from is not before --to")
    return since_ms, until_ms
