"""Augmented views, batched: one resampling, colour, veil, blur and erasing, parameters from keys.

Every parameter is a function of (seed, stream, epoch, view) and the sample's global index
(`data.random`), so a view is the same whatever batch, process or step asks for it.
"""

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from supcon_theory.data import colour, filters, geometry, random
from supcon_theory.data.policy import OURS, Policy

CHUNK = 256  # channel planes worked on at a time: they stay in a processor's cache
GPU_CHUNK = 2**15  # there many at a time: what starts an operation costs more than the operation
VEIL = 4  # the veil is enlarged from VEIL x VEIL levels


def views(
    images: Tensor,
    index: ArrayLike,
    *,
    seed: int,
    epoch: int,
    K: int,
    stream: str = "train",
    policy: Policy = OURS,
) -> Tensor:
    """K views of each image.

    Args:
        images: (N, channels, size, size) in [0, 1], 1 or 3 channels.
        index: (N,) global sample indices (`Split.offset` + row), which key the draws.
        seed: of the run.
        epoch: number of the epoch.
        K: views of each.
        stream: the purpose; views for training and for evaluation are drawn apart.
        policy: how far they may go.

    Returns:
        (N, K, channels, size, size) in [0, 1].

    Raises:
        ValueError: for wrong shapes, K < 1, or a seed, epoch or index that is no whole number.
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
    ranges = _ranges(policy)
    draws = [random.uniform(seed, stream, epoch, view, index, len(ranges)) for view in range(K)]
    draws = np.stack(draws, 1).reshape(-1, len(ranges)).T  # (draws, N K)
    matrix, numbers = parameters(draws, policy, images.shape[-1])
    numbers = {
        name: torch.as_tensor(value, dtype=images.dtype).to(images.device)
        for name, value in numbers.items()
    }
    out = images.new_empty(len(images) * K, *images.shape[1:])
    step = max((GPU_CHUNK if images.is_cuda else CHUNK) // images.shape[1], 1)
    for start in range(0, len(out), step):
        part = slice(start, start + step)
        source = images[torch.arange(len(out))[part] // K]
        some = {name: value[part] for name, value in numbers.items()}
        out[part] = augment(source, matrix[part], some, policy)
    return out.unflatten(0, (-1, K))


def _ranges(policy: Policy) -> dict[str, tuple[float, float]]:
    """The uniform numbers that make a view, in the order of their draws, each with its range."""
    p, unit = policy, (0.0, 1.0)
    return {
        "area": p.area,
        "aspect": tuple(np.log(p.aspect)),
        "top": unit,
        "left": unit,
        "angle": (-np.deg2rad(p.degrees), np.deg2rad(p.degrees)),
        "shift_x": (-p.shift, p.shift),
        "shift_y": (-p.shift, p.shift),
        "shear": (-p.shear, p.shear),
        "flip": unit,
        "brightness": (1 - p.brightness, 1 + p.brightness),
        "contrast": (1 - p.contrast, 1 + p.contrast),
        "saturation": (1 - p.saturation, 1 + p.saturation),
        "hue": (-p.hue, p.hue),
        "grey": unit,
        "sigma": p.sigma,
        "blur": unit,
        "erased": p.erased,
        "erase_aspect": tuple(np.log(p.erased_aspect)),
        "erase_top": unit,
        "erase_left": unit,
        "value": unit,
        "erase": unit,
        **{f"veil_{i}": (0.0, p.veil) for i in range(VEIL * VEIL)},
    }


def parameters(
    draws: np.ndarray, policy: Policy, size: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(draws, M) uniform numbers -> the (M, 2, 3) map of each view, and its other parameters."""
    ranges = _ranges(policy)
    low, high = np.array(list(ranges.values())).T[..., None]
    u = dict(zip(ranges, low + (high - low) * draws, strict=True))

    # a side longer than the image is cut to it, so very oblong crops are smaller
    width = np.minimum(np.sqrt(u["area"] * np.exp(u["aspect"])), 1) * size
    height = np.minimum(np.sqrt(u["area"] / np.exp(u["aspect"])), 1) * size
    top, left = (size - height) * u["top"], (size - width) * u["left"]
    turn = geometry.affine(
        u["angle"], u["shift_x"], u["shift_y"], 1.0, np.arctan(u["shear"]), 0.0, size
    )
    matrix = geometry.compose(turn, geometry.crop(top, left, height, width, size))
    if policy.flips:
        matrix = geometry.compose(matrix, geometry.mirror(u["flip"] < 0.5))

    height = np.rint(size * np.sqrt(u["erased"] / np.exp(u["erase_aspect"]))).clip(1, size)
    width = np.rint(size * np.sqrt(u["erased"] * np.exp(u["erase_aspect"]))).clip(1, size)
    numbers = {name: u[name] for name in ("brightness", "contrast", "hue", "sigma", "value")}
    numbers |= {
        "saturation": np.where(u["grey"] < policy.p_grayscale, 0.0, u["saturation"]),
        "blur": u["blur"] < policy.p_blur,
        "erase": u["erase"] < policy.p_erase,
        "height": height,
        "width": width,
        "top": np.floor((size + 1 - height) * u["erase_top"]),
        "left": np.floor((size + 1 - width) * u["erase_left"]),
        "veil": np.stack([u[f"veil_{i}"] for i in range(VEIL * VEIL)], 1).reshape(-1, VEIL, VEIL),
    }
    return matrix, numbers


def augment(
    images: Tensor, matrix: np.ndarray, numbers: dict[str, Tensor], policy: Policy
) -> Tensor:
    """One view of each image (M, ch, H, W), made with the parameters of `parameters`."""
    x = geometry.warp(images, matrix, policy.padding)
    x = colour.adjust_brightness(x, numbers["brightness"])
    x = colour.adjust_contrast(x, numbers["contrast"])
    if x.shape[1] == 3:
        x = colour.adjust_hue(x, numbers["hue"])
        x = colour.adjust_saturation(x, numbers["saturation"])
    elif policy.veil > 0:
        x = filters.veil(x, numbers["veil"])
    blur, erase = (torch.nonzero(numbers[name])[:, 0] for name in ("blur", "erase"))
    if len(blur):
        blurred = filters.gaussian_blur(x[blur], numbers["sigma"][blur], policy.taps)
        x[blur] = blurred.clamp_(0, 1)  # the weights sum to 1 up to rounding
    if len(erase):
        hole = (numbers[name][erase] for name in ("top", "left", "height", "width", "value"))
        x[erase] = filters.erase(x[erase], *hole)
    return x
