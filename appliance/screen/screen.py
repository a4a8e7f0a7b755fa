"""Stage 4 of 8: screen - is the document, or its holder, on a list?

Every list answers: searched, with its date, or not searched, and why. A hit is an entry that may concern this document
or person, with the verdict of every field; whether it is a match is for people to say.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

import msgspec

from appliance.clock import Instant
from appliance.formats.lists import CANARY_ENTRY, DocumentKey, ListedDocument, revision
from appliance.inquiry.instructions import fraud_instruction, notice_instruction
from appliance.judged import Band, Hit, ListAnswer, Screening
from appliance.model import ListName, TravelDocument
from appliance.screen.documents import NUMBERS, ListDamaged, document_key, judge_numbers, look_alikes
from appliance.screen.lists import Lists
from appliance.screen.persons import PersonMatch

DOCUMENTS: Final[ListName] = "documents"
PERSONS: Final[ListName] = "persons"
LISTS: Final[tuple[ListName, ...]] = (DOCUMENTS, PERSONS)
HITS_MAX: Final = 16
"""Hits of one screening; the strongest are kept."""

_LETTERS: Final = ("VL",)
"""Papers without a number: the documents list does not concern them."""


def screen(document: TravelDocument, lists: Lists, now: Instant, *, asked: tuple[ListName, ...] = LISTS) -> Screening:
    """Ask the lists about this document and its holder.

    Args:
        document: As parsed.
        lists: Of the release in service.
        now: For the list's age in a hit; no entry is left out because of a date.
        asked: Which lists; a carrier's desk asks about documents alone.
    """
    answers: list[ListAnswer] = []
    hits: list[Hit] = []
    for name in asked:
        ask, listed = (_documents, lists.documents) if name == DOCUMENTS else (_persons, lists.persons)
        try:
            found = tuple(ask(document, lists, now))
        except ListDamaged as error:
            answers.append(_not_searched(name, lists.version, str(error)))
            continue
        hits.extend(found)
        answers.append(ListAnswer(list_name=name, searched=True, version=lists.version, dated=listed.dated))
    return Screening(lists=tuple(answers), hits=_strongest(hits))


def not_screened(lists: Lists, *, asked: tuple[ListName, ...] = LISTS) -> Screening:
    """What the lists said of a page that nobody could read: nothing."""
    why = "the document could not be read"
    return Screening(lists=tuple(_not_searched(name, lists.version, why) for name in asked), hits=())


def _not_searched(name: ListName, version: int, why: str) -> ListAnswer:
    return ListAnswer(list_name=name, searched=False, version=version, dated=None, why=why[:256])


def _strongest(hits: list[Hit]) -> tuple[Hit, ...]:
    order = (Band.EXACT_DOCUMENT, Band.STRONG, Band.POSSIBLE, Band.WEAK)
    return tuple(sorted(hits, key=lambda hit: order.index(hit.band))[:HITS_MAX])


def _documents(document: TravelDocument, lists: Lists, now: Instant) -> Iterator[Hit]:
    if document.document_code.upper() in _LETTERS:
        return
    key = document_key(document)
    if key is None:
        raise ListDamaged("the document's number, type or issuer is not known")
    listed = lists.documents.lookup(key)
    if listed is not None:
        yield _document_hit(listed, lists, now, key, key)
        return
    for alike in look_alikes(key):
        listed = lists.documents.lookup(alike)
        if listed is not None:
            yield _document_hit(listed, lists, now, key, alike)


def _document_hit(listed: ListedDocument, lists: Lists, now: Instant, mine: DocumentKey, theirs: DocumentKey) -> Hit:
    dated = _known(lists.documents.dated)
    band, field = judge_numbers(mine, theirs)
    return Hit(
        list_name=DOCUMENTS,
        list_version=lists.version,
        list_date=dated,
        entry=listed.entry,
        source=listed.source,
        band=band,
        matcher=f"{NUMBERS}; {_age(dated, now)}",
        fields=(field,),
        instruction=fraud_instruction(listed.fraud),
        # An entry without a reference goes by a digest, which another list key makes another; its content is the same.
        revision=revision(msgspec.structs.replace(listed, entry="")).hex(),
    )


def _persons(document: TravelDocument, lists: Lists, now: Instant) -> Iterator[Hit]:
    if not f"{document.primary_identifier}{document.secondary_identifier}".strip():
        raise ListDamaged("no name could be read")
    for match in lists.persons.match(document):
        if match.entry != CANARY_ENTRY:
            yield _person_hit(match, lists, now)


def _person_hit(match: PersonMatch, lists: Lists, now: Instant) -> Hit:
    dated = _known(lists.persons.dated)
    return Hit(
        list_name=PERSONS,
        list_version=lists.version,
        list_date=dated,
        entry=match.entry,
        source=match.source,
        band=match.band,
        matcher=f"{match.matcher}; {_age(dated, now)}",
        fields=match.fields,
        instruction=notice_instruction(match.notice),
        notice=match.notice,
        revision=match.revision,
        basis=match.basis,
    )


def _age(dated: date, now: Instant) -> str:
    return f"list {max(0, (now.today - dated).days)} days old when asked"


def _known(dated: date | None) -> date:
    assert dated is not None, "a list that gave a hit has a date"
    return dated
