"""What a thief reads of the lists: a card without the recorder's folder, a stick, a mirror, the collector (post).

A post has worked with the sample lists. Every file that left the headquarters' own machine, and every file of the box
but the recorder's, is searched for every listed name, number and reference; and a dictionary of all listed numbers is
tried against the digests with whatever looks like a key in those files.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.files import OpenFile
from appliance.formats.list_key import DocumentsKey, documents_key, open_persons
from appliance.formats.lists import CANARY_DOCUMENT, DocumentKey
from appliance.formats.pages import PageFile, read_tail
from appliance.formats.person_index import PersonIndex
from appliance.formats.release import DOCUMENTS_TARGET, PERSONS_TARGET
from provisioning.authority.home import Home
from provisioning.authority.list_keys import list_key
from provisioning.authority.staging import Staging
from tests.scenarios.rehearsed import Run

pytestmark = pytest.mark.post

LONG_ENOUGH = 7
"""Shorter words may stand in random bytes by chance."""
FOLDERS = ("box", "hq/tuf", "hq/down", "answer", "collector")
"""The card, what boxes and sticks are given, and what the collector keeps."""


def thieves_files(run: Run) -> Iterator[Path]:
    for folder in FOLDERS:
        files = [path for path in (run.out / folder).rglob("*") if path.is_file()]
        assert files, folder
        yield from (path for path in files if "recorder" not in path.relative_to(run.out).parts)


def listed_documents(run: Run) -> list[DocumentKey]:
    return [document for document, _ in Staging(run.out / "hq" / "lists").listed_documents()]


def listed_words(run: Run) -> set[bytes]:
    """Everything that a list says and that is long enough to be known again, as it is spelled and in capitals."""
    staging = Staging(run.out / "hq" / "lists")
    words = {document.number for document in listed_documents(run)}
    words |= {listed.entry for _, listed in staging.listed_documents()}
    for person in staging.people():
        words |= {person.entry, person.reference}
        for name in person.names:
            words |= {name.text, *name.text.split()}
    spelled = {each.encode() for word in words for each in (word, word.upper(), word.replace(" ", "<").upper())}
    return {word for word in spelled if len(word) >= LONG_ENOUGH}


def in_service(run: Run, target: str) -> Path:
    return (run.out / "box" / "releases" / "current").resolve() / "targets" / target


def test_no_file_but_the_recorders_has_a_listed_name_number_or_reference(post: Run) -> None:
    words = listed_words(post)
    assert len(words) > 300
    for path in thieves_files(post):
        content = path.read_bytes()
        assert [word for word in words if word in content] == [], path


def test_the_search_would_find_them(post: Run) -> None:
    """The same words, in the same file opened with the key: what the search above is worth."""
    key = list_key(Home.open(post.out / "hq"))
    opened = bytes(open_persons(in_service(post, PERSONS_TARGET).read_bytes(), (key,)))
    assert len([word for word in listed_words(post) if word in opened]) > 100
    assert len(PersonIndex(opened)) == 61


def test_no_file_but_the_recorders_has_the_list_key(post: Run) -> None:
    key = list_key(Home.open(post.out / "hq"))
    held = [path.name for path in (post.out / "box").rglob("*") if path.is_file() and key in path.read_bytes()]
    assert held == ["held-keys"]
    for path in thieves_files(post):
        content = path.read_bytes()
        assert key not in content, path
        assert key.hex().encode() not in content, path
        assert documents_key(key) not in content, path


def test_a_dictionary_of_all_listed_numbers_finds_none_of_them(post: Run) -> None:
    """Tried with every 32 bytes of the foot and more, as list key and as documents key."""
    path = in_service(post, DOCUMENTS_TARGET)
    file, tail = PageFile(OpenFile(path)), read_tail(OpenFile(path))
    sealed = in_service(post, PERSONS_TARGET).read_bytes()
    guesses = {
        bytes(32),
        file.key_id.ljust(32, b"\0"),
        file.key_id * 4,
        file.foot_sha256,
        sealed[16:48],
        hashlib.sha256(sealed).digest(),
        *(tail[place : place + 32] for place in range(len(tail) - 32)),
        *(sealed[place : place + 32] for place in range(4_096)),
    }
    documents = [*listed_documents(post), CANARY_DOCUMENT]
    digests = {part[place : place + 16] for part in file.parts() for place in range(0, len(part), 19)}
    real = DocumentsKey(list_key(Home.open(post.out / "hq")))
    assert {real.digest(document) for document in documents} == digests
    for guess in guesses:
        for key in (guess, documents_key(guess)):
            tried = {hashlib.blake2b(document.text, key=key, digest_size=16).digest() for document in documents[::20]}
            assert not tried & digests
    for document in documents:
        assert hashlib.blake2b(document.text, digest_size=16).digest() not in digests
