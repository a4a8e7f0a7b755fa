"""A scanner on a real pty: everything that a cable, a port and a hand can do to it."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from drivers.api import DeviceState, Frame, StateChanged
from drivers.scanner.elyctis import ElyctisCodec
from drivers.scanner.generic import GenericCodec
from drivers.simulators.faults import Fault
from tests.scenarios.desk_world import BoxScanner, DeskWorld, box_scanner, desk_world

BROKEN = ("P<LAOAAAAAAAA<<AAAAA<<<<<<<<<<<<<<<<<<<<<<<<", "AA00000000LAO0000000M0000000<<<<<<<<<<<<<<00")
GOOD = ("P<THAZZZZZZZZ<<ZZZZZ<<<<<<<<<<<<<<<<<<<<<<<<", "ZZ11111111THA1111111F1111111<<<<<<<<<<<<<<11")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")


@pytest.fixture
def desk(tmp_path: Path) -> Generator[DeskWorld]:
    with desk_world(tmp_path / "d") as world:
        yield world


@pytest.fixture
def box(desk: DeskWorld) -> Generator[BoxScanner]:
    with box_scanner(ElyctisCodec(), desk.scanner) as scanner:
        scanner.state(DeviceState.READY)
        yield scanner


def test_a_scanner_is_absent_then_probed_then_ready(desk: DeskWorld) -> None:
    desk.ask("unplug")
    with box_scanner(ElyctisCodec(), desk.scanner) as box:
        box.state(DeviceState.ABSENT)
        desk.ask("plug")
        box.state(DeviceState.READY)
        states = [event.state for event in box.seen if isinstance(event, StateChanged)]
    assert states == [DeviceState.ABSENT, DeviceState.PROBING, DeviceState.READY]


def test_documents_are_read_one_after_the_other(desk: DeskWorld, box: BoxScanner) -> None:
    for lines in (GOOD, TD1, BROKEN, GOOD):
        desk.ask("lay", mrz=lines)
        box.frame(lines)


def test_a_document_left_in_the_slot_is_read_once(desk: DeskWorld, box: BoxScanner) -> None:
    desk.ask("lay", mrz=GOOD)
    box.frame(GOOD)
    desk.event(event="armed")
    desk.ask("lay", mrz=TD1)
    box.frame(TD1)
    assert [event.lines for event in box.seen if isinstance(event, Frame)] == [GOOD, TD1]


def test_a_document_laid_before_the_box_was_there_is_read_when_it_is(desk: DeskWorld) -> None:
    desk.ask("lay", mrz=GOOD)
    with box_scanner(ElyctisCodec(), desk.scanner) as box:
        box.frame(GOOD)


def test_a_document_laid_while_the_box_was_away_is_read_when_it_is_back(desk: DeskWorld) -> None:
    with box_scanner(ElyctisCodec(), desk.scanner) as box:
        box.state(DeviceState.READY)
        desk.event(event="armed")
    desk.ask("lay", mrz=GOOD)
    with box_scanner(ElyctisCodec(), desk.scanner) as box:
        box.frame(GOOD)


def test_an_unreadable_page_is_a_frame_without_lines_and_the_next_is_read(desk: DeskWorld, box: BoxScanner) -> None:
    desk.ask("lay", mrz=GOOD, read=[])
    box.frame(())
    desk.ask("lay", mrz=TD1)
    box.frame(TD1)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault not in (Fault.NONE, Fault.UNPLUG)])
def test_after_any_fault_at_any_place_the_next_document_is_read(desk: DeskWorld, box: BoxScanner, fault: Fault) -> None:
    for at in (0, 1, 2, 3, 47, 48, 91):
        desk.ask("lay", mrz=BROKEN, fault=fault, at=at, for_s=0.4)
        desk.event(event="sent", fault=fault)
        desk.ask("lay", mrz=GOOD)
        box.frame(GOOD)
    for frame in (event for event in box.seen if isinstance(event, Frame)):
        text = set("".join(frame.lines))
        assert not (text & set("L0") and text & set("Z1")), "two documents in one frame"


@pytest.mark.parametrize("at", [0, 1, 2, 3, 46, 91])
def test_a_cable_pulled_at_any_byte_costs_nothing_once_it_is_back(desk: DeskWorld, box: BoxScanner, at: int) -> None:
    desk.ask("lay", mrz=BROKEN, fault="unplug", at=at, for_s=0.05)
    box.frame(BROKEN)
    desk.ask("lay", mrz=GOOD)
    box.frame(GOOD)
    assert all(event.lines in (BROKEN, GOOD) for event in box.seen if isinstance(event, Frame))


def test_plugged_out_and_in_many_times_it_comes_back_each_time(desk: DeskWorld, box: BoxScanner) -> None:
    for turn in range(6):
        desk.ask("unplug")
        if turn % 2:  # every other time nobody notices that it was out: the symlink just points elsewhere
            box.state(DeviceState.ABSENT)
        desk.ask("plug")
        desk.event(event="armed")
        lines = (f"P<THAZZZZZZZZ<<ZZZZZ<<<<<<<<<<<<<<<<<<<<<<<{turn}", GOOD[1])
        desk.ask("lay", mrz=lines)
        box.frame(lines)


def test_a_port_held_by_another_process_is_said_so_and_taken_when_it_is_free(desk: DeskWorld) -> None:
    hold = (
        "import serial, sys; port = serial.Serial(sys.argv[1], exclusive=True);"
        "print('held', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(desk.scanner)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with box_scanner(ElyctisCodec(), desk.scanner) as box:
            assert box.state(DeviceState.FAULTED).why == "another program holds the port"
            other.communicate(b"\n")
            box.state(DeviceState.READY)


def test_nobody_else_gets_the_port_while_the_box_has_it(desk: DeskWorld, box: BoxScanner) -> None:
    fd = os.open(desk.scanner, os.O_RDWR | os.O_NOCTTY)
    try:
        with pytest.raises(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(fd)
    desk.ask("lay", mrz=GOOD)
    box.frame(GOOD)


def test_a_device_of_another_kind_is_said_so_and_the_right_one_taken_when_it_comes(tmp_path: Path) -> None:
    port = tmp_path / "scanner"
    with desk_world(tmp_path / "a", dialect="generic") as wrong, desk_world(tmp_path / "b") as right:
        port.symlink_to(wrong.scanner.readlink())
        with box_scanner(ElyctisCodec(), port) as box:
            assert box.state(DeviceState.FAULTED).why == "the device does not answer as elyctis"
            fresh = tmp_path / "fresh"
            fresh.symlink_to(right.scanner.readlink())
            fresh.replace(port)
            box.state(DeviceState.READY)


def test_what_is_no_serial_line_at_all_is_a_fault(tmp_path: Path) -> None:
    port = tmp_path / "scanner"
    port.write_bytes(b"")
    with box_scanner(ElyctisCodec(), port) as box:
        assert box.state(DeviceState.FAULTED).why == "the port is not a serial line that can be set up"


def test_a_babbling_device_is_cut_off_and_taken_back_when_it_has_calmed_down(desk: DeskWorld, box: BoxScanner) -> None:
    for _ in range(4):
        desk.ask("raw", hex="ff" * 30_000)
    assert "more than 16384 bytes a second" in box.state(DeviceState.FAULTED).why
    box.state(DeviceState.READY)
    desk.ask("lay", mrz=GOOD)
    box.frame(GOOD)


def test_garbage_is_reported_and_the_device_armed_again(desk: DeskWorld, box: BoxScanner) -> None:
    desk.ask("raw", hex="deadbeef")
    assert box.noise().count == 4
    desk.ask("lay", mrz=GOOD)
    box.frame(GOOD)


def test_the_generic_dialect_is_ready_at_once_and_reads(tmp_path: Path) -> None:
    with desk_world(tmp_path / "d", dialect="generic") as desk, box_scanner(GenericCodec(), desk.scanner) as box:
        box.state(DeviceState.READY)
        for lines in (GOOD, TD1):
            desk.ask("lay", mrz=lines)
            box.frame(lines)
        desk.ask("raw", hex="".join(BROKEN).encode().hex())
        box.frame(("".join(BROKEN),))


def test_a_stopped_scanner_has_released_the_port(desk: DeskWorld) -> None:
    for _ in range(2):
        with box_scanner(ElyctisCodec(), desk.scanner) as box:
            box.state(DeviceState.READY)
            assert not [event for event in box.seen if isinstance(event, StateChanged) and "holds" in event.why]


@pytest.mark.parametrize(
    "line",
    [
        b"{}\n",
        b"[]\n",
        b"\xff\n",
        b'{"do":"fly"}\n',
        b'{"do":"lay"}\n',
        b'{"do":"raw","hex":"abc"}\n',
        b'{"do":"lay","mrz":["\\u0e01"]}\n',
    ],
)
def test_the_desk_refuses_what_it_does_not_understand_and_goes_on(desk: DeskWorld, line: bytes) -> None:
    desk.send(line)
    assert desk.answer()["ok"] is False
    assert desk.ask("state")["ok"] is True
