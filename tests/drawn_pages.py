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

Grade = Literal["clean", "camera", "hard"]
Kind = Literal["TD3", "TD1", "TD2"]
GRADES: Final[tuple[Grade, ...]] = ("clean", "camera", "hard")
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


@dataclass(frozen=True, slots=True)
class View:
    """What one grade does to a page; each pair is a range.

    Attributes:
        pitch: Pixels a character in the picture.
        turn, tilt: Degrees, either way.
        blur: Of the lens, in characters.
        noise: Of the sensor, in grey levels.
        quality: Of the JPEG.
        shade, glare, bend: From 0 to 1.
    """

    pitch: tuple[float, float]
    turn: float
    tilt: float
    blur: tuple[float, float]
    noise: tuple[float, float]
    quality: tuple[int, int]
    shade: float
    glare: float
    bend: float


VIEWS: Final[dict[Grade, View]] = {
    "clean": View((20, 26), 1.0, 0.5, (0.01, 0.045), (0.5, 3), (88, 97), 0.1, 0.0, 0.0),
    "camera": View((14, 22), 4.0, 5.0, (0.02, 0.075), (1, 6), (70, 92), 0.45, 0.5, 0.6),
    "hard": View((11, 14), 8.0, 12.0, (0.04, 0.10), (2, 9), (50, 70), 0.55, 0.7, 1.0),
}


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """One picture, (height, width) grey, and what its zone says."""

    image: np.ndarray
    lines: tuple[str, ...]
    kind: Kind
    grade: Grade


def typefaces() -> list[Path]:
    """Those that are installed here; none without the labels' typeface."""
    return [path for path in TYPEFACES if path.exists() and LABELS.exists()]


def draw_page(seed: int, kind: Kind, grade: Grade) -> DrawnPage:
    """One page; the same seed draws the same page."""
    chance = random.Random(f"{seed}/{kind}/{grade}")
    noise = np.random.default_rng(chance.getrandbits(64))
    lines = written_lines(kind, chance)
    page = _page(lines, kind, chance, noise)
    return DrawnPage(_seen(page, VIEWS[grade], chance, noise), lines, kind, grade)


def draw_blank(seed: int) -> np.ndarray:
    """A page with print and without a zone."""
    chance = random.Random(f"{seed}/blank")
    noise = np.random.default_rng(chance.getrandbits(64))
    return _seen(_page((), "TD3", chance, noise), VIEWS["camera"], chance, noise)


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


def _page(lines: tuple[str, ...], kind: Kind, chance: random.Random, noise: np.random.Generator) -> np.ndarray:
    """The page from straight above, in even light."""
    width, height = (round(side * PX_PER_MM) for side in SIZES_MM[kind])
    paper = Image.fromarray(_security_print(width, height, chance, noise))
    draw = ImageDraw.Draw(paper)
    bottom = height - round((BOTTOM_MM + SPACING_MM * max(len(lines) - 1, 0) + ZONE_ABOVE_MM) * PX_PER_MM)
    _labels(draw, width, bottom, chance)
    _silhouette(draw, width, bottom, chance)
    if lines:
        _print_zone(draw, lines, height, chance)
    return np.asarray(paper)


def _print_zone(draw: ImageDraw.ImageDraw, lines: tuple[str, ...], height: int, chance: random.Random) -> None:
    path = chance.choice(typefaces())
    face = _face(path, round(PITCH_MM * PX_PER_MM / 0.7227 * chance.choice((0.96, 1.0, 1.04)), 1))
    ink = chance.choice((12, 25, 45, 70))
    left = (LEFT_MM + chance.uniform(-1, 1)) * PX_PER_MM
    bottom = height - (BOTTOM_MM + chance.uniform(-1.5, 1.5)) * PX_PER_MM
    stroke = chance.choice((0, 0, 0, 0, 1))
    for number, line in enumerate(lines):
        y = bottom - (len(lines) - 1 - number) * SPACING_MM * PX_PER_MM + 1.2 * PX_PER_MM
        for at, character in enumerate(line):
            x = left + (at + 0.5) * PITCH_MM * PX_PER_MM
            draw.text((x, y), character, font=face, fill=ink, anchor="ms", stroke_width=stroke, stroke_fill=ink)


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


