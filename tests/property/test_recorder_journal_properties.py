"""The journal's parser: what was written comes back, a cut gives a prefix, a flipped bit is never taken for content."""

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import StorageFault
from appliance.model import Priority
from appliance.record.deletion import parse_ranges, ranges_text
from appliance.record.journal import Contents, Frame, Header, encode_frame, parse_journal

HEADER = Header(origin="landlink.example/la-0001.1", size=7, root=bytes(32))
frame_parts = st.fixed_dictionaries(
    {
        "leaf": st.binary(max_size=40),
        "checkpoint": st.binary(max_size=20),
        "priority": st.none() | st.sampled_from(Priority),
        "blob": st.none() | st.binary(max_size=60),
        "closes": st.none() | st.just("0" * 32),
    }
)


@st.composite
def journals(draw: st.DrawFn) -> tuple[list[Frame], list[bytes]]:
    parts = draw(st.lists(frame_parts, max_size=5))
    frames = [Frame(index=HEADER.size + place, **part) for place, part in enumerate(parts)]
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
