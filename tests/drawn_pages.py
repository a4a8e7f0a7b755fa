"""Draws pages of travel documents as a camera over them sees them: true to scale, in three grades, with what they say.

Shares no code, no typeface and no seed with the pages that the recogniser is trained on (tests/training): typefaces are
OCRB7 (of npm's bwip-js, another hand's drawing of OCR-B) and Debian's OCRBS; labels are Noto's. Holders are made up.
"""

import random
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.document_generator import Paper, check_digit, correct, write
from tests.drawn_camera import VIEWS, Grade, see

Kind = Literal["TD3", "TD1", "TD2"]
KINDS: Final[tuple[Kind, ...]] = ("TD3", "TD1", "TD2")
TYPEFACES: Final = (
    Path(__file__).parent / "interop" / "node_modules" / "bwip-js" / "fonts" / "OCRB7.ttf",
    Path("/usr/share/fonts/opentype/ocr-b/OCRBS.otf"),
)
LABELS: Final = Path("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf")
PX_PER_MM: Final = 11.0
"""Of the drawing, before the camera: a character is 28 pixels wide."""
PITCH_MM: Final = 2.54
"""Doc 9303-3 §4.5: ten characters an inch."""
SPACING_MM: Final = 6.35
SIZES_MM: Final[dict[Kind, tuple[float, float]]] = {"TD3": (125, 88), "TD1": (85.6, 54), "TD2": (105, 74)}
LEFT_MM: Final = 6.0
BOTTOM_MM: Final = 8.0
"""From the lower edge to the middle of the last line."""
ZONE_ABOVE_MM: Final = 4.5
"""Nothing else is printed nearer above the first line's middle (Doc 9303-3 §3.2: the zone is kept clear)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """How a zone is printed otherwise than it should be.

    Attributes:
        size: Of the characters, in sizes that they should have.
        spacing_mm: From line to line.
        second_line_mm: How far to the right everything but the first line stands.
        one_mm: How far right and down one character stands (`odd_one`), either way.
        ink: "vanishing" is not seen in infrared light; "one vanishes": that of the same one.
    """

    size: float = 1.0
    spacing_mm: float = SPACING_MM
    second_line_mm: float = 0.0
    one_mm: tuple[float, float] = (0.0, 0.0)
    ink: Literal["carbon", "vanishing", "one vanishes"] = "carbon"


AS_IT_SHOULD_BE: Final = Print()


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """One picture, (height, width) grey, and what its zone says; `infrared` is the same page under that light."""

    image: np.ndarray
    lines: tuple[str, ...]
    kind: Kind
    grade: Grade
    infrared: np.ndarray | None = None


def typefaces() -> list[Path]:
    """Those that are installed here; none without the labels' typeface."""
    return [path for path in TYPEFACES if path.exists() and LABELS.exists()]


def draw_page(
    seed: int, kind: Kind, grade: Grade, *, printed: Print = AS_IT_SHOULD_BE, infrared: bool = False
) -> DrawnPage:
    """One page; the same seed draws the same page."""
    chance = random.Random(f"{seed}/{kind}/{grade}")
    noise = np.random.default_rng(chance.getrandbits(64))
    lines = written_lines(kind, chance)
    before = chance.getstate()
    page = print_page(lines, kind, chance, noise, printed)
    lens = chance.getstate()
    white = see(page, VIEWS[grade], chance, noise)
    if not infrared:
        return DrawnPage(white, lines, kind, grade)
    chance.setstate(before)  # printed the same, and seen from the same place by another light, with another noise
    page = print_page(lines, kind, chance, noise, printed, infrared=True)
    chance.setstate(lens)
    return DrawnPage(white, lines, kind, grade, see(page, VIEWS[grade], chance, noise))


def draw_blank(seed: int) -> np.ndarray:
    """A page with print and without a zone."""
    chance = random.Random(f"{seed}/blank")
    noise = np.random.default_rng(chance.getrandbits(64))
    return see(print_page((), "TD3", chance, noise), VIEWS["camera"], chance, noise)


# --- what it says -----------------------------------------------------------------------------------------------------

STARTS: Final = (
    "B",
    "CH",
    "D",
    "G",
    "H",
    "K",
    "L",
    "M",
    "N",
    "P",
    "PH",
    "R",
    "S",
    "SY",
    "T",
    "TH",
    "V",
    "W",
    "X",
    "Z",
    "J",
    "F",
)
RHYMES: Final = (
    "A",
    "AI",
    "ANH",
    "AO",
    "AR",
    "E",
    "EL",
    "ENG",
    "I",
    "INH",
    "IT",
    "O",
    "ON",
    "OU",
    "U",
    "UK",
    "UY",
    "YN",
    "EX",
    "IQ",
)


