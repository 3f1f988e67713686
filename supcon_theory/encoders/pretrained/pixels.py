"""The control: no model at all, an image is the row of its pixels less their mean."""

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 32  # pixels; larger images are scaled down


def load() -> None:
    """Nothing."""


def embed(model: None, images: Tensor) -> Tensor:
    """Centred pixels.

    Args:
        model: None.
        images: (N, K, channels, side, side), uint8 or float32 in [0, 1].

    Returns:
        (N, K, d) float32, d the number of pixels, over the colours.

    Raises:
        ValueError: an image of one colour, which has no direction.
    """
    x = images.flatten(0, 1)
    x = x.float() / 255 if x.dtype == torch.uint8 else x
    if x.shape[-1] > SIDE:
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True)
    rows = x.flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    if (flat := rows.abs().amax(1) == 0).any():
        raise ValueError(
            f"image {int(flat.nonzero()[0])} has one colour only: remove it, since nothing is seen"
        )
    return rows.unflatten(0, images.shape[:2])
