"""Lines of the zone cut out of the image: straight, 32 pixels high, 16 pixels a character, evenly lit."""

from typing import Final

import cv2
import numpy as np

from appliance.ocr.network import Floats, Grey
from appliance.ocr.zones import Line

STRIP_HEIGHT: Final = 32
STRIP_PITCH: Final = 16
LIGHT_SPREAD: Final = 12.0
"""Pixels over which the light is taken to be even: a character and a half."""
CONTRAST_MIN: Final = 3.0
"""Below this spread of grey there is only noise, and it stays small."""


def normalise(strip: np.ndarray) -> np.ndarray:
    """Grey (32, width) -> float32 of mean 0 and spread 1, shadows and glare taken out."""
    grey = strip.astype(np.float32)
    grey -= cv2.GaussianBlur(grey, (0, 0), LIGHT_SPREAD, borderType=cv2.BORDER_REPLICATE)
    return grey / np.float32(max(float(grey.std()), CONTRAST_MIN))


def cut_strip(image: Grey, line: Line, places: Floats, rise: Floats | None = None) -> Floats:
    """The strip of one line, normalised.

    Args:
        image: Grey.
        line: Where it runs.
        places: For each column of the strip, how far along the line it lies, in pixels of the image.
        rise: For each column, how many rows of the strip the line lies below where it was thought to be.

    Returns:
        (32, len(places)) float32.
    """
    pitch = np.gradient(places)
    tangent = line.along[None] + (line.bend[1] + 2 * line.bend[2] * places)[:, None] * line.across[None]
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1) * pitch[:, None]
    middle = line.origin[None] + places[:, None] * line.along[None] + line.offset(places)[:, None] * line.across[None]
    if rise is not None:
        middle = middle + rise[:, None] * normal
    rows = np.arange(STRIP_HEIGHT, dtype=np.float32) - (STRIP_HEIGHT - 1) / 2
    grid = (middle[None] + rows[:, None, None] * normal[None] - 0.5).astype(np.float32)
    cut = cv2.remap(image, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return normalise(cut)
