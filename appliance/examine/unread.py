"""Stage 3 of 8: examine - what a camera that reads alone did not see, or not surely, is not examined.

A smudge is no fault of a document: no issuer is unknown and no date wrong that nobody has read. That the page could not
be read surely refers by itself (`sure_reading`).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from appliance.examine import findings
from appliance.examine.findings import CHECKS
from appliance.examine.subject import Subject, found
from appliance.judged import Answer, Finding
from appliance.model import CameraReading, RepairReason
from appliance.parse.checks import compare, resolve_checks
from appliance.parse.layouts import Layout, Span, layout_of

SURE_PERCENT: Final = 85
"""A character that the camera read less surely than this speaks against nobody."""
VOUCHED_PERCENT: Final = 35
"""The same, where a check digit agrees with it."""
NOT_EXAMINED: Final = "The camera did not read surely what this is about, so it was not examined."
NAME_BEGINS: Final = 2
"""Characters of a name without which it is no name to search for."""

_READS: Final[dict[str, Callable[[Layout], tuple[Span | None, ...]]]] = {
    findings.EXPIRY.id: lambda layout: (layout.date_of_expiry,),
    findings.DATE_OF_BIRTH.id: lambda layout: (layout.date_of_birth, layout.date_of_expiry),
    findings.ISSUING_STATE.id: lambda layout: (layout.issuing_state,),
    findings.NATIONALITY.id: lambda layout: (layout.nationality,),
    findings.SPECIMEN.id: lambda layout: (layout.issuing_state, layout.nationality),
    findings.PRINTED_LINES.id: lambda layout: ((0, layout.line_count * layout.width),),
    findings.VALIDITY.id: lambda layout: (layout.issuing_state, layout.date_of_birth, layout.date_of_expiry),
    findings.NUMBER_FORM.id: lambda layout: (layout.issuing_state, layout.number),
    findings.NATIONAL_NUMBER.id: lambda layout: (layout.issuing_state, layout.date_of_birth, *layout.optional),
}
"""Which parts of the lines a check looks at; of the others, each asks by itself how surely they were read."""


def hides_who(camera: CameraReading) -> bool:
    """Whether the lines name nobody, since kind, issuer, number, birth or a name's beginning is not to be seen."""
    layout = _layout(camera.lines)
    if layout is None:
        return False
    names = ((start, start + NAME_BEGINS) for start, _ in layout.names)
    spans = (layout.document_code, layout.issuing_state, layout.number, layout.date_of_birth, *names)
    return any(0 in camera.percent[slice(*span)] for span in spans)


def only_what_was_read(every: Iterator[Finding], subject: Subject) -> Iterator[Finding]:
    """The findings; "unavailable" in place of what speaks of characters that the camera alone did not read surely."""
    places = _unread(subject)
    for finding in every:
        against = finding.answer in (Answer.FAILED, Answer.INCONCLUSIVE)
        if against and places and not places.isdisjoint(_looked_at(finding, subject)):
            yield found(CHECKS[finding.check], Answer.UNAVAILABLE, NOT_EXAMINED)
        else:
            yield finding


def _unread(subject: Subject) -> set[int]:
    """Places in the joined lines; none where there is a scanner."""
    camera, text = subject.camera, "".join(subject.document.mrz)
    layout = _layout(subject.document.mrz)
    if not subject.alone or camera is None or layout is None or len(camera.percent) != len(text):
        return set()
    vouched = {
        place
        for check in resolve_checks(text, layout)
        if compare(text, check).holds
        for place in (*check.covers, check.at)
        if camera.percent[place] >= VOUCHED_PERCENT
    }
    return {at for at, percent in enumerate(camera.percent) if percent < SURE_PERCENT} - vouched


def _looked_at(finding: Finding, subject: Subject) -> Iterator[int]:
    """The places that this finding speaks of."""
    layout = _layout(subject.document.mrz)
    assert layout is not None, "there are places that were not read"
    if finding.check == findings.CHECK_DIGITS.id:
        for repair in subject.document.repairs:
            if repair.reason is RepairReason.CHECK_DIGITS:
                yield repair.line * layout.width + repair.column
    for span in _READS[finding.check](layout) if finding.check in _READS else ():
        if span is not None:
            yield from range(*span)


def _layout(lines: Sequence[str]) -> Layout | None:
    return layout_of(len(lines), len(lines[0]), lines[0][:5]) if lines else None
