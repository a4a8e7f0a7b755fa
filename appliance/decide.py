"""Stage 5 of 8: decide - findings and hits become Clear or Refer, in words for the officer.

- Whatever could not be done refers: an unreadable page, a list that could not be searched (I5).
- A hit is a question: the words say "possible match", and to telephone before acting on it (I6).
- Nothing refers because of who somebody is: no nationality, sex or age is read here (I6).
- An untrusted clock refers nobody: what it leaves open becomes a notice (I9).
- Which band and which finding refers, alerts or is only noted, headquarters' rules say (formats/rules.py). They cannot
  lower the first point, nor spare a document whose number is listed.
- A person's hit that people have decided before, "not the same", refers nobody again until the entry changes.

The order of reasons is the order of what the officer should do first: possible matches, then what could not be
checked, then what speaks against the document, then what only asks for another reading.
"""

from collections.abc import Iterator
from typing import Final

from appliance.examine.findings import CHECKS, INFRARED, PRINTED_GEOMETRY, SECOND_READING
from appliance.formats.rules import DEFAULT_RULES, Action, Rules, action_for, confirmation_for
from appliance.judged import Answer, Band, Clear, Decision, Finding, Hit, Reason, Refer, Screening
from appliance.model import ListName, TravelDocument

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
_CLOSER_LOOKS: Final = (PRINTED_GEOMETRY.id, INFRARED.id)
"""Checks that look again at lines that the camera has read."""
_LOOK: Final = "Compare the document with what is said of it, and ask the supervisor."


def decide(
    document: TravelDocument | None,
    findings: tuple[Finding, ...],
    screening: Screening,
    *,
    duty_telephone: str,
    rules: Rules = DEFAULT_RULES,
    spared: frozenset[str] = frozenset(),
    unread: str = "",
) -> Decision:
    """Clear, or Refer with reasons in order.

    Args:
        document: None when the page could not be read.
        findings: Of the document; () when there is none.
        screening: What the lists said.
        duty_telephone: Whom to call, as the configuration has it; where the rules name another, that one counts.
        rules: Of the release in service.
        spared: Entries of which it was decided that this traveller is not the person.
        unread: When the page could not be read, why, in plain words.
    """
    if document is None:
        return Refer(first=_unreadable(unread))
    asking = tuple(_asking(document, screening, rules, spared))
    reasons = sorted(
        (
            *_from_lists(screening, duty_telephone),
            *(_of_hit(hit, confirmation_for(rules, hit.notice).telephone or duty_telephone) for hit, _ in asking),
            *(_of_finding(finding) for finding in findings if _refers(finding, rules)),
        ),
        key=_rank,
    )
    if reasons:
        alert = any(action == "alert" for _, action in asking)
        return Refer(first=reasons[0], others=tuple(reasons[1:33]), alert=alert)
    notices = (
        *_noticed(findings),
        *(_decided_before(hit) for hit in screening.hits if _is_spared(hit, screening, spared)),
    )
    return Clear(
        oldest_list=min(answer.dated for answer in screening.lists if answer.dated is not None),
        notices=notices[:_NOTICES_MAX],
    )


def possible_matches(
    document: TravelDocument | None, screening: Screening, *, rules: Rules, spared: frozenset[str] = frozenset()
) -> tuple[Hit, ...]:
    """The hits that people have to look into, the strongest first; a number that is merely alike is laid again.

    Args:
        document: None when the page could not be read.
        screening: What the lists said.
        rules: As in `decide`.
        spared: As in `decide`.
    """
    if document is None:
        return ()
    asking = (hit for hit, _ in _asking(document, screening, rules, spared))
    return tuple(hit for hit in asking if hit.list_name == "persons" or hit.band is Band.EXACT_DOCUMENT)


def _asking(
    document: TravelDocument, screening: Screening, rules: Rules, spared: frozenset[str]
) -> Iterator[tuple[Hit, Action]]:
    """The hits that refer, and what the rules say of each."""
    for hit in screening.hits:
        action = _action(hit, rules)
        if action != "note" and not _is_spared(hit, screening, spared) and not _is_vouched(hit, document):
            yield hit, action


