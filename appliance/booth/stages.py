"""Stages 2 to 5 in their order: a reading becomes a document, findings, a screening and a decision. Pure."""

from appliance.booth.events import Judged
from appliance.booth.words import basis, key, reasons, title
from appliance.clock import Instant
from appliance.decide import decide
from appliance.errors import Malformed
from appliance.examine.examine import examine
from appliance.formats.rules import Rules
from appliance.model import DocumentReading, Finding, Id, MrzReading, Refer, TravelDocument
from appliance.parse.reading import parse_reading
from appliance.recorded import Screened
from appliance.screen.lists import Lists
from appliance.screen.screen import not_screened, screen


def judge(reading: DocumentReading, lists: Lists, now: Instant, *, duty_telephone: str, rules: Rules) -> Screened:
    """Judge one reading. A page that makes no document refers, whatever the reason; `laid` is set by its place."""
    document, unread = _document(reading, now)
    findings: tuple[Finding, ...] = ()
    screening = not_screened(lists)
    if document is not None:
        findings = examine(document, reading, now)
        screening = screen(document, lists, now)
    decision = decide(document, findings, screening, duty_telephone=duty_telephone, rules=rules, unread=unread)
    return Screened(
        reading=reading, document=document, laid=1, findings=findings, screening=screening, decision=decision
    )


def judged(screened: Screened, *, ids: tuple[Id, Id, Id], opened_ms: int) -> Judged:
    """What the crossing needs to know of it; `ids` are fresh ones of record, crossing and person."""
    words, next_step = reasons(screened.decision)
    return Judged(
        of=ids[0],
        crossing_id=ids[1],
        person_id=ids[2],
        document_basis=basis(screened.document),
        title=title(screened.document),
        key=key(screened.document),
        unread=screened.document is None,
        refers=isinstance(screened.decision, Refer),
        reasons=words,
        next_step=next_step,
        opened_ms=opened_ms,
    )


def _document(reading: DocumentReading, now: Instant) -> tuple[TravelDocument | None, str]:
    try:
        return parse_reading(reading, now), ""
    except Malformed:
        # The officer's words, not the format's: what broke which rule stays in the reading itself.
        legible = not isinstance(reading, MrzReading) or reading.lines
        return None, "it is not the page of a travel document" if legible else "nothing on it is legible"