# --- the camera -------------------------------------------------------------------------------------------------------


def _seen(page: np.ndarray, view: View, chance: random.Random, noise: np.random.Generator) -> np.ndarray:
    """Through the lens: posed, lit, blurred, digitised, stored."""
    pitch = chance.uniform(*view.pitch)
    picture = _posed(page, pitch / (PITCH_MM * PX_PER_MM), view, chance, noise).astype(np.float32)
    height, width = picture.shape
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    turn = chance.uniform(0, 2 * np.pi)
    across = x * np.float32(np.cos(turn)) + y * np.float32(np.sin(turn))
    picture *= 1 - view.shade * chance.uniform(0.2, 1) * (across + 1.4) / 2.8
    if chance.random() < view.shade:
        steep = (across - chance.uniform(-0.6, 0.6)) * chance.uniform(8, 90)
        picture *= 1 - chance.uniform(0.15, 0.45) / (1 + np.exp(-np.clip(steep, -50, 50)))
    if chance.random() < view.glare:
        spot = ((x - chance.uniform(-1, 1)) / chance.uniform(0.1, 0.5)) ** 2 + (
            (y - chance.uniform(-1, 1)) / chance.uniform(0.1, 0.4)
        ) ** 2
        picture += chance.uniform(20, 95) * np.exp(-spot)
    picture = cv2.GaussianBlur(picture, (0, 0), max(pitch * chance.uniform(*view.blur), 0.25))
    picture *= chance.uniform(0.75, 1.05)
    picture += noise.standard_normal(picture.shape, np.float32) * chance.uniform(*view.noise)
    stored = cv2.imencode(
        ".jpg", np.clip(picture, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, chance.randint(*view.quality)]
    )[1]
    return cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE)


def _posed(page: np.ndarray, scale: float, view: View, chance: random.Random, noise: np.random.Generator) -> np.ndarray:
    """On a table, under a pinhole 1.6 page widths above it, turned, tilted and bent."""
    page_height, page_width = page.shape
    width, height = (
        round(page_width * scale * chance.uniform(1.05, 1.3)),
        round(page_height * scale * chance.uniform(1.05, 1.3)),
    )
    turn, lean, nod = (np.deg2rad(chance.uniform(-most, most)) for most in (view.turn, view.tilt, view.tilt))
    distance = 1.6 * page_width
    corners = np.array([[0, 0], [page_width, 0], [page_width, page_height], [0, page_height]], np.float32)
    flat = corners - np.array([page_width / 2, page_height / 2], np.float32)
    depth = flat[:, 0] * np.sin(lean) + flat[:, 1] * np.sin(nod)
    flat = flat * np.array([np.cos(lean), np.cos(nod)]) * (distance / (distance + depth))[:, None]
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    shift = np.array([width / 2 + chance.uniform(-6, 6), height / 2 + chance.uniform(-6, 6)])
    matrix = cv2.getPerspectiveTransform(corners, (flat @ spin * scale + shift).astype(np.float32))
    table = _table(width, height, chance, noise)
    soft = cv2.GaussianBlur(page, (0, 0), 0.4 / scale) if scale < 1 else page
    cv2.warpPerspective(
        soft, matrix, (width, height), dst=table, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
    if view.bend:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        lift = chance.uniform(-1, 1) * view.bend * 0.011 * width
        table = cv2.remap(
            table,
            x,
            y + lift * np.cos(x / width * np.float32(np.pi) + np.float32(chance.uniform(-1, 1))),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return table


def _table(width: int, height: int, chance: random.Random, noise: np.random.Generator) -> np.ndarray:
    """Wood, cloth, or plain."""
    grey = chance.uniform(15, 235)
    match chance.choice(("plain", "wood", "cloth")):
        case "wood":
            grain = cv2.resize(
                noise.standard_normal((height // 3 + 1, 6)).astype(np.float32),
                (width, height),
                interpolation=cv2.INTER_CUBIC,
            )
        case "cloth":
            y, x = np.mgrid[0:height, 0:width]
            grain = (((x // 3) + (y // 3)) % 2).astype(np.float32)
        case _:
            grain = np.zeros((height, width), np.float32)
    return np.clip(grey + grain * chance.uniform(4, 18), 0, 255).astype(np.uint8)
