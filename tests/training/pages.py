"""Draws the pages that the recogniser is trained on, and says where each character is.

Shares no code, no font and no seed with the pages that it is measured on (tests/drawn_pages.py).
"""

import random
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS: Final = ("OCRB.otf", "OCRB.otf", "OCRBL.otf")
"""Debian's fonts-ocr-b. Left out: OCRBS (kept for the test), OCRBF (hollow), OCRBE and OCRBX (inverted)."""
FONT_FOLDER: Final = "/usr/share/fonts/opentype/ocr-b/"
OTHER_FONTS: Final = tuple(
    f"/usr/share/fonts/truetype/{name}.ttf"
    for name in ("dejavu/DejaVuSans", "dejavu/DejaVuSerif-Bold", "liberation/LiberationSans-Regular")
)
CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"
OBLIQUE_SHEAR: Final = 0.21
"""What sets OCRBL upright again."""
SHAPES: Final = ((2, 44), (2, 36), (3, 30))


@dataclass(frozen=True, slots=True)
class Page:
    """One drawn page.

    Attributes:
        image: Grey, (height, width) uint8.
        lines: What the zone says.
        centres: For each line the centre of each character, (characters, 2) float32 in pixels, x before y.
        pitch: Mean distance of characters in pixels.
    """

    image: np.ndarray
    lines: tuple[str, ...]
    centres: tuple[np.ndarray, ...]
    pitch: float


def draw_page(seed: int, hardness: float) -> Page:
    """A page; hardness from 0 (a flatbed's) to 1 (a bad camera's, still legible)."""
    chance = random.Random(seed)
    noise = np.random.default_rng(seed)
    lines = _text(chance)
    ink, centres = _zone(lines, chance, noise)
    paper, centres = _paper(ink, centres, chance, noise)
    target = chance.uniform(20, 27) + (chance.uniform(10.5, 15) - 23.5) * hardness
    image, centres, pitch = _pose(paper, centres, target, hardness, (chance, noise))
    return Page(_camera(image, pitch, hardness, chance, noise), lines, centres, pitch)


# --- what the zone says -----------------------------------------------------------------------------------------------

SYLLABLES: Final = (
    "KA",
    "LO",
    "MI",
    "SU",
    "NE",
    "TA",
    "RO",
    "VI",
    "DE",
    "PHO",
    "XAY",
    "THI",
    "ANG",
    "BOUN",
    "ON",
    "ER",
    "KH",
    "QU",
    "OI",
    "Z",
    "WE",
    "Y",
    "JO",
    "GUY",
    "CH",
    "FA",
    "IL",
    "UL",
    "OD",
)


