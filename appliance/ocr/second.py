"""Stage 1 of 8: scan - the camera's stored image as a reading for the record, with the hash of the very bytes."""

import hashlib
from itertools import chain
from typing import Final

import cv2
import numpy as np

from appliance.model import CameraReading
from appliance.ocr.pictures import decode_picture, read_picture

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
    seen = read_picture(jpeg)
    return CameraReading(
        lines=seen.lines,
        raw=seen.raw,
        percent=bytes(int(100 * sure) for sure in chain(*seen.confidences)),
        doubt=seen.doubt,
        why=seen.why,
        image_sha256=hashlib.sha256(jpeg).digest(),
    )
