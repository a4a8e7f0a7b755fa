"""What a post recorded about a synthetic traveller: picture, screening with hits, life, hand-over, outcome."""

import hashlib
import io
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from PIL import Image, ImageDraw

from appliance.clock import Instant
from appliance.judged import Answer, Finding, ListAnswer, Reason, Refer, Screening
from appliance.model import Mode, MrzReading
from appliance.parse.mrz import parse_mrz
from appliance.recorded import (
    Body,
    Crossing,
    Direction,
    DocumentBasis,
    HandOver,
    Outcome,
    OutcomeKind,
    Person,
    Picture,
    Record,
    Screened,
    Stage,
    Transition,
)
from tests.formats_samples import NOW, ORIGIN
from tests.small_post import LIST_DAY, passport
from tests.synthetic_cases import document_hit, person_hit

RECORD_ID: Final = "5a" * 16
NAME: Final = "PHOMMASAK"
NUMBER: Final = "PA0047113"


@dataclass
class Chosen:
    """What a test wants otherwise: the officer's words, the given name, the document that was laid."""

    note: str = "Telephoned the duty office. The traveller waits in the second room."
    given: str = "KHAMPHENG"
    case: str = "Provincial court, file 117 of 2026"


def page_image() -> bytes:
    """A picture of a page: synthetic lines, no person."""
    image = Image.new("RGB", (640, 440), "#e9e4d4")
    draw = ImageDraw.Draw(image)
    draw.rectangle((24, 24, 200, 260), outline="#8a8471", width=3)
    for line, text in enumerate(passport(NUMBER, NAME)):
        draw.text((24, 350 + 30 * line), text, fill="#2a2a2a")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=70)
    return out.getvalue()


def later(minutes: float) -> Instant:
    passed = int(minutes * 60_000)
    return replace(NOW, wall_ms=NOW.wall_ms + passed, boot_ms=NOW.boot_ms + passed)


def screened(chosen: Chosen) -> Screened:
    lines = passport(NUMBER, NAME, chosen.given)
    findings = (
        Finding(check="check_digits", answer=Answer.PASSED, reason="All check digits hold."),
        Finding(
            check="expiry",
            answer=Answer.FAILED,
            reason="The document has expired.",
            evidence=("expiry 2026-06-30, the day is 2026-10-27",),
        ),
        Finding(check="specimen", answer=Answer.INCONCLUSIVE, reason="No picture of the page was read."),
    )
    lists = (
        ListAnswer(list_name="documents", searched=True, version=3, dated=LIST_DAY),
        ListAnswer(list_name="persons", searched=True, version=3, dated=LIST_DAY),
    )
    reason = Reason(
        code="listed_document",
        words="Possible match. Not confirmed. This document is on a list (stolen and lost documents).",
        next_step="Keep the document. Telephone the duty office.",
    )
    other = Reason(code="expired", words="The document has expired.", next_step="Look at the document.")
    return Screened(
        reading=MrzReading(device="elyctis", lines=lines, raw_sha256=hashlib.sha256(b"raw").digest()),
        document=parse_mrz(lines, NOW),
        laid=1,
        findings=findings,
        screening=Screening(lists=lists, hits=(document_hit(), person_hit())),
        decision=Refer(first=reason, others=(other,), alert=True),
    )


def bodies(chosen: Chosen) -> list[tuple[Body, Instant, str, tuple[bytes, ...]]]:
    """Picture, the record itself, and what people did afterwards: body, time, record id, pictures."""
    image = page_image()
    step = Transition(
        of=RECORD_ID,
        before=RECORD_ID,
        was=Stage.CANDIDATE,
        now=Stage.CONFIRMATION_REQUESTED,
        by="4471",
        reason=chosen.note,
    )
    end = Outcome(
        of=RECORD_ID,
        outcome=OutcomeKind.HANDED_OVER,
        implied=False,
        note=chosen.note,
        legal_basis="Immigration law, article 12",
        by="4471",
        before="63" * 16,
    )
    return [
        (Picture(of=RECORD_ID, media_type="image/jpeg", content=image), later(0), "61" * 16, ()),
        (screened(chosen), later(0), RECORD_ID, (hashlib.sha256(image).digest(),)),
        (step, later(4), "63" * 16, ()),
        (
            HandOver(gave="4471", took="4502", cases=(RECORD_ID,), note="Waits for the answer."),
            later(60),
            "64" * 16,
            (),
        ),
        (end, later(75), "65" * 16, ()),
    ]


def records(chosen: Chosen) -> list[Record]:
    """In the order of the log."""
    return [
        Record(
            schema=1,
            origin=ORIGIN,
            record_id=record_id,
            mode=Mode.LIVE,
            salt=hashlib.sha256(record_id.encode()).digest(),
            at=at,
            crossing=Crossing(id="5c" * 16, direction=Direction.ENTRY, lane="1", conveyance="", group=2),
            person=Person(id="5d" * 16, number=1, document_basis=DocumentBasis.PASSPORT),
            body=body,
            pictures=pictures,
        )
        for body, at, record_id, pictures in bodies(chosen)
    ]


def readable(record: Record) -> dict[str, Any]:
    """`record.json`: byte strings in hexadecimal, a picture by its hash."""

    def spell(value: Any) -> Any:  # noqa: ANN401 - whatever a record holds
        match value:
            case bytes():
                return value.hex()
            case dict():
                return {key: spell(item) for key, item in value.items()}
            case list() | tuple():
                return [spell(item) for item in value]
            case _:
                return value

    shown: dict[str, Any] = spell(msgspec.to_builtins(record, builtin_types=(bytes,)))
    if isinstance(record.body, Picture):
        content = record.body.content
        shown["body"]["content"] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return shown
