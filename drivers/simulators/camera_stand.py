"""The desk's camera: photographs what lies there and hands the image to the box (the box's end is camera.py)."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

import msgspec

from drivers.api import DeviceError
from drivers.camera import encode_jpeg

CAPTURED: Final = {"camera": "simulated", "light": "white", "exposure_us": "8000"}


class _Capture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bytes_max: int


class CameraStand:
    """Answers one capture a connection.

    Args:
        mrz: Tells the zone of the document in the slot; None when the slot is empty.
    """

    def __init__(self, mrz: Callable[[], tuple[str, ...] | None]) -> None:
        self._mrz = mrz
        self._last: tuple[tuple[str, ...] | None, Any] = ((), None)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: a request in, a header and an image out."""
        try:
            writer.write(self._answer(await reader.readline()))
            await writer.drain()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass  # hung up, a line longer than any request, or the desk ends
        finally:
            writer.close()

    def _answer(self, line: bytes) -> bytes:
        try:
            request = msgspec.json.decode(line, type=_Capture)
            jpeg = encode_jpeg(self._photograph(), bytes_max=request.bytes_max)
        except (msgspec.DecodeError, DeviceError) as error:
            return json.dumps({"ok": False, "why": str(error)}).encode() + b"\n"
        return json.dumps({"ok": True, "bytes": len(jpeg), "captured": CAPTURED}).encode() + b"\n" + jpeg

    def _photograph(self) -> Any:  # noqa: ANN401 - PIL's image; Pillow is loaded with the first image
        from drivers.simulators import page  # noqa: PLC0415 - a desk without a camera needs no Pillow

        mrz = self._mrz()
        if self._last[1] is None or self._last[0] != mrz:
            self._last = (mrz, page.draw_desk() if mrz is None else page.draw_page(mrz))
        return self._last[1]
