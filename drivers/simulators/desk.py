"""The physical world around one box, as one process: a scanner on a pty, a camera, lamps, buttons, and a hand.

In its folder: `scanner` (symlink to the pty), `camera.sock`, `pins.sock`, `desk.sock` (control.py), `lamps.jsonl`.
The scanner speaks while the box holds the port (DTR); it reads a document once, when it is armed; losing power it
forgets that it has.
"""

import asyncio
import contextlib
import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, assert_never

import msgspec

from drivers.simulators import camera_stand
from drivers.simulators.control import DECODER, Lay, Lid, Plug, Press, Raw, Remove, Request, State, Unplug
from drivers.simulators.faults import Fault, Pause, script
from drivers.simulators.lamps import LampLog
from drivers.simulators.pin_board import PinBoard
from drivers.simulators.pty_port import PtyPort
from drivers.simulators.scanners import DIALECTS, Device

BACKLOG_BYTES_MAX: Final = 1 << 20
"""Events that a control connection may leave unread before it is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """The document in the slot; `number` counts the documents of this desk."""

    number: int
    lay: Lay


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Something that goes out on the line, one after the other: an answer, raw bytes, or a document's report."""

    content: bytes
    plugs: int
    laid: Laid | None = None


class Desk:
    """Everything on the desk; start it inside a running event loop.

    Args:
        folder: Where its sockets and files lie; made when missing.
        dialect: What the scanner speaks, a key of DIALECTS.
    """

    def __init__(self, folder: Path, *, dialect: str = "elyctis") -> None:
        self._folder = folder
        self._device: Device = DIALECTS[dialect]()
        self._laid: Laid | None = None
        self._read = False
        self._sent_s = 0.0
        self._count = 0
        self._outbox: asyncio.Queue[Sending] = asyncio.Queue()
        self._listeners: set[asyncio.StreamWriter] = set()
        folder.mkdir(parents=True, exist_ok=True)
        self._port = PtyPort(folder / "scanner", received=self._received, host_gone=self._host_gone)
        self._lamps = LampLog(folder / "lamps.jsonl", seen=lambda edge: self._tell({"event": "lamp", **edge}))
        self._camera = camera_stand.CameraStand(
            lambda: _scene(self._laid.lay) if self._laid else None,
            photographed=lambda: self._tell({"event": "photographed"}),
        )
        self._pins = PinBoard(folder / "pins.sock", lamps=self._lamps)

    async def run(self, ready: asyncio.Event) -> None:
        """Be there until cancelled; `ready` is set when everything is in place, and `desk.sock` appears last."""
        self._pins.open()
        self._port.plug()
        try:
            async with contextlib.AsyncExitStack() as stack:
                stack.enter_context(contextlib.closing(self._lamps))
                stack.callback(self._port.unplug)
                stack.callback(self._pins.close)
                camera = _bind(self._folder / "camera.sock")
                await stack.enter_async_context(await asyncio.start_unix_server(self._camera.serve, sock=camera))
                control = _bind(self._folder / "desk.sock.new")
                await stack.enter_async_context(await asyncio.start_unix_server(self._converse, sock=control))
                (self._folder / "desk.sock.new").replace(self._folder / "desk.sock")
                ready.set()
                await self._send_all()
        finally:
            (self._folder / "desk.sock").unlink(missing_ok=True)

    # --- the scanner --------------------------------------------------------------------------------------------------

    def _received(self, chunk: bytes) -> None:
        was_armed = self._device.armed
        answer = self._device.receive(chunk)
        if answer:
            self._outbox.put_nowait(Sending(content=answer, plugs=self._port.plugs))
        if self._device.armed and not was_armed:
            self._tell({"event": "armed"})
        self._offer()

    def _host_gone(self) -> None:
        self._device.reset()
        self._tell({"event": "gone"})

    def _offer(self) -> None:
        """Let the scanner report what lies in the slot, if it is to."""
        laid = self._laid
        if laid is None or self._read or not self._port.plugged or not self._device.armed:
            return
        self._read = True
        lines = laid.lay.mrz if laid.lay.read is None else laid.lay.read
        self._outbox.put_nowait(Sending(content=self._device.report(lines), plugs=self._port.plugs, laid=laid))

    async def _send_all(self) -> None:
        while True:
            sending = await self._outbox.get()
            if sending.laid is None:
                await self._port.write(sending.content, plugs=sending.plugs)
            else:
                await self._send_report(sending, sending.laid)

    async def _send_report(self, sending: Sending, laid: Laid) -> None:
        await asyncio.sleep(self._sent_s + self._device.rest_s - time.monotonic())
        fault = laid.lay.fault
        if laid is self._laid:  # a fault happens once
            self._laid = Laid(number=laid.number, lay=msgspec.structs.replace(laid.lay, fault=Fault.NONE))
        t_ns: int | None = None
        for step in script(sending.content, fault, at=laid.lay.at, for_s=laid.lay.for_s):
            if isinstance(step, Pause):
                if step.unplugged:
                    self._unplug()
                await asyncio.sleep(step.for_s)
                if step.unplugged:
                    self._port.plug()
            elif step.content:
                t_ns = await self._port.write(step.content, plugs=sending.plugs)
        self._sent_s = time.monotonic()
        if t_ns is not None:
            extra = {} if fault is Fault.NONE else {"fault": fault.value}
            self._tell({"event": "sent", "laid": laid.number, "t_ns": t_ns, **extra})

    def _unplug(self) -> None:
        self._port.unplug()
        self._device.reset()
        self._read = False

    # --- the hand -----------------------------------------------------------------------------------------------------

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One control connection: requests in, answers and events out."""
        self._listeners.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass  # hung up, a line longer than any request, or the desk ends
        finally:
            self._listeners.discard(writer)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return {"ok": False, "why": str(error)}
        return await self._do(request)

    async def _do(self, request: Request) -> dict[str, Any]:
        match request:
            case Lay():
                return self._lay(request)
            case Remove():
                self._laid = None
            case Raw():
                self._outbox.put_nowait(Sending(content=bytes.fromhex(request.hex), plugs=self._port.plugs))
            case Unplug():
                self._unplug()
            case Plug():
                self._port.plug()
            case Press():
                return await self._press(request)
            case Lid():
                self._pins.lid(is_open=request.open)
            case State():
                return self._state()
            case _:
                assert_never(request)
        return {"ok": True}

    def _lay(self, lay: Lay) -> dict[str, Any]:
        self._camera.prepare(_scene(lay))
        self._count += 1
        self._laid = Laid(number=self._count, lay=lay)
        self._read = False
        self._offer()
        return {"ok": True, "laid": self._count}

    async def _press(self, press: Press) -> dict[str, Any]:
        if not await self._pins.press(press.button, held_s=press.held_s, bounces=press.bounces):
            return {"ok": False, "why": "no box holds the pins"}
        return {"ok": True}

    def _state(self) -> dict[str, Any]:
        return {
            "ok": True,
            "plugged": self._port.plugged,
            "armed": self._device.armed,
            "laid": self._laid.number if self._laid else None,
            "read": self._read,
            "lamps": self._lamps.lit,
            "box": self._pins.held,
        }

    def _tell(self, event: dict[str, Any]) -> None:
        line = json.dumps(event).encode() + b"\n"
        for listener in tuple(self._listeners):
            if listener.transport.get_write_buffer_size() > BACKLOG_BYTES_MAX:
                listener.transport.abort()
            else:
                listener.write(line)


def _scene(lay: Lay) -> camera_stand.Laid:
    """What the camera has before it."""
    return camera_stand.Laid(
        mrz=tuple(lay.mrz), view=lay.view, vanishing=lay.vanishing, over=tuple(lay.over), hand=lay.hand
    )


def _bind(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(str(path))
    sock.listen()
    return sock
