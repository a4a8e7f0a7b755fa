"""The document list: exact lookup by kind, issuer, type and canonical number.

`DocumentList` is the whole interface: a list keeps its keyed digests to itself (page_list.py). A list that cannot
answer raises; it never says "not listed".
"""

import itertools
from collections.abc import Iterator
from datetime import date
from typing import Final, Protocol

from appliance.errors import Untrusted
from appliance.formats.lists import (
    DocumentKey,
    ListedDocument,
    canonical_issuer,
    canonical_number,
)
from appliance.judged import Band, FieldVerdict
from appliance.model import DocumentFormat, TravelDocument

_TYPES: Final = {"P": "P", "I": "I", "A": "I", "C": "I", "V": "V"}
"""First letter of an MRZ's document code (Doc 9303-4 to -7) to the type of the list."""
_LOOK_ALIKE: Final = {"O": "0", "0": "O", "I": "1", "1": "I"}
DAMAGED: Final = "it is damaged or incomplete"
"""In the officer's words; the exact reason is in the journal of who loaded the release."""
NUMBERS: Final = "numbers 1"
"""The code of numbers and look-alikes: counted up with every change that can change a verdict."""
SUBSTITUTIONS_MAX: Final = 2
"""Characters of one number that may have been misread at once; 45 look-alikes at most for nine characters."""
LOOK_ALIKE_NUMBER_MAX: Final = 16


class ListDamaged(Untrusted):
    """This list is missing, damaged or unverifiable; its text says why, in plain words."""


class DocumentList(Protocol):
    """Listed documents."""

    @property
    def dated(self) -> date | None:
        """The day headquarters took its content in; None when the list cannot be searched."""
        ...

    def lookup(self, key: DocumentKey) -> ListedDocument | None:
        """The entry of this document, None when it is not listed.

        Raises:
            ListDamaged: The list, or the page of it that would hold the answer, does not verify.
        """
        ...


class NoDocuments:
    """In place of a list that cannot be searched; `why` in plain words."""

    def __init__(self, why: str) -> None:
        self.why = why
        self.dated: date | None = None

    def lookup(self, key: DocumentKey) -> ListedDocument | None:
        """Raises ListDamaged, whatever is asked."""
        del key
        raise ListDamaged(self.why)


def document_key(document: TravelDocument) -> DocumentKey | None:
    """The canonical name of the document laid, None without number, issuer or listed type: then nothing is asked."""
    number = canonical_number(document.document_number)
    code = document.document_code.upper()
    typed = code if document.format is DocumentFormat.TYPED and code in ("BP", "VL") else None
    document_type = typed or _TYPES.get(code[:1])
    issuer = canonical_issuer(document.issuing_state)
    if not number or not issuer or document_type is None:
        return None
    return DocumentKey(issuer=issuer, document_type=document_type, number=number)


def look_alikes(key: DocumentKey) -> Iterator[DocumentKey]:
    """The same document with up to two of O/0 and I/1 read the other way."""
    number = key.number[:LOOK_ALIKE_NUMBER_MAX]
    places = [place for place, character in enumerate(number) if character in _LOOK_ALIKE]
    for count in range(1, SUBSTITUTIONS_MAX + 1):
        for chosen in itertools.combinations(places, count):
            characters = list(key.number)
            for place in chosen:
                characters[place] = _LOOK_ALIKE[characters[place]]
            yield DocumentKey(issuer=key.issuer, document_type=key.document_type, number="".join(characters))


def judge_numbers(mine: DocumentKey, theirs: DocumentKey) -> tuple[Band, FieldVerdict]:
    """What it comes to that a document of one name was laid and one of the other is listed."""
    same = mine == theirs
    field = FieldVerdict(
        field="document_number", traveller=_text(mine), listed=_text(theirs), verdict="equal" if same else "alike"
    )
    return Band.EXACT_DOCUMENT if same else Band.WEAK, field


def _text(key: DocumentKey) -> str:
    return f"{key.issuer} {key.document_type} {key.number}"
