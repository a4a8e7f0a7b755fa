"""Stored pictures: bounded before they are decoded, and Malformed where they are not pictures."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from appliance.errors import Malformed
from appliance.ocr.pictures import (
    PICTURE_BYTES_MAX,
    READ_PIXELS_MAX,
    decode_picture,
    read_picture,
)
from tests.drawn_pages import draw_page, typefaces


def _jpeg(image: np.ndarray, *options: int) -> bytes:
    return cv2.imencode(".jpg", image, list(options))[1].tobytes()


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, *more: bytes) -> bytes:
    """A header that promises so many pixels, these chunks, and hardly a byte of the pixels."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + _chunk(b"IDAT", zlib.compress(bytes(1000))) + _chunk(b"IEND")
    )


def test_jpeg_and_png_are_decoded_to_the_same_grey() -> None:
    image = np.full((80, 100), 77, np.uint8)
    image[20:40] = 200
    for data in (_jpeg(image, cv2.IMWRITE_JPEG_QUALITY, 100), cv2.imencode(".png", image)[1].tobytes()):
        grey, scale = decode_picture(data)
        assert scale == 1
        assert np.abs(grey.astype(int) - image).max() <= 3


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"BM" + bytes(100), b"\x89PNG\r\n\x1a\n", b"<svg/>"]
)
def test_what_is_no_picture_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode_picture(data)


def test_png_that_promises_gigabytes_of_pixels_is_refused_unread() -> None:
    with pytest.raises(Malformed, match="out of bounds"):
        decode_picture(_png(60_000, 60_000))


def test_png_whose_chunk_promises_gigabytes_is_refused_before_room_is_made_for_it() -> None:
    data = _png(30, 30)
    at = data.index(b"IDAT") - 4
    with pytest.raises(Malformed, match="cut short"):
        decode_picture(data[:at] + struct.pack(">I", 2_415_919_447) + data[at + 4 :])


@pytest.mark.parametrize(
    "data",
    [
        _png(30, 30, _chunk(b"acTL", struct.pack(">II", 1000, 0))),
        _png(30, 30, _chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))),
        _png(30, 30).removesuffix(_chunk(b"IEND")),
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IDAT") + _png(30, 30)[8:],
    ],
    ids=["animated", "two headers", "no end", "no header first"],
)
def test_png_that_its_first_chunk_does_not_bound_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed, match=r"a PNG that is (animated|cut short)"):
        decode_picture(data)


def test_png_with_what_editors_write_into_it_is_decoded() -> None:
    text = _chunk(b"tEXt", b"Comment\0made by hand")
    rows = b"".join(b"\0" + bytes(range(30)) for _ in range(30))
    data = _png(30, 30, text).replace(_chunk(b"IDAT", zlib.compress(bytes(1000))), _chunk(b"IDAT", zlib.compress(rows)))
    assert decode_picture(data + b"behind the end")[0].tolist() == [list(range(30))] * 30


def test_jpeg_that_promises_more_pixels_than_allowed_is_refused_unread() -> None:
    data = bytearray(_jpeg(np.zeros((64, 64), np.uint8)))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    with pytest.raises(Malformed, match="out of bounds"):
        decode_picture(bytes(data))


def test_jpeg_with_two_frame_headers_is_refused() -> None:
    data = _jpeg(np.zeros((64, 64), np.uint8))
    frame = data.index(b"\xff\xc0")
    segment = data[frame : frame + 2 + int.from_bytes(data[frame + 2 : frame + 4])]
    with pytest.raises(Malformed, match="told twice"):
        decode_picture(data[:frame] + segment + data[frame:])


def test_progressive_jpeg_has_the_bound_of_pictures_decoded_whole() -> None:
    image = np.zeros((3600, 4000), np.uint8)
    with pytest.raises(Malformed, match="out of bounds"):
        decode_picture(_jpeg(image, cv2.IMWRITE_JPEG_PROGRESSIVE, 1))
    assert decode_picture(_jpeg(image))[1] == 2


def test_fifty_megapixels_are_decoded_coarser() -> None:
    grey, scale = decode_picture(_jpeg(np.zeros((5800, 8700), np.uint8)))
    assert scale == 4
    assert grey.size <= READ_PIXELS_MAX


def test_file_longer_than_allowed_is_refused() -> None:
    with pytest.raises(Malformed, match="longer than"):
        decode_picture(b"\xff\xd8" + bytes(PICTURE_BYTES_MAX))


@pytest.mark.skipif(not typefaces(), reason="no OCR-B here (apt-get install fonts-ocr-b)")
def test_fifty_megapixels_of_a_page_are_read_and_its_box_is_in_stored_pixels() -> None:
    page = draw_page(4, "TD3", "clean")
    factor = 8700 / page.image.shape[1]
    stored = _jpeg(cv2.resize(page.image, None, fx=factor, fy=factor))
    reading = read_picture(stored)
    assert reading.lines == page.lines
    assert max(x for x, _ in reading.box) > 4350


@pytest.mark.skipif(not typefaces(), reason="no OCR-B here (apt-get install fonts-ocr-b)")
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_jpeg_is_malformed(share: float) -> None:
    data = _jpeg(draw_page(5, "TD3", "camera").image)
    with pytest.raises(Malformed):
        read_picture(data[: int(len(data) * share)])


@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4)])
def test_jpeg_that_ends_within_its_pixels_is_malformed_of_whichever_kind(options: tuple[int, ...]) -> None:
    data = _jpeg(np.random.default_rng(1).integers(0, 256, (200, 200), np.uint8), *options)
    assert decode_picture(data + b"behind the end")[0].shape == (200, 200)
    with pytest.raises(Malformed, match="cut short"):
        decode_picture(data[:-100])
