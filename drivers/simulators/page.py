"""Draws the page of a specimen document from its machine readable zone: what a camera over the desk would see.

A believable layout at the real scale and no likeness of anybody: the portrait is a silhouette without a face, and
SYNTHETIC stands across the page. The zone has the pitch of Doc 9303-3 (2.54 mm) whatever font is at hand.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from drivers.api import Light

PIXELS_PER_MM: Final = 9
MARGIN_MM: Final = 6
"""Of the desk around the page."""
PITCH_MM: Final = 2.54
LINE_SPACING_MM: Final = 6.35
ZONE_BOTTOM_MM: Final = 6.0
"""From the lower edge to the foot of the last line."""

SIZES_MM: Final = {44: (125, 88), 36: (105, 74), 30: (86, 54)}
"""Width and height by characters a line: TD3 and MRV-A, TD2 and MRV-B, TD1."""
MONOSPACED: Final = ("OCRB.otf", "OCRB.ttf", "DejaVuSansMono.ttf", "LiberationMono-Regular.ttf")

DESK: Final = (58, 60, 64)
PAPER: Final = (238, 240, 232)
ZONE: Final = (248, 248, 244)
INK: Final = (24, 26, 32)
LABEL: Final = (88, 96, 120)
PATTERN: Final = ((206, 220, 226), (226, 214, 208))
UNDER: Final = {Light.INFRARED: (232, 232, 232), Light.ULTRAVIOLET: (34, 30, 58)}
"""The paper under other lamps: bright in the infrared, dull in the ultraviolet, where only the pattern glows."""
SKIN: Final = (198, 158, 138)
NAIL: Final = (216, 182, 168)
FINGERS: Final = (
    (-58, 0.62, 0.075),
    (-24, 0.86, 0.062),
    (-3, 0.92, 0.064),
    (17, 0.86, 0.061),
    (38, 0.74, 0.052),
)
"""Of a spread hand, thumb first: degrees from straight up; length and half width in heights of the image."""
GLOW: Final = ((120, 196, 120), (196, 120, 120))

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One labelled entry of the visual zone."""

    label: str
    value: str


def draw_desk() -> Image.Image:
    """The desk with nothing on it."""
    width, height = SIZES_MM[44]
    return Image.new("RGB", (_px(width + 2 * MARGIN_MM), _px(height + 2 * MARGIN_MM)), DESK)


def draw_page(mrz: Sequence[str], light: Light = Light.WHITE, *, vanishing: bool = False) -> Image.Image:
    """The page of a document whose zone is `mrz` (any lines at all), lying on the desk.

    Args:
        mrz: Its lines.
        light: Infrared shows carbon ink alone, which the zone's is; ultraviolet dull paper, and what glows.
        vanishing: The zone is printed in ink that infrared light does not show.
    """
    columns = min((columns for columns in SIZES_MM if columns >= max(map(len, mrz), default=0)), default=44)
    width_mm, height_mm = SIZES_MM[columns]
    image = draw_desk()
    page = Image.new("RGB", (_px(width_mm), _px(height_mm)), UNDER.get(light, PAPER))
    pen = ImageDraw.Draw(page)
    zone_top = height_mm - ZONE_BOTTOM_MM - LINE_SPACING_MM * max(len(mrz), 2)
    if light is not Light.INFRARED:
        _draw_pattern(pen, page.width, page.height, PATTERN if light is Light.WHITE else GLOW)
    if light is Light.WHITE:
        _draw_portrait(pen, width_mm=width_mm, bottom_mm=zone_top - 3)
        _draw_fields(pen, visual_zone(mrz), left_mm=width_mm * 0.34, bottom_mm=zone_top)
        pen.rectangle(_box(0, zone_top, width_mm, height_mm), fill=ZONE)
    if not (vanishing and light is Light.INFRARED):
        _draw_zone(pen, mrz, width_mm=width_mm, bottom_mm=height_mm)
    image.paste(page, (_px(MARGIN_MM), _px(MARGIN_MM)))
    return image


def lay_over(image: Image.Image, other: Image.Image) -> Image.Image:
    """The lower half of the other page over this one's upper half, as passports lie that are laid in a hurry."""
    half, foot = image.height // 2, image.height - _px(MARGIN_MM)
    both = image.copy()
    both.paste(other.crop((0, half, image.width, foot)), (0, half - (foot - half)))
    return both


def draw_hand() -> Image.Image:
    """A hand with spread fingers on the empty desk, as sharp as a page there would be."""
    image = draw_desk()
    pen = ImageDraw.Draw(image)
    width, height = image.size
    wrist = (width * 0.52, height * 0.98)
    for angle, length, wide in FINGERS:
        across, up = math.sin(math.radians(angle)), math.cos(math.radians(angle))
        for joint in range(101):  # a finger is a row of discs, and its nail one more
            reach, radius = height * length * joint / 100, height * wide * (1 - joint / 500)
            x, y = wrist[0] + across * reach, wrist[1] - up * reach
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=SKIN)
        x, y, radius = wrist[0] + across * height * length, wrist[1] - up * height * length, height * wide * 0.45
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=NAIL)
    pen.ellipse((wrist[0] - height * 0.27, height * 0.62, wrist[0] + height * 0.27, height * 1.2), fill=SKIN)
    return image


