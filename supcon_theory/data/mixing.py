"""Images mixed in pairs: MixUp (arXiv 1710.09412) and CutMix (arXiv 1905.04899), Beta(1, 1)."""

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from supcon_theory.data.policy import MIXES
from supcon_theory.data.random import uniform


def masks(mix: str, index: ArrayLike, size: int, *, seed: int, epoch: int) -> Tensor:
    """What of every pixel is an image's own; the rest of it is its partner's.

    MixUp keeps one share of all pixels; CutMix cuts a box of sides size sqrt(1 - share) around a
    uniform point, as far as it lies within the image. The share is uniform on (0, 1), and like the
    point a function of the sample (`data.random`). The mean of a mask is the share of the label.

    Args:
        mix: one of `MIXES`.
        index: (N,) global sample indices.
        size: side of the images.
        seed: of the run.
        epoch: number of the epoch.

    Returns:
        (N, size, size) float32 in [0, 1].

    Raises:
        ValueError: another mix.
    """
    if mix not in MIXES:
        raise ValueError(f"mix is {mix!r} but must be one of {', '.join(MIXES)}.")
    index = np.asarray(index)
    share, x, y = uniform(seed, "mix", epoch, 0, index, 3).T
    if mix == "mixup":
        found = np.broadcast_to(share[:, None, None], (len(index), size, size))
    else:
        half = size * np.sqrt(1 - share) / 2
        pixel = np.arange(size) + 0.5
        inside = [np.abs(pixel - size * at[:, None]) < half[:, None] for at in (y, x)]
        found = ~(inside[0][:, :, None] & inside[1][:, None, :])
    return torch.from_numpy(found.astype(np.float32))
