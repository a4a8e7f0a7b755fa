"""The transport of readers that type like a keyboard: one evdev device, read and taken for this box alone.

Grabbed, its keys reach neither the kiosk's browser nor a console. A serial line in its place is opened as one: so a
simulator on a pty can stand in for it.
"""

import errno
import fcntl
import os
import select
from pathlib import Path
from typing import Final

from drivers.api import DeviceError
from drivers.scanner.wedge import EVENT
from drivers.serial_port import Line, open_port, why_not_open

EVIOCGRAB: Final = 0x40044590
"""linux/input.h: _IOW('E', 0x90, int)."""
NEITHER: Final = (
    "what lies there is neither a serial line (/dev/serial/by-id/...) nor a keyboard (/dev/input/by-id/...-event-kbd)"
)
EVENTS_MAX: Final = 64
"""Of one read; more stay in the kernel's buffer."""


class Keyboard:
    """An evdev device; it has nothing to be told (drivers.serial_port.Line)."""

    def __init__(self, descriptor: int, *, read_timeout_s: float) -> None:
        self._descriptor = descriptor
        self._timeout_ms = round(read_timeout_s * 1000)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    @property
    def in_waiting(self) -> int:
        """The kernel does not say; a read returns what there is."""
        return 0

    def read(self, size: int = 1, /) -> bytes:  # noqa: ARG002 - evdev gives whole events only
        """Events, after waiting for the first; b"" when none came in time. Raises OSError when the device has gone."""
        return os.read(self._descriptor, EVENT.size * EVENTS_MAX) if self._poll.poll(self._timeout_ms) else b""

    def write(self, request: bytes, /) -> int:
        """Nothing is sent."""
        return len(request)

    def close(self) -> None:
        """Let go; its keys are everybody's again."""
        os.close(self._descriptor)


def open_keyboard(port: Path, *, baud: int, read_timeout_s: float) -> Line:
    """Open the device and take it for this process alone.

    Raises:
        DeviceError: It cannot be opened, or is no keyboard; the text says what to do.
    """
    try:
        descriptor = os.open(port, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise DeviceError(why_not_open(error)) from error
    if os.isatty(descriptor):
        os.close(descriptor)
        return open_port(port, baud=baud, read_timeout_s=read_timeout_s)
    try:
        fcntl.ioctl(descriptor, EVIOCGRAB, 1)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.ENOTTY, errno.EINVAL):
            raise DeviceError(NEITHER) from error
        raise DeviceError(why_not_open(error)) from error
    return Keyboard(descriptor, read_timeout_s=read_timeout_s)
