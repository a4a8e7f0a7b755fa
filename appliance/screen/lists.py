"""The lists of one verified release, ready to be searched; what cannot be searched says why (I5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.errors import Malformed, StorageFault, Untrusted
from appliance.formats.list_key import DocumentsKey, KeyNotHere, find_key, open_persons
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
        lacking: Identifiers of list keys that a list is under and that have not reached this box.
    """

    version: int
    documents: DocumentList
    persons: PersonList
    lacking: frozenset[bytes] = frozenset()

    @classmethod
    def from_release(cls, release: Release | None, keys: Sequence[bytes] = (), why: str = "") -> "Lists":
        """The lists of `release`, under these list keys; never raises. Without one there are none, because of `why`."""
        if release is None:
            why = why or NO_RELEASE
            return cls(version=0, documents=NoDocuments(why), persons=NoPersons(why))
        lacking: set[bytes] = set()
        documents, persons = _documents(release, keys, lacking), _persons(release, keys, lacking)
        return cls(version=release.version, documents=documents, persons=persons, lacking=frozenset(lacking))

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


def _documents(release: Release, keys: Sequence[bytes], lacking: set[bytes]) -> DocumentList:
    if isinstance(release.documents, Damaged):
        return NoDocuments(DAMAGED)
    base, *deltas = release.documents
    try:
        pages = PageFile(base)
        key = DocumentsKey(find_key(keys, pages.key_id))
        return PageList(pages, key).with_deltas(*(PageFile(delta) for delta in deltas))
    except KeyNotHere as error:
        lacking.add(error.key_id)
        return NoDocuments(str(error))
    except (Untrusted, Malformed, StorageFault):
        return NoDocuments(DAMAGED)


def _persons(release: Release, keys: Sequence[bytes], lacking: set[bytes]) -> PersonList:
    if isinstance(release.persons, Damaged):
        return NoPersons(DAMAGED)
    try:
        return IndexedPersons(PersonIndex(open_persons(release.persons, keys)))
    except KeyNotHere as error:
        lacking.add(error.key_id)
        return NoPersons(str(error))
    except (Untrusted, Malformed):
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
