"""The gap inside a mini-batch.

A batch is a data set of its own: with its own class counts every bound of `gap` holds in it. With
those of the full data set they do not: one class may be over-represented by bad luck.
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats
from supcon_theory.theory.gap import anchor_lower_bound, anchor_upper_bound


def batch_gap_bounds(y: ArrayLike, tau: float) -> tuple[Floats, Floats]:
    """(lower, upper) bound of every sample's gap in a batch.

        log(1 + (n_c - 1) / (B - n_c) e^{-+ 2 / tau}),   n_c = samples of class c in the batch.

    Args:
        y: (B,) integer labels of the batch.
        tau: temperature.

    Returns:
        Two arrays (B,).

    Raises:
        ValueError: if y is no vector of integers, or holds one class only: NSCL is infinite there.
    """
    y = np.asarray(y)
    if y.ndim != 1 or y.size == 0 or not np.issubdtype(y.dtype, np.integer):
        raise ValueError(f"y is {y.dtype} of shape {y.shape}: pass the integer labels of a batch.")
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    n_c = counts[inverse]
    return anchor_lower_bound(n_c, y.size, tau), anchor_upper_bound(n_c, y.size, tau)
