"""What four moments and the range of an anchor's cosines say about its gap: sharp bounds.

The laws on [lo, hi] of given first four moments whose mean of e^{s/tau} is extreme have three
atoms: the Gauss-Radau quadratures with a node at lo (least) or at hi (largest). Proof:
docs/proofs.md, "The gap from four moments".
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.cosine_moments import log_largest_exponential, log_least_exponential
from supcon_theory.theory.counts import Floats, checked_tau, log1p_exp, log_kappa, require

NEARLY_TWO = 1e-6  # below this share of its terms a determinant is that of two atoms, or rounding


class Shape(NamedTuple):
    """Laws on [low, high]: their ends, and the moments E u^k, k = 1 .. 4, of u = (s - low)/width.

    `low` and `high` have any shape, `moments` has a first axis of 4 before it.
    """

    low: ArrayLike
    high: ArrayLike
    moments: ArrayLike


def log_exponential_range(shape: Shape, tau: ArrayLike) -> tuple[Floats, Floats]:
    """Log of the least and of the largest E e^{s/tau} over laws of this range and four moments.

    Where the law is so near to one of two atoms that the nodes are lost to rounding, the bounds
    from two moments on the range take their place; they are valid too.

    Args:
        shape: Of the laws.
        tau: Temperature.

    Returns:
        Both bounds, of the broadcast shape.

    Example:
        >>> u = np.array([0.0, 0.3, 0.4, 1.0])  # a law of four atoms on [-.5, .7]
        >>> shape = Shape(-0.5, 0.7, np.array([(u**k).mean() for k in (1, 2, 3, 4)]))
        >>> low, high = log_exponential_range(shape, 0.2)
        >>> exact = np.log(np.exp((-0.5 + 1.2 * u) / 0.2).mean())
        >>> bool(low < exact < high), round(float(high - low), 3)
        (True, 0.004)
    """
    low, high = np.asarray(shape.low, float), np.asarray(shape.high, float)
    m = np.asarray(shape.moments, float)
    ask = "pass low <= high and four moments of (s - low)/(high - low) in [0, 1]"
    require(bool(np.all(low <= high)), ask, low=low, high=high)
    within = len(m) == 4 and bool(np.all((m >= 0) & (m <= 1 + 1e-12)))
    require(within, ask, moments=m)
    steps = (high - low) / checked_tau(tau)
    mirrored = 1 - m[0], 1 - 2 * m[0] + m[1], 1 - 3 * m[0] + 3 * m[1] - m[2]
    mirrored = (*mirrored, 1 - 4 * m[0] + 6 * m[1] - 4 * m[2] + m[3])  # those of 1 - u
    two_least, two_most = _from_two(m[0], m[1], steps)
    least, largest = _radau(m[0], m[1], m[2], m[3], steps), steps + _radau(*mirrored, -steps)
    start = low / checked_tau(tau)
    return (
        start + np.fmax(least, two_least),  # the larger of two valid bounds; fmax leaves NaN out
        start + np.fmin(largest, two_most),
    )


def four_moment_gap_bounds(
    own: Shape, others: Shape, ratio: ArrayLike, tau: ArrayLike
) -> tuple[Floats, Floats]:
    """Bounds on each anchor's gap from range and four moments of its cosines, any class sizes.

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


def _radau(m1: Floats, m2: Floats, m3: Floats, m4: Floats, steps: Floats) -> Floats:
    """Log of E e^(steps v) for the law on 0 and two more points of these moments of v; or NaN."""
    # the points are the roots of the quadratic orthogonal to 1 and v under v dmu, with moments m1..
    with np.errstate(all="ignore"):
        determinant = m1 * m3 - m2**2
        lost = ~(determinant > NEARLY_TWO * m1 * m3)
        b, c = (m2 * m3 - m1 * m4) / determinant, (m2 * m4 - m3**2) / determinant
        root = np.sqrt(b**2 - 4 * c)
        far = (root - b) / 2
        near = c / far  # of the two roots the one that subtraction would lose
        weight = (m2 - near * m1) / (far - near)  # under v dmu
        w_far, w_near = weight / far, (m1 - weight) / near
        lost |= ~(np.minimum(w_near, w_far) >= 0) | ~(w_near + w_far <= 1) | ~(near > 0)
        terms = (
            np.log1p(-w_near - w_far),
            np.log(w_near) + steps * near,
            np.log(w_far) + steps * far,
        )
        return np.where(lost, np.nan, np.logaddexp.reduce(np.broadcast_arrays(*terms)))


def _from_two(m1: Floats, m2: Floats, steps: Floats) -> tuple[Floats, Floats]:
    """Log of the least and the largest E e^(steps u) from two moments of u in [0, 1]."""
    one_point = steps == 0
    tau = 2 / np.where(one_point, 1, steps)  # of 2 u - 1
    mean, variance = 2 * m1 - 1, 4 * (m2 - m1**2)
    bounds = (f(mean, variance, tau) for f in (log_least_exponential, log_largest_exponential))
    least, largest = (np.where(one_point, 0, 1 / tau + x) for x in bounds)
    return least, largest
