"""Stage 3 of 8: examine - is the document what it says it is? Every declared check answers, in the declared order."""

from collections.abc import Callable
from typing import Final

from appliance.clock import Instant
from appliance.examine import findings
from appliance.examine.codes import examine_issuing_state, examine_nationality, examine_specimen
from appliance.examine.dates import examine_date_of_birth, examine_expiry
from appliance.examine.lines import examine_check_digits, examine_printed_lines, examine_repairs
from appliance.examine.national import examine_national_number
from appliance.examine.number import examine_number_form
from appliance.examine.printing import examine_infrared, examine_printed_geometry
from appliance.examine.second import examine_second_reading, examine_sure_reading, is_camera
from appliance.examine.subject import Subject
from appliance.examine.unread import only_what_was_read
from appliance.examine.validity import examine_validity
from appliance.judged import Finding
from appliance.model import CameraReading, DocumentReading, Mode, TravelDocument, TypedReading

EXAMINERS: Final[dict[str, Callable[[Subject], Finding]]] = {
    findings.CHECK_DIGITS.id: examine_check_digits,
    findings.EXPIRY.id: examine_expiry,
    findings.DATE_OF_BIRTH.id: examine_date_of_birth,
    findings.ISSUING_STATE.id: examine_issuing_state,
    findings.NATIONALITY.id: examine_nationality,
    findings.SPECIMEN.id: examine_specimen,
    findings.PRINTED_LINES.id: examine_printed_lines,
    findings.REPAIRED_CHARACTERS.id: examine_repairs,
    findings.VALIDITY.id: examine_validity,
    findings.NUMBER_FORM.id: examine_number_form,
    findings.NATIONAL_NUMBER.id: examine_national_number,
    findings.SECOND_READING.id: examine_second_reading,
    findings.SURE_READING.id: examine_sure_reading,
    findings.PRINTED_GEOMETRY.id: examine_printed_geometry,
    findings.INFRARED.id: examine_infrared,
}


def examine(
    document: TravelDocument,
    reading: DocumentReading,
    now: Instant,
    *,
    mode: Mode = Mode.LIVE,
    camera: CameraReading | None = None,
) -> tuple[Finding, ...]:
    """Answer every check for this document.

    Args:
        document: As parsed from `reading`.
        reading: Where it came from: what a typed document cannot be asked is not applicable.
        now: Decides what has expired, as far as it is to be believed.
        mode: A specimen is refused in the real lane and welcome in training.
        camera: A second reading of the same page; None where none is fitted.
    """
    subject = Subject(
        document=document,
        typed=isinstance(reading, TypedReading),
        now=now,
        mode=mode,
        camera=camera,
        alone=is_camera(reading),
    )
    return tuple(only_what_was_read((EXAMINERS[check](subject) for check in findings.CHECKS), subject))
