"""Stage 5 of 8: decide - findings and hits become Clear or Refer, in words for the officer.

- Whatever could not be done refers: an unreadable page, a list that could not be searched (I5).
- A hit is a question: the words say "possible match", and to telephone before acting on it (I6).
- Nothing refers because of who somebody is: no nationality, sex or age is read here (I6).
- An untrusted clock refers nobody: what it leaves open becomes a notice (I9).

The order of reasons is the order of what the officer should do first: possible matches, then what could not be
checked, then what speaks against the document, then what only asks for another reading.
"""

from collections.abc import Iterator
from typing import Final

from appliance.examine.findings import (
    CHECK_DIGITS,
    DATE_OF_BIRTH,
    EXPIRY,
    ISSUING_STATE,
    NATIONALITY,
    PRINTED_LINES,
    REPAIRED_CHARACTERS,
    SPECIMEN,
)
from appliance.model import (
    Answer,
    Band,
    Clear,
    Decision,
    Finding,
    Hit,
    ListName,
    Reason,
    Refer,
    Screening,
    TravelDocument,
)

_LINE_MAX: Final = 256
_NOTICES_MAX: Final = 16
_NOTICE: Final = (Answer.INCONCLUSIVE, Answer.UNAVAILABLE)

_RANKS: Final = (
    "listed_document",
    "possible_person",
    "list_not_checked",
    "unreadable",
    "specimen",
    "check_digits",
    "expired",
)
"""Codes of reasons, most important first; the other findings follow, and last what asks for another reading."""
_NUMBER_ALIKE: Final = "number_alike"

_LISTS: Final[dict[ListName, str]] = {"documents": "list of documents", "persons": "list of persons"}
_CODES: Final = {"expiry": "expired"}
"""Findings whose reason has a code of its own; the others have the check's."""
_NEXT_STEPS: Final = {
    CHECK_DIGITS.id: "Lay the document again; if it stays, compare the printed lines with the page, with a lens.",
    EXPIRY.id: "Compare the date of expiry on the page with today's date, and follow your post's rule.",
    DATE_OF_BIRTH.id: "Compare the date of birth on the page with the printed lines and with the person.",
    ISSUING_STATE.id: "Look at who issued the document, and ask the supervisor whether it is accepted.",
    NATIONALITY.id: "Compare the nationality on the page with the printed lines.",
    SPECIMEN.id: "Keep the document and call the supervisor.",
    PRINTED_LINES.id: "Lay the document again; if it stays, look at the printed lines with a lens.",
    REPAIRED_CHARACTERS.id: "Compare the marked characters with the page.",
}
"""What the officer does when a check of examine/findings.py has failed; a test sees to it that every check is here."""


def decide(
    document: TravelDocument | None,
    findings: tuple[Finding, ...],
    screening: Screening,
    *,
    duty_telephone: str,
    unread: str = "",
) -> Decision:
    """Clear, or Refer with reasons in order.

    Args:
        document: None when the page could not be read.
        findings: Of the document; () when there is none.
        screening: What the lists said.
        duty_telephone: Whom to call, as the configuration has it.
        unread: When the page could not be read, why, in plain words.
    """
    reasons = sorted(_reasons(document, findings, screening, duty_telephone, unread), key=_rank)
    if reasons:
        return Refer(first=reasons[0], others=tuple(reasons[1:33]))
    return Clear(
        oldest_list=min(answer.dated for answer in screening.lists if answer.dated is not None),
        notices=tuple(finding.reason for finding in findings if finding.answer in _NOTICE)[:_NOTICES_MAX],
    )


def _reasons(
    document: TravelDocument | None,
    findings: tuple[Finding, ...],
    screening: Screening,
    duty_telephone: str,
    unread: str,
) -> Iterator[Reason]:
    if document is None:
        yield _unreadable(unread)
        return
    yield from _from_lists(screening, duty_telephone)
    yield from _from_hits(document, screening, duty_telephone)
    for finding in findings:
        if finding.answer is Answer.FAILED:
            code = _CODES.get(finding.check, finding.check)
            yield _reason(code, finding.reason, _NEXT_STEPS[finding.check])


def _rank(reason: Reason) -> int:
    if reason.code == _NUMBER_ALIKE:
        return len(_RANKS) + 1
    return _RANKS.index(reason.code) if reason.code in _RANKS else len(_RANKS)


def _unreadable(unread: str) -> Reason:
    why = f" ({unread})" if unread else ""
    return _reason(
        "unreadable",
        f"The box could NOT read this page{why}, so nothing was checked.",
        "Lay it on the scanner again, flat and clean. If that fails, type it in.",
    )


def _from_lists(screening: Screening, duty_telephone: str) -> Iterator[Reason]:
    for answer in screening.lists:
        if not answer.searched or answer.dated is None:
            # Without a release `why` is a technician's; the record keeps it, the officer reads this.
            why = answer.why if answer.version else "it has no list that can be trusted"
            name = _LISTS[answer.list_name]
            yield _not_checked(f"The box could NOT check the {name}: {why}.", duty_telephone)
    if not screening.lists:
        yield _not_checked("The box could NOT check any list.", duty_telephone)


def _not_checked(words: str, duty_telephone: str) -> Reason:
    return _reason("list_not_checked", words, f"Telephone {duty_telephone} and have this person checked there.")


def _from_hits(document: TravelDocument, screening: Screening, duty_telephone: str) -> Iterator[Reason]:
    for hit in screening.hits:
        if hit.band is Band.EXACT_DOCUMENT:
            yield _reason(
                "listed_document",
                f"Possible match. Not confirmed. This document number is on a list ({hit.source}).",
                f"Keep the document and telephone {duty_telephone} before you do anything else.",
            )
        elif hit.band in (Band.STRONG, Band.POSSIBLE):
            yield _reason(
                "possible_person",
                f"Possible match. Not confirmed. A person on a list has {_what_fits(hit)} ({hit.source}).",
                f"Compare the details, then telephone {duty_telephone}. Say nothing of it to the traveller.",
            )
        elif hit.list_name == "documents" and not _number_vouched(document):
            yield _reason(
                _NUMBER_ALIKE,
                "A number that looks almost like this one is on a list. It may have been misread.",
                "Lay the document on the scanner again, or compare the number character by character.",
            )


def _what_fits(hit: Hit) -> str:
    name = next((field.verdict for field in hit.fields if field.field == "name"), "")
    birth = next((field.verdict for field in hit.fields if field.field == "date_of_birth"), "")
    a_name = "the same name" if name == "equal" else "a name like this"
    if birth == "equal":
        return f"{a_name} and the same date of birth"
    return f"{a_name}; the date of birth {'is not known' if birth == 'absent' else 'could fit'}"


def _number_vouched(document: TravelDocument) -> bool:
    """Whether a check digit speaks for the number: O and 0, I and 1 differ in it (values 24 and 0, 18 and 1)."""
    return any(digit.field == "document_number" and digit.holds for digit in document.check_digits)


def _reason(code: str, words: str, next_step: str) -> Reason:
    return Reason(code=code, words=words[:_LINE_MAX], next_step=next_step[:_LINE_MAX])