def written_lines(kind: Kind, chance: random.Random) -> tuple[str, ...]:
    """A correct zone of a made-up holder."""
    paper = correct(chance)
    while kind == "TD3" and paper.card:
        paper = correct(chance)
    name = "<".join(_name(chance) for _ in range(chance.choice((1, 1, 1, 2))))
    if chance.random() > 0.03:
        name += "<<" + "<".join(_name(chance) for _ in range(chance.choice((1, 1, 2, 3))))
    paper = replace(paper, name=name, card=kind == "TD1")
    if kind == "TD2":
        return _td2(paper)
    code = "P" if kind == "TD3" else chance.choice(("I", "I", "ID", "AC", "C"))
    optional = paper.optional[:14] if kind == "TD3" else paper.optional[:15].ljust(15, "<")
    paper = replace(
        paper,
        code=code,
        optional=optional,
        number=paper.number[:9] if kind == "TD3" else paper.number[:9].ljust(9, "<"),
    )
    return tuple(write(paper))


def _name(chance: random.Random) -> str:
    return "".join(chance.choice(STARTS) + chance.choice(RHYMES) for _ in range(chance.choice((1, 2, 2, 3))))


def _td2(paper: Paper) -> tuple[str, ...]:
    """Doc 9303-6 §4.2."""
    number, optional = paper.number[:9].ljust(9, "<"), paper.optional[:7].ljust(7, "<")
    birth = paper.birth_text or f"{paper.born:%y%m%d}"
    expiry = f"{paper.expires:%y%m%d}"
    left, middle = number + check_digit(number), birth + check_digit(birth)
    right = expiry + check_digit(expiry) + optional
    line = left + paper.nationality.ljust(3, "<") + middle + paper.sex + right + check_digit(left + middle + right)
    return ("I<" + paper.issuer.ljust(3, "<") + paper.name).ljust(36, "<")[:36], line


# --- the page ---------------------------------------------------------------------------------------------------------


