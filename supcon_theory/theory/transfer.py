"""The gap read as a ratio: what is counting, what is learned; and what the gap is good for."""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import checked_tau


def log_effective_ratio(gap: ArrayLike, kappa: ArrayLike) -> np.ndarray:
    """Log r, r = (exp(gap) - 1) / kappa; finite where r itself overflows."""
    gap, kappa = np.asarray(gap, float), np.asarray(kappa, float)
    if not np.all(gap >= 0):
        raise ValueError("a gap is negative or NaN: it is a log(1 + S / D), check both losses.")
    if not np.all((kappa > 0) & (kappa < np.inf)):
        raise ValueError(
            "a kappa is not positive: leave out classes of one sample, which have no S."
        )
    with np.errstate(divide="ignore"):  # gap = 0: r = 0
        return gap + np.log(-np.expm1(-gap)) - np.log(kappa)


def effective_ratio(gap: ArrayLike, kappa: ArrayLike) -> np.ndarray:
    """R = (exp(gap) - 1) / kappa: mean exponential in S over mean exponential in D.

    1 when all similarities are equal, for every C, n and tau: what is beyond 1 is learned.
    e^{C / ((C - 1) tau)} for classes collapsed onto a simplex. kappa is `kappa(C, n)` for a mean
    gap, `anchor_kappa` for an anchor's.
    """
    return np.exp(log_effective_ratio(gap, kappa))


def effective_ratio_interval(delta: ArrayLike, tau: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """(e^{-delta / tau}, e^{delta / tau}), which holds r when each anchor's cosines to all its
    negatives, of either class kind, lie within an interval of length delta.

    Each exponential in S and in D lies between two numbers of ratio e^{delta / tau}, hence so does
    the quotient of their means. Anchor by anchor, and for the mean gap of balanced classes.
    """
    delta, tau = np.asarray(delta, float), checked_tau(tau)
    if not np.all((delta >= 0) & (delta <= 2 + 1e-5)):
        raise ValueError("a delta is outside [0, 2]: it is the spread of an anchor's cosines.")
    return np.exp(-delta / tau), np.exp(delta / tau)


def nscl_excess(
    dcl_f: ArrayLike, dcl_g: ArrayLike, gap_f: ArrayLike, gap_g: ArrayLike
) -> np.ndarray:
    """L_NSCL(f) - L_NSCL(g) = [L_DCL(f) - L_DCL(g)] + gap(g) - gap(f), for any encoders f and g.

    An identity, given that all four are evaluated on one set, at one temperature, over the same
    view pairs.
    """
    return np.asarray(dcl_f, float) - dcl_g + np.asarray(gap_g, float) - gap_f


def transfer_bound(gap_g: ArrayLike, gap_f: ArrayLike = 0.0) -> np.ndarray:
    """L_NSCL(f) - L_NSCL(g) <= gap(g) - gap(f) <= gap(g), provided L_DCL(f) <= L_DCL(g).

    So an f that minimises DCL is within gap(g) of the best NSCL encoder g of its function class,
    and with free features gap(g) is `etf_ceiling`. The premise is about the evaluated losses: an f
    trained at another temperature need not satisfy it.
    """
    return np.asarray(gap_g, float) - gap_f
