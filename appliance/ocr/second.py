"""Stage 1 of 8: scan - the camera's stored image as a reading for the record, with the hash of the very bytes."""

import hashlib
from itertools import chain

from appliance.model import CameraReading
from appliance.ocr.pictures import read_picture


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
