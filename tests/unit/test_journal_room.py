"""Room in the journal: zeros that lie there durable, whose place the next frames take."""

import os
import resource
from collections.abc import Generator
from pathlib import Path

import pytest

from appliance.errors import StorageFault
from appliance.record.journal import ROOM_BYTES, Frame, Header, Journal, encode_frame, parse_journal
from appliance.record.journals import read_journals

HEADER = Header(origin="landlink.example/la-0001.1", size=7, root=bytes(32))


@pytest.fixture
def journal(tmp_path: Path) -> Generator[Journal]:
    made = Journal.create(tmp_path / "journal.0000000001", HEADER)
    yield made
    made.close()


def frame(index: int, blob_bytes: int = 10_000) -> bytes:
    return encode_frame(Frame(index=index, leaf=b"leaf", checkpoint=b"checkpoint", blob=os.urandom(blob_bytes)))


def indices(journal: Journal) -> list[int]:
    return [each.index for each in parse_journal(journal.path.read_bytes()).frames]


def test_frames_take_the_place_of_zeros_and_the_file_stays_as_long_as_it_was(journal: Journal) -> None:
    assert journal.room_wanted
    journal.make_room()
    size = journal.path.stat().st_size
    assert size == journal.end == journal.size + ROOM_BYTES
    for index in range(7, 17):
        journal.write(frame(index), hold=index % 2 == 0)
        journal.sync()
    assert journal.path.stat().st_size == size
    assert indices(journal) == [*range(7, 17)]
    assert read_journals(journal.path.parent)[1] == 0, "zeros are nothing torn"


def test_a_frame_that_is_longer_than_what_is_left_makes_the_file_longer(journal: Journal) -> None:
    journal.make_room()
    count = ROOM_BYTES // len(frame(7, 60_000)) + 1
    for index in range(7, 7 + count):
        journal.write(frame(index, 60_000))
    journal.sync()
    assert journal.path.stat().st_size == journal.end == journal.size
    assert indices(journal) == [*range(7, 7 + count)]


def test_room_is_made_again_when_half_of_it_is_taken(journal: Journal) -> None:
    journal.make_room()
    assert not journal.room_wanted
    index = 7
    while not journal.room_wanted:
        journal.write(frame(index))
        index += 1
    assert ROOM_BYTES // 3 < journal.end - journal.size < ROOM_BYTES // 2
    journal.make_room()
    assert journal.path.stat().st_size == journal.end == journal.size + ROOM_BYTES
    assert indices(journal) == [*range(7, index)]


def test_of_a_frame_that_a_power_cut_tore_the_bytes_are_counted_and_the_zeros_behind_it_are_not(
    journal: Journal,
) -> None:
    journal.make_room()
    whole, torn = frame(7), frame(8)
    journal.write(whole)
    with journal.path.open("r+b") as file:
        file.seek(journal.size)
        file.write(torn[:512].replace(b"\x00", b"\x01"))
    contents, torn_bytes = read_journals(journal.path.parent)
    assert [each.index for one in contents for each in one.frames] == [7]
    assert torn_bytes == 512


def test_where_there_is_no_room_the_journal_is_as_it_was(journal: Journal) -> None:
    journal.write(frame(7))
    journal.sync()
    before = journal.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 4_096, limits[1]))
    try:
        with pytest.raises(StorageFault):
            journal.make_room()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert journal.path.read_bytes() == before
    assert journal.room_wanted
    journal.write(frame(8))
    journal.sync()
    assert indices(journal) == [7, 8]


@pytest.mark.parametrize("hold", [False, True])
def test_of_a_frame_that_found_no_room_nothing_stays(journal: Journal, hold: bool) -> None:
    journal.write(frame(7), hold=hold)
    written, refused = journal.path.read_bytes(), frame(8, 60_000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(written) + 4_096, limits[1]))
    try:
        with pytest.raises(StorageFault):
            journal.write(refused)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert journal.path.read_bytes() == written
    assert journal.end == journal.size == len(written)
    journal.write(frame(8))
    journal.sync()
    assert indices(journal) == [7, 8]


def test_no_frame_behind_one_that_is_held_is_in_the_file_before_it(journal: Journal) -> None:
    journal.write(frame(7), hold=True)
    journal.write(frame(8))
    assert indices(journal) == []
    assert not journal.path.read_bytes()[len(encode_frame(HEADER)) :].strip(b"\0")
    journal.sync()
    assert indices(journal) == [7, 8]
