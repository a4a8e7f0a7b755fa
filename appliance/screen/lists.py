"""The lists of one verified release, ready to be searched; what cannot be searched says why (I5)."""

import contextlib
from dataclasses import dataclass
from typing import Final

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.formats.lists import (
    CANARY_ABSENT,
    CANARY_DOCUMENT,
    CANARY_ENTRY,
)
from appliance.formats.pages import PageFile
from appliance.formats.person_index import PersonIndex
from appliance.formats.release import Damaged, Release
from appliance.model import DocumentFormat, TravelDocument
from appliance.screen.documents import DAMAGED, DocumentList, NoDocuments
from appliance.screen.page_list import PageList
from appliance.screen.persons import IndexedPersons, NoPersons, PersonList

NO_RELEASE: Final = "no list has reached this box yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """What a traveller is screened against.

    Attributes:
        version: Of the release; 0 when there is none.
    """

    version: int
    documents: DocumentList
    persons: PersonList

    @classmethod
    def from_release(cls, release: Release | None, why: str = "") -> "Lists":
        """The lists of `release`; never raises. Without one nothing can be searched, because of `why`."""
        if release is None:
            why = why or NO_RELEASE
            return cls(version=0, documents=NoDocuments(why), persons=NoPersons(why))
        return cls(version=release.version, documents=_documents(release), persons=_persons(release))

    def self_test(self) -> None:
        """Look up what must be found and what must not, before a release is put into service.

        Raises:
            Untrusted: A list cannot be searched, or gives a wrong answer to a question whose answer is known.
        """
        found = self.documents.lookup(CANARY_DOCUMENT)
        if found is None or found.entry != CANARY_ENTRY or self.documents.lookup(CANARY_ABSENT) is not None:
            raise Untrusted("self-test: the documents list gives a wrong answer")
        if not any(match.entry == CANARY_ENTRY for match in self.persons.match(_CANARY_HOLDER)):
            raise Untrusted("self-test: the persons list gives a wrong answer")


def _documents(release: Release) -> DocumentList:
    if isinstance(release.documents, Damaged):
        return NoDocuments(DAMAGED)
    base, *deltas = release.documents
    try:
        return PageList(PageFile(base)).with_deltas(*(PageFile(delta) for delta in deltas))
    except (Untrusted, Malformed, StorageFault):
        return NoDocuments(DAMAGED)


def _persons(release: Release) -> PersonList:
    if isinstance(release.persons, bytes):
        with contextlib.suppress(Malformed):
            return IndexedPersons(PersonIndex(release.persons))
    return NoPersons(DAMAGED)


_CANARY_HOLDER = TravelDocument(
    format=DocumentFormat.TYPED,
    mrz=(),
    raw=(),
    repairs=(),
    document_code="P",
    issuing_state="UTO",
    nationality="UTO",
    document_number=CANARY_DOCUMENT.number,
    primary_identifier="KANARIENVOGEL",
    secondary_identifier="ZZYZXQ",
    name_truncated=False,
    date_of_birth=None,
    sex="",
    date_of_expiry=None,
    optional_data="",
    check_digits=(),
)
