"""The images of a training run, in memory as they are stored, or read when they are asked for."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from supcon_theory.data.archive import memory
from supcon_theory.data.dataset import Split
from supcon_theory.data.pixels import in_unit_range

SHARE = 0.25  # of the machine's memory that the images of a run may take


def keep(
    split: Split, rows: Tensor, device: str = "cpu", limit: float | None = None
) -> Callable[[Tensor], Tensor]:
    """A function that gives any of some images of a split.

    Bytes stay bytes, one tensor on the device that becomes floats a batch at a time. What would
    take more than `limit` stays on the disk, from where each batch is read: so a set larger than
    memory trains with the same code, and to the same numbers.

    Args:
        split: of a data set.
        rows: (N,) its rows that are wanted.
        device: where images are wanted.
        limit: bytes; None for the part `SHARE` of the machine's memory.

    Returns:
        (B,) places in `rows` -> (B, channels, size, size) float32 in [0, 1] on the device.
    """
    limit = SHARE * memory() if limit is None else limit
    if split.levels is None:
        sample = split.images(rows[:1])
        if len(rows) * sample.nbytes > limit:
            return lambda chosen: split.images(rows[chosen.cpu()]).to(device)
        images = split.images(rows).to(device)
        return lambda chosen: images[chosen]
    if len(rows) * split.levels[0].nbytes > limit:
        return lambda chosen: split.images(rows[chosen.cpu()]).to(device)
    levels = torch.from_numpy(np.ascontiguousarray(split.levels[rows.numpy(force=True)])).to(device)
    return lambda chosen: in_unit_range(levels[chosen])
