"""Tells systemd how a process fares (sd_notify(3)); without a systemd that asks, nothing.

The protocol is one datagram; a library for it would be found under the name of the folder systemd/.
"""

import contextlib
import os
import socket
from typing import Final

READY: Final = "READY=1"
"""It takes requests."""
ALIVE: Final = "WATCHDOG=1"
"""Its loop turns; said more often than the unit's WatchdogSec."""


def notify(state: str) -> None:
    """Say one state. It never waits and never fails: a supervisor that does not listen must not stop a lane."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        line.sendto(state.encode("ascii"), socket.MSG_DONTWAIT, address)
