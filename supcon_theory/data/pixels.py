"""Pixels as networks take them: float32 in [0, 1], of the size wanted."""

import torch
import torch.nn.functional as F
from torch import Tensor


def in_unit_range(images: Tensor) -> Tensor:
    """Images as float32 in [0, 1]: uint8 over 255, others as they are."""
    return images.float() / 255 if images.dtype == torch.uint8 else images.float()


def resized(images: Tensor, side: int) -> Tensor:
    """Images (N, channels, height, width) as squares of this side, with antialiasing."""
    return F.interpolate(images, (side, side), mode="bilinear", antialias=True)
