"""What light, lens and hand do to the image of a page: one effect at a time, the same for the same page.

Off a Pi these stand for the camera's bad days. They are drawn, not measured: a real camera has not been compared yet.
"""

import random
from collections.abc import Callable
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from drivers.simulators.views import View

BLUR_PX: Final = 2.2
"""Of a lens a little out of focus; a character is 23 pixels wide."""
NOISE: Final = 28
"""Grey levels, standard deviation: a sensor at high gain."""
DIM: Final = 0.35
"""Of the light that there should be."""
FULL_SENSOR: Final = (8_500, 5_900)
"""Pixels of a sensor whose driver gives all it has: 50 million."""
TILT: Final = 0.05
"""How much narrower the far side of a page is that lies aslant."""


def _noisy(image: Image.Image, sigma: float = NOISE) -> Image.Image:
    """Grey noise over all, seeded, for a picture drawn twice is the same picture."""
    chance = random.Random(image.width)  # noqa: S311 - noise, not a secret
    levels = bytes(max(0, min(255, round(chance.gauss(128, sigma)))) for _ in range(1 << 16))
    pixels = image.width * image.height
    noise = Image.frombytes("L", image.size, (levels * (pixels // len(levels) + 1))[:pixels])
    return ImageChops.add(image, Image.merge("RGB", [noise] * 3), scale=1, offset=-128)


def _glaring(image: Image.Image) -> Image.Image:
    """A lamp mirrored in the laminate, over the beginning of the printed lines."""
    light = Image.new("L", image.size, 0)
    width, height = image.size
    ImageDraw.Draw(light).ellipse((width * 0.06, height * 0.72, width * 0.22, height * 0.95), fill=255)
    light = light.filter(ImageFilter.GaussianBlur(width * 0.01))
    return Image.composite(Image.new("RGB", image.size, "white"), image, light)


def _aslant(image: Image.Image) -> Image.Image:
    """The far edge is shorter: eight numbers map each pixel to where it came from."""
    shrink = TILT / image.height
    middle = image.width / 2
    return image.transform(
        image.size,
        Image.Transform.PERSPECTIVE,
        (1 + TILT, -shrink * middle, -TILT * middle, 0, 1 + TILT, 0, 0, shrink),
        Image.Resampling.BICUBIC,
    )


def _black_right(image: Image.Image) -> Image.Image:
    """Without its right half, which the frame cuts off."""
    cut = image.copy()
    cut.paste((0, 0, 0), (image.width // 2, 0, image.width, image.height))
    return cut


_EFFECTS: Final[dict[View, Callable[[Image.Image], Image.Image]]] = {
    View.BLUR: lambda image: image.filter(ImageFilter.GaussianBlur(BLUR_PX)),
    View.NOISE: _noisy,
    View.GLARE: _glaring,
    View.PERSPECTIVE: _aslant,
    View.DIM: lambda image: _noisy(ImageEnhance.Brightness(image).enhance(DIM), NOISE / 3),
    View.HALF_OUT: lambda image: ImageChops.offset(_black_right(image), image.width // 2, 0),
    View.UPSIDE_DOWN: lambda image: image.transpose(Image.Transpose.ROTATE_180),
    View.LAMP_OFF: lambda image: _noisy(Image.new("RGB", image.size), NOISE / 9),
    View.CUT_SHORT: lambda image: image,
    View.FULL_SENSOR: lambda image: image.convert("L").resize(FULL_SENSOR),
}


def seen(image: Image.Image, view: View) -> Image.Image:
    """The image as the camera gets it under this circumstance."""
    return image if view is View.CLEAN else _EFFECTS[view](image)
