"""Every simulated scanner with every fault at every byte of a report: the next document is read, and nothing leaks."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import Frame, Noise
from drivers.scanner.wedge import EVENT
from drivers.simulators.faults import Fault, Pause, script
from drivers.simulators.scanners import DIALECTS
from tests.fuzz.reading import SCANNERS as CODECS

FIRST = ["PACEGKLRTVW<0246<<<PACEGKLRTVW<0246<<<<<<<<<", "0246<<<PACEGKLRTVW<0246PACEGKLRTVW<0246<<<66"]
SECONDS = (
    ["BDFHJ13579BDFHJ13579BDFHJ13579BDFHJ13579BDFH", "13579BDFHJ13579BDFHJ13579BDFHJ13579BDFHJ1357"],
    ["BDFHJ13579BDFHJ13579BDFHJ13579", "13579BDFHJ13579BDFHJ13579BDFHJ", "J13579BDFHJ13579BDFHJ13579BDFH"],
)
ONLY_FIRST = set("".join(FIRST))
ONLY_SECOND = set("BDFHJ13579")
KEYS = 2
EVENTS_A_KEY_MAX = 8
"""Shift, the key, and both let go, each with its SYN_REPORT."""
FAULTS = [fault for fault in Fault if fault is not Fault.NONE]


class Bench:
    """A codec and a simulated device on one line, without a clock: a silence is told, as the transport tells it."""

    def __init__(self, dialect: str) -> None:
        self.device = DIALECTS[dialect]()
        self.codec = CODECS[dialect]()
        self.events: list[Frame | Noise] = []
        self.plug()

    def plug(self) -> None:
        """The transport opens the port."""
        self.device.reset()
        self.codec.idle()
        self.hear(self.device.receive(self.codec.hello()))
        assert self.codec.present
        self.device.receive(self.codec.arm())
        assert self.device.armed

    def hear(self, chunk: bytes) -> None:
        self._take(self.codec.receive(chunk))

    def silence(self) -> None:
        self._take(self.codec.idle())

    def lay(self, lines: list[str], fault: Fault = Fault.NONE, at: int = 0) -> None:
        report = self.device.report(lines)
        for step in script(report, fault, at=at, for_s=float(fault is not Fault.SPLIT)):
            if not isinstance(step, Pause):
                self.hear(step.content)
            elif step.unplugged:
                self.plug()
                self.hear(self.device.report(lines))
                return
            elif step.for_s:
                self.silence()

    def _take(self, events: list[Frame | Noise]) -> None:
        self.events += events
        if events or self.codec.spent:
            self.device.receive(self.codec.arm())

    def frames(self) -> Iterator[tuple[str, ...]]:
        return (event.lines for event in self.events if isinstance(event, Frame))


def places(dialect: str) -> Sequence[int]:
    """Every byte; of a keyboard's many each of the first and the last keys, and of each other event one in turn."""
    size = len(DIALECTS[dialect]().report(FIRST))
    if dialect != "wedge":
        return range(size)
    ends = KEYS * EVENTS_A_KEY_MAX * EVENT.size
    return sorted({*range(ends), *range(ends, size - ends, EVENT.size + 1), *range(size - ends, size)})


@pytest.mark.parametrize("dialect", CODECS)
@pytest.mark.parametrize("fault", FAULTS)
def test_after_any_fault_at_any_byte_the_next_document_is_read_and_no_byte_leaks(dialect: str, fault: Fault) -> None:
    for at in places(dialect):
        bench = Bench(dialect)
        bench.lay(FIRST, fault, at)
        bench.silence()
        broken = list(bench.frames())
        second = SECONDS[at % 2]
        bench.lay(second)
        bench.silence()
        assert list(bench.frames())[len(broken) :] == [tuple(second)], (at, bench.events)
        assert not any(set("".join(lines)) & ONLY_SECOND for lines in broken)


@pytest.mark.parametrize("dialect", CODECS)
@pytest.mark.parametrize("fault", [Fault.SPLIT, Fault.UNPLUG])
def test_a_split_and_a_replugged_cable_cost_nothing(dialect: str, fault: Fault) -> None:
    for at in places(dialect):
        bench = Bench(dialect)
        bench.lay(FIRST, fault, at)
        bench.silence()
        assert set(bench.frames()) == {tuple(FIRST)}, at


@pytest.mark.parametrize("dialect", ["rte", "stx-etx", "elyctis"])
def test_where_frames_have_a_beginning_the_next_document_needs_no_silence(dialect: str) -> None:
    for fault in (Fault.CORRUPT, Fault.GARBAGE, Fault.REPEAT, Fault.OVERSIZED):
        for at in range(1, len(DIALECTS[dialect]().report(FIRST)) - 2):
            bench = Bench(dialect)
            bench.lay(FIRST, fault, at)
            bench.lay(SECONDS[0])
            bench.silence()
            assert list(bench.frames())[-1:] == [tuple(SECONDS[0])], (fault, at)
            assert not any(set("".join(lines)) & ONLY_SECOND for lines in list(bench.frames())[:-1])


@pytest.mark.parametrize("dialect", CODECS)
@given(data=st.data())
def test_any_byte_in_place_of_any_other_costs_no_more_than_its_document(dialect: str, data: st.DataObject) -> None:
    bench = Bench(dialect)
    report = bytearray(bench.device.report(FIRST))
    at = data.draw(st.integers(0, len(report) - 1))
    report[at] = data.draw(st.integers(0, 255))
    bench.hear(bytes(report))
    bench.silence()
    broken = list(bench.frames())
    bench.lay(SECONDS[1])
    bench.silence()
    assert list(bench.frames())[len(broken) :] == [tuple(SECONDS[1])]


@pytest.mark.parametrize("dialect", CODECS)
@given(data=st.data())
def test_several_faults_in_a_row_cost_no_more_than_their_documents(dialect: str, data: st.DataObject) -> None:
    bench = Bench(dialect)
    last = len(bench.device.report(FIRST)) - 1
    for _ in range(data.draw(st.integers(2, 4))):
        bench.lay(FIRST, data.draw(st.sampled_from(FAULTS)), data.draw(st.integers(0, last)))
    bench.silence()
    broken = list(bench.frames())
    bench.lay(SECONDS[0])
    bench.silence()
    assert list(bench.frames())[len(broken) :] == [tuple(SECONDS[0])]
