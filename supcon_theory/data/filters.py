"""Blur, veil and erasing of (N, channels, H, W) images, with parameters for each image."""

import torch
import torch.nn.functional as F
from torch import Tensor


def gaussian_blur(images: Tensor, sigma: Tensor, taps: int) -> Tensor:
    """Convolution with a Gaussian of standard deviation sigma (N,) pixels cut to `taps` (odd) taps.

    Separable, w_j proportional to exp(-j^2 / (2 sigma^2)), sum 1, image mirrored at its edges
    without repeating them: torchvision's `gaussian_blur`. Written as B x B' with the banded H x H
    matrix B of each image, which holds the mirror too: two small products instead of 2 `taps`
    passes.

    Args:
        images: (N, channels, H, H).
        sigma: (N,) pixels, above 0.
        taps: odd, below 2 H.

    Returns:
        (N, channels, H, H).

    Raises:
        ValueError: for even or too many taps, or images that are not square.
    """
    size, half = images.shape[-1], taps // 2
    if taps % 2 != 1 or half >= size or images.shape[-2] != size:
        raise ValueError(f"taps is {taps}; it must be odd, and images square with more pixels.")
    offset = torch.arange(-half, half + 1, dtype=images.dtype, device=images.device)
    weight = torch.exp(-0.5 * (offset / sigma[:, None]) ** 2)
    weight = weight / weight.sum(1, keepdim=True)
    band = (weight @ _bands(size, taps).to(images).flatten(1)).unflatten(1, (size, size))
    band = band[:, None]
    return band @ images @ band.mT


def _bands(size: int, taps: int) -> Tensor:
    """(taps, size, size): [j, a, b] is 1 where tap j of output pixel a reads input pixel b."""
    half = taps // 2
    read = torch.arange(size) + torch.arange(-half, half + 1)[:, None]
    read = read.abs()
    read = torch.where(read < size, read, 2 * (size - 1) - read)
    return F.one_hot(read, size).float()


def enlarge(levels: Tensor, size: int) -> Tensor:
    """(N, a, a) grey levels -> (N, 1, size, size), bicubic: B x B' with B the 1-d interpolation."""
    unit = torch.eye(levels.shape[-1], dtype=levels.dtype, device=levels.device)[None]
    matrix = F.interpolate(unit[None], size=(size, levels.shape[-1]), mode="bicubic")[0, 0]
    return (matrix @ levels @ matrix.T)[:, None]


def veil(images: Tensor, levels: Tensor) -> Tensor:
    """clamp(x + (1 - x) b): light b (N, a, a), enlarged bicubically, as on a lit background."""
    light = enlarge(levels, images.shape[-1])
    return torch.lerp(images, images.new_ones(()), light).clamp_(0, 1)


def erase(
    images: Tensor, top: Tensor, left: Tensor, height: Tensor, width: Tensor, value: Tensor
) -> Tensor:
    """The rectangle rows [top, top + height), columns [left, left + width) set to `value` (N,)."""
    down = torch.arange(images.shape[-2], device=images.device)
    across = torch.arange(images.shape[-1], device=images.device)
    rows = (down >= top[:, None]) & (down < (top + height)[:, None])
    columns = (across >= left[:, None]) & (across < (left + width)[:, None])
    inside = (rows[:, :, None] & columns[:, None, :])[:, None]
    return torch.where(inside, value[:, None, None, None], images)
