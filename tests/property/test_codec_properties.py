"""Whatever comes over the wire, however it is cut: documents come out whole, apart, and nothing is raised."""

import itertools
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import Frame, Noise, ScannerCodec
from drivers.scanner.elyctis import ElyctisCodec
from drivers.scanner.generic import FramedCodec, GenericCodec
from drivers.scanner.honeywell import HoneywellCodec
from drivers.scanner.rte import RteCodec
from drivers.scanner.wedge import WedgeCodec
from drivers.simulators.faults import Fault, Pause, script
from drivers.simulators.scanners import RteDevice, WedgeDevice

CODECS: list[Callable[[], ScannerCodec]] = [
    ElyctisCodec,
    GenericCodec,
    lambda: FramedCodec(lrc=False),
    lambda: FramedCodec(lrc=True),
    HoneywellCodec,
    RteCodec,
    lambda: RteCodec(length="data", check="xor", flag=0),
    WedgeCodec,
]
FIRST = "ACEGKLRTVW<0246"
"""Letters of the first document: all commands but `I` among them."""
SECOND = "BDFHIJ13579"
"""Letters of the second; an `I` alone may be its header's command byte."""


def report(lines: Sequence[str]) -> bytes:
    body = "\r".join(lines).encode()
    return b"I" + len(body).to_bytes(2, "big") + body


def zones(alphabet: str) -> st.SearchStrategy[list[str]]:
    widths = st.sampled_from([(44, 2), (36, 2), (30, 3)])
    return widths.flatmap(
        lambda shape: st.lists(
            st.text(alphabet, min_size=shape[0], max_size=shape[0]), min_size=shape[1], max_size=shape[1]
        )
    )


def wire() -> st.SearchStrategy[bytes]:
    """Pieces of the protocols and of nothing, in any order."""
    pieces = st.one_of(
        st.binary(max_size=8),
        st.sampled_from([b"\x43\x00\x01\x01", b"I\x00\x00", b"I\x0d", b"\x02", b"\x03", b"\r", b"\n", b"I\x00\x59"]),
        zones(FIRST).map(report),
        zones(SECOND).map(lambda lines: b"\x02" + "\r".join(lines).encode() + b"\x03"),
        zones(SECOND).map(lambda lines: "".join(line + "\r" for line in lines).encode()),
        zones(FIRST).map(RteDevice().report),
        zones(SECOND).map(WedgeDevice().report),
        st.sampled_from([b"ALLENA0\x06;OCRENA1\x06;OCRATS2\x06!", b"OCRATS2\x15.", b"\x01\x8c\x00OU\x02", b"_" * 44]),
    )
    return st.lists(pieces, max_size=8).map(b"".join)


def read(codec: ScannerCodec, chunks: Sequence[bytes]) -> list[Frame | Noise]:
    events: list[Frame | Noise] = []
    for chunk in chunks:
        events += codec.receive(chunk)
    return events + codec.idle()


def frames(events: Sequence[Frame | Noise]) -> list[Frame]:
    return [event for event in events if isinstance(event, Frame)]


def noise(events: Sequence[Frame | Noise]) -> int:
    return sum(event.count for event in events if isinstance(event, Noise))


@pytest.mark.parametrize("make", CODECS)
@given(stream=wire(), cuts=st.lists(st.integers(0, 400), max_size=12))
def test_however_the_stream_is_cut_the_same_comes_out(
    make: Callable[[], ScannerCodec], stream: bytes, cuts: list[int]
) -> None:
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    chunks = [stream[start:end] for start, end in itertools.pairwise(edges)]
    whole, cut = read(make(), [stream]), read(make(), chunks)
    assert frames(whole) == frames(cut)
    assert noise(whole) == noise(cut)


@pytest.mark.parametrize("make", CODECS)
@given(chunks=st.lists(st.one_of(st.binary(max_size=64), st.none()), max_size=20))
def test_any_bytes_and_silences_raise_nothing_and_stay_in_bounds(
    make: Callable[[], ScannerCodec], chunks: list[bytes | None]
) -> None:
    codec = make()
    for chunk in chunks:
        for event in codec.idle() if chunk is None else codec.receive(chunk):
            if isinstance(event, Frame):
                assert len(event.raw) <= 4096
                assert len(event.lines) <= 4
                assert all(len(line) <= 100 for line in event.lines)
            else:
                assert event.count > 0


@given(garbage=st.one_of(st.binary(max_size=64), wire()), document=zones(SECOND))
def test_after_any_garbage_a_document_is_read_without_a_pause(garbage: bytes, document: list[str]) -> None:
    good = report(document)
    assert good in [frame.raw for frame in frames(read(ElyctisCodec(), [garbage + good]))]


@given(
    first=zones(FIRST),
    second=zones(SECOND),
    fault=st.sampled_from([fault for fault in Fault if fault is not Fault.NONE]),
    at=st.integers(0, 94),
    silence=st.booleans(),
)
def test_a_broken_document_costs_neither_the_next_nor_lends_it_a_byte(
    first: list[str], second: list[str], fault: Fault, at: int, *, silence: bool
) -> None:
    codec = ElyctisCodec()
    events: list[Frame | Noise] = []
    for step in script(report(first), fault, at=at, for_s=1.0):
        if isinstance(step, Pause):
            events += codec.idle() if step.for_s else []
        else:
            events += codec.receive(step.content)
    if silence:
        events += codec.idle()
    events += read(codec, [report(second)])
    assert report(second) in [frame.raw for frame in frames(events)]
    for frame in frames(events):
        text = set("".join(frame.lines))
        assert not (text & set(FIRST) and text - {"I"} & set(SECOND)), "two documents in one frame"


@given(first=zones(FIRST), second=zones(SECOND), at=st.integers(0, 94), flip=st.integers(1, 255))
def test_any_flipped_byte_costs_one_document_at_most(first: list[str], second: list[str], at: int, flip: int) -> None:
    broken = bytearray(report(first))
    broken[at % len(broken)] ^= flip
    assert report(second) in [frame.raw for frame in frames(read(ElyctisCodec(), [bytes(broken) + report(second)]))]


@given(text=st.binary(max_size=200), document=zones(SECOND))
def test_after_a_silence_a_generic_document_is_read_whatever_came_before(text: bytes, document: list[str]) -> None:
    codec = GenericCodec()
    codec.receive(text)
    codec.idle()
    sent = "".join(line + "\r" for line in document).encode()
    assert [frame.lines for frame in frames(read(codec, [sent]))] == [tuple(document)]