@cache
def _face(path: Path, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


def print_page(
    lines: tuple[str, ...],
    kind: Kind,
    chance: random.Random,
    noise: np.random.Generator,
    printed: Print = AS_IT_SHOULD_BE,
    *,
    infrared: bool = False,
) -> np.ndarray:
    """The page from straight above, in even light; in infrared only carbon ink is seen on the paper."""
    width, height = (round(side * PX_PER_MM) for side in SIZES_MM[kind])
    paper = Image.fromarray(_security_print(width, height, chance, noise))
    draw = ImageDraw.Draw(paper)
    bottom = height - round((BOTTOM_MM + printed.spacing_mm * max(len(lines) - 1, 0) + ZONE_ABOVE_MM) * PX_PER_MM)
    _labels(draw, width, bottom, chance)
    _silhouette(draw, width, bottom, chance)
    if infrared:
        plain = float(np.median(np.asarray(paper)))
        paper = Image.fromarray(np.full((height, width), plain, np.uint8))
        draw = ImageDraw.Draw(paper)
    if lines:
        _print_zone(draw, lines, height, chance, printed, infrared=infrared)
    return np.asarray(paper)


def _print_zone(
    draw: ImageDraw.ImageDraw,
    lines: tuple[str, ...],
    height: int,
    chance: random.Random,
    printed: Print,
    *,
    infrared: bool,
) -> None:
    path = chance.choice(typefaces())
    face = _face(path, round(PITCH_MM * PX_PER_MM / 0.7227 * chance.choice((0.96, 1.0, 1.04)) * printed.size, 1))
    ink = chance.choice((12, 25, 45, 70))
    left = (LEFT_MM + chance.uniform(-1, 1)) * PX_PER_MM
    bottom = height - (BOTTOM_MM + chance.uniform(-1.5, 1.5)) * PX_PER_MM
    stroke = chance.choice((0, 0, 0, 0, 1))
    odd, ways = odd_one(lines)
    right, down = (each * way for each, way in zip(printed.one_mm, ways, strict=True))
    for number, line in enumerate(lines):
        y = bottom - (len(lines) - 1 - number) * printed.spacing_mm * PX_PER_MM + 1.2 * PX_PER_MM
        for at, character in enumerate(line):
            x = left + (at + 0.5) * PITCH_MM * PX_PER_MM + (printed.second_line_mm * PX_PER_MM if number else 0)
            place = (x, y)
            if (number, at) == odd:
                place = (x + right * PX_PER_MM, y + down * PX_PER_MM)
            if infrared and (printed.ink == "vanishing" or (printed.ink == "one vanishes" and (number, at) == odd)):
                continue
            draw.text(place, character, font=face, fill=ink, anchor="ms", stroke_width=stroke, stroke_fill=ink)


def odd_one(lines: tuple[str, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Line and column of the character that is printed otherwise, no filler, and its ways: 1 for right and down."""
    chance = random.Random("".join(lines))
    odd = chance.choice([(n, at) for n, line in enumerate(lines) for at, c in enumerate(line) if c != "<"])
    return odd, (chance.choice((-1, 1)), chance.choice((-1, 1)))


def _security_print(width: int, height: int, chance: random.Random, noise: np.random.Generator) -> np.ndarray:
    """Rosettes, hatching, stains, fibres on light paper."""
    base = np.full((height, width), chance.uniform(195, 248), np.float32)
    clouds = noise.standard_normal((6, 9)).astype(np.float32) * chance.uniform(0, 9)
    base += cv2.resize(clouds, (width, height), interpolation=cv2.INTER_LANCZOS4)
    sheet = np.clip(base, 0, 255).astype(np.uint8)
    shade = int(base.mean() - chance.uniform(8, 45))
    for _ in range(chance.randrange(0, 4)):
        centre, lobes, size = (
            (chance.randrange(width), chance.randrange(height)),
            chance.randrange(3, 13),
            chance.uniform(80, 520),
        )
        turn = np.linspace(0, 2 * np.pi, 700)
        for ring in range(chance.randrange(4, 18)):
            radius = size * (0.4 + ring / 25) * (1 + 0.35 * np.sin(lobes * turn + ring / 3))
            curve = np.stack([centre[0] + radius * np.cos(turn), centre[1] + radius * np.sin(turn)], 1)
            cv2.polylines(
                sheet, [curve.astype(np.int32)], isClosed=True, color=shade, thickness=1, lineType=cv2.LINE_AA
            )
    if chance.random() < 0.5:
        step, lean = chance.randrange(7, 40), chance.uniform(-0.9, 0.9)
        for x in range(-height, width + height, step):
            cv2.line(sheet, (x, 0), (int(x + lean * height), height), shade, 1, cv2.LINE_AA)
    for _ in range(chance.randrange(0, 60)):
        x, y = chance.randrange(width), chance.randrange(height)
        cv2.line(sheet, (x, y), (x + chance.randrange(-25, 25), y + chance.randrange(-25, 25)), shade, 1, cv2.LINE_AA)
    return sheet


def _labels(draw: ImageDraw.ImageDraw, width: int, bottom: int, chance: random.Random) -> None:
    """What the visual zone says: headings, fields, a number in the corner."""
    rows = min(chance.randrange(4, 9), bottom // 62)
    for row in range(rows):
        x = width * chance.choice((0.36, 0.38, 0.65))
        y = 6 + row * (bottom - 6) / rows
        small, large = _face(LABELS, chance.choice((15.0, 18.0))), _face(LABELS, chance.choice((28.0, 34.0)))
        draw.text(
            (x, y),
            "".join(chance.choice("aeinorst/ ABDE") for _ in range(chance.randrange(6, 24))),
            font=small,
            fill=90,
        )
        word = "".join(chance.choice("ABCDEFGHIKLMNOPRSTUVY 0123456789") for _ in range(chance.randrange(3, 18)))
        draw.text((x, y + 20), word, font=large, fill=chance.choice((20, 50, 80)))


def _silhouette(draw: ImageDraw.ImageDraw, width: int, bottom: int, chance: random.Random) -> None:
    """Where a portrait would be: nobody's, and without a face."""
    left, top, size = width * 0.05, bottom * 0.2, bottom * 0.75
    draw.rectangle((left, top, left + size * 0.78, top + size), fill=chance.randrange(150, 235))
    grey = chance.randrange(30, 150)
    draw.ellipse((left + size * 0.2, top + size * 0.12, left + size * 0.58, top + size * 0.62), fill=grey)
    draw.pieslice((left + size * 0.02, top + size * 0.6, left + size * 0.76, top + size * 1.4), 180, 360, fill=grey)
