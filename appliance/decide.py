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

from appliance.model import (
    Answer,
    Band,
    Clear,
    Decision,
    Finding,
    Hit,
    Reason,
    Refer,
    Screening,
    TravelDocument,
)

_LINE_MAX: Final = 256
_NOTICES_MAX: Final = 16

_RANKS: Final = (
    "listed_document",
    "possible_person",
    "list_not_checked",
    "unreadable",
    "specimen",
    "check_digits",
    "expired",
    "document_check",
    "number_alike",
)
"""Codes of reasons, most important first."""

_LISTS: Final = {"documents": "list of documents", "persons": "list of persons"}

_FAILED: Final = {
    "check_digits": ("check_digits", "Read it again. If the same comes up, look for changes on the page."),
    "expiry": (
        "expired",
        "Tell the traveller that it has expired, and follow the rule of your post for expired papers.",
    ),
    "specimen": ("specimen", "This is a sample, not a travel document. Ask for the real document."),
}
"""By check of examine/findings.py: the reason's code and the next step."""
_LOOK: Final = "Compare the page with the person and with what is printed; ask a colleague if in doubt."


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
    reasons = sorted(
        _reasons(document, findings, screening, duty_telephone, unread), key=lambda reason: _RANKS.index(reason.code)
    )
    if reasons:
        return Refer(first=reasons[0], others=tuple(reasons[1:33]))
    return Clear(
        oldest_list=min(answer.dated for answer in screening.lists if answer.dated is not None),
        notices=_notices(document, findings),
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
            code, next_step = _FAILED.get(finding.check, ("document_check", _LOOK))
            yield _reason(code, finding.reason, next_step)


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
            why = f": {answer.why}" if answer.why else ""
            name = _LISTS.get(answer.list_name, "list")
            yield _not_checked(f"The box could NOT check the {name}{why}.", duty_telephone)
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
                "number_alike",
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


def _notices(document: TravelDocument | None, findings: tuple[Finding, ...]) -> tuple[str, ...]:
    notices = [finding.reason for finding in findings if finding.answer is Answer.INCONCLUSIVE]
    if document is not None and document.repairs:
        notices.append("Some characters were hard to read and were corrected. Compare the page with the screen.")
    return tuple(notices[:_NOTICES_MAX])


def _reason(code: str, words: str, next_step: str) -> Reason:
    return Reason(code=code, words=words[:_LINE_MAX], next_step=next_step[:_LINE_MAX])
