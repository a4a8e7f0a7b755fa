"""Stage 3 of 8: examine - issuer and nationality: does the code exist, and can it stand there? And: is it a specimen?

Never which state it is (I6).
"""

from typing import Final

from appliance.examine.findings import ISSUING_STATE, NATIONALITY, SPECIMEN, Check
from appliance.examine.subject import Subject, found
from appliance.judged import Answer, Finding
from appliance.model import Mode
from appliance.parse.codes import CodeKind, state_codes

Answers = dict[CodeKind, tuple[Answer, str]]
"""What a kind of code means at one place of a document: the answer, and words into which the code's name goes."""

ISSUER_ANSWERS: Final[Answers] = {
    CodeKind.STATE: (Answer.PASSED, "Issued by {}."),
    CodeKind.STATUS: (Answer.PASSED, "Issued under the status {}."),
    CodeKind.ORGANISATION: (Answer.PASSED, "Issued by {}."),
    CodeKind.SPECIMEN: (Answer.NOT_APPLICABLE, "A specimen's code: {}."),
    CodeKind.HISTORIC: (Answer.FAILED, "The issuer no longer exists: {}."),
    CodeKind.FANTASY: (Answer.FAILED, "Not issued by a state: {}."),
    CodeKind.PERSON: (Answer.FAILED, "This code stands for persons, not for an issuer: {}."),
}
NATIONALITY_ANSWERS: Final[Answers] = {
    CodeKind.STATE: (Answer.PASSED, "The nationality's code exists: {}."),
    CodeKind.STATUS: (Answer.PASSED, "The nationality's code exists: {}."),
    CodeKind.ORGANISATION: (Answer.PASSED, "The nationality's code exists: {}."),
    CodeKind.PERSON: (Answer.PASSED, "The nationality's code exists: {}."),
    CodeKind.SPECIMEN: (Answer.NOT_APPLICABLE, "A specimen's code: {}."),
    # Residence and refugee papers still carry these, of persons born under them.
    CodeKind.HISTORIC: (Answer.INCONCLUSIVE, "An old code is printed: {}."),
    CodeKind.FANTASY: (Answer.FAILED, "Not a nationality: {}."),
}


def examine_issuing_state(subject: Subject) -> Finding:
    """Unknown, withdrawn and invented issuers fail; so does a code that stands for persons."""
    code = subject.document.issuing_state
    if subject.typed and not code:
        return found(ISSUING_STATE, Answer.INCONCLUSIVE, "No issuing state was typed in.")
    return _judge(ISSUING_STATE, code, ISSUER_ANSWERS, unknown="No issuer has this code.")


def examine_nationality(subject: Subject) -> Finding:
    """An unknown code fails; persons without a nationality have codes of their own."""
    code = subject.document.nationality
    if subject.typed:
        return found(NATIONALITY, Answer.NOT_APPLICABLE, "Typed in: the nationality is not asked for.")
    if not code:
        return found(NATIONALITY, Answer.INCONCLUSIVE, "The printed lines give no nationality. Look at the page.")
    return _judge(NATIONALITY, code, NATIONALITY_ANSWERS, unknown="No nationality has this code.")


def examine_specimen(subject: Subject) -> Finding:
    """A specimen's code fails in the real lane and is what training is for (I7)."""
    codes = (subject.document.issuing_state, subject.document.nationality)
    specimens = tuple(
        f"code {code}" for code in codes if code in state_codes() and state_codes()[code].kind is CodeKind.SPECIMEN
    )
    if not specimens:
        return found(SPECIMEN, Answer.PASSED, "Not a specimen by its codes.")
    if subject.mode is Mode.TRAINING:
        return found(SPECIMEN, Answer.PASSED, "A specimen, as training uses them.", *specimens)
    return found(SPECIMEN, Answer.FAILED, "This is a specimen, not a travel document.", *specimens)


def _judge(check: Check, code: str, answers: Answers, *, unknown: str) -> Finding:
    printed = f"code {code}" if code else "no code"
    entry = state_codes().get(code)
    if entry is None:
        return found(check, Answer.FAILED, unknown, printed)
    answer, words = answers[entry.kind]
    return found(check, answer, words.format(entry.name), printed, entry.source)
