"""The two small networks in numpy: what tests/training trained, without the library that trained it.

A framework for inference would cost more memory than both networks, image and result together. A convolution is one
matrix product over shifted copies of its input; normalisation was folded into the weights when they were written.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Final, NewType

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Floats = NDArray[np.floating[Any]]
Indices = NDArray[np.integer[Any]]
Weights = NewType("Weights", dict[str, Floats])
"""Layer -> weight (outputs, inputs, height, width) and bias, as `name.weight` and `name.bias`."""

MODEL: Final = "model.npz"
CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"
"""What the recogniser tells apart, in the order of its answers; behind them "between characters"."""
STRIDE: Final = 4
"""Pixels for each of either network's answers."""


@cache
def load_weights(network: str) -> Weights:
    """The weights of "locator" or "recogniser", as the project ships them."""
    with files("appliance.ocr").joinpath(MODEL).open("rb") as file, np.load(file, allow_pickle=False) as model:
        prefix = f"{network}."
        found = {
            name.removeprefix(prefix): model[name].astype(np.float32) for name in model.files if name.startswith(prefix)
        }
    return Weights(found)


def locate_lines(image: Floats, weights: Weights) -> Floats:
    """How likely each cell of 4 x 4 pixels is the core of a line.

    Args:
        image: (H, W) of mean 0 and spread 1; H and W multiples of 8.
        weights: Of "locator".

    Returns:
        (H/4, W/4), from 0 to 1.
    """
    fine = _layer(_cells(image, STRIDE), weights, "fine")
    deep = _layer(_halved(fine, 2, 2), weights, "coarse")
    for dilation in (2, 4, 8):
        deep = deep + _layer(deep, weights, f"wide{dilation}", dilation)
    wide = _layer(deep, weights, "narrow").repeat(2, axis=1).repeat(2, axis=2)
    wide += fine
    logits = _convolve(_layer(wide, weights, "joined"), weights, "out")[0]
    likely: Floats = 1 / (1 + np.exp(-logits))
    return likely


def recognise(strip: Floats, weights: Weights) -> Floats:
    """Log-probabilities (frames, 38) of a normalised strip (32, 4 x frames)."""
    x = _halved(_layer(_cells(strip, 2), weights, "one"), 2, 2)
    x = _layer(_halved(_layer(x, weights, "two"), 2, 1), weights, "three")
    logits = _convolve(_layer(x, weights, "column"), weights, "out")[:, 0].T
    logits -= logits.max(axis=1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logits


def _layer(x: Floats, weights: Weights, name: str, dilation: int = 1) -> Floats:
    """A convolution, rectified."""
    out = _convolve(x, weights, name, dilation)
    return np.maximum(out, 0, out=out)


def _convolve(x: Floats, weights: Weights, name: str, dilation: int = 1) -> Floats:
    """(inputs, H, W) -> (outputs, H, W); a kernel of even height has no border above and below, so H shrinks."""
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    outputs, inputs, high, wide = weight.shape
    pad_y, pad_x = (high // 2 * dilation if high % 2 else 0), wide // 2 * dilation
    padded = np.pad(x, ((0, 0), (pad_y, pad_y), (pad_x, pad_x)))
    height, width = x.shape[1] + 2 * pad_y - (high - 1) * dilation, x.shape[2]
    shifted = np.empty((high, wide, inputs, height, width), np.float32)
    for row in range(high):
        for column in range(wide):
            top, left = row * dilation, column * dilation
            shifted[row, column] = padded[:, top : top + height, left : left + width]
    flat = weight.transpose(0, 2, 3, 1).reshape(outputs, -1)
    out = flat @ shifted.reshape(flat.shape[1], -1)
    out += bias[:, None]
    return out.reshape(outputs, height, width)


def _halved(x: Floats, by_y: int, by_x: int) -> Floats:
    """The largest of each cell of by_y x by_x."""
    if by_y == 2:
        x = np.maximum(x[:, 0::2], x[:, 1::2])
    return np.maximum(x[:, :, 0::2], x[:, :, 1::2]) if by_x == 2 else x


def _cells(image: Floats, side: int) -> Floats:
    """(H, W) -> (side x side, H / side, W / side): each cell's pixels side by side, row by row."""
    height, width = image.shape
    cells = image.reshape(height // side, side, width // side, side)
    return np.ascontiguousarray(cells.transpose(1, 3, 0, 2)).reshape(side * side, height // side, width // side)
