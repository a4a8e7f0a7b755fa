"""Stage 3 of 8: examine - the printed lines: check digits, repaired characters, characters and fillers."""

from collections.abc import Iterator
from typing import Final

from appliance.examine.findings import CHECK_DIGITS, PRINTED_LINES, REPAIRED_CHARACTERS
from appliance.examine.second import same_shape
from appliance.examine.subject import Subject, found, not_typed
from appliance.examine.unread import SURE_PERCENT
from appliance.judged import Answer, Finding
from appliance.model import CheckDigit, DocumentFormat, Repair, RepairReason, TravelDocument
from appliance.parse.characters import FILLER, LETTERS
from appliance.parse.checks import resolve_checks
from appliance.parse.layouts import Layout, layout_of

FIELD_WORDS: Final = {
    "document_number": "document number",
    "date_of_birth": "date of birth",
    "date_of_expiry": "date of expiry",
    "optional_data": "personal number",
    "composite": "whole line",
}
USUAL_CODES: Final = {
    DocumentFormat.TD1: "ACI",
    DocumentFormat.TD2: "ACI",
    DocumentFormat.TD3: "P",
    DocumentFormat.MRVA: "V",
    DocumentFormat.MRVB: "V",
    DocumentFormat.FRA_ID: "I",
}
"""First letters of the document code by format (Doc 9303-4 to 7 §4.2.2.1, element 1)."""


def examine_check_digits(subject: Subject) -> Finding:
    """Each check digit and the composite, as read.

    One that holds only after a look-alike was exchanged fails too: a misread page and a changed one look the same here.
    """
    if subject.typed:
        return not_typed(CHECK_DIGITS)
    document = subject.document
    digits = tuple(_describe(check) for check in document.check_digits)
    hard = _hard_to_read(subject)
    failing = [check.field for check in document.check_digits if not check.holds]
    if failing and hard.issuperset(failing):
        words = "Check digits do not agree, and the camera read some characters of them with doubt: lay it again."
        return found(CHECK_DIGITS, Answer.INCONCLUSIVE, words, *digits)
    exchanged = _repairs(document, RepairReason.CHECK_DIGITS)
    otherwise = _read_otherwise(subject) if failing or exchanged else ()
    if otherwise:
        words = "The check digits do not agree as the scanner reads the lines. As the camera reads them, they do."
        return found(CHECK_DIGITS, Answer.FAILED, words, *otherwise, *digits)
    if failing:
        names = ", ".join(FIELD_WORDS.get(field, field) for field in failing if field not in hard)
        return found(CHECK_DIGITS, Answer.FAILED, f"Check digits do not agree: {names}.", *digits)
    if exchanged:
        words = "The check digits agree only if a character is read otherwise than it was: misread, or changed."
        return found(CHECK_DIGITS, Answer.FAILED, words, *exchanged, *digits)
    return found(CHECK_DIGITS, Answer.PASSED, "All check digits agree.", *digits)


def _hard_to_read(subject: Subject) -> set[str]:
    """Check digits of which, or of what they cover, some was read without confidence: failing is no alteration yet."""
    camera, document = subject.camera, subject.document
    if not subject.alone or camera is None:
        return set()
    layout = layout_of(len(document.mrz), len(document.mrz[0]), document.mrz[0][:5])
    text = "".join(document.mrz)
    if layout is None or len(camera.percent) != len(text):
        return set()
    return {
        check.field
        for check in resolve_checks(text, layout)
        if min(camera.percent[place] for place in (*check.covers, check.at)) < SURE_PERCENT
    }


def _read_otherwise(subject: Subject) -> tuple[str, ...]:
    """What a camera that is in no doubt, all check digits included, reads otherwise than the scanner."""
    camera, document = subject.camera, subject.document
    if camera is None or subject.alone or camera.doubt or not same_shape(document, camera):
        return ()
    pairs = zip("".join(document.raw), "".join(camera.lines), camera.percent, strict=False)
    return tuple(
        f"{_place(*divmod(at, len(document.mrz[0])))}: scanner {mine}, camera {theirs} ({percent} % sure)"
        for at, (mine, theirs, percent) in enumerate(pairs)
        if mine != theirs
    )


