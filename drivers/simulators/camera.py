"""The box's camera off a Pi: asks the desk simulator for an image of what lies on it (the desk's end: camera_stand.py).

On the wire, over the unix stream `camera.sock`: the box sends `{"bytes_max": n, "light": "white"}` and a line
feed; the desk answers
`{"ok": true, "bytes": n, "captured": {...}}`, a line feed and so many bytes of JPEG, or `{"ok": false, "why": ...}`.
"""

import contextlib
import json
import socket
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from drivers.api import DeviceError, Image, Light

CAPTURE_TIMEOUT_S: Final = 3.0
HEADER_BYTES_MAX: Final = 4096


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The line before the image; `bytes` of it follow when `ok`."""

    ok: bool
    why: str = ""
    bytes: Annotated[int, Meta(ge=0)] = 0
    captured: dict[str, str] = {}


class SimulatedCamera:
    """A camera over the desk (drivers.api.LitCamera).

    Args:
        desk: The desk's `camera.sock`; looked for anew at each capture.
        lights: Lamps beside the white one that are fitted.
    """

    def __init__(self, desk: Path, lights: frozenset[Light] = frozenset()) -> None:
        self._desk = desk
        self._lights = lights

    @property
    def lights(self) -> frozenset[Light]:
        """As drivers.api.LitCamera."""
        return self._lights

    def capture(self, *, bytes_max: int) -> Image:
        """As `capture_under` white light."""
        return self.capture_under(Light.WHITE, bytes_max=bytes_max)

    def capture_under(self, light: Light, *, bytes_max: int) -> Image:
        """Take one image of what lies on the desk now, under one lamp.

        Raises:
            DeviceError: There is no desk, it gave no image within CAPTURE_TIMEOUT_S, or none fits `bytes_max`.
        """
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(CAPTURE_TIMEOUT_S)
                line.connect(str(self._desk))
                line.sendall(json.dumps({"bytes_max": bytes_max, "light": light.value}).encode() + b"\n")
                with contextlib.closing(line.makefile("rb")) as answer:
                    header = msgspec.json.decode(answer.readline(HEADER_BYTES_MAX), type=_Header)
                    jpeg = answer.read(min(header.bytes, bytes_max))
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DeviceError("the camera gave no image") from error
        if not header.ok:
            raise DeviceError(header.why)
        if len(jpeg) != header.bytes or not jpeg:
            raise DeviceError("the camera broke off in the middle of an image")
        return Image(jpeg=jpeg, captured=header.captured)

    def close(self) -> None:
        """Nothing is held between captures."""
