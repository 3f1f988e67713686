"""What the excess of SupCon and of NT-Xent over their minimum is made of.

A loss whose denominator holds the positives too. Balanced classes of M rows, M - 1 positives each;
x_a and y_a are the mean cosines of anchor a to its positives and to the rows of other classes,
phi(u) = log(M - 1 + M (C-1) e^{u/tau}), W the mean variance within classes, zbar the mean of all
rows and J_a = log sum_b e^{s_ab/tau} - x_a/tau - phi(y_a - x_a) over all other rows b. With

    u_0 = -C/(C-1),   u_W = u_0 + (1/(C-1) + M/(M-1)) W,   u = u_W + C |zbar|^2/(C-1),

    L - L* = [phi(u_W) - phi(u_0)] + [phi(u) - phi(u_W)] + [mean phi(y_a - x_a) - phi(u)]
             + mean J_a.

Every term is at least 0, and all are 0 exactly at the collapsed ETF. NT-Xent with two views is the
case where each sample is a class of its own. Proof: docs/proofs.md.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import (
    Floats,
    checked_moments,
    checked_tau,
    checked_whole,
    require,
)


class CoupledExcess(NamedTuple):
    """The four terms of L - L*, in nats."""

    collapse: float
    centring: float
    anchors: float
    jensen: float


def log_candidates(u: ArrayLike, C: ArrayLike, M: ArrayLike, tau: ArrayLike) -> Floats:
    """phi(u) = log(M - 1 + M (C-1) e^{u/tau}): the loss of an anchor whose cosines are two values.

    Args:
        u: cosine to the rows of other classes less that to the positives, in [-2, 2].
        C: number of classes.
        M: rows in each class, at least 2.
        tau: temperature.

    Returns:
        The value in nats, of the broadcast shape.
    """
    (C,), (M,), tau = checked_whole(2, C=C), checked_whole(2, M=M), checked_tau(tau)
    return np.logaddexp(np.log(M - 1), np.log(M * (C - 1)) + np.asarray(u) / tau)


def coupled_excess_terms(
    own: ArrayLike,
    others: ArrayLike,
    log_sums: ArrayLike,
    within: float,
    centre: float,
    C: int,
    M: int,
    tau: float,
) -> CoupledExcess:
    """The terms of L - L*; their sum is the excess.

    Args:
        own: x_a of every anchor, its mean cosine to the other rows of its class.
        others: y_a of every anchor, its mean cosine to the rows of other classes.
        log_sums: log sum over all other rows b of e^{s_ab/tau}, of every anchor.
        within: W, mean squared distance of a row from the mean of its class.
        centre: |zbar|^2, squared norm of the mean of all rows.
        C: number of classes.
        M: rows in each class, at least 2.
        tau: temperature.

    Returns:
        The terms.
    """
    W, z = (float(moment) for moment in checked_moments(within=within, centre=centre))
    own, others = np.asarray(own, dtype=np.float64), np.asarray(others, dtype=np.float64)
    etf, per_W = _collapsed(C, M)
    uncollapsed = etf + per_W * W
    steps = (etf, uncollapsed, uncollapsed + C * z / (C - 1))
    collapsed, spread, moved = (float(log_candidates(u, C, M, tau)) for u in steps)
    each = log_candidates(others - own, C, M, tau)
    return CoupledExcess(
        spread - collapsed,
        moved - spread,
        float(each.mean()) - moved,
        float((np.asarray(log_sums) - own / tau - each).mean()),
    )


def _collapsed(C: ArrayLike, M: ArrayLike) -> tuple[Floats, Floats]:
    """u_0 = -C/(C-1), where classes have collapsed, and what a unit of W adds to it."""
    (C,), (M,) = checked_whole(2, C=C), checked_whole(2, M=M)
    return -C / (C - 1), 1 / (C - 1) + M / (M - 1)


def coupled_collapse_worth(C: ArrayLike, M: ArrayLike, tau: ArrayLike) -> Floats:
    """phi(1/(M-1)) - phi(-C/(C-1)): what the collapse of all classes is worth, in nats.

    From W = 1 to W = 0 with all means at 0. With many classes it tends to M/((M-1) tau): other than
    for NSCL, where it is 1/((C-1) tau), a loss near its minimum does imply collapse.

    Args:
        C: number of classes.
        M: rows in each class, at least 2.
        tau: temperature.

    Returns:
        The value, of the broadcast shape.

    Example:
        >>> [round(float(coupled_collapse_worth(C, 128, 1.0)), 3) for C in (2, 10, 1000)]
        [0.573, 0.934, 1.007]
    """
    etf, per_W = _collapsed(C, M)
    return log_candidates(etf + per_W, C, M, tau) - log_candidates(etf, C, M, tau)


def most_within(excess: ArrayLike, C: ArrayLike, M: ArrayLike, tau: ArrayLike) -> Floats:
    """The largest W at an excess: (phi^-1(L* + excess) + C/(C-1)) / (1/(C-1) + M/(M-1)).

    Args:
        excess: L - L* in nats, at least 0.
        C: number of classes.
        M: rows in each class, at least 2.
        tau: temperature.

    Returns:
        The bound on the mean variance within classes, of the broadcast shape.

    Example:
        >>> round(float(most_within(coupled_collapse_worth(10, 128, 0.5), 10, 128, 0.5)), 12)
        1.0
    """
    etf, per_W = _collapsed(C, M)
    excess, C, M = (np.asarray(x, dtype=np.float64) for x in (excess, C, M))
    require(excess >= 0, "an excess is at least 0", excess=excess)
    value = log_candidates(etf, C, M, tau) + excess
    # log(e^value - (M - 1)) by the difference of the two, as the sum is the larger one
    negatives = value + np.log1p(-np.exp(np.log(M - 1) - value))
    u = checked_tau(tau) * (negatives - np.log(M * (C - 1)))
    return (u - etf) / per_W