def _action(hit: Hit, rules: Rules) -> Action:
    """What the rules say of a hit; a listed document's number refers, whatever they say (I5)."""
    action = action_for(rules, list_name=hit.list_name, band=hit.band, notice=hit.notice)
    return "refer" if hit.band is Band.EXACT_DOCUMENT and action == "note" else action


def _is_spared(hit: Hit, screening: Screening, spared: frozenset[str]) -> bool:
    """A document's hit never is: it is about the paper that lies there, whoever brings it."""
    return hit.list_name == "persons" and hit.entry in spared and _is_one_entry(hit.entry, screening)


def _is_one_entry(entry: str, screening: Screening) -> bool:
    """Whether the identifier names one entry here: two sources may use the same, and one was decided on."""
    return len({(hit.source, hit.revision) for hit in screening.hits if hit.entry == entry}) == 1


def _refers(finding: Finding, rules: Rules) -> bool:
    return finding.answer is Answer.FAILED and rules.findings.get(finding.check) != "note"


def _noticed(findings: tuple[Finding, ...]) -> Iterator[str]:
    """What is left open, and what the rules only note: nothing that a check has found passes in silence.

    Where the camera did not read the lines surely, that is said once, and not again for each of its closer looks.
    """
    noticed = [finding for finding in findings if finding.answer in (*_NOTICE, Answer.FAILED)]
    unread = any(finding.check == SECOND_READING.id and finding.answer in _NOTICE for finding in noticed)
    for finding in noticed:
        if not (unread and finding.answer is Answer.UNAVAILABLE and finding.check in _CLOSER_LOOKS):
            yield finding.reason


def _of_finding(finding: Finding) -> Reason:
    check = CHECKS.get(finding.check)  # a record may be judged again here that a newer box made
    step = check.next_step if check else _LOOK
    return _reason(_CODES.get(finding.check, finding.check), finding.reason, step)


def _rank(reason: Reason) -> int:
    if reason.code == _NUMBER_ALIKE:
        return len(_RANKS) + 1
    return _RANKS.index(reason.code) if reason.code in _RANKS else len(_RANKS)


def _unreadable(unread: str) -> Reason:
    why = f" ({unread})" if unread else ""
    return _reason(
        "unreadable",
        f"The box could NOT read this page{why}, so nothing was checked.",
        "Lay it again, flat and clean. If that fails, type it in.",
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


def _is_vouched(hit: Hit, document: TravelDocument) -> bool:
    """A number that is merely alike, and whose check digit holds: in it O and 0, I and 1 differ."""
    return (
        hit.list_name == "documents"
        and hit.band is not Band.EXACT_DOCUMENT
        and any(digit.field == "document_number" and digit.holds for digit in document.check_digits)
    )


def _of_hit(hit: Hit, telephone: str) -> Reason:
    if hit.band is Band.EXACT_DOCUMENT:
        return _reason(
            "listed_document",
            f"Possible match. Not confirmed. This document number is on a list ({hit.source}).",
            f"Keep the document and telephone {telephone} before you do anything else.",
        )
    if hit.list_name == "persons":
        return _reason(
            "possible_person",
            f"Possible match. Not confirmed. A person on a list has {_what_fits(hit)} ({hit.source}).",
            f"Compare the details, then telephone {telephone}. Say nothing of it to the traveller.",
        )
    return _reason(
        _NUMBER_ALIKE,
        "A number that looks almost like this one is on a list. It may have been misread.",
        "Lay the document again, or compare the number character by character.",
    )


def _decided_before(hit: Hit) -> str:
    return f"Compared before, and decided: not the person whom a list has ({hit.source})."[:_LINE_MAX]


def _what_fits(hit: Hit) -> str:
    name = next((field.verdict for field in hit.fields if field.field == "name"), "")
    birth = next((field.verdict for field in hit.fields if field.field == "date_of_birth"), "")
    a_name = "the same name" if name == "equal" else "a name like this"
    if birth == "equal":
        return f"{a_name} and the same date of birth"
    fits = {"absent": "is not known", "contradicts": "does not fit"}.get(birth, "could fit")
    return f"{a_name}; the date of birth {fits}"


def _reason(code: str, words: str, next_step: str) -> Reason:
    return Reason(code=code, words=words[:_LINE_MAX], next_step=next_step[:_LINE_MAX])
