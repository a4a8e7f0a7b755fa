"""Readers that type: recorded key events, made by hand from linux/input-event-codes.h, become text.

Where the kernel has uinput (CONFIG_INPUT_UINPUT), one test drives a keyboard of the kernel's own through evdev; where
it has none, that one is left out and the recorded events stand for it.
"""

import contextlib
import fcntl
import os
import pty
import struct
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from drivers.api import DeviceError, Frame, Noise
from drivers.keyboard import open_keyboard
from drivers.scanner.wedge import EVENT, WedgeCodec

TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
SHIFT, RIGHT_SHIFT, CAPS_LOCK, COMMA, ENTER, LESS, F1 = 42, 54, 58, 51, 28, 86, 59
_LETTERS = {"I": 23, "U": 22, "T": 20, "O": 24, "E": 18, "R": 19, "K": 37, "S": 31, "N": 49, "A": 30, "M": 50}
CODES = _LETTERS | {"D": 32, "F": 33, "1": 2, "2": 3, "3": 4, "4": 5, "5": 6, "6": 7, "7": 8, "8": 9, "9": 10, "0": 11}


def event(kind: int, code: int, value: int) -> bytes:
    return struct.pack("@llHHi", 1_790_000_000, 123_456, kind, code, value)


def key(code: int, *, shift: int = 0) -> bytes:
    """MSC_SCAN, press, SYN_REPORT, release, SYN_REPORT, as a USB keyboard gives them."""
    strokes = event(4, 4, 458_756) + event(1, code, 1) + event(0, 0, 0) + event(1, code, 0) + event(0, 0, 0)
    return event(1, shift, 1) + event(0, 0, 0) + strokes + event(1, shift, 0) if shift else strokes


def typed(lines: tuple[str, ...]) -> bytes:
    stream = b""
    for line in lines:
        for char in line:
            stream += key(COMMA, shift=SHIFT) if char == "<" else key(CODES[char], shift=SHIFT * char.isalpha())
        stream += key(ENTER)
    return stream


def one_line(stream: bytes) -> str:
    codec = WedgeCodec()
    events = codec.receive(stream) + codec.idle()
    assert isinstance(events[0], Frame)
    return events[0].lines[0]


def test_an_event_has_the_size_that_the_kernel_gives_it() -> None:
    assert EVENT.size == 2 * struct.calcsize("@l") + 8


def test_a_typed_document_is_complete_with_its_last_enter() -> None:
    events = WedgeCodec().receive(typed(TD2))
    assert [(e.dialect, e.lines) for e in events if isinstance(e, Frame)] == [("wedge", TD2)]


@pytest.mark.parametrize("shift", [0, SHIFT, RIGHT_SHIFT])
def test_letters_are_capitals_whatever_shift_and_caps_lock_say(shift: int) -> None:
    assert one_line(key(CAPS_LOCK) + key(CODES["U"], shift=shift) + key(CODES["T"])) == "UT"


def test_the_filler_is_shift_and_comma_or_the_key_beside_shift() -> None:
    assert one_line(key(COMMA, shift=SHIFT) + key(LESS) + key(LESS, shift=SHIFT)) == "<<<"


def test_a_key_held_down_types_once() -> None:
    assert one_line(event(1, CODES["U"], 1) + event(1, CODES["U"], 2) * 5 + event(1, CODES["U"], 0)) == "U"


@pytest.mark.parametrize("spoiling", [key(F1), key(COMMA), event(0, 3, 0), key(CODES["1"], shift=SHIFT)])
def test_a_key_that_no_zone_has_and_lost_events_spoil_the_document(spoiling: bytes) -> None:
    codec = WedgeCodec()
    assert codec.receive(typed(TD2[:1]) + spoiling + typed(TD2[1:])) == []
    assert [type(e) for e in codec.idle()] == [Noise]


def test_half_an_event_and_a_shift_held_do_not_outlast_a_silence() -> None:
    codec = WedgeCodec()
    codec.receive(event(1, SHIFT, 1) + event(1, CODES["U"], 1)[:7])
    codec.idle()
    assert [e.lines for e in codec.receive(typed(TD2)) if isinstance(e, Frame)] == [TD2]


def test_what_is_neither_a_keyboard_nor_a_line_is_said_so() -> None:
    with tempfile.NamedTemporaryFile() as file, pytest.raises(DeviceError, match="nor a keyboard"):
        open_keyboard(Path(file.name), baud=115_200, read_timeout_s=0.1)
    with pytest.raises(DeviceError, match="has gone"):
        open_keyboard(Path("/dev/input/by-id/none-event-kbd"), baud=115_200, read_timeout_s=0.1)


def test_a_serial_line_can_stand_in_for_a_keyboard() -> None:
    ours, theirs = pty.openpty()
    line = open_keyboard(Path(os.ttyname(theirs)), baud=115_200, read_timeout_s=5)
    os.write(ours, event(1, SHIFT, 1))
    assert line.read(EVENT.size) == event(1, SHIFT, 1)
    line.close()
    os.close(ours)
    os.close(theirs)


@pytest.mark.skipif(not os.access("/dev/uinput", os.W_OK), reason="no uinput here")
def test_a_real_keyboard_device_is_read_and_taken_for_us_alone() -> None:
    with uinput_keyboard({*CODES.values(), SHIFT, COMMA, ENTER}) as (node, send):
        line = open_keyboard(node, baud=115_200, read_timeout_s=5)
        with pytest.raises(DeviceError, match="another program holds"):
            open_keyboard(node, baud=115_200, read_timeout_s=1)
        codec = WedgeCodec()
        events: list[Frame | Noise] = []
        stream, piece = typed(TD2), 5 * EVENT.size  # a reader types slowly: the kernel's buffer holds 64 events
        for at in range(0, len(stream), piece):
            send(stream[at : at + piece])
            events += codec.receive(line.read())
        line.close()
    assert [e.lines for e in events if isinstance(e, Frame)] == [TD2]


@contextlib.contextmanager
def uinput_keyboard(codes: set[int]) -> Generator[tuple[Path, Callable[[bytes], object]]]:
    """A keyboard of the kernel's own making (linux/uinput.h); its evdev node, and what sends events from it."""
    fd = os.open("/dev/uinput", os.O_WRONLY | os.O_NONBLOCK)
    try:
        fcntl.ioctl(fd, 0x40045564, 1)  # UI_SET_EVBIT EV_KEY
        fcntl.ioctl(fd, 0x40045564, 4)  # UI_SET_EVBIT EV_MSC
        for code in codes:
            fcntl.ioctl(fd, 0x40045565, code)  # UI_SET_KEYBIT
        fcntl.ioctl(fd, 0x405C5503, struct.pack("@HHHH80sI", 3, 1, 1, 1, b"Landlink test", 0))  # UI_DEV_SETUP
        fcntl.ioctl(fd, 0x5501)  # UI_DEV_CREATE
        name = fcntl.ioctl(fd, 0x8041552C, bytes(65)).rstrip(b"\0").decode()  # UI_GET_SYSNAME(65)
        (node,) = Path(f"/sys/devices/virtual/input/{name}").glob("event*")
        if not (Path("/dev/input") / node.name).exists():
            pytest.skip("no udev here makes the device's node")
        yield Path("/dev/input") / node.name, lambda events: os.write(fd, events)
    finally:
        os.close(fd)
