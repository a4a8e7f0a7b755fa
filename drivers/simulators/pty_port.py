"""A scanner's end of the cable: a pty whose other end is found through a symlink, as udev names a USB device."""

import asyncio
import os
import select
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Final

READ_BYTES: Final = 4096
RETRY_S: Final = 0.005
"""How long to wait when the box does not read and the line is full."""


class PtyPort:
    """The line to the box: plugged in and out, written, and listened to.

    Unplugging closes the pty, so the box sees its port hang up; plugging in makes another one, and the symlink moves.
    DTR of the real line is the box holding the port open.

    Args:
        link: Where the box finds the port.
        received: Called with the bytes that the box wrote.
        host_gone: Called when the box has let go of the port.
    """

    def __init__(self, link: Path, *, received: Callable[[bytes], None], host_gone: Callable[[], None]) -> None:
        self._link = link
        self._received = received
        self._host_gone = host_gone
        self._line: int | None = None
        self._plugs = 0
        self._edges: select.epoll | None = None

    @property
    def plugged(self) -> bool:
        """Whether there is a line."""
        return self._line is not None

    @property
    def plugs(self) -> int:
        """How often the cable has been plugged in: names the line that there is now."""
        return self._plugs

    def plug(self) -> None:
        """Make a pty and point the symlink at it; nothing when there is one."""
        if self._line is not None:
            return
        line, box_end = os.openpty()
        name = os.ttyname(box_end)
        tty.setraw(line)
        os.close(box_end)
        os.set_blocking(line, False)
        # Edge-triggered: the hang-up of a port that nobody holds is told once, not for as long as it lasts.
        self._edges = select.epoll()
        self._edges.register(line, select.EPOLLIN | select.EPOLLHUP | select.EPOLLET)
        self._line = line
        self._plugs += 1
        asyncio.get_running_loop().add_reader(self._edges.fileno(), self._listen)
        fresh = self._link.with_name(f".{self._link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(name)
        fresh.replace(self._link)

    def unplug(self) -> None:
        """Pull the cable; nothing when it is out."""
        if self._line is None or self._edges is None:
            return
        self._link.unlink(missing_ok=True)
        asyncio.get_running_loop().remove_reader(self._edges.fileno())
        self._edges.close()
        os.close(self._line)
        self._line = self._edges = None

    async def write(self, content: bytes, *, plugs: int) -> int | None:
        """Put all of `content` on the line.

        Args:
            content: What goes out.
            plugs: The value of `plugs` when the sender began: what is half sent never goes on on another line.

        Returns:
            CLOCK_MONOTONIC in nanoseconds right after the write of the last byte; None when the cable was pulled
            before that.
        """
        left = memoryview(content)
        while self._line is not None and plugs == self._plugs:
            try:
                left = left[os.write(self._line, left) :]
            except BlockingIOError:
                await asyncio.sleep(RETRY_S)
                continue
            except OSError:
                return None
            if not left:
                return time.monotonic_ns()
        return None

    def _listen(self) -> None:
        if self._edges is not None:
            self._edges.poll(0)
        while self._line is not None:
            try:
                chunk = os.read(self._line, READ_BYTES)
            except BlockingIOError:
                return
            except OSError:  # EIO: nobody holds the box's end
                self._host_gone()
                return
            self._received(chunk)
