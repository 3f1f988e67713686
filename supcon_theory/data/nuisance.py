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
    """Clean (B, 1, 32, 32) ink in [0, 1] of samples `index` (B,) -> images in [0, 1].

    Each from independent uniform draws: rotation within 15 degrees, inverse scale 1.15 +- .2 (the
    character shrinks by it), aspect exp(+-.15), shear +-.2, shift +-3 pixels; background: 4 x 4 grey
    levels up to .3, enlarged bicubically; foreground level .45 to 1, above any background; then
    Gaussian noise of standard deviation .03, and the range is cut to [0, 1].
    """
    size = ink.shape[-1]
    u = random.uniform(_SEED, stream, 0, 0, index, 23 + size * size)
    pm = 2 * u[:, :6] - 1
    shrink, aspect = 1.15 + 0.2 * pm[:, 1], np.exp(0.15 * pm[:, 2])
    stretch = np.zeros((len(u), 2, 3))
    stretch[:, 0, 0], stretch[:, 1, 1] = np.sqrt(aspect), 1 / np.sqrt(aspect)
    move = geometry.affine(
        np.deg2rad(15) * pm[:, 0],
        3 * pm[:, 4],
        3 * pm[:, 5],
        1 / shrink,
        np.arctan(0.2 * pm[:, 3]),
        0.0,
        size,
    )
    ink = geometry.warp(ink, geometry.compose(stretch, move))
    levels = torch.from_numpy(0.3 * u[:, 6:22]).float().view(-1, 4, 4)
    background = filters.enlarge(levels, size)
    foreground = torch.from_numpy(0.45 + 0.55 * u[:, 22]).float()[:, None, None, None]
    # the middle of each cell of 2^-53: ndtri(0) would be minus infinity
    noise = torch.from_numpy(ndtri(u[:, 23:] + 2.0**-54)).float().view_as(ink)
    return torch.lerp(background, foreground, ink).add_(noise, alpha=0.03).clamp_(0, 1)
