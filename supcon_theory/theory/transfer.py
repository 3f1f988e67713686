"""The gap read as a ratio: what is counting, what is learned; and what the gap is good for."""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats


def effective_ratio(gap: ArrayLike, equal: ArrayLike) -> Floats:
    """R = (exp(gap) - 1) / (exp(equal) - 1): mean exponential in S over mean exponential in D.

    1 when all similarities are equal, for every C, n and tau: what is beyond 1 is learned.
    e^{C / ((C - 1) tau)} for classes collapsed onto a simplex. The denominator is kappa. When each
    anchor's cosines to all its negatives, of either class kind, lie within an interval of length
    delta, |log r| <= delta / tau: each exponential in S and in D lies between two numbers of ratio
    e^{delta / tau}, hence so does the quotient of their means (anchor by anchor, and for the mean
    gap of balanced classes).

    Args:
        gap: a gap, at least 0.
        equal: the gap at equal similarities: `equal_similarity_gap(counts)` for a mean gap,
            log1p(`anchor_kappa`) for an anchor's.

    Returns:
        r, of the broadcast shape; NaN where `equal` is 0, which means that every class has one
        sample: S is empty, and there is no ratio.

    Raises:
        ValueError: if a gap or an `equal` is negative or NaN.

    Example:
        >>> import numpy as np
        >>> float(effective_ratio(np.log(2), np.log(2)))
        1.0
    """
    gap, equal = np.asarray(gap, float), np.asarray(equal, float)
    for name, values in (("gap", gap), ("gap at equal similarities", equal)):
        if not np.all(values >= 0):
            raise ValueError(f"a {name} is negative or NaN: it is a log(1 + S / D), check both.")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(equal > 0, np.expm1(gap) / np.expm1(equal), np.nan)


def nscl_excess(dcl_f: ArrayLike, dcl_g: ArrayLike, gap_f: ArrayLike, gap_g: ArrayLike) -> Floats:
    """L_NSCL(f) - L_NSCL(g) = [L_DCL(f) - L_DCL(g)] + gap(g) - gap(f), for any encoders f and g.

    An identity, given that all four are evaluated on one set, at one temperature, over the same
    view pairs.

    Args:
        dcl_f: L_DCL(f).
        dcl_g: L_DCL(g).
        gap_f: gap(f).
        gap_g: gap(g).

    Returns:
        The difference, of the broadcast shape.
    """
    dcl_f, dcl_g, gap_f, gap_g = (np.asarray(x, float) for x in (dcl_f, dcl_g, gap_f, gap_g))
    return dcl_f - dcl_g + gap_g - gap_f


def transfer_bound(gap_g: ArrayLike, gap_f: ArrayLike = 0.0) -> Floats:
    """L_NSCL(f) - L_NSCL(g) <= gap(g) - gap(f) <= gap(g), provided L_DCL(f) <= L_DCL(g).

    So an f that minimises DCL is within gap(g) of the best NSCL encoder g of its function class,
    and with free features gap(g) is `etf_ceiling`. The premise is about the evaluated losses: an f
    trained at another temperature need not satisfy it.

    Args:
        gap_g: gap of the NSCL-trained encoder g.
        gap_f: gap of the DCL-trained encoder f, or 0 where it is not known.

    Returns:
        The bound, of the broadcast shape.
    """
    return np.asarray(gap_g, float) - np.asarray(gap_f, float)


def forced_correlation(spread: ArrayLike, width: ArrayLike) -> Floats:
    """Least Pearson correlation of X and X + G over a sequence of measurements.

        sqrt(1 - (width / (2 sd X))^2),   or -1 if width >= 2 sd X.

    Proof: sd G <= width / 2 (Popoviciu); X and X + G, centred, are two sides of a triangle whose
    third is G, so the sine of the angle between them is at most sd G / sd X.

    With X the NSCL loss over checkpoints and G the gap, which every encoder keeps between 0 and its
    bound, a correlation of DCL and NSCL this high says nothing about learning.

    Args:
        spread: (population) standard deviation of X.
        width: length of the interval that holds G.

    Returns:
        The correlation, of the broadcast shape.

    Raises:
        ValueError: if a spread is not positive or a width is negative.

    Example:
        >>> float(forced_correlation(1.0, 1.2))
        0.8
    """
    spread, width = np.asarray(spread, float), np.asarray(width, float)
    if not np.all((spread > 0) & (width >= 0)):
        raise ValueError(
            "a spread is not positive or a width negative: pass the standard deviation "
            "of losses that vary, and the width of the interval that holds the gap."
        )
    ratio = width / (2 * spread)
    return np.where(ratio < 1, np.sqrt(np.maximum(0.0, 1 - ratio**2)), -1.0)
