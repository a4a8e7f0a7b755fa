"""`report`: what happened, counted per box and day, from opened records."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from provisioning.audit.opened.carrier_checks import CarrierLine
from provisioning.audit.opened.logs import OpenedLog
from provisioning.audit.opened.records import RecordLine


class DayReport(msgspec.Struct, frozen=True, kw_only=True):
    """One day of one box, the day as its clock claimed it, in UTC.

    Attributes:
        documents: Documents laid or typed of somebody who was there.
        looked_up: Documents looked up that nobody had brought; in no other number here.
        typed: Of these, typed in.
        persons: Persons, as the booth told them apart.
        referred: Documents for which the box asked for a person to look.
        unread: Documents of which nothing could be read.
        hits: Documents that a list entry may concern.
        not_searched: Documents for which a list could not be searched.
        outcomes: What was done, counted.
        open: Documents for which nobody has said what was done.
    """

    day: str
    documents: int
    looked_up: int
    typed: int
    persons: int
    referred: int
    unread: int
    hits: int
    not_searched: int
    outcomes: dict[str, int]
    open: int


class CarrierDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day of a desk of the carrier profile: documents asked about, and how often the answer was to call."""

    day: str
    documents: int
    calls: int


class OpenCase(msgspec.Struct, frozen=True, kw_only=True):
    """A referral for which nobody has said what was done; nothing personal, so that a report may be passed on."""

    origin: str
    index: int
    at: str
    reasons: list[str]


class BoxReport(msgspec.Struct, frozen=True, kw_only=True):
    """One log of one box.

    Attributes:
        entries: Entries pulled.
        opened: Bodies opened.
        unsent: Sealed entries whose body headquarters does not have.
        opened_through: As the collector is told.
        problems: How many things are not as they should be; `landlink-hq verify` names them.
    """

    serial: str
    origin: str
    entries: int
    opened: int
    unsent: int
    opened_through: int
    problems: int
    days: list[DayReport]
    carriers: list[CarrierDay]
    open_cases: list[OpenCase]


def report(log: OpenedLog) -> BoxReport:
    """Count one log."""
    by_day: dict[str, list[RecordLine]] = {}
    for line in log.lines:
        by_day.setdefault(line.day, []).append(line)
    return BoxReport(
        serial=log.serial,
        origin=log.origin,
        entries=log.entries,
        opened=log.opened,
        unsent=len(log.awaited),
        opened_through=log.opened_through,
        problems=len(log.problems),
        days=[_count(day, lines) for day, lines in sorted(by_day.items())],
        carriers=_carriers(log.carrier_checks),
        open_cases=[
            _open_case(line) for line in log.lines if line.refers and line.outcome is None and not line.looked_up
        ],
    )


def _count(day: str, every: list[RecordLine]) -> DayReport:
    lines = [line for line in every if not line.looked_up]
    return DayReport(
        day=day,
        documents=len(lines),
        looked_up=len(every) - len(lines),
        typed=_number(line.source == "typed" for line in lines),
        persons=len({line.person.id for line in lines if line.person is not None}),
        referred=_number(line.refers for line in lines),
        unread=_number(line.document is None for line in lines),
        hits=_number(bool(line.hits) for line in lines),
        not_searched=_number(not all(answer.searched for answer in line.lists) for line in lines),
        outcomes=dict(Counter(line.outcome.outcome.value for line in lines if line.outcome is not None)),
        open=_number(line.outcome is None for line in lines),
    )


def _carriers(checks: list[CarrierLine]) -> list[CarrierDay]:
    asked, calls = Counter(line.day for line in checks), Counter(line.day for line in checks if line.call)
    return [CarrierDay(day=day, documents=documents, calls=calls[day]) for day, documents in sorted(asked.items())]


def _number(answers: Iterable[bool]) -> int:
    return sum(answers)


def _open_case(line: RecordLine) -> OpenCase:
    return OpenCase(origin=line.origin, index=line.index, at=line.at, reasons=line.reasons)
