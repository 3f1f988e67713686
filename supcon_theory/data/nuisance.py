"""The fixed nuisance of the embedded characters.

Clean characters are too easy: a random encoder tells 100 of them apart. So every image gets one
distortion, background, contrast and noise of its own, drawn once from its index in the whole data
set and the same in every run, epoch and view. It is part of the data, not of the augmentation, but
it is *of the same kind* as the augmentation: what the views teach an encoder to ignore is to a good
part what was added here.
"""

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from supcon_theory.data import filters, geometry, random

_SEED = 20251  # a constant of the data sets: another number would be other data sets


def distort(ink: Tensor, index: np.ndarray, stream: str) -> Tensor:
    """Place clean ink on a background of its own.

    Each from independent uniform draws: rotation within 15 degrees, inverse scale 1.15 +- .2 (the
    character shrinks by it), aspect exp(+-.15), shear +-.2, shift +-3 pixels; background: 4 x 4
    grey levels up to .3, enlarged bicubically; foreground .45 to 1, above any background; then
    Gaussian noise of standard deviation .03, and the range is cut to [0, 1].

    Args:
        ink: (B, 1, 32, 32) in [0, 1].
        index: (B,) global indices of the samples.
        stream: key of the draws.

    Returns:
        (B, 1, 32, 32) in [0, 1].
    """
    size = ink.shape[-1]
    u = random.uniform(_SEED, stream, 0, 0, index, 23 + size * size)
    ink = geometry.warp(ink, placement(2 * u[:, :6] - 1, size))
    levels = torch.from_numpy(0.3 * u[:, 6:22]).float().view(-1, 4, 4)
    background = filters.enlarge(levels, size)
    foreground = torch.from_numpy(0.45 + 0.55 * u[:, 22]).float()[:, None, None, None]
    # the middle of each cell of 2^-53: ndtri(0) would be minus infinity
    noise = torch.from_numpy(ndtri(u[:, 23:] + 2.0**-54)).float().view_as(ink)
    return torch.lerp(background, foreground, ink).add_(noise, alpha=0.03).clamp_(0, 1)


def placement(draws: np.ndarray, size: int) -> np.ndarray:
    """The map that stretches, shrinks, shears, turns and shifts a character.

    Args:
        draws: (N, 6) in [-1, 1]: angle, inverse scale, aspect (area kept), shear, shift across,
            shift down.
        size: side of the image in pixels.

    Returns:
        (N, 2, 3) for `geometry.warp`.
    """
    angle, shrink, aspect, shear, across, down = draws.T
    root = np.exp(0.15 * aspect / 2)
    stretch = np.zeros((len(draws), 2, 3))
    stretch[:, 0, 0], stretch[:, 1, 1] = root, 1 / root
    scale = 1 / (1.15 + 0.2 * shrink)
    move = geometry.affine(
        np.deg2rad(15) * angle, 3 * across, 3 * down, scale, np.arctan(0.2 * shear), 0.0, size
    )
    return geometry.compose(stretch, move)
