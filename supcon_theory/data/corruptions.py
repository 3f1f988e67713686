"""Corruptions of held-out images: ten kinds, each at five severities.

Kinds and, where images of any size share them, amounts are those of arXiv 1903.12261 (Tiny
ImageNet-C); for 32 x 32 pixels motion blur, occlusion and elastic ones are ours. What comes out has
256 levels, as stored images have: so little contrast is not undone by a network that normalises.

Every draw is a function of (seed, kind, global index): the severities of one image share it, so the
same noise grows and the same hole widens, and all encoders see the same images.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.special import ndtri, pdtr, pdtrik
from torch import Tensor

from supcon_theory.data import colour, filters, geometry, random
from supcon_theory.data.severities import AMOUNTS, SEVERITIES


def gaussian_noise(x: Tensor, u: np.ndarray, amount: float) -> Tensor:
    """clamp(x + amount g), g standard normal of each pixel and channel: u (N, channels H W)."""
    noise = torch.from_numpy(ndtri(np.maximum(u, 2.0**-54))).to(x).view_as(x)
    return torch.add(x, noise, alpha=amount).clamp_(0, 1)


def shot_noise(x: Tensor, u: np.ndarray, amount: float) -> Tensor:
    """clamp(k / amount), k ~ Poisson(amount x): the least whose distribution function reaches u."""
    mean = amount * x.double().numpy(force=True).reshape(u.shape)
    u = np.maximum(u, 2.0**-54)
    k = np.ceil(pdtrik(u, mean))
    less = np.maximum(k - 1, 0)  # the inverse of the continuous function rounds
    k = np.where(pdtr(less, mean) >= u, less, k)
    k = np.where(mean > 0, k, 0)
    return torch.from_numpy(k / amount).to(x).view_as(x).clamp_(0, 1)


def impulse_noise(x: Tensor, u: np.ndarray, amount: float) -> Tensor:
    """Salt and pepper: half of the share `amount` of all values becomes 0, the other half 1."""
    drawn = torch.from_numpy(u).to(x.device).view_as(x)
    return x.masked_fill(drawn < amount / 2, 0).masked_fill_(drawn >= 1 - amount / 2, 1)


def gaussian_blur(x: Tensor, u: np.ndarray, amount: float) -> Tensor:
    """A Gaussian of standard deviation `amount` pixels, cut at four of them; nothing is drawn."""
    taps = 2 * int(np.ceil(4 * amount)) + 1
    return filters.gaussian_blur(x, x.new_full((len(x),), amount), taps).clamp_(0, 1)


def motion_blur(x: Tensor, u: np.ndarray, amount: float) -> Tensor:
    """The mean of the image moved along a line, within 45 degrees of the horizontal: u (N, 1).

    Args:
        x: (N, channels, H, H); it repeats its edge outside.
        u: (N, 1) the angle, from -45 to 45 degrees.
        amount: length of the line in pixels, which is gone along in steps of half of one.

    Returns:
        (N, channels, H, H).
    """
    angle = np.pi / 2 * (u[:, 0] - 0.5)
    path = np.linspace(-amount / 2, amount / 2, 2 * round(amount) + 1)
    total = torch.zeros_like(x)
    for t in path:
        move = np.tile(np.eye(2, 3), (len(x), 1, 1))
        move[:, :, 2] = np.stack([np.cos(angle), np.sin(angle)], 1) * (2 * t / x.shape[-1])
        total += geometry.warp(x, move, "border")
    return total / len(path)


def contrast(x: Tensor, u: np.ndarray, amount: float) -> Tensor:
    """clamp(amount x + (1 - amount) m), m the mean luminance of the image; nothing is drawn."""
    return colour.adjust_contrast(x, x.new_full((len(x),), amount))


def brightness(x: Tensor, u: np.ndarray, amount: float) -> Tensor:
    """clamp(x + amount), in every channel; nothing is drawn."""
    return (x + amount).clamp_(0, 1)


def pixelate(x: Tensor, u: np.ndarray, amount: float) -> Tensor:
    """Every pixel becomes the mean of its block: shrunk and enlarged again by a box filter.

    Args:
        x: (N, channels, H, H).
        u: nothing is drawn.
        amount: m = int(amount H) blocks a side; pixel i is in the block floor((i + 1/2) m / H).

    Returns:
        (N, channels, H, H).
    """
    size = x.shape[-1]
    m = max(int(amount * size), 1)
    block = torch.arange(size, device=x.device).mul(2).add(1).mul(m) // (2 * size)
    same = (block[:, None] == block).to(x)
    mean = same / same.sum(1, keepdim=True)
    return mean @ x @ mean.T


def occlusion(x: Tensor, u: np.ndarray, amount: float) -> Tensor:
    """A square over the share `amount` of the image, its place and grey level drawn: u (N, 3)."""
    size = x.shape[-1]
    side = round(size * amount**0.5)
    top, left = torch.from_numpy(np.floor((size + 1 - side) * u[:, :2]).T).to(x.device)
    width = torch.full_like(top, side)
    return filters.erase(x, top, left, width, width, torch.from_numpy(u[:, 2]).to(x))


SMOOTH = 1 / 8  # of the image: over so far displacements of elastic ones are alike


def elastic(x: Tensor, u: np.ndarray, amount: float) -> Tensor:
    """Every pixel is read, bilinearly, from a place that is displaced smoothly.

    Args:
        x: (N, channels, H, H); it repeats its edge outside.
        u: (N, 2 H H) white noise across and down, blurred by a Gaussian of H/8 pixels (three of
            them on either side).
        amount: standard deviation of either displacement in pixels; more near the edges.

    Returns:
        (N, channels, H, H).
    """
    size = x.shape[-1]
    sigma = size * SMOOTH
    half = int(3 * sigma)
    noise = torch.from_numpy(ndtri(np.maximum(u, 2.0**-54))).view(len(x), 2, size, size)
    weight = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    weight /= weight.sum()
    field = filters.gaussian_blur(noise, noise.new_full((len(x),), sigma), 2 * half + 1)
    shift = (field * (amount / np.square(weight).sum() * 2 / size)).to(x)
    at = (torch.arange(size).to(x) + 0.5) * (2 / size) - 1
    grid = torch.stack([at.expand(size, size), at[:, None].expand(size, size)])
    grid = (grid + shift).movedim(1, -1)
    return torch.nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


class Kind(NamedTuple):
    """How images are corrupted, and how many uniform numbers that takes for each."""

    apply: Callable[[Tensor, np.ndarray, float], Tensor]
    draws: Callable[[Tensor], int]


def _each_value(x: Tensor) -> int:
    return x[0].numel()


KINDS = {
    "gaussian noise": Kind(gaussian_noise, _each_value),
    "shot noise": Kind(shot_noise, _each_value),
    "impulse noise": Kind(impulse_noise, _each_value),
    "gaussian blur": Kind(gaussian_blur, lambda x: 0),
    "motion blur": Kind(motion_blur, lambda x: 1),
    "contrast": Kind(contrast, lambda x: 0),
    "brightness": Kind(brightness, lambda x: 0),
    "pixelate": Kind(pixelate, lambda x: 0),
    "occlusion": Kind(occlusion, lambda x: 3),
    "elastic": Kind(elastic, lambda x: 2 * x.shape[-1] ** 2),
}


def corrupt(images: Tensor, index: ArrayLike, kind: str, severity: int, seed: int) -> Tensor:
    """Images corrupted, at 256 levels.

    Args:
        images: (N, channels, size, size) in [0, 1].
        index: (N,) global sample indices, which key the draws.
        kind: one of `AMOUNTS`.
        severity: 1 to 5.
        seed: of the run.

    Returns:
        (N, channels, size, size), multiples of 1/255 in [0, 1].

    Raises:
        ValueError: for an unknown kind or severity.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; it must be one of {', '.join(KINDS)}.")
    if severity not in range(1, SEVERITIES + 1):
        raise ValueError(f"severity is {severity}; it must be from 1 to {SEVERITIES}.")
    apply, draws = KINDS[kind]
    u = random.uniform(seed, f"corruption/{kind}", 0, 0, index, draws(images[:1]))
    return apply(images, u, AMOUNTS[kind][severity - 1]).mul(255).round_().div_(255).clamp_(0, 1)
