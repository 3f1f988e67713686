"""Losses of classes of any sizes as a convex function of few numbers, and when small ones merge.

All are convex in the Gram matrix of all rows (log-sums of cosines less cosines), and unchanged by
permutations of the views of a sample and of the samples of a class. So the mean of a Gram matrix
over these permutations is no worse, and the least value is taken at cosines o_c between views of a
sample, a_c within a class, b_cc' between classes. Such a matrix is positive semidefinite iff the
following are:

    M (C, C):  M_cc = 1 - (n_c - 1)/n_c e_c - (K - 1)/K f_c,   M_cc' = b_cc'    of the class means
    e_c = (1 + (K-1) o_c)/K - a_c >= 0,    f_c = 1 - o_c >= 0                   spread inside

That is a programme in C(C+1)/2 + 2C numbers whatever the sizes n_c (in d >= N dimensions, or d >= C
where e = f = 0). `value` is the loss of (M, e, f), and `lower_bound` certifies how far below it any
embedding could be, by Lagrange multipliers of the C equations, without trust in a solver.
(arXiv 2605.11291 states such a programme for collapsed classes; reduction and certificate are
ours.)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from supcon_theory.theory.counts import Floats, checked_counts, checked_tau, checked_whole, require

OBJECTIVES = ("dcl", "nscl", "nscl_coupled", "supcon", "soft_supcon")
SELF_SUPERVISED = "dcl"  # whose minimum is the simplex of all samples


class Gradient(NamedTuple):
    """Derivatives of a loss in M (symmetric), e and f."""

    M: Floats
    e: Floats
    f: Floats


class Geometry(NamedTuple):
    """Gram matrix of the class means and spreads inside classes: of samples, of views."""

    M: Floats
    e: Floats
    f: Floats


def value(
    objective: str,
    counts: Sequence[int],
    K: int,
    tau: float,
    at: Geometry,
    *,
    negatives: float | None = None,
    softness: float = 0.15,
) -> tuple[float, Gradient]:
    """One of `OBJECTIVES` at a geometry.

    Args:
        objective: One of `OBJECTIVES`.
        counts: (C,) class sizes.
        K: Views of each sample.
        tau: Temperature.
        at: Class means and spreads.
        negatives: Of `nscl_coupled`: Q in log(1 + Q mean of e^{s - s_ap} over other classes), the
            number of negatives; None takes all, K (N - n_c).
        softness: Of `soft_supcon`.

    Returns:
        The loss and its derivatives in b = M off the diagonal, e and f; M's diagonal has 0.

    Raises:
        ValueError: Another objective, or an anchor without a positive or negative.
    """
    require(objective in OBJECTIVES, f"choose one of {OBJECTIVES}", objective=objective)
    n, tau = checked_counts(counts), float(checked_tau(tau))
    checked_whole(1, K=K)
    C, N, w = len(n), n.sum(), n / n.sum()
    off = ~np.eye(C, dtype=bool)
    o, a = 1 - at.f, 1 - (K - 1) / K * at.f - at.e
    number = np.where(off, K * n, 0.0)  # of other rows, by class
    mates, own, itself = K * (n - 1), np.zeros(C), 0.0
    wanted_own, wanted_mates, wanted = np.full(C, (K - 1) / K), np.zeros(C), 0.0 * number
    if objective in ("dcl", "nscl"):
        itself, mates = 1 / K, mates if objective == "dcl" else np.zeros(C)
    elif objective == "nscl_coupled":
        require(K >= 2, "its positive is another view", K=K)
        wanted_own, own, mates = np.ones(C), np.ones(C), np.zeros(C)
        if negatives is not None:
            require(0 < negatives < np.inf, "a number of negatives is positive", Q=negatives)
            number = number * (negatives / (K * (N - n)))[:, None]
    else:
        require(K * n >= 2, "SupCon needs another row in every class", counts=counts, K=K)
        own = np.full(C, K - 1.0)
        soft = softness if objective == "soft_supcon" else 0.0
        require(0 <= soft <= 1, "a softness lies in [0, 1]", softness=softness)
        weight = K * n - 1 + soft * K * (N - n)
        wanted_own, wanted_mates = (K - 1) / weight, mates / weight
        wanted = soft * number / weight[:, None]
    with np.errstate(divide="ignore"):
        logs = np.where(off, at.M / tau + np.log(number), -np.inf)
        inside = np.stack([np.log(own) + o / tau, np.log(mates) + a / tau])
    total = np.asarray(logsumexp(np.concatenate([inside, logs.T]), axis=0))
    pulled = itself + wanted_own * o + wanted_mates * a + (wanted * np.where(off, at.M, 0)).sum(1)
    by_o, by_a = w * (np.exp(inside - total) - [wanted_own, wanted_mates]) / tau
    S = w[:, None] * (np.exp(logs - total[:, None]) - wanted) / tau
    slope = Gradient((S + S.T) / 2, -by_a, -by_o - (K - 1) / K * by_a)
    return float(w @ (total - pulled / tau)), slope


def lower_bound(counts: Sequence[int], K: int, at: Geometry, loss: float, slope: Gradient) -> float:
    """What no embedding is below, from the loss and its gradient at a geometry.

    By convexity a loss is at least its tangent, and the tangent's least value over the programme is
    at least sum_c lambda_c for multipliers with slope.M - diag(lambda) positive semidefinite,
    slope.e >= lambda (n-1)/n and slope.f >= lambda (K-1)/K. They are taken from the point,
    (S M)_cc / M_cc, and lowered until that holds: any point gives a bound, a minimiser its value.

    Args:
        counts: (C,) class sizes.
        K: Views of each sample.
        at: The geometry.
        loss: The loss there.
        slope: Its gradient there.

    Returns:
        The bound.
    """
    n = checked_counts(counts)
    multipliers = (slope.M @ at.M).diagonal() / at.M.diagonal()
    for spread, share in ((slope.e, (n - 1) / n), (slope.f, np.full(len(n), (K - 1) / K))):
        caps = np.divide(spread, share, out=np.full(len(n), np.inf), where=share > 0)
        multipliers = np.minimum(multipliers, caps)
    multipliers = multipliers + min(0, np.linalg.eigvalsh(slope.M - np.diag(multipliers))[0])
    tangent = (slope.M * at.M).sum() + slope.e @ at.e + slope.f @ at.f
    return loss - float(tangent) + float(multipliers.sum())


def collapsed(M: Floats) -> Geometry:
    """Every class in one point: M has ones in its diagonal, nothing is spread."""
    return Geometry(M, np.zeros(len(M)), np.zeros(len(M)))


def instance_geometry(counts: Sequence[int], K: int) -> Geometry:
    """Every sample a vertex of the simplex of all N, where CL ends whatever the classes.

    Args:
        counts: (C,) class sizes.
        K: Views of each sample, together.

    Returns:
        Cosines -1/(N-1) within and between classes: the means of small classes are the longest.
    """
    n = checked_counts(counts)
    checked_whole(1, K=K)
    cosine = -1 / (n.sum() - 1)
    M = np.full((len(n), len(n)), cosine)
    np.fill_diagonal(M, (1 + (n - 1) * cosine) / n)
    return Geometry(M, np.where(n > 1, 1 - cosine, 0.0), np.zeros(len(n)))
