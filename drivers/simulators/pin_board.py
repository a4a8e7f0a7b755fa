"""The desk's end of the box's pins: lamps are looked at, buttons are pressed (the box's end is pins.py)."""

import asyncio
import contextlib
import json
import socket
from pathlib import Path
from typing import Final

from drivers.simulators.lamps import LampLog

PACKET_BYTES_MAX: Final = 256
LID: Final = "lid"
BOUNCE_S: Final = 0.001
"""A worn contact opens and closes for some milliseconds."""


class PinBoard:
    """Holds the pins of one box; a box that connects anew takes the place of the one before.

    Args:
        path: The SOCK_SEQPACKET socket that boxes connect to.
        lamps: Told of every output.
    """

    def __init__(self, path: Path, *, lamps: LampLog) -> None:
        self._path = path
        self._lamps = lamps
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._box: socket.socket | None = None
        self._lid_open = False

    @property
    def held(self) -> bool:
        """Whether a box holds the pins."""
        return self._box is not None

    def open(self) -> None:
        """Let boxes connect."""
        self._path.unlink(missing_ok=True)
        self._door.bind(str(self._path))
        self._door.listen()
        self._door.setblocking(False)  # noqa: FBT003 - the signature is socket's
        asyncio.get_running_loop().add_reader(self._door, self._admit)

    def close(self) -> None:
        """Hang up and let nobody connect any more."""
        asyncio.get_running_loop().remove_reader(self._door)
        self._door.close()
        self._path.unlink(missing_ok=True)
        self._let_go()

    async def press(self, button: str, *, held_s: float, bounces: int) -> bool:
        """Press and let go, each edge with so many bounces. Returns False when no box holds the pins."""
        pressed = await self._edge(button, pressed=True, bounces=bounces)
        await asyncio.sleep(held_s)
        return await self._edge(button, pressed=False, bounces=bounces) and pressed

    def lid(self, *, is_open: bool) -> None:
        """Open or close the case; a box without a switch there does not notice."""
        self._lid_open = is_open
        self._drive(LID, on=not is_open)

    async def _edge(self, button: str, *, pressed: bool, bounces: int) -> bool:
        for _ in range(bounces):
            for on in (pressed, not pressed):
                self._drive(button, on=on)
                await asyncio.sleep(BOUNCE_S)
        return self._drive(button, on=pressed)

    def _drive(self, button: str, *, on: bool) -> bool:
        if self._box is None:
            return False
        try:
            self._box.send(json.dumps({"pin": button, "on": on}).encode())
        except OSError:
            return False
        return True

    def _admit(self) -> None:
        with contextlib.suppress(BlockingIOError):
            box, _ = self._door.accept()
            self._let_go()
            box.setblocking(False)  # noqa: FBT003 - the signature is socket's
            self._box = box
            self._drive(LID, on=not self._lid_open)
            asyncio.get_running_loop().add_reader(box, self._look)

    def _let_go(self) -> None:
        if self._box is not None:
            asyncio.get_running_loop().remove_reader(self._box)
            self._box.close()
            self._box = None
            self._lamps.dark()

    def _look(self) -> None:
        """Take every edge that has come; the box is gone when it has hung up."""
        while self._box is not None:
            try:
                packet = self._box.recv(PACKET_BYTES_MAX)
            except BlockingIOError:
                return
            except OSError:
                packet = b""
            if not packet:
                self._let_go()
                return
            edge = json.loads(packet)
            self._lamps.show(edge["pin"], on=edge["on"], t_ns=edge["t_ns"])
