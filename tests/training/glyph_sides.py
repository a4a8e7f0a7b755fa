"""`python -m tests.training.glyph_sides`: measures the sides of each glyph and writes appliance/ocr/glyphs.py.

Drawn in the training's typeface as a clean image has it, and measured as the box measures. The typefaces of the pages
that the measure is tried on (tests/drawn_pages.py) have no part in it. Needs Debian's fonts-ocr-b.
"""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from appliance.ocr.network import CHARACTERS
from appliance.ocr.sides import MARGIN, find_sides
from appliance.ocr.strips import STRIP_HEIGHT, STRIP_PITCH, normalise
from tests.training.pages import FONT_FOLDER, FONTS

WRITTEN: Final = Path(__file__).parents[2] / "appliance" / "ocr" / "glyphs.py"
FINE: Final = 8
"""Times as fine as a strip, before it is made as coarse."""
EM: Final = 1 / 0.7227
"""Of the typeface, in characters: ten of them an inch."""
BLUR: Final = 0.06
"""Characters."""
BASELINE: Final = 0.5
"""Characters below the middle of the strip."""
ANYWHERE: Final = (-0.4, 0.4, -0.7, 0.7)
HEADER: Final = '''"""The left, right, top and bottom of each glyph's ink in OCR-B (ISO 1073-2, size I).

In thousandths of a character, from the middle of its place and half a character above the baseline. Measured on
Debian's OCRB.otf, and written, by `python -m tests.training.glyph_sides`.
"""

from typing import Final

SIDES: Final[dict[str, tuple[int, int, int, int]]] = {
'''


def measured() -> dict[str, tuple[int, int, int, int]]:
    """Each glyph's sides, in thousandths of a character."""
    sides = np.tile(ANYWHERE, (len(CHARACTERS), 1))
    strip = _drawn()
    for _ in range(3):  # a glyph's height is looked for between its own sides
        sides = find_sides(strip, sides)
    return {
        character: (round(left), round(right), round(top), round(bottom))
        for character, (left, right, top, bottom) in zip(CHARACTERS, (sides * 1000).tolist(), strict=True)
    }


def _drawn() -> np.ndarray:
    """One of each in a line."""
    pitch = STRIP_PITCH * FINE
    face = ImageFont.truetype(FONT_FOLDER + FONTS[0], pitch * EM)
    sheet = Image.new("L", ((len(CHARACTERS) + 2 * MARGIN) * pitch, STRIP_HEIGHT * FINE), 230)
    draw = ImageDraw.Draw(sheet)
    for number, character in enumerate(CHARACTERS):
        place = ((number + MARGIN + 0.5) * pitch, STRIP_HEIGHT * FINE / 2 + BASELINE * pitch)
        draw.text(place, character, font=face, fill=30, anchor="ms")
    blurred = cv2.GaussianBlur(np.asarray(sheet), (0, 0), BLUR * pitch)
    return normalise(cv2.resize(blurred, None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA))


def main() -> None:
    """Write it."""
    rows = "".join(f'    "{character}": {sides},\n' for character, sides in measured().items())
    WRITTEN.write_text(HEADER + rows + "}\n")


if __name__ == "__main__":
    main()
