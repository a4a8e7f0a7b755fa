"""Stage 1 of 8: scan - the camera's stored image as a reading for the record, with the hash of the very bytes."""

import hashlib
from functools import lru_cache
from itertools import chain
from typing import Final

import cv2
import numpy as np

from appliance.model import CameraReading, InfraredReading
from appliance.ocr.infrared import look_under_infrared
from appliance.ocr.partial import percent_of
from appliance.ocr.pictures import decode_picture
from appliance.ocr.reading import MrzImageReading, read_mrz

DARK: Final = "the image is black: look at the camera's lamp and lens."
DARK_MAX: Final = 24
"""Mean grey level of an image that shows nothing; a dark desk without a page has 60."""
GLANCE: Final = (160, 120)
"""Pixels of an image made small, width and height."""


def glance(jpeg: bytes) -> bytes:
    """An image made so small that noise is gone and a page that moved is not: grey levels, row by row.

    Raises:
        Malformed: As `camera_reading`.
    """
    grey, _ = decode_picture(jpeg)
    return cv2.resize(grey, GLANCE, interpolation=cv2.INTER_AREA).astype(np.uint8).tobytes()


def camera_reading(jpeg: bytes) -> CameraReading:
    """Read the printed lines in a stored image.

    Raises:
        Malformed: No image, or one out of bounds (pictures.py).
    """
    seen = _read(jpeg)
    why = DARK if not seen.lines and float(decode_picture(jpeg)[0].mean()) < DARK_MAX else seen.why
    return CameraReading(
        lines=seen.lines,
        raw=seen.raw,
        percent=percent_of(chain(*seen.confidences)),
        doubt=seen.doubt,
        why=why,
        image_sha256=hashlib.sha256(jpeg).digest(),
        geometry=seen.geometry,
        another=seen.another,
    )


def infrared_reading(jpeg: bytes, infrared: bytes) -> InfraredReading:
    """Look under infrared light for what is read in an image of the same page.

    Raises:
        Malformed: As `camera_reading`, for either.
    """
    seen = _read(jpeg)
    if seen.zone is None or seen.doubt:
        return InfraredReading(why="the page was not read surely under white light.")
    grey, _ = decode_picture(infrared)
    if grey.shape != decode_picture(jpeg)[0].shape:
        return InfraredReading(why="the infrared image has another size.")
    return look_under_infrared(grey, seen.zone, seen.centres, "".join(seen.lines))


@lru_cache(maxsize=1)
def _read(jpeg: bytes) -> MrzImageReading:
    """The image that was read last is the one that is held against its infrared one."""
    return read_mrz(decode_picture(jpeg)[0])
