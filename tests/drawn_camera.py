"""A camera over a drawn page: three grades of how badly it sees."""

import random
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np

Grade = Literal["clean", "camera", "hard"]
GRADES: Final[tuple[Grade, ...]] = ("clean", "camera", "hard")
PITCH_PX: Final = 27.94
"""A character's width in the drawing, before the camera."""


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


def see(page: np.ndarray, view: View, chance: random.Random, noise: np.random.Generator) -> np.ndarray:
    """Through the lens: posed, lit, blurred, digitised, stored."""
    pitch = chance.uniform(*view.pitch)
    picture = _posed(page, pitch / PITCH_PX, view, chance, noise).astype(np.float32)
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
    seen = cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE)
    assert seen is not None
    return seen


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
            x, y = (np.arange(side, dtype=np.int32) // 3 % 2 for side in (width, height))
            grain = (x[None] != y[:, None]).astype(np.float32)
        case _:
            grain = np.zeros((height, width), np.float32)
    return np.clip(grey + grain * chance.uniform(4, 18), 0, 255).astype(np.uint8)