def _text(chance: random.Random) -> tuple[str, ...]:
    count, width = chance.choice(SHAPES)
    lines = []
    for _ in range(count):
        match chance.randrange(6):
            case 0 | 1:
                line = "".join(chance.choice(CHARACTERS) for _ in range(width))
            case 2 | 3:
                words = [
                    "".join(chance.choice(SYLLABLES) for _ in range(chance.randrange(1, 5)))
                    for _ in range(chance.randrange(1, 6))
                ]
                line = chance.choice("PIVAC") + "<UTO" + words[0] + "<<" + "<".join(words[1:])
            case _:
                parts = [
                    "".join(chance.choice(CHARACTERS[:10]) for _ in range(chance.randrange(1, 12)))
                    + "".join(chance.choice(CHARACTERS) for _ in range(chance.randrange(0, 4)))
                    for _ in range(7)
                ]
                line = "".join(parts)[: chance.randrange(width // 3, width + 20)]
        lines.append(line[:width].ljust(width, "<"))
    return tuple(lines)


# --- ink --------------------------------------------------------------------------------------------------------------

CELL: Final = 30
"""Pixels a character while drawing."""


@cache
def _glyph(font: str, character: str, size: int) -> np.ndarray:
    face = ImageFont.truetype(FONT_FOLDER + font, size)
    image = Image.new("L", (CELL * 2, CELL * 2), 0)
    ImageDraw.Draw(image).text((CELL, CELL * 1.45), character, font=face, fill=255, anchor="ms")
    glyph = np.asarray(image)
    if font == "OCRBL.otf":
        upright = np.array([[1, OBLIQUE_SHEAR, -OBLIQUE_SHEAR * CELL], [0, 1, 0]], np.float32)
        glyph = cv2.warpAffine(glyph, upright, (CELL * 2, CELL * 2))
    return glyph


def _zone(
    lines: tuple[str, ...], chance: random.Random, noise: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Ink from 0 to 255, and the characters' centres in it."""
    font, size = chance.choice(FONTS), CELL * 11 // 8
    wide, high, shear = chance.uniform(0.86, 1.1), chance.uniform(0.84, 1.16), chance.gauss(0, 0.03)
    spacing = CELL * chance.uniform(2.2, 2.8)
    jitter = chance.choice((0.0, 0.3, 0.8))
    weight = chance.choice((-1, 0, 0, 0, 1, 2))
    margin = CELL * 2
    width = len(lines[0]) * CELL + margin * 2
    ink = np.zeros((int(spacing * (len(lines) - 1)) + margin * 2, width), np.uint8)
    places: list[np.ndarray] = []
    for number, line in enumerate(lines):
        y = margin + number * spacing
        row = []
        for at, character in enumerate(line):
            x = margin + (at + 0.5) * CELL
            row.append((x, y))
            dx, dy = chance.gauss(0, jitter), chance.gauss(0, jitter)
            fit = np.array(
                [[wide, shear, CELL - CELL * (wide + shear) + dx], [0, high, CELL - CELL * high + dy]], np.float32
            )
            glyph = cv2.warpAffine(_glyph(font, character, size), fit, (CELL * 2, CELL * 2))
            top, left = int(y) - CELL, int(x) - CELL
            np.maximum(
                ink[top : top + CELL * 2, left : left + CELL * 2],
                glyph,
                out=ink[top : top + CELL * 2, left : left + CELL * 2],
            )
        places.append(np.array(row, np.float32))
    if weight:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(weight) + 1, abs(weight) + 1))
        ink = cv2.dilate(ink, kernel) if weight > 0 else cv2.erode(ink, kernel)
    if chance.random() < 0.3:  # a worn print
        worn = cv2.resize(noise.random((ink.shape[0] // 6, width // 6), np.float32), (width, ink.shape[0]))
        ink = (ink * np.clip(1.5 - worn * chance.uniform(0.3, 1.0), 0, 1)).astype(np.uint8)
    return ink, places


# --- paper ------------------------------------------------------------------------------------------------------------


def _texture(height: int, width: int, chance: random.Random, noise: np.random.Generator) -> np.ndarray:
    """Brightness around 0, about -1 to 1: waves, clouds, lines."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    total = np.zeros((height, width), np.float32)
    for _ in range(chance.randrange(0, 4)):
        turn, period = chance.uniform(0, np.pi), chance.uniform(5, 60)
        wave = x * np.cos(turn) + y * np.sin(turn)
        wave += chance.uniform(0, 25) * np.sin((x * np.sin(turn) - y * np.cos(turn)) / chance.uniform(20, 90))
        total += np.sin(wave * (2 * np.pi / period)) ** chance.choice((1, 3)) * chance.uniform(0.1, 0.6)
    for step in (4, 30, 150):
        small = noise.standard_normal((height // step + 2, width // step + 2)).astype(np.float32)
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) * chance.uniform(0, 0.3)
    return total


def _paper(
    ink: np.ndarray, centres: list[np.ndarray], chance: random.Random, noise: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The page around the zone, in the middle of a desk."""
    zone_height, zone_width = ink.shape
    above = int(zone_width * chance.uniform(0.2, 0.62))
    below, side = chance.randrange(0, 90), chance.randrange(-60, 120)
    side = max(side, -60)
    height, width = above + zone_height + below, zone_width + 2 * side
    half = 2  # textures are drawn at half size: they are soft anyway
    texture = cv2.resize(_texture(height // half, width // half, chance, noise), (width, height))
    base, contrast = chance.uniform(150, 250), chance.choice((0.0, 6.0, 14.0, 24.0))
    page = base + texture * contrast
    _other_print(page, above, chance, noise)
    dark = base * chance.choice((0.05, 0.1, 0.2, 0.35, 0.5))
    left = max(side, 0)
    cut = max(-side, 0)
    alpha = ink[:, cut : zone_width - cut].astype(np.float32) / 255
    part = page[above : above + zone_height, left : left + alpha.shape[1]]
    part += (dark - part) * alpha
    shift = np.array([side, above], np.float32)
    return np.clip(page, 0, 255).astype(np.uint8), [row + shift for row in centres]


def _other_print(page: np.ndarray, above: int, chance: random.Random, noise: np.random.Generator) -> None:
    """Labels, a portrait's blot, lines: what a page has above its zone."""
    width = page.shape[1]
    image = Image.new("L", (width, max(above, 8)), 0)
    draw = ImageDraw.Draw(image)
    for _ in range(chance.randrange(3, 26)):
        face = ImageFont.truetype(chance.choice(OTHER_FONTS), chance.randrange(18, 70))
        word = "".join(
            chance.choice("abcdefghiklmnoprstuvy ABCDEFGHIKLMNORSTU/.-0123456789<")
            for _ in range(chance.randrange(2, 24))
        )
        draw.text(
            (chance.randrange(width), chance.randrange(max(above - 30, 1))),
            word,
            font=face,
            fill=chance.randrange(90, 255),
        )
    for _ in range(chance.randrange(0, 4)):
        y = chance.randrange(max(above, 1))
        draw.line((0, y, width, y + chance.randrange(-30, 30)), fill=200, width=chance.randrange(1, 6))
    part = page[: image.size[1]]
    part *= 1 - np.asarray(image, np.float32) / 255 * chance.uniform(0.5, 0.95)
    if above > 200:
        size = int(above * chance.uniform(0.4, 0.8))
        x, y = chance.randrange(max(width - size, 1)), chance.randrange(max(above - size, 1))
        blot = cv2.resize(
            noise.random((7, 6), np.float32) * 190 + 20, (size * 3 // 4, size), interpolation=cv2.INTER_CUBIC
        )
        target = page[y : y + size, x : x + blot.shape[1]]
        target[:] = blot[: target.shape[0], : target.shape[1]]


# --- pose -------------------------------------------------------------------------------------------------------------


def _pose(
    paper: np.ndarray,
    centres: list[np.ndarray],
    pitch: float,
    hardness: float,
    chances: tuple[random.Random, np.random.Generator],
) -> tuple[np.ndarray, tuple[np.ndarray, ...], float]:
    """The page on a desk as a camera sees it: turned, in perspective, bent."""
    chance, noise = chances
    height, width = paper.shape
    scale = pitch / CELL
    out_w = int(width * scale * chance.uniform(1.0, 1.35)) + 20
    out_h = int(height * scale * chance.uniform(1.0, 1.35)) + 20
    turn = np.deg2rad(chance.uniform(-1, 1) * (1.5 + 7.5 * hardness))
    tilt = hardness * 0.00012
    middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    lean = np.array([[1, 0, 0], [0, 1, 0], [chance.uniform(-tilt, tilt), chance.uniform(-tilt, tilt), 1]])
    c, s = np.cos(turn) * scale, np.sin(turn) * scale
    move_x, move_y = out_w / 2 + chance.uniform(-8, 8), out_h / 2 + chance.uniform(-8, 8)
    matrix = np.array([[c, -s, move_x], [s, c, move_y], [0, 0, 1]]) @ lean @ middle
    small = cv2.GaussianBlur(paper, (0, 0), max(0.35 / scale, 0.3))
    desk = _texture(out_h // 4 + 1, out_w // 4 + 1, chance, noise) * chance.uniform(0, 50) + chance.uniform(10, 245)
    image = np.clip(cv2.resize(desk, (out_w, out_h)), 0, 255).astype(np.uint8)
    cv2.warpPerspective(
        small, matrix, (out_w, out_h), dst=image, borderMode=cv2.BORDER_TRANSPARENT, flags=cv2.INTER_LINEAR
    )
    placed = [cv2.perspectiveTransform(row[None], matrix)[0] for row in centres]
    bend = chance.uniform(-1, 1) * hardness * 0.012 * out_w
    if abs(bend) > 1:
        y, x = np.mgrid[0:out_h, 0:out_w].astype(np.float32)
        image = cv2.remap(
            image,
            x,
            y + bend * np.sin(np.pi * x / out_w).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        placed = [row - np.stack([0 * row[:, 0], bend * np.sin(np.pi * row[:, 0] / out_w)], 1) for row in placed]
    steps = np.concatenate([np.linalg.norm(np.diff(row, axis=0), axis=1) for row in placed])
    return image, tuple(row.astype(np.float32) for row in placed), float(steps.mean())


# --- camera -----------------------------------------------------------------------------------------------------------


def _camera(
    image: np.ndarray, pitch: float, hardness: float, chance: random.Random, noise: np.random.Generator
) -> np.ndarray:
    """Light, lens, sensor, JPEG."""
    height, width = image.shape
    picture = image.astype(np.float32)
    light = cv2.resize(noise.random((3, 3), np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    picture *= 1 - light * chance.uniform(0, 0.15 + 0.45 * hardness)
    if chance.random() < 0.5 * hardness + 0.1:  # a shadow's edge
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        turn = chance.uniform(0, 2 * np.pi)
        edge = (x - width * chance.random()) * np.cos(turn) + (y - height * chance.random()) * np.sin(turn)
        picture *= 1 - chance.uniform(0.1, 0.55) / (1 + np.exp(np.clip(-edge / chance.uniform(2, 40), -30, 30)))
    for _ in range(chance.randrange(0, 2 + int(2 * hardness))):  # glare
        x, y = chance.randrange(width), chance.randrange(height)
        spot = np.zeros((height // 8 + 1, width // 8 + 1), np.float32)
        axes = (chance.randrange(2, 14), chance.randrange(2, 8))
        cv2.ellipse(spot, (x // 8, y // 8), axes, chance.uniform(0, 180), 0, 360, 1.0, -1)
        spot = cv2.resize(cv2.GaussianBlur(spot, (0, 0), 4), (width, height))
        picture += spot * chance.uniform(0, 40 + 90 * hardness)
    spread = pitch * chance.uniform(0.0, 0.05 + 0.065 * hardness)
    if spread > 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), spread)
    if chance.random() < 0.3 * hardness:  # the hand moved
        length = max(int(pitch * chance.uniform(0.1, 0.28)), 2)
        kernel = np.zeros((length, length), np.float32)
        cv2.line(kernel, (0, chance.randrange(length)), (length - 1, chance.randrange(length)), 1.0)
        picture = cv2.filter2D(picture, -1, kernel / kernel.sum())
    low, gain = chance.uniform(-12, 20), chance.uniform(0.65, 1.1)
    picture = picture * gain + low
    picture += noise.standard_normal(picture.shape, np.float32) * chance.uniform(0.5, 3 + 9 * hardness)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if chance.random() < 0.15:
        picture = np.clip(255 * (picture / 255.0) ** chance.uniform(0.6, 1.6), 0, 255).astype(np.uint8)
    quality = int(chance.uniform(82, 98) - 38 * hardness * chance.random())
    _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
