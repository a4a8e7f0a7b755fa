"""What lists hold: documents (pages.py) and persons (person_index.py); formats/README.md, "Lists".

A document is found by a keyed BLAKE2b-128 over `kind|issuer|type|number`, so its list can be searched for what is known
and does not spell out what it holds. The key follows from the list key, which lies in no list (list_key.py).
"""

import hashlib
import re
from datetime import date
from typing import Annotated, Final

from msgspec import Meta

from appliance.formats.cbor import pack
from appliance.model import Noun, StateCode, Word

NOTICES: Final = ("red", "yellow", "blue", "green", "orange", "purple", "black", "special", "silver")
"""Colours of INTERPOL's notices; "special" is the INTERPOL-UN Security Council Special Notice."""

REVISION_BYTES: Final = 8
BIRTHS_MAX: Final = 32
"""Birth dates of one listed person."""

DocumentNumber = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"\A[0-9A-Z]+\Z")]
Year = Annotated[int, Meta(ge=1, le=9999)]
Source = Annotated[str, Meta(max_length=64)]
ListedText = Annotated[str, Meta(min_length=1, max_length=256)]

_NOT_NUMBER = re.compile(r"[^0-9A-Z]")
_ISSUERS: Final = {"DEU": "D", "ROM": "ROU", "ZAR": "COD", "BUR": "MMR", "TMP": "TLS", "XKX": "RKS", "XKK": "RKS"}
"""Other codes of the same issuer: ISO 3166 against Doc 9303-3 §5, and codes that documents still in use carry."""


class DocumentKey(Noun, frozen=True, kw_only=True):
    """The canonical name of one document or vehicle; two spellings of the same one have equal keys.

    Attributes:
        kind: "document" or "vehicle".
        issuer: Doc 9303-3 §5 code; of a vehicle, the state that registered it.
        document_type: "P" passport, "I" identity card, "V" visa, "BP" border pass, "VL" village letter; of a vehicle
            "PLATE" (its registration) or "VIN" (ISO 3779).
        number: Letters and digits only.
    """

    kind: Annotated[str, Meta(pattern=r"\A(document|vehicle)\Z")] = "document"
    issuer: StateCode
    document_type: Annotated[str, Meta(pattern=r"\A(P|I|V|BP|VL|PLATE|VIN)\Z")]
    number: DocumentNumber

    @property
    def text(self) -> bytes:
        """What a list keeps this document's keyed digest of (list_key.py)."""
        return f"{self.kind}|{self.issuer}|{self.document_type}|{self.number}".encode("ascii")


def canonical_issuer(code: str) -> str:
    """One code for each issuer: upper case, "DEU" becomes "D", superseded codes become today's."""
    upper = code.strip().upper()
    return _ISSUERS.get(upper, upper)


def canonical_number(text: str) -> str:
    """Letters and digits of a document number: upper case, without spaces, hyphens and fillers."""
    return _NOT_NUMBER.sub("", text.upper())


class ListedDocument(Noun, frozen=True, kw_only=True):
    """One listed document.

    Attributes:
        entry: Its identifier in its source; as looked up, the document's digest where the list keeps no other.
        source: Who listed it.
        fraud: "stolen blank", "stolen", "lost", "revoked", or "listed person" for a document of a listed person.
        reported_by: The state that reported it, "" when the list does not say.
    """

    entry: Word
    source: Source
    fraud: Word
    reported_by: StateCode = ""


class ListedName(Noun, frozen=True, kw_only=True):
    """One name of a listed person.

    Attributes:
        text: As the source spells it; order of the parts unknown.
        quality: "primary", "good" or "low"; a low one counts only together with a birth date.
    """

    text: ListedText
    quality: Annotated[str, Meta(pattern=r"\A(primary|good|low)\Z")]


class ListedBirth(Noun, frozen=True, kw_only=True):
    """One birth date of a listed person: a day, a month, a year, or a span of years (both ends included)."""

    year_from: Year
    year_to: Year
    month: Annotated[int, Meta(ge=1, le=12)] | None = None
    day: Annotated[int, Meta(ge=1, le=31)] | None = None


class ListedPerson(Noun, frozen=True, kw_only=True):
    """One listed person.

    Attributes:
        entry: Its identifier in its source (DATAID of the UN list).
        source: Who listed the person.
        reference: What people call the entry ("QDi.001"), "" when it has none.
        sex: "M", "F" or "".
        notice: Colour of the INTERPOL notice, which decides what the officer is asked to do: one of NOTICES; "" when
            the source has no notices.
    """

    entry: Word
    source: Source
    reference: Word = ""
    names: Annotated[tuple[ListedName, ...], Meta(min_length=1, max_length=64)]
    births: Annotated[tuple[ListedBirth, ...], Meta(max_length=BIRTHS_MAX)] = ()
    nationalities: Annotated[tuple[StateCode, ...], Meta(max_length=16)] = ()
    sex: Annotated[str, Meta(pattern=r"\A[MF]?\Z")] = ""
    notice: Annotated[str, Meta(pattern=rf"\A({'|'.join(NOTICES)})?\Z")] = ""


class ListedSource(Noun, frozen=True, kw_only=True):
    """What a release has of one source of lists.

    Attributes:
        title: As officers read it.
        taken_in: The day of its last import.
        entries: How many of it are listed: persons, or documents and vehicles.
        left_out: How many entries or lines its last import did not take; headquarters has a report of each.
    """

    title: Source
    taken_in: date
    entries: Annotated[int, Meta(ge=0, le=2**40)]
    left_out: Annotated[int, Meta(ge=0, le=2**40)]


def revision(listed: ListedDocument | ListedPerson) -> bytes:
    """Which content of an entry this is: 8 bytes, others as soon as anything of it changes."""
    return hashlib.sha256(pack(listed)).digest()[:REVISION_BYTES]


CANARY_DOCUMENT: Final = DocumentKey(issuer="UTO", document_type="P", number="CANARY100")
"""In every documents list: before a release is put into service this must be found ..."""
CANARY_ABSENT: Final = DocumentKey(issuer="UTO", document_type="P", number="CANARY101")
"""... and this must not."""
CANARY_ENTRY: Final = "canary"
CANARY_SOURCE: Final = "Landlink self-test"
CANARY_PERSON: Final = ListedPerson(
    entry=CANARY_ENTRY,
    source=CANARY_SOURCE,
    names=(ListedName(text="ZZYZXQ KANARIENVOGEL UTOPIA", quality="primary"),),
    births=(ListedBirth(year_from=1901, year_to=1901, month=1, day=1),),
    nationalities=("UTO",),
)
"""In every persons list, for the same self-test; no name of a person."""
