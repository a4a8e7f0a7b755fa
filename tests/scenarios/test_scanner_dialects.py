"""Each dialect on a real pty: read, broken, pulled at any place, wrong, two at once; a replug needs no human."""

from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.api import DeviceState, Frame, ScannerCodec, StateChanged
from drivers.scanner.generic import GenericCodec
from drivers.scanner.honeywell import HoneywellCodec
from drivers.scanner.rte import RteCodec
from drivers.scanner.wedge import WedgeCodec
from tests.scenarios.desk_world import box_scanner, desk_world

FIRST = ("P<LAOAAAAAAAA<<AAAAA<<<<<<<<<<<<<<<<<<<<<<<<", "AA00000000LAO0000000M0000000<<<<<<<<<<<<<<00")
SECOND = ("P<THAZZZZZZZZ<<ZZZZZ<<<<<<<<<<<<<<<<<<<<<<<<", "ZZ11111111THA1111111F1111111<<<<<<<<<<<<<<11")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
CODECS: dict[str, Callable[[], ScannerCodec]] = {
    "honeywell": HoneywellCodec,
    "rte": RteCodec,
    "generic": GenericCodec,
    "wedge": WedgeCodec,
}


@pytest.mark.parametrize("dialect", CODECS)
def test_a_dialect_reads_on_after_a_broken_document_and_a_pulled_cable(tmp_path: Path, dialect: str) -> None:
    with desk_world(tmp_path / "d", dialect=dialect) as desk, box_scanner(CODECS[dialect](), desk.scanner) as box:
        box.state(DeviceState.READY)
        for fault, lines in (("drop", SECOND), ("repeat", TD1)):  # each at each byte: tests/property
            desk.ask("lay", mrz=FIRST, fault=fault, at=46)
            desk.event(event="sent", fault=fault)
            desk.ask("lay", mrz=lines)
            box.frame(lines)
        desk.ask("lay", mrz=FIRST, fault="unplug", at=46, for_s=0.4)
        box.state(DeviceState.ABSENT)
        box.state(DeviceState.READY)
        desk.ask("lay", mrz=SECOND)
        box.frame(SECOND)
    for frame in (event for event in box.seen if isinstance(event, Frame)):
        assert not {"O", "Z"} <= set("".join(frame.lines)), "two documents in one frame"


def test_a_replug_while_nothing_lies_there_makes_it_ready_again(tmp_path: Path) -> None:
    with desk_world(tmp_path / "d", dialect="honeywell") as desk, box_scanner(HoneywellCodec(), desk.scanner) as box:
        box.state(DeviceState.READY)
        desk.ask("unplug")
        box.state(DeviceState.ABSENT)
        desk.ask("plug")
        box.state(DeviceState.READY)
        desk.event(event="armed")
        desk.ask("lay", mrz=TD1)
        box.frame(TD1)
        states = [event.state for event in box.seen if isinstance(event, StateChanged)]
    assert states[-3:] == [DeviceState.ABSENT, DeviceState.PROBING, DeviceState.READY]


def test_an_imager_without_passport_reading_is_a_fault_that_says_so(tmp_path: Path) -> None:
    with (
        desk_world(tmp_path / "d", dialect="honeywell-no-ocr") as desk,
        box_scanner(HoneywellCodec(), desk.scanner) as box,
    ):
        assert "passport reading" in box.state(DeviceState.FAULTED).why


def test_a_dialect_that_nobody_has_confirmed_says_so_when_it_is_ready(tmp_path: Path) -> None:
    with desk_world(tmp_path / "d", dialect="rte") as desk, box_scanner(RteCodec(), desk.scanner) as box:
        assert box.state(DeviceState.READY).why == "ready, not confirmed on hardware"


def test_of_two_scanners_each_lane_reads_its_own(tmp_path: Path) -> None:
    with (
        desk_world(tmp_path / "a", dialect="honeywell") as one,
        desk_world(tmp_path / "b", dialect="honeywell") as other,
        box_scanner(HoneywellCodec(), one.scanner) as box,
        box_scanner(HoneywellCodec(), other.scanner) as neighbour,
    ):
        for lane in (box, neighbour):
            lane.state(DeviceState.READY)
        other.ask("lay", mrz=FIRST)
        one.ask("lay", mrz=SECOND)
        box.frame(SECOND)
        neighbour.frame(FIRST)
        other.ask("unplug")
        neighbour.state(DeviceState.ABSENT)
        one.ask("lay", mrz=TD1)
        box.frame(TD1)
    assert [event.lines for event in box.seen if isinstance(event, Frame)] == [SECOND, TD1]
