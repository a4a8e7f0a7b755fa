"""The desk's camera: photographs what lies there and hands the image to the box (the box's end is camera.py)."""

import asyncio
import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from drivers.api import DeviceError, Light
from drivers.camera import encode_jpeg
from drivers.simulators.views import View

if TYPE_CHECKING:
    from PIL.Image import Image as PictureOnDesk

CAPTURED: Final = {"camera": "simulated", "exposure_us": "8000"}


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bytes_max: int
    light: Light = Light.WHITE


class Laid(msgspec.Struct, frozen=True):
    """The page that lies there.

    Attributes:
        mrz: Its zone.
        view: How the camera sees it.
        vanishing: Its zone is printed in ink that infrared light does not show.
        over: The zone of another page that lies over this one's upper half; () for none.
        hand: A hand lies there, and no page.
    """

    mrz: tuple[str, ...]
    view: View
    vanishing: bool = False
    over: tuple[str, ...] = ()
    hand: bool = False


Scene = Laid | None
"""None for an empty desk."""


class CameraStand:
    """Answers one capture a connection.

    Drawing takes some 40 ms, and the desk's one thread also notes when a lamp is lit: so a page is drawn before its
    document is laid, once a box has shown that it has a camera, and the first one beside that thread.

    Args:
        scene: Tells what lies in the slot.
        photographed: Told when the box has an image.
    """

    def __init__(self, scene: Callable[[], Scene], photographed: Callable[[], None]) -> None:
        self._scene = scene
        self._photographed = photographed
        self._bytes_max: int | None = None
        self._answers: dict[tuple[Scene, int, Light], bytes] = {}

    def prepare(self, scene: Scene) -> None:
        """Draw what a box is about to photograph, if there is a box that does."""
        if self._bytes_max is not None:
            wanted = (scene, self._bytes_max, Light.WHITE)
            self._answers = {wanted: _answer(*wanted)}

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
            request = msgspec.json.decode(line, type=_Request)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _refuse(str(error))
        self._bytes_max = request.bytes_max
        wanted = (self._scene(), request.bytes_max, request.light)
        if wanted in self._answers:
            return self._answers[wanted]
        return await asyncio.to_thread(_answer, *wanted)


def _answer(scene: Scene, bytes_max: int, light: Light) -> bytes:
    from drivers.simulators import page, physics  # noqa: PLC0415 - a desk without a camera needs no Pillow

    view = View.CLEAN if scene is None else scene.view
    if scene is None:
        image = page.draw_desk()
    elif scene.hand:
        image = page.draw_hand()
    else:
        image = page.draw_page(scene.mrz, light, vanishing=scene.vanishing)
        if scene.over:
            image = page.lay_over(image, page.draw_page(scene.over, light))
    captured = {**CAPTURED, "light": light.value}
    try:
        jpeg = _stored(physics.seen(image, view), view, bytes_max)
    except DeviceError as error:
        return _refuse(str(error))
    return json.dumps({"ok": True, "bytes": len(jpeg), "captured": captured}).encode() + b"\n" + jpeg


def _stored(image: "PictureOnDesk", view: View, bytes_max: int) -> bytes:
    """The image's file; so large a one fits only when it is stored as coarsely as no camera's driver would."""
    if view is View.FULL_SENSOR:
        encoded = io.BytesIO()
        image.save(encoded, "JPEG", quality=2, optimize=True)
        return encoded.getvalue()
    jpeg = encode_jpeg(image, bytes_max=bytes_max)
    return jpeg[: len(jpeg) // 2] if view is View.CUT_SHORT else jpeg


def _refuse(why: str) -> bytes:
    return json.dumps({"ok": False, "why": why}).encode() + b"\n"
