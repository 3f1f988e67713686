"""EfficientNet-Lite0: a convolutional network trained on ImageNet with cross-entropy.

Features are the 1280 numbers before its classifier, averages of a ReLU6 and so never negative. The
weights are a `.pth`, read with `weights_only`, and only once its hash is found to be the pinned.
"""

import io
from typing import Any

import torch
from torch import Tensor

from supcon_theory.data import pins
from supcon_theory.data.pixels import in_unit_range, resized

SIDE = 224  # pixels, those of its training
MEAN, SCALE = 127 / 255, 128 / 255  # of every channel
BATCH = 8  # what a core does quickest


def load() -> Any:
    """The network with its pinned weights."""
    from efficientnet_lite_pytorch import EfficientNet

    weights = torch.load(io.BytesIO(pins.read("efficientnet")), weights_only=True)
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(weights)
    return network.eval().to(memory_format=torch.channels_last)


@torch.inference_mode()
def embed(network: Any, images: Tensor) -> Tensor:
    """Features of images.

    Args:
        network: what `load` returns.
        images: (N, K, channels, side, side), uint8 or float32 in [0, 1]; grey ones are repeated.

    Returns:
        (N, K, 1280) float32.
    """
    parts = [
        network.extract_features(prepared(part)).mean((2, 3))
        for part in images.flatten(0, 1).split(BATCH)
    ]
    return torch.cat(parts).unflatten(0, images.shape[:2])


def prepared(images: Tensor) -> Tensor:
    """What the network takes: (B, 3, 224, 224), (255 x - 127) / 128 as in its training.

    The mean and deviation of ImageNet, which the package's own example takes, are not what these
    weights were trained with: the channels of the first layer then have means that correlate -.98
    (here +.84) over channels with those that its batch normalisation has kept.

    Args:
        images: (B, channels, side, side), uint8 or float32 in [0, 1].

    Returns:
        (B, 3, 224, 224) float32.
    """
    x = resized(in_unit_range(images).expand(-1, 3, -1, -1), SIDE)
    return ((x - MEAN) / SCALE).contiguous(memory_format=torch.channels_last)
