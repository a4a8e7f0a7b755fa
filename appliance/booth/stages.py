"""Stages 2 to 5 in their order: a reading becomes a document, findings, a screening and a decision."""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.booth.events import Judged
from appliance.booth.words import basis, key, reasons, title
from appliance.clock import Instant
from appliance.decide import decide, possible_matches
from appliance.errors import Malformed
from appliance.examine.examine import examine
from appliance.examine.findings import CHECK_DIGITS, SECOND_READING, SURE_READING
from appliance.examine.second import differences, is_camera
from appliance.examine.unread import hides_who
from appliance.formats.rules import Rules
from appliance.judged import Finding, Hit, Refer
from appliance.model import CameraReading, DocumentReading, Id, MrzReading, TravelDocument
from appliance.parse.reading import parse_reading
from appliance.recorded import Screened
from appliance.screen.lists import Lists
from appliance.screen.screen import not_screened, screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one reading.

    Attributes:
        screened: For the record; `laid` is set by its place.
        hits: Those whose life begins with it, the strongest first.
    """

    screened: Screened
    hits: tuple[Hit, ...]


def judge(
    reading: DocumentReading,
    lists: Lists,
    now: Instant,
    *,
    duty_telephone: str,
    rules: Rules,
    spared: Callable[[TravelDocument, tuple[Hit, ...]], frozenset[str]],
    camera: CameraReading | None = None,
) -> Verdict:
    """Judge one reading. A page that makes no document refers, whatever the reason.

    Args:
        reading: As a device gave it, or an officer typed it.
        lists: Of the release in service.
        now: For dates and ages.
        duty_telephone: As the configuration has it.
        rules: Of the release in service.
        spared: Asks of which entries it was decided before that this traveller is not the person.
        camera: A second reading of the same page; None where none is fitted.
    """
    document, unread = _document(reading, now, camera)
    findings: tuple[Finding, ...] = ()
    screening = not_screened(lists)
    decided: frozenset[str] = frozenset()
    if document is not None:
        findings = examine(document, reading, now, camera=camera)
        screening = screen(document, lists, now)
        decided = spared(document, screening.hits) if screening.hits else decided
    decision = decide(
        document, findings, screening, duty_telephone=duty_telephone, rules=rules, spared=decided, unread=unread
    )
    screened = Screened(
        reading=reading,
        document=document,
        laid=1,
        findings=findings,
        screening=screening,
        decision=decision,
        spared=tuple(sorted(decided)),
        camera=camera,
    )
    return Verdict(screened=screened, hits=possible_matches(document, screening, rules=rules, spared=decided))


def judged(verdict: Verdict, *, ids: tuple[Id, Id, Id], opened_ms: int) -> Judged:
    """What the crossing needs to know of it; `ids` are fresh ones of record, crossing and person."""
    screened = verdict.screened
    decision = screened.decision
    words, next_step = reasons(decision)
    return Judged(
        of=ids[0],
        crossing_id=ids[1],
        person_id=ids[2],
        document_basis=basis(screened.document),
        title=title(screened.document),
        key=key(screened.document),
        unread=screened.document is None,
        unsure=_only_misread(screened),
        refers=isinstance(decision, Refer),
        reasons=words,
        next_step=next_step,
        opened_ms=opened_ms,
        document=screened.document,
        hits=verdict.hits,
    )


def _only_misread(screened: Screened) -> bool:
    """Whether all that is against a document is that it was not read surely, so that it is asked for again.

    By the camera alone; or by a scanner whose check digits do not agree while those of a camera that is in no doubt do.
    A check digit that fails without such a witness may have been changed, and stays.
    """
    decision, document, camera = screened.decision, screened.document, screened.camera
    if not isinstance(decision, Refer) or document is None or camera is None:
        return False
    codes = {each.code for each in (decision.first, *decision.others)}
    if codes == {CHECK_DIGITS.id, SECOND_READING.id}:  # refers only where the camera has no doubt, nor its check digits
        return bool(differences(document, camera))
    return codes == {SURE_READING.id}


def _document(
    reading: DocumentReading, now: Instant, camera: CameraReading | None
) -> tuple[TravelDocument | None, str]:
    """The document, or why there is none: in the officer's words; what broke which rule stays in the reading itself."""
    alone = is_camera(reading)
    if alone and camera is not None and hides_who(camera):
        return None, _within(camera.why)
    try:
        return parse_reading(reading, now), ""
    except Malformed:
        if alone and camera is not None and camera.doubt and camera.why:
            return None, _within(camera.why)
        legible = not isinstance(reading, MrzReading) or reading.lines
        return (
            None,
            "its printed lines are not whole, or not a travel document's" if legible else "nothing on it is legible",
        )


def _within(sentence: str) -> str:
    """A sentence of its own as a part of another."""
    return sentence[:1].lower() + sentence[1:].rstrip(".")
