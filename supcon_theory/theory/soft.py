"""The minimum of `soft_supcon`, whose anchors pull other classes with a small weight too: ours.

An anchor of a class of n has weight 1 on its P = K n - 1 positives and eps on the B = K (N - n)
rows of other classes, W = P + eps B in all. Its loss is the cross-entropy of these weights over W
and the softmax of its cosines, so at least their entropy

    log W - (eps B / W) log eps,

with equality iff the softmax is the weights: e^{s_ap} all equal, and those of others eps times as
large. Every class is then one point and every two classes have the cosine rho = 1 + tau log eps,
whatever their sizes. Such points exist iff rho >= -1/(C-1), that is

    eps >= eps_c = e^{-C / ((C-1) tau)},

in d >= C dimensions (d = C - 1 at eps_c itself). So the minimum is regular for any class sizes from
eps_c on. Below it, with balanced classes, the simplex ETF is the minimum: the loss is convex in the
Gram matrix and symmetric, so one cosine a within classes and one b between them suffice; at a = 1,
b = -1/(C-1) it falls in a and rises in b, and a smaller a allows no smaller b. With unequal classes
below eps_c nothing makes the minimum regular, as for SupCon, which is eps = 0. (arXiv 2605.13943
states regularity for any imbalance; the condition on eps is ours.)
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from supcon_theory.theory.counts import (
    Floats,
    checked_counts,
    checked_setting,
    checked_tau,
    checked_whole,
    require,
)


def least_softness(C: int, tau: float) -> float:
    """eps_c = e^{-C / ((C-1) tau)}, from which on every class size gives a regular minimum.

    Args:
        C: number of classes.
        tau: temperature.

    Returns:
        eps_c in (0, 1).

    Example:
        >>> round(least_softness(10, 0.5), 4)
        0.1084
    """
    checked_whole(2, C=C)
    return float(np.exp(-C / ((C - 1) * float(checked_tau(tau)))))


def regular_cosine(C: int, tau: float, softness: float) -> float:
    """The cosine of two classes at the minimum: 1 + tau log eps, or -1/(C-1) below eps_c.

    Args:
        C: number of classes, balanced where eps < eps_c.
        tau: temperature.
        softness: eps.

    Returns:
        The cosine.
    """
    softness = checked_softness(softness)
    if softness <= least_softness(C, tau):
        return -1 / (C - 1)
    return float(1 + tau * np.log(softness))


def soft_floor(counts: Sequence[int], K: int, softness: float) -> float:
    """Mean entropy of the weights: no embedding is below, and from eps_c on it is attained.

    Args:
        counts: (C,) class sizes.
        K: views of each sample.
        softness: eps.

    Returns:
        The floor, over the anchors with a positive.
    """
    n, softness = checked_counts(counts), checked_softness(softness)
    checked_whole(1, K=K)
    has = K * n >= 2
    require(has.any(), "no anchor has a positive; use larger classes", counts=counts)
    entropy = _entropy(n[has], n.sum(), K, softness)
    return float(n[has] @ entropy / n[has].sum())


def soft_supcon_minimum(
    C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike, softness: float = 0.15
) -> Floats:
    """Least value of `soft_supcon` for balanced classes: the entropy, or that of the simplex ETF.

    Args:
        C: number of classes.
        n: samples in each.
        K: views of each sample.
        tau: temperature.
        softness: eps.

    Returns:
        The minimum, of the broadcast shape, where d >= C.
    """
    C, n, K, tau = checked_setting(C, n, K, tau)
    softness = checked_softness(softness)
    P, B = K * n - 1, K * n * (C - 1)
    require(P >= 1, "it needs n K >= 2, another row of the class", n=n, K=K)
    at_simplex = np.logaddexp(np.log(P), np.log(B) - C / ((C - 1) * tau))
    at_simplex = at_simplex + softness * B * C / ((P + softness * B) * (C - 1) * tau)
    regular = softness >= np.exp(-C / ((C - 1) * tau))
    return np.where(regular, _entropy(n, n * C, K, softness), at_simplex)


def checked_softness(softness: float) -> float:
    """A weight in [0, 1]."""
    require(0 <= softness <= 1, "a softness lies in [0, 1]", softness=softness)
    return float(softness)


def _entropy(n: Floats, N: ArrayLike, K: ArrayLike, softness: float) -> Floats:
    B = np.asarray(K) * (np.asarray(N) - n)
    W = np.asarray(K) * n - 1 + softness * B
    return np.log(W) - B / W * xlogy(softness, softness)
