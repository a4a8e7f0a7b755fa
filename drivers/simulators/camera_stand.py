"""The desk's camera: photographs what lies there and hands the image to the box (the box's end is camera.py)."""

import asyncio
import json
from collections.abc import Callable
from typing import Final

import msgspec

from drivers.api import DeviceError
from drivers.camera import encode_jpeg

CAPTURED: Final = {"camera": "simulated", "light": "white", "exposure_us": "8000"}


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bytes_max: int


Zone = tuple[str, ...] | None


class CameraStand:
    """Answers one capture a connection.

    Drawing takes some 40 ms, and the desk's one thread also notes when a lamp is lit: so a page is drawn before its
    document is laid, once a box has shown that it has a camera, and the first one beside that thread.

    Args:
        zone: Tells the zone of the document in the slot; None when the slot is empty.
        photographed: Told when the box has an image.
    """

    def __init__(self, zone: Callable[[], Zone], photographed: Callable[[], None]) -> None:
        self._zone = zone
        self._photographed = photographed
        self._bytes_max: int | None = None
        self._answers: dict[tuple[Zone, int], bytes] = {}

    def prepare(self, zone: Zone) -> None:
        """Draw what a box is about to photograph, if there is a box that does."""
        if self._bytes_max is not None:
            self._answers = {(zone, self._bytes_max): _answer(zone, self._bytes_max)}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: a request in, a header and an image out."""
        try:
            writer.write(await self._capture(await reader.readline()))
            await writer.drain()
            self._photographed()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass  # hung up, a line longer than any request, or the desk ends
        finally:
            writer.close()

    async def _capture(self, line: bytes) -> bytes:
        try:
            self._bytes_max = msgspec.json.decode(line, type=_Request).bytes_max
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _refuse(str(error))
        wanted = (self._zone(), self._bytes_max)
        if wanted in self._answers:
            return self._answers[wanted]
        return await asyncio.to_thread(_answer, *wanted)


def _answer(zone: Zone, bytes_max: int) -> bytes:
    from drivers.simulators import page  # noqa: PLC0415 - a desk without a camera needs no Pillow

    try:
        jpeg = encode_jpeg(page.draw_desk() if zone is None else page.draw_page(zone), bytes_max=bytes_max)
    except DeviceError as error:
        return _refuse(str(error))
    return json.dumps({"ok": True, "bytes": len(jpeg), "captured": CAPTURED}).encode() + b"\n" + jpeg


def _refuse(why: str) -> bytes:
    return json.dumps({"ok": False, "why": why}).encode() + b"\n"
