"""What mean and variance of an anchor's cosines say about its gap: sharp bounds, no pairs needed.

The laws on [-1, 1] of mean x and variance v whose mean of e^{s/tau} is extreme have two atoms, one
at an end of [-1, 1] (lower and upper principal representation; proof in docs/proofs.md):

    least    atoms -1 and x + v/(1+x),  weight (1+x)^2/((1+x)^2 + v) on the second
    largest  atoms +1 and x - v/(1-x),  weight (1-x)^2/((1-x)^2 + v) on the second
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, checked_tau, log1p_exp, log_kappa, require

ROUNDING = 1e-9  # of a mean and a variance of cosines, by which they may leave their range


def log_least_exponential(mean: ArrayLike, variance: ArrayLike, tau: ArrayLike) -> Floats:
    """Log of the least E e^{s/tau} over laws on [-1, 1] of this mean and variance.

    Args:
        mean: of the cosines.
        variance: of the cosines, at most 1 - mean^2.
        tau: temperature.

    Returns:
        The bound, of the broadcast shape; mean/tau where the variance is 0.

    Example:
        >>> round(float(log_least_exponential(0.2, 0.1, 0.5)), 4)
        0.5048
    """
    return _with_an_atom_at_minus_one(*_checked(mean, variance), checked_tau(tau))


def log_largest_exponential(mean: ArrayLike, variance: ArrayLike, tau: ArrayLike) -> Floats:
    """Log of the largest E e^{s/tau} over laws on [-1, 1] of this mean and variance.

    Args:
        mean: of the cosines.
        variance: of the cosines, at most 1 - mean^2.
        tau: temperature.

    Returns:
        The bound, of the broadcast shape; mean/tau where the variance is 0.

    Example:
        >>> round(float(log_largest_exponential(0.2, 0.1, 0.5)), 4)
        0.6948
    """
    x, v = _checked(mean, variance)
    return _with_an_atom_at_minus_one(-x, v, -checked_tau(tau))  # s and tau with the other sign


def moment_gap_bounds(
    own: tuple[ArrayLike, ArrayLike],
    others: tuple[ArrayLike, ArrayLike],
    ratio: ArrayLike,
    tau: ArrayLike,
) -> tuple[Floats, Floats]:
    """Bounds on each anchor's gap from the mean and variance of its cosines, for any class sizes.

        log(1 + ratio M(own)/U(others)) <= gap <= log(1 + ratio U(own)/M(others))

    with M and U the least and the largest E e^{s/tau}: S and D are their counts times such means.

    Args:
        own: mean and variance of the anchor's cosines to its class, all views of its own sample
            left out.
        others: those of its cosines to the views of other classes.
        ratio: (n_c - 1)/(N - n_c), terms in S over terms in D.
        tau: temperature.

    Returns:
        The lower and the upper bound, each of the broadcast shape.

    Example:
        >>> low, high = moment_gap_bounds((0.4, 0.1), (0.0, 0.1), 1 / 9, 1.0)
        >>> round(float(low), 3), round(float(high), 3)
        (0.149, 0.156)
    """
    log_ratio = log_kappa(np.asarray(ratio, float))
    low = log_least_exponential(*own, tau) - log_largest_exponential(*others, tau)
    high = log_largest_exponential(*own, tau) - log_least_exponential(*others, tau)
    return log1p_exp(log_ratio + low), log1p_exp(log_ratio + high)


def _with_an_atom_at_minus_one(x: Floats, v: Floats, tau: Floats) -> Floats:
    """Log E e^{s/tau} of the law on -1 and one more atom; tau of any sign."""
    room = (1 + x) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(room + v > 0, room / (room + v), 1.0)
        atom = np.where(x > -1, x + v / (1 + x), -1.0)
        return np.logaddexp(np.log(weight) + atom / tau, np.log1p(-weight) - 1 / tau)


def _checked(mean: ArrayLike, variance: ArrayLike) -> tuple[Floats, Floats]:
    """Mean and variance, each brought into its range from at most rounding outside."""
    x, v = np.broadcast_arrays(np.asarray(mean, float), np.asarray(variance, float))
    within = (np.abs(x) <= 1 + ROUNDING) & (v >= -ROUNDING) & (v <= 1 - x**2 + 4 * ROUNDING)
    ask = "pass a mean in [-1, 1] and a variance in [0, 1 - mean^2]"
    if not np.all(within):
        bad = ~within
        require(False, ask, mean=x[bad][:1], variance=v[bad][:1])
    x = np.clip(x, -1, 1)
    return x, np.clip(v, 0, 1 - x**2)
