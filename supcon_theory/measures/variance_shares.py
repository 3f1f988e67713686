"""How the variance of features divides between coarse classes, subclasses of them, and the rest."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.inputs import labels as numbered
from supcon_theory.inputs import matrix


class Shares(NamedTuple):
    """Parts of the variance; they add up to 1 (law of total variance)."""

    coarse: float
    fine: float
    rest: float


def variance_shares(features: ArrayLike, coarse: ArrayLike, fine: ArrayLike) -> Shares:
    """The parts of the variance between coarse classes, between subclasses in them, and within.

    With x less the mean of all, m_c the mean of its coarse class and m_f that of its subclass:
    sum |m_c|^2, sum |m_f - m_c|^2 and sum |x - m_f|^2, each over sum |x|^2. Rows weigh the same.

    Example:
        >>> variance_shares([[0.0], [2.0], [4.0], [6.0]], [0, 0, 1, 1], [0, 1, 2, 3])
        Shares(coarse=0.8, fine=0.2, rest=0.0)

    Args:
        features: (N, d) rows.
        coarse: (N,) labels.
        fine: (N,) labels; rows of one fine label that differ in the coarse one are two subclasses.

    Returns:
        The three parts, NaN for features that do not vary.
    """
    x = matrix(features, "features")
    x = x - x[0]
    x = x - x.mean(0)
    outer = numbered(coarse, len(x), "coarse").numpy(force=True)
    inner = numbered(fine, len(x), "fine").numpy(force=True)
    inner = np.unique(outer * (inner.max() + 1) + inner, return_inverse=True)[1]
    of_coarse, of_fine = _means(x, outer), _means(x, inner)
    total = np.square(x).sum()
    parts = (of_coarse, of_fine - of_coarse, x - of_fine)
    with np.errstate(invalid="ignore"):
        return Shares(*(float(np.square(part).sum() / total) for part in parts))


def _means(x: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """For every row the mean of its group."""
    sums = np.zeros((groups.max() + 1, x.shape[1]))
    np.add.at(sums, groups, x)
    return (sums / np.bincount(groups)[:, None])[groups]
