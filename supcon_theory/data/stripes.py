"""An easy feature laid over images that have a hard one: stripes of one of a few angles.

The angle is drawn for every image from its index, the same in every run, epoch and view, so it says
nothing of the class. Views hardly change it: they turn by 10 degrees at most, where angles are 22.5
degrees apart, and neither blur nor brightness removes stripes that are 8 pixels from one to the
next.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from supcon_theory.data import random
from supcon_theory.data.dataset import DataSet, Split

ANGLES = 8  # of the stripes, equally far apart
PERIOD = 8.0  # pixels from one stripe to the next
_SEED = 20261  # a constant of the stripes: another number would be other images


def striped(dataset: DataSet, contrast: float) -> DataSet:
    """The same images with stripes over them: (1 - contrast) image + contrast stripes.

    Args:
        dataset: Any.
        contrast: Share of the stripes in an image, from 0 to below 1.

    Returns:
        The data set; 0 leaves it as it is.
    """
    if contrast == 0:
        return dataset
    splits = (_over(split, contrast) for split in (dataset.train, dataset.test))
    return replace(dataset, **dict(zip(("train", "test"), splits, strict=True)))


def angles(split: Split, rows: Tensor) -> np.ndarray:
    """The number of the angle, 0 .. ANGLES - 1, of rows of a split."""
    return (_draws(split, rows)[:, 0] * ANGLES).astype(int)


def _draws(split: Split, rows: Tensor) -> np.ndarray:
    """Two uniform numbers for each row, of its angle and of its phase."""
    index = rows.numpy(force=True) + split.offset
    return random.uniform(_SEED, "stripes", 0, 0, index, 2)


def _over(split: Split, contrast: float) -> Split:
    plain: Callable[[Tensor], Tensor] = split.read

    def read(rows: Tensor) -> Tensor:
        image = plain(rows)
        place = torch.arange(image.shape[-1], dtype=torch.float32)
        turn = torch.from_numpy(np.pi / ANGLES * angles(split, rows)).float()[:, None, None]
        phase = torch.from_numpy(_draws(split, rows)[:, 1]).float()[:, None, None]
        along = place * turn.cos() + place[:, None] * turn.sin()
        stripes = (1 + torch.sin(2 * np.pi * (along / PERIOD + phase))) / 2
        return torch.lerp(image, stripes[:, None].expand_as(image), contrast)

    return replace(split, read=read, levels=None)
