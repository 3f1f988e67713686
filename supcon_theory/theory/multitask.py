"""Axes of independent tasks in one representation (Proposition 4.2 of arXiv 2603.03530).

Two labelings with C1 and C2 classes are cell-balanced: each of the C1 C2 cells has the same weight.
Class means of the one are d1 = |D1| apart along u1 = D1/d1, those of the other d2 along u2.
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, checked_moments, checked_whole


def axis_bound(
    d1: ArrayLike, d2: ArrayLike, C1: ArrayLike, C2: ArrayLike, s1: ArrayLike, s2: ArrayLike
) -> Floats:
    """Min of sqrt(2 C2 s1)/d2 and sqrt(2 C1 s2)/d1: a bound on |<u1, u2>|.

    s1 is the mean of u1' Sigma_c u1 over *all* C1 classes c of the first labeling (published with
    V = s1/d1^2 as (d1/d2) sqrt(2 C2 V)); the mean over the two classes of the pair alone does not
    do. Proof. The mean of <u1, x> in cell (c, b) less that in class c is delta_cb, and mean_b
    delta_cb^2 <= u1' Sigma_c u1. As cells weigh the same, <u1, mu_b - mu_b'> = mean_c (delta_cb -
    delta_cb'), whose square is at most mean_c 2 (delta_cb^2 + delta_cb'^2) <= 2 C2 s1. It stays
    true for s1 = mean_cb delta_cb^2, which leaves out the variance within cells (ours).

    Args:
        d1: distance of the two class means of the first labeling, above 0 where the bound is used.
        d2: the same of the second.
        C1: classes of the first labeling, at least 2.
        C2: classes of the second.
        s1: variance along u1 within classes of the first labeling.
        s2: variance along u2 within classes of the second.

    Returns:
        The bound, of the broadcast shape; from 1 on it says nothing.

    Raises:
        ValueError: for other numbers.

    Example:
        >>> float(axis_bound(1, 1, 2, 2, 0.01, 1))
        0.2
    """
    d1, d2, s1, s2 = checked_moments(d1=d1, d2=d2, s1=s1, s2=s2)
    C1, C2 = checked_whole(2, C1=C1, C2=C2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.fmin(np.sqrt(2 * C2 * s1) / d2, np.sqrt(2 * C1 * s2) / d1)