def visual_zone(mrz: Sequence[str]) -> list[Field]:
    """What would be printed above such a zone; for drawing only, by position, judging nothing."""
    text = [line.ljust(44, "<") for line in (*mrz, "", "", "")]
    if max(map(len, mrz), default=0) <= 30:
        number, birth, expiry, sex, names = text[0][5:14], text[1][:6], text[1][8:14], text[1][7], text[2][:30]
    else:
        number, birth, expiry, sex, names = text[1][:9], text[1][13:19], text[1][21:27], text[1][20], text[0][5:]
    primary, _, secondary = names.partition("<<")
    return [
        Field(label="Issuing state", value=_plain(text[0][2:5])),
        Field(label="Type", value=_plain(text[0][:2])),
        Field(label="Document No.", value=_plain(number)),
        Field(label="Surname", value=_plain(primary)),
        Field(label="Given names", value=_plain(secondary)),
        Field(label="Sex", value=_plain(sex)),
        Field(label="Date of birth", value=_date(birth)),
        Field(label="Date of expiry", value=_date(expiry)),
    ]


def _plain(text: str) -> str:
    return " ".join(text.replace("<", " ").split())


def _date(text: str) -> str:
    return " ".join((text[4:6], text[2:4], text[:2])).replace("<", "-")


def _draw_pattern(pen: ImageDraw.ImageDraw, width: int, height: int, colours: Sequence[tuple[int, int, int]]) -> None:
    """Fine waves all over the paper, in two colours."""
    for index, colour in enumerate(colours):
        for row in range(-40, height + 40, 14):
            wave = [
                (x, row + 16 * math.sin(x / (70 + 23 * index) + row / 60 + index)) for x in range(0, width + 12, 12)
            ]
            pen.line(wave, fill=colour, width=1)
    font = _font(width / PIXELS_PER_MM * 0.08)
    pen.text((width * 0.97, height * 0.12), "SYNTHETIC", font=font, fill=(214, 190, 184), anchor="rm")


def _draw_portrait(pen: ImageDraw.ImageDraw, *, width_mm: float, bottom_mm: float) -> None:
    """Head and shoulders in one tone."""
    left, right = width_mm * 0.04, width_mm * 0.30
    top = max(4.0, bottom_mm - (right - left) * 45 / 35)  # a portrait of 35 x 45 mm, made to fit
    pen.rectangle(_box(left, top, right, bottom_mm), fill=(214, 218, 222), outline=LABEL)
    middle, span = (left + right) / 2, right - left
    head = top + (bottom_mm - top) * 0.42
    shoulders = (middle - span * 0.42, head + span * 0.30, middle + span * 0.42, 2 * bottom_mm - head - span * 0.30)
    pen.pieslice(_box(*shoulders), 180, 360, fill=(120, 128, 138))
    pen.ellipse(
        _box(middle - span * 0.22, head - span * 0.30, middle + span * 0.22, head + span * 0.28), fill="#78808a"
    )


def _draw_fields(pen: ImageDraw.ImageDraw, fields: Sequence[Field], *, left_mm: float, bottom_mm: float) -> None:
    """Labels above values, one below the other, as large as there is room."""
    step = (bottom_mm - 5) / len(fields)
    for row, field in enumerate(fields):
        top = 4 + row * step
        pen.text((_px(left_mm), _px(top)), field.label, font=_font(step * 0.26), fill=LABEL)
        pen.text((_px(left_mm), _px(top + step * 0.30)), field.value[:34], font=_font(step * 0.48), fill=INK)


def _draw_zone(pen: ImageDraw.ImageDraw, mrz: Sequence[str], *, width_mm: float, bottom_mm: float) -> None:
    """The machine readable zone: every character in the middle of its cell."""
    font = _monospaced(3.9)
    left = (width_mm - PITCH_MM * max(map(len, mrz), default=0)) / 2
    for row, line in enumerate(mrz):
        base = bottom_mm - ZONE_BOTTOM_MM - LINE_SPACING_MM * (len(mrz) - 1 - row)
        for column, character in enumerate(line):
            place = (_px(left + PITCH_MM * (column + 0.5)), _px(base))
            pen.text(place, character, font=font, fill=INK, anchor="ms")


def _font(height_mm: float) -> Font:
    return ImageFont.load_default(_px(height_mm))


def _monospaced(height_mm: float) -> Font:
    for name in MONOSPACED:
        try:
            return ImageFont.truetype(name, _px(height_mm))
        except OSError:
            continue  # this machine has no such font
    return _font(height_mm)


def _px(length_mm: float) -> int:
    return round(length_mm * PIXELS_PER_MM)


def _box(left: float, top: float, right: float, bottom: float) -> Box:
    return (_px(left), _px(top), _px(right), _px(bottom))
