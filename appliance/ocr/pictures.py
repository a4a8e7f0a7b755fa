"""Stored pictures -> grey pixels, whose number is bounded before any of them is decoded.

A picture of a few kilobytes can stand for gigabytes of pixels. So the header is read first: a JPEG's sides and kind, a
PNG's sides. Large baseline JPEGs are decoded at a half, a quarter or an eighth, which their format allows without ever
holding the whole; what cannot be decoded so must be small.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import msgspec
import numpy as np

from appliance.errors import Malformed
from appliance.ocr.network import Grey
from appliance.ocr.reading import MrzImageReading, read_mrz

PICTURE_BYTES_MAX: Final = 32 * 1024 * 1024
PIXELS_MAX: Final = 64_000_000
WHOLE_PIXELS_MAX: Final = 12_000_000
"""Of a picture that is decoded whole: a PNG, a progressive JPEG."""
READ_PIXELS_MAX: Final = 8_000_000
"""What the reader is given; a page of 8 megapixels has 60 pixels a character, and 20 are plenty."""
WHAT: Final = "picture"
JPEG_START: Final = b"\xff\xd8"
JPEG_END: Final = b"\xff\xd9"
PNG_START: Final = b"\x89PNG\r\n\x1a\n"
PNG_HEADER: Final = b"\x00\x00\x00\x0dIHDR"
PNG_CHUNK_BYTES: Final = 12
"""Of a chunk without its data: length, kind, check (PNG, 3rd edition, §5.3)."""
ANIMATED: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})
"""Chunks that make several pictures of one, each with sides of its own."""
BASELINE: Final = frozenset({0xC0, 0xC1})
"""Start-of-frame markers of sequential JPEGs (ITU-T T.81 table B.1)."""
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""
_REDUCED: Final = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


@dataclass(frozen=True, slots=True)
class _Header:
    """Sides in pixels; `reducible` when the decoder can leave out detail as it goes."""

    width: int
    height: int
    reducible: bool


def read_picture(data: bytes) -> MrzImageReading:
    """Read the zone in a stored picture; the box is in the pixels that its header tells.

    Raises:
        Malformed: No JPEG or PNG within the bounds, or one that cannot be decoded.
    """
    grey, scale = decode_picture(data)
    reading = read_mrz(grey)
    return msgspec.structs.replace(reading, box=tuple((x * scale, y * scale) for x, y in reading.box))


def decode_picture(data: bytes) -> tuple[Grey, int]:
    """Grey pixels (height, width), and how many times smaller than stored: 1, 2, 4 or 8.

    Raises:
        Malformed: As `read_picture`.
    """
    if len(data) > PICTURE_BYTES_MAX:
        raise Malformed(WHAT, f"longer than {PICTURE_BYTES_MAX} bytes")
    header = _header(data)
    pixels = header.width * header.height
    if not 0 < pixels <= (PIXELS_MAX if header.reducible else WHOLE_PIXELS_MAX):
        raise Malformed(WHAT, f"{header.width} x {header.height} pixels are out of bounds")
    scale = 1
    while header.reducible and scale < 8 and pixels > READ_PIXELS_MAX * scale * scale:
        scale *= 2
    try:
        grey = cv2.imdecode(np.frombuffer(data, np.uint8), _REDUCED[scale] | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise Malformed(WHAT, "cannot be decoded") from error
    # OpenCV's types say that it is never None; it is, for bytes that are no picture.
    if grey is None or grey.ndim != 2 or grey.size > WHOLE_PIXELS_MAX:  # pyright: ignore[reportUnnecessaryComparison]
        raise Malformed(WHAT, "cannot be decoded")
    return grey.astype(np.uint8, copy=False), scale


def _header(data: bytes) -> _Header:
    if data.startswith(PNG_START):
        return _png_header(data)
    if data.startswith(JPEG_START):
        return _jpeg_header(data)
    raise Malformed(WHAT, "neither JPEG nor PNG")


def _png_header(data: bytes) -> _Header:
    """The first chunk; each chunk lies within the file, for the decoder makes room for as many bytes as it tells."""
    at, kind = len(PNG_START), b""
    while kind != b"IEND":
        first = data[at : at + len(PNG_HEADER)]
        length, kind = int.from_bytes(first[:4]), first[4:]
        if (first == PNG_HEADER) != (at == len(PNG_START)) or kind in ANIMATED:
            raise Malformed(WHAT, "a PNG that is animated, or does not begin with its one header", offset=at)
        at += PNG_CHUNK_BYTES + length
        if at > len(data):
            raise Malformed(WHAT, "a PNG that is cut short", offset=at)
    return _Header(int.from_bytes(data[16:20]), int.from_bytes(data[20:24]), reducible=False)


def _jpeg_header(data: bytes) -> _Header:
    """The first start of frame; a second one makes the picture another than its header says, so none may follow it."""
    at = len(JPEG_START)
    found: _Header | None = None
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise Malformed(WHAT, "a JPEG segment does not begin with FF", offset=at)
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if marker in {0xFF, *ALONE}:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xDA:
            if data.find(JPEG_END, at) < 0:  # in a scan's own bytes every FF is followed by 00, or by a restart
                raise Malformed(WHAT, "a JPEG that is cut short", offset=len(data))
            break
        if marker in FRAMES:
            if found is not None or at + 9 > len(data):
                raise Malformed(WHAT, "a JPEG frame header is cut short or told twice", offset=at)
            height, width = int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
            found = _Header(width, height, reducible=marker in BASELINE)
        if length < 2:
            raise Malformed(WHAT, "a JPEG segment is shorter than its length", offset=at)
        at += 2 + length
    if found is None:
        raise Malformed(WHAT, "a JPEG without a frame header")
    return found
