"""The two networks as they are trained; appliance/ocr/network.py runs the same ones without torch."""

from collections import OrderedDict

import numpy as np
import torch
from torch import Tensor, nn


def _layer(inputs: int, outputs: int, size: tuple[int, int] = (3, 3), dilation: int = 1) -> nn.Sequential:
    """Convolution that keeps the size, normalised, rectified."""
    pad = ((size[0] - 1) // 2 * dilation, (size[1] - 1) // 2 * dilation)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, padding=pad, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Locator(nn.Module):
    """Grey (N, 1, H, W), H and W multiples of 8 -> logits (N, 1, H/4, W/4): the core of a line of the zone."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(
            OrderedDict(
                fine=_layer(16, 24),
                coarse=_layer(24, 40),
                wide2=_layer(40, 40, dilation=2),
                wide4=_layer(40, 40, dilation=4),
                wide8=_layer(40, 40, dilation=8),
                narrow=_layer(40, 24, (1, 1)),
                joined=_layer(24, 24),
                out=nn.Conv2d(24, 1, 1),
            )
        )

    def forward(self, image: Tensor) -> Tensor:
        layers = self.layers
        fine = layers["fine"](nn.functional.pixel_unshuffle(image, 4))
        deep = layers["coarse"](nn.functional.max_pool2d(fine, 2))
        for name in ("wide2", "wide4", "wide8"):
            deep = deep + layers[name](deep)
        wide = nn.functional.interpolate(layers["narrow"](deep), scale_factor=2, mode="nearest")
        return layers["out"](layers["joined"](wide + fine))


class Recogniser(nn.Module):
    """Strip (N, 1, 32, W), W a multiple of 4 -> logits (N, 38, W/4): 37 characters and "between characters"."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(
            OrderedDict(
                one=_layer(4, 32),
                two=_layer(32, 64),
                three=_layer(64, 80),
                column=nn.Sequential(
                    nn.Conv2d(80, 112, (4, 3), padding=(0, 1), bias=False), nn.BatchNorm2d(112), nn.ReLU(inplace=True)
                ),
                drop=nn.Dropout(0.1),
                out=nn.Conv2d(112, 38, (1, 3), padding=(0, 1)),
            )
        )

    def forward(self, strip: Tensor) -> Tensor:
        layers = self.layers
        x = nn.functional.max_pool2d(layers["one"](nn.functional.pixel_unshuffle(strip, 2)), 2)
        x = nn.functional.max_pool2d(layers["two"](x), (2, 1))
        x = layers["column"](layers["three"](x))
        return layers["out"](layers["drop"](x)).squeeze(2)


def weights_of(network: nn.Module) -> dict[str, np.ndarray]:
    """Name of the layer -> its weights (outputs, inputs, height, width) and bias, normalisation folded in; float16."""
    weights: dict[str, np.ndarray] = {}
    for name, layer in network.layers.items():
        if isinstance(layer, nn.Dropout):
            continue
        convolution = layer if isinstance(layer, nn.Conv2d) else layer[0]
        weight = convolution.weight.detach().clone()
        if isinstance(layer, nn.Conv2d):
            bias = convolution.bias.detach()
        else:
            norm = layer[1]
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weight = weight * gain[:, None, None, None]
            bias = norm.bias - norm.running_mean * gain
        weights[f"{name}.weight"] = weight.detach().numpy().astype(np.float16)
        weights[f"{name}.bias"] = bias.detach().numpy().astype(np.float16)
    return weights
