"""Possible matches of nobody, at any stage, for tests of a hit's life."""

import dataclasses

from msgspec import structs

from appliance.clock import Grade, Instant
from appliance.formats.wire import Case
from appliance.inquiry.life import Said, start
from appliance.inquiry.moves import Need, Who, find_move
from appliance.judged import Band, FieldVerdict, Hit, WordPair
from appliance.model import TravelDocument
from appliance.parse.mrz import parse_mrz
from appliance.recorded import Crossing, Direction, DocumentBasis, Person, Stage
from tests.small_post import LIST_DAY, NOW, passport

OF = "0a" * 16
STEP = "0b" * 16
ANSWER = bytes(range(32))


def hit(entry: str = "R-7", *, notice: str = "red", words: int = 2) -> Hit:
    """An entry of a persons list that fits."""
    pair = WordPair(traveller="PHOMMASACK", listed="PHOMMASAK", verdict="alike")
    return Hit(
        list_name="persons",
        list_version=3,
        list_date=LIST_DAY,
        entry=entry,
        source="INTERPOL",
        band=Band.STRONG,
        matcher="synthetic",
        fields=(FieldVerdict(field="name", traveller="A", listed="B", verdict="alike", words=(pair,) * words),),
        instruction="Telephone before you act on it.",
        notice=notice,
        revision="0123456789abcdef",
    )


def document(nationality: str = "LAO", **changes: object) -> TravelDocument:
    """A passport of a synthetic holder."""
    parsed = parse_mrz(passport("PA1234567", "PHOMMASACK", "KHAMPHENG"), NOW)
    return structs.replace(parsed, nationality=nationality, **changes)


def case_at(stage: Stage = Stage.CANDIDATE, *hits: Hit, asked: Instant | None = NOW, nationality: str = "LAO") -> Case:
    """An open case at a stage, asked unless told otherwise."""
    fresh = Case(
        of=OF,
        crossing=Crossing(id="1" * 32, direction=Direction.ENTRY, lane="1"),
        person=Person(id="2" * 32, number=1, document_basis=DocumentBasis.PASSPORT),
        refers=True,
        title="PHOMMASACK KHAMPHENG",
        reasons=("Possible match. Not confirmed.",),
        next_step="Telephone.",
        opened_ms=NOW.wall_ms,
        document=document(nationality),
        hits=hits or (hit(),),
    )
    return structs.replace(start(fresh), stage=stage, asked=asked)


def said(now: Stage, who: Who, **changes: object) -> Said:
    """A step as it would be said, with nothing that it might take."""
    return dataclasses.replace(Said(now=now, who=who, at=NOW, record=STEP), **changes)


def said_well(was: Stage, now: Stage, who: Who) -> Said:
    """The same with everything that it takes."""
    needs = find_move(was, now, who).needs
    return said(
        now,
        who,
        by="" if who is Who.CLOCK else "7701",
        reason="Another face." if Need.REASON in needs else "",
        answer=ANSWER if Need.ANSWER in needs else None,
    )


def later(of: Instant, minutes: float, **changes: object) -> Instant:
    """The same boot, so many minutes on."""
    passed = int(minutes * 60_000)
    return structs.replace(of, wall_ms=of.wall_ms + passed, boot_ms=of.boot_ms + passed, **changes)


def rebooted(of: Instant, *, up_minutes: float, wall_ms: int, grade: Grade = Grade.NONE) -> Instant:
    """Another boot."""
    return structs.replace(of, boot_id="f" * 32, boot_ms=int(up_minutes * 60_000), wall_ms=wall_ms, grade=grade)