def examine_repairs(subject: Subject) -> Finding:
    """Characters that the reader took for another class of character: a notice."""
    if subject.typed:
        return not_typed(REPAIRED_CHARACTERS)
    repairs = _repairs(subject.document, RepairReason.POSITION)
    if repairs:
        words = f"Characters corrected because only a digit, or only a letter, can stand there: {len(repairs)}."
        return found(REPAIRED_CHARACTERS, Answer.INCONCLUSIVE, words, *repairs)
    return found(REPAIRED_CHARACTERS, Answer.PASSED, "No character was corrected.")


def examine_printed_lines(subject: Subject) -> Finding:
    """Rules that no check digit covers; what issuers are known to do otherwise is a notice."""
    if subject.typed:
        return not_typed(PRINTED_LINES)
    document = subject.document
    layout = layout_of(len(document.mrz), len(document.mrz[0]), document.mrz[0][:5])
    assert layout is not None  # parse has found this very layout
    text = "".join(document.mrz)
    broken = tuple(_broken(text, layout))
    if broken:
        return found(PRINTED_LINES, Answer.FAILED, "The printed lines break a rule of their format.", *broken)
    unusual = tuple(_unusual(document, text, layout))
    if unusual:
        return found(PRINTED_LINES, Answer.INCONCLUSIVE, "The printed lines are unusual; some issuers do so.", *unusual)
    return found(PRINTED_LINES, Answer.PASSED, "The printed lines keep the rules of their format.")


def _broken(text: str, layout: Layout) -> Iterator[str]:
    """Rules whose breach no known issuer's document shows."""
    for place, character in enumerate(text):
        if character not in layout.position_classes[place].value:
            yield f"{_place(place // layout.width, place % layout.width)}: {character} cannot stand there"
    for what, span in (("issuing state", layout.issuing_state), ("nationality", layout.nationality)):
        if span is not None and FILLER in text[slice(*span)].rstrip(FILLER):
            yield f"{what}: a filler before a letter"
    if text[layout.names[0][0]] == FILLER:
        yield "name: begins with a filler"
    if text[layout.sex] not in "MFX<":
        yield f"sex: {text[layout.sex]} cannot stand there"


def _unusual(document: TravelDocument, text: str, layout: Layout) -> Iterator[str]:
    """What the standard does not provide for and some issuers print: fillers among them (Doc 9303-3 §4.6, 9303-4)."""
    if document.document_code[:1] not in USUAL_CODES.get(document.format, LETTERS):
        yield f"document code: {document.document_code} on a document of this size"
    if document.sex == "X":
        yield "sex: X, where the standard has a filler"
    number = text[slice(*layout.number)].rstrip(FILLER)
    if number.startswith(FILLER):
        yield "document number: begins with a filler"
    elif FILLER in number:
        yield "document number: a filler between its characters"
    for span in layout.names:
        name = text[slice(*span)].rstrip(FILLER)
        if FILLER * 3 in name:
            yield "name: more than two fillers between letters"
        elif name.count(FILLER * 2) > 1:
            yield "name: two fillers, which part surname from given names, stand there twice"


def _repairs(document: TravelDocument, reason: RepairReason) -> tuple[str, ...]:
    return tuple(_correction(repair) for repair in document.repairs if repair.reason is reason)


def _correction(repair: Repair) -> str:
    return f"{_place(repair.line, repair.column)}: read {repair.read}, taken as {repair.taken_as}"


def _place(line: int, column: int) -> str:
    """Counted from one, as a person does with a lens."""
    return f"line {line + 1}, place {column + 1}"


def _describe(check: CheckDigit) -> str:
    return f"{check.field}: printed {check.printed}, computed {check.computed}"
