"""Augmented views, batched: one resampling, colour, veil, blur and erasing, with parameters from keys.

Every parameter is a function of (seed, stream, epoch, view) and the sample's global index
(`data.random`), so a view is the same whatever batch, process or step asks for it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from supcon_theory.data import colour, filters, geometry, random

CHUNK = 128  # images worked on at a time: they stay in the cache


@dataclass(frozen=True)
class Policy:
    """How far views may go. Pairs are ranges, `p_` are probabilities, jitters are x in 1 +- x.

    Saturation, hue and grayscale act on three channels, the veil on one. The veil is there because
    of the fixed backgrounds of the embedded characters (`data.nuisance`): without it the two views
    of an image share its background, a network tells images apart by that alone, and contrastive
    training makes the features of the characters worse.
    """

    area: tuple[float, float] = (0.25, 1.0)  # of the crop, as a part of the image
    aspect: tuple[float, float] = (3 / 4, 4 / 3)  # of the crop, log-uniform
    degrees: float = 10.0  # rotation within +- degrees
    shear: float = 0.1  # tangent, +-
    shift: float = 1.0  # pixels, +-
    flips: bool = False  # mirror half of the views
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4
    hue: float = 0.1
    p_grayscale: float = 0.2
    veil: float = 0.3  # smooth background light from 0 up to this
    p_blur: float = 0.3
    sigma: tuple[float, float] = (0.3, 1.0)  # of the blur, pixels
    taps: int = 5
    p_erase: float = 0.25
    erased: tuple[float, float] = (0.02, 0.12)  # part of the image
    padding: str = "border"


_DRAWS = 38


def views(
    images: Tensor,
    index: ArrayLike,
    *,
    seed: int,
    epoch: int,
    K: int,
    stream: str = "train",
    policy: Policy = Policy(),
) -> Tensor:
    """K views of each image: (N, ch, H, W) in [0, 1] -> (N, K, ch, H, W) in [0, 1].

    index: (N,) global sample indices (`Split.offset` + row), which key the draws.
    Raises ValueError for wrong shapes, K < 1, or draws that are not whole numbers.
    """
    index = np.asarray(index)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or images.shape[2] != images.shape[3]:
        raise ValueError(
            f"images have shape {tuple(images.shape)}; they must be (N, 1 or 3, size, size)."
        )
    if index.shape != (len(images),):
        raise ValueError(
            f"index has shape {index.shape} for {len(images)} images; give one number for each."
        )
    if K < 1:
        raise ValueError(f"K is {K}; at least one view must be asked for.")
    out = torch.empty(len(images), K, *images.shape[1:], dtype=images.dtype, device=images.device)
    for view in range(K):
        for start in range(0, len(images), CHUNK):
            part = slice(start, start + CHUNK)
            draws = random.uniform(seed, stream, epoch, view, index[part], _DRAWS)
            out[part, view] = augment(images[part], draws, policy)
    return out


def augment(images: Tensor, draws: np.ndarray, policy: Policy) -> Tensor:
    """One view of each of (N, ch, H, W), made from (N, 38) uniform draws."""
    column = iter(draws.T)

    def between(low: float, high: float) -> np.ndarray:
        return low + (high - low) * next(column)

    def chosen(probability: float) -> np.ndarray:
        return np.flatnonzero(next(column) < probability)

    def tensor(values: np.ndarray) -> Tensor:
        return torch.as_tensor(values, dtype=images.dtype).to(images.device)

    size = images.shape[-1]
    area, aspect = between(*policy.area), np.exp(between(*np.log(policy.aspect)))
    # a side longer than the image is cut to it, so the area of very oblong crops is smaller
    width = np.minimum(np.sqrt(area * aspect), 1) * size
    height = np.minimum(np.sqrt(area / aspect), 1) * size
    top, left = (size - height) * next(column), (size - width) * next(column)
    move = geometry.affine(
        np.deg2rad(between(-policy.degrees, policy.degrees)),
        between(-policy.shift, policy.shift),
        between(-policy.shift, policy.shift),
        1.0,
        np.arctan(between(-policy.shear, policy.shear)),
        0.0,
        size,
    )
    flip = geometry.mirror((next(column) < 0.5) & policy.flips)
    cut = geometry.compose(geometry.crop(top, left, height, width, size), flip)
    x = geometry.warp(images, geometry.compose(move, cut), policy.padding)

    x = colour.adjust_brightness(x, tensor(between(1 - policy.brightness, 1 + policy.brightness)))
    x = colour.adjust_contrast(x, tensor(between(1 - policy.contrast, 1 + policy.contrast)))
    saturation = between(1 - policy.saturation, 1 + policy.saturation)
    hue, grey = between(-policy.hue, policy.hue), chosen(policy.p_grayscale)
    if x.shape[1] == 3:
        saturation[grey] = 0.0
        x = colour.adjust_hue(x, tensor(hue))
        x = colour.adjust_saturation(x, tensor(saturation))
    levels = np.stack([between(0.0, policy.veil) for _ in range(16)], -1).reshape(-1, 4, 4)
    if x.shape[1] == 1 and policy.veil > 0:
        x = filters.veil(x, tensor(levels))

    sigma, blurred = between(*policy.sigma), chosen(policy.p_blur)
    if len(blurred):
        x[blurred] = filters.gaussian_blur(x[blurred], tensor(sigma[blurred]), policy.taps)

    side = between(*policy.erased)
    aspect = np.exp(between(*np.log(policy.aspect)))
    height = np.rint(size * np.sqrt(side / aspect)).clip(1, size)
    width = np.rint(size * np.sqrt(side * aspect)).clip(1, size)
    top, left = (np.floor((size + 1 - s) * next(column)) for s in (height, width))
    value, holes = next(column), chosen(policy.p_erase)
    if len(holes):
        corners = (tensor(v[holes]) for v in (top, left, height, width, value))
        x[holes] = filters.erase(x[holes], *corners)
    return x
