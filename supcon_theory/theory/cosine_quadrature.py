"""What the range and the first moments of an anchor's cosines say about its gap: sharp bounds.

The laws on [lo, hi] of given first 2k moments whose mean of e^{s/tau} is extreme have k + 1 atoms:
the Gauss-Radau quadratures with a node at lo (least) or at hi (largest). Proof: docs/proofs.md,
"The gap from the range and 2k moments".
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from supcon_theory.theory.cosine_moments import log_largest_exponential, log_least_exponential
from supcon_theory.theory.counts import Floats, checked_tau, log1p_exp, log_kappa, require

FEW_ATOMS = 1e-6  # below it a coefficient of the recurrence is that of fewer atoms, or rounding
REPRODUCED = 1e-12  # how nearly a quadrature must have the moments that it was made from
ROUNDED = 1e-15  # of moments of cosines


class Shape(NamedTuple):
    """Laws on [low, high]: their ends, and E T_j(v), j = 1 .. 2k, of v = (2 s - low - high)/width.

    `low` and `high` have any shape, `moments` has a first axis of 2k before it, k >= 1. T_j are
    Chebyshev's polynomials: their means say what the first 2k moments say, and keep more digits.
    """

    low: ArrayLike
    high: ArrayLike
    moments: ArrayLike


def log_exponential_range(shape: Shape, tau: ArrayLike) -> tuple[Floats, Floats]:
    """Log of the least and of the largest E e^{s/tau} over laws of this range and these moments.

    Where a law is so near to one of few atoms that nodes are lost to rounding, fewer of its moments
    are used, at least two; those bounds are valid too. What moments may be wrong by widens the
    bounds, as much as a polynomial that is e^(width/(2 tau)) somewhere magnifies it.

    Args:
        shape: Of the laws.
        tau: Temperature.

    Returns:
        Both bounds, of the broadcast shape of `tau` and `low`.

    Example:
        >>> v = np.array([-1.0, -0.4, -0.2, 1.0])  # a law of four atoms on [-.5, .7]
        >>> degrees = np.arange(1, 5)[:, None]
        >>> shape = Shape(-0.5, 0.7, np.cos(degrees * np.arccos(v)).mean(1))
        >>> low, high = log_exponential_range(shape, 0.2)
        >>> exact = np.log(np.exp((0.1 + 0.6 * v) / 0.2).mean())
        >>> bool(low < exact < high), round(float(high - low), 3)
        (True, 0.004)
    """
    m = np.asarray(shape.moments, float)
    ask = "pass low <= high and an even number of Chebyshev moments in [-1, 1]"
    even = m.ndim > 0 and len(m) >= 2 and len(m) % 2 == 0
    require(even and bool(np.all(np.abs(m) <= 1 + 1e-12)), ask, moments=m)
    low, high, _ = np.broadcast_arrays(np.asarray(shape.low, float), shape.high, m[0])
    require(bool(np.all(low <= high)), ask, low=low, high=high)
    m, tau = np.broadcast_to(m, (len(m), *low.shape)), checked_tau(tau)
    middle, steps = (low + high) / 2 / tau, (high - low) / 2 / tau
    least, largest = _from_two(m[0], (1 + m[1]) / 2 - m[0] ** 2, steps)
    a, b = _recurrence(m)
    for bound, end, sharper in ((least, -1.0, np.fmax), (largest, 1.0, np.fmin)):
        left = np.ones(low.shape, bool)
        for k in range(len(a), 1, -1):  # as many moments as the nodes of a law are certain of
            tried = np.asarray(left & (b[: k + 1] > FEW_ATOMS).all(axis=0))
            nodes, weights = _radau(a[:k, tried], b[: k + 1, tried], end)
            off = _residual(nodes, weights, m[: 2 * k, tried])
            tried[tried] = sure = off < REPRODUCED
            here = steps[..., tried]
            exponents = here[..., None] * nodes[sure]
            value = np.asarray(logsumexp(exponents, b=weights[sure], axis=-1))
            doubt = here + np.log((2 * k + 1) * (off[sure] + ROUNDED)) - value
            with np.errstate(all="ignore"):  # NaN where nothing is certain
                value = value + np.log1p(end * np.exp(doubt))
            bound[..., tried] = sharper(bound[..., tried], value)
            left = left & ~tried
    return middle + least, middle + largest


def gap_bounds_on_range(
    own: Shape, others: Shape, ratio: ArrayLike, tau: ArrayLike
) -> tuple[Floats, Floats]:
    """Bounds on each anchor's gap from range and moments of its cosines, any class sizes.

        log(1 + ratio M(own)/U(others)) <= gap <= log(1 + ratio U(own)/M(others))

    with M and U of `log_exponential_range`.

    Args:
        own: Of the anchor's cosines to its class, all views of its own sample left out.
        others: Of those to the views of other classes.
        ratio: (n_c - 1)/(N - n_c), terms in S over terms in D.
        tau: Temperature.

    Returns:
        The lower and the upper bound, each of the broadcast shape.
    """
    (own_least, own_most), (least, most) = (log_exponential_range(x, tau) for x in (own, others))
    log_ratio = log_kappa(np.asarray(ratio, float))
    return log1p_exp(log_ratio + own_least - most), log1p_exp(log_ratio + own_most - least)


def _recurrence(moments: Floats) -> tuple[Floats, Floats]:
    """Coefficients a (k, ...) and b (k + 1, ...) of p_{i+1} = (v - a_i) p_i - b_i p_{i-1}."""
    # The modified Chebyshev algorithm: `now` holds E p_i t_l for every l, t_l the monic T_l. Beyond
    # the atoms that a law has, NaN or rounding.
    degrees = np.arange(len(moments) + 1)
    of_monic = np.concatenate([np.ones_like(moments[:1]), moments])
    of_monic /= (2.0 ** np.maximum(degrees - 1, 0)).reshape(-1, *[1] * (moments.ndim - 1))
    k = len(moments) // 2
    back = np.array([0.0, 0.5] + [0.25] * (2 * k - 1))  # t_{l+1} = v t_l - back_l t_{l-1}
    before, now = np.zeros_like(of_monic), of_monic
    a, b = [now[1] / now[0]], [now[0]]
    with np.errstate(all="ignore"):
        for i in range(1, k + 1):
            following = np.full_like(now, np.nan)
            for m in range(i, 2 * k - i + 1):
                shifted = now[m + 1] + back[m] * now[m - 1]
                following[m] = shifted - a[-1] * now[m] - b[-1] * before[m]
            b.append(following[i] / now[i - 1])
            if i < k:
                a.append(following[i + 1] / following[i] - now[i] / now[i - 1])
            before, now = now, following
    return np.stack(a), np.stack(b)


def _radau(a: Floats, b: Floats, end: float) -> tuple[Floats, Floats]:
    """Nodes and weights (laws, k + 1) of the quadratures with a node at `end`, b positive."""
    k, laws = a.shape
    ratio = np.full(laws, np.inf)  # p_{i+1}(end)/p_i(end)
    for i in range(k):
        ratio = end - a[i] - (b[i] / ratio if i else 0)
    matrices = np.zeros((laws, k + 1, k + 1))
    steps = np.arange(k)
    matrices[:, steps, steps] = a.T
    matrices[:, k, k] = end - b[k] / ratio
    matrices[:, steps, steps + 1] = matrices[:, steps + 1, steps] = np.sqrt(b[1:].T)
    nodes, vectors = np.linalg.eigh(matrices)
    return nodes, vectors[:, 0] ** 2


def _residual(nodes: Floats, weights: Floats, moments: Floats) -> Floats:
    """How far the quadratures are from having the moments (2k, laws), at most, or from [-1, 1]."""
    angles = np.arccos(np.clip(nodes, -1, 1))
    worst = np.abs(nodes - np.clip(nodes, -1, 1)).max(axis=1, initial=0)
    for j, moment in enumerate(moments, 1):
        worst = np.fmax(worst, np.abs((weights * np.cos(j * angles)).sum(axis=1) - moment))
    return worst


def _from_two(mean: Floats, variance: Floats, steps: Floats) -> tuple[Floats, Floats]:
    """Log of the least and the largest E e^(steps v) from mean and variance of v in [-1, 1]."""
    one_point = steps == 0
    tau = 1 / np.where(one_point, 1, steps)
    bounds = (f(mean, variance, tau) for f in (log_least_exponential, log_largest_exponential))
    least, largest = (np.where(one_point, 0, x) for x in bounds)
    return least, largest
