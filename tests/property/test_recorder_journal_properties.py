"""The journal's parser: what was written comes back, a cut gives a prefix, a flipped bit is never taken for content."""

from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from appliance.errors import StorageFault
from appliance.model import Priority
from appliance.record.deletion import parse_ranges, ranges_text
from appliance.record.journal import Contents, Frame, Header, Journal, encode_frame, parse_journal

HEADER = Header(origin="landlink.example/la-0001.1", size=7, root=bytes(32))
some_frames = st.builds(
    Frame,
    index=st.just(0),
    leaf=st.binary(max_size=40),
    checkpoint=st.binary(max_size=20),
    priority=st.none() | st.sampled_from(Priority),
    blob=st.none() | st.binary(max_size=60),
    closes=st.none() | st.just("0" * 32),
)


@st.composite
def journals(draw: st.DrawFn) -> tuple[list[Frame], list[bytes]]:
    made = draw(st.lists(some_frames, max_size=5))
    frames = [replace(frame, index=HEADER.size + place) for place, frame in enumerate(made)]
    return frames, [encode_frame(HEADER), *(encode_frame(frame) for frame in frames)]


@given(journals())
def test_a_journal_gives_back_what_was_written(journal: tuple[list[Frame], list[bytes]]) -> None:
    frames, encoded = journal
    data = b"".join(encoded)
    assert parse_journal(data) == Contents(header=HEADER, frames=tuple(frames), end=len(data))


@given(journals(), st.data())
def test_a_journal_cut_anywhere_behind_its_header_gives_its_whole_frames(
    journal: tuple[list[Frame], list[bytes]], data: st.DataObject
) -> None:
    frames, encoded = journal
    whole = b"".join(encoded)
    cut = data.draw(st.integers(len(encoded[0]), len(whole)))
    contents = parse_journal(whole[:cut])
    assert list(contents.frames) == frames[: len(contents.frames)]
    assert contents.end == sum(map(len, encoded[: len(contents.frames) + 1])) <= cut


@settings(max_examples=300)
@given(journals(), st.data())
def test_a_flipped_bit_is_never_taken_for_content(
    journal: tuple[list[Frame], list[bytes]], data: st.DataObject
) -> None:
    frames, encoded = journal
    whole = bytearray(b"".join(encoded))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    try:
        contents = parse_journal(bytes(whole))
    except StorageFault:
        return
    assert list(contents.frames) == frames[:-1], "only the last frame can pass for torn"


@given(journals(), st.data())
def test_of_frames_that_share_a_sync_a_power_cut_may_leave_any_and_those_before_the_first_torn_one_stay(
    journal: tuple[list[Frame], list[bytes]], data: st.DataObject
) -> None:
    """Sectors reach a disk in any order: whole frames behind a torn one are no damage, if nobody was answered yet."""
    frames, _ = journal
    durable = data.draw(st.integers(0, len(frames)))
    frames = [replace(frame, behind=max(0, place - durable)) for place, frame in enumerate(frames)]
    encoded = [encode_frame(frame) for frame in frames]
    torn = data.draw(st.lists(st.booleans(), min_size=len(frames) - durable, max_size=len(frames) - durable))
    broken = [False] * durable + torn
    left = b"".join(bytes(len(one)) if bad else one for one, bad in zip(encoded, broken, strict=True))
    whole = broken.index(True) if True in broken else len(frames)
    contents = parse_journal(encode_frame(HEADER) + left)
    assert list(contents.frames) == frames[:whole]
    assert contents.end == len(encode_frame(HEADER)) + sum(map(len, encoded[:whole]))


@given(journals(), st.data())
def test_a_frame_that_was_durable_before_a_whole_one_behind_it_was_written_is_damage(
    journal: tuple[list[Frame], list[bytes]], data: st.DataObject
) -> None:
    frames, _ = journal
    assume(len(frames) > 1)
    damaged = data.draw(st.integers(0, len(frames) - 2))
    behind = data.draw(st.integers(0, len(frames) - 2 - damaged))  # the last frame's group begins after the damage
    frames[-1] = replace(frames[-1], behind=behind)
    encoded = [encode_frame(frame) for frame in frames]
    encoded[damaged] = bytes(len(encoded[damaged]))
    with pytest.raises(StorageFault, match="damaged"):
        parse_journal(encode_frame(HEADER) + b"".join(encoded))


def test_in_a_new_journal_every_frame_is_durable(tmp_path: Path) -> None:
    frames = [Frame(index=HEADER.size + place, leaf=b"", checkpoint=b"", behind=place) for place in range(3)]
    Journal.create(tmp_path / "journal.0000000001", HEADER, frames).close()
    contents = parse_journal((tmp_path / "journal.0000000001").read_bytes())
    assert [frame.behind for frame in contents.frames] == [0, 0, 0]


@given(st.binary(max_size=300))
def test_any_bytes_give_contents_or_a_storage_fault(data: bytes) -> None:
    try:
        parse_journal(data)
    except StorageFault:
        return
    raise AssertionError("no random bytes have a header with a CRC")


@given(st.sets(st.integers(0, 400), min_size=1))
def test_ranges_come_back(indices: set[int]) -> None:
    text, named = ranges_text(sorted(indices))
    assert named == sorted(indices)[: len(named)]
    assert [index for one in parse_ranges(text, below=401) for index in one] == named
