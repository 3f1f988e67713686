"""The smallest values of the objectives over free unit embeddings, and floors for any class counts.

Two simplices carry every closed form: the class simplex (each class in one point, class means at
cosine -1/(C-1), possible iff d >= C-1) and the instance simplex (each sample its own vertex, cosine
-1/(N-1), possible iff d >= N-1); the views of a sample always coincide. `simplex.py` builds both.

Sources: arXiv 2506.04411, Theorem 2 (`nscl`); 2004.11362 (`supcon`); 2405.18045 (`dhel`). The
values that these papers do not print follow from the same two steps: Jensen on the log-sum, and the
squared norm of the sum of all embeddings being at least 0.

Everything but `nscl_floor` broadcasts over NumPy arrays in float64. C balanced classes of n samples
of K views each, N = n C samples, temperature tau; d is large enough for the simplex.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import (
    Floats,
    checked_counts,
    checked_setting,
    checked_whole,
    require,
)
from supcon_theory.theory.floors import margin_floor


def nscl_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Floats:
    """L* = log(K n (C-1)) - C / ((C-1) tau), iff views and classes collapse to a simplex ETF.

    arXiv 2506.04411, Theorem 2: balanced classes, d >= C-1, every K >= 1.

    Args:
        C: number of classes.
        n: samples in each class.
        K: views of each sample.
        tau: temperature.

    Returns:
        The minimum, of the broadcast shape.

    Example:
        >>> round(float(nscl_minimum(10, 64, 2, 1.0)), 4)
        5.9381
    """
    C, n, K, tau = checked_setting(C, n, K, tau)
    return np.log(K * n * (C - 1)) - C / ((C - 1) * tau)


def dcl_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Floats:
    """log(K (N-1)) - N / ((N-1) tau) with N = n C, at the instance simplex."""
    C, n, K, tau = checked_setting(C, n, K, tau)
    N = n * C
    return np.log(K * (N - 1)) - N / ((N - 1) * tau)


def nt_xent_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Floats:
    """log(1 + K (N-1) exp(-N / ((N-1) tau))), at the instance simplex; `hucl` (beta = 0) too."""
    return np.logaddexp(0, dcl_minimum(C, n, K, tau))


def nscl_coupled_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Floats:
    """log(1 + K n (C-1) exp(-C / ((C-1) tau))), at the class simplex; `h_nscl` too.

    Note: n = B/C makes it no floor of random batches of B samples, over which the expectation of
    the loss at the class simplex is about 1/B lower.

    Args:
        C: number of classes.
        n: samples in each class.
        K: views of each sample.
        tau: temperature.

    Returns:
        The minimum, of the broadcast shape.
    """
    return np.logaddexp(0, nscl_minimum(C, n, K, tau))


def supcon_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Floats:
    """log(nK - 1 + nK (C-1) exp(-C / ((C-1) tau))), at the class simplex; L_out and L_in alike."""
    floor = nscl_minimum(C, n, K, tau)
    others = np.asarray(n) * np.asarray(K) - 1
    require(others >= 1, "supcon needs n K >= 2, another row of the class", n=n, K=K)
    return np.logaddexp(np.log(others), floor)


def scl_jiang_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Floats:
    """log(1 + K (N-1) exp(-C / ((C-1) tau))), at the class simplex; `hscl` at every hardness."""
    C, n, K, tau = checked_setting(C, n, K, tau)
    return np.logaddexp(0, np.log(K * (n * C - 1)) - C / ((C - 1) * tau))


def dhel_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Floats:
    """log(N-1) - N / ((N-1) tau), at the instance simplex."""
    return dcl_minimum(C, n, K, tau) - np.log(K)


def dhel_official_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Floats:
    """2 log(N-1) - (N+1) / ((N-1) tau), at the instance simplex."""
    return 2 * dhel_minimum(C, n, K, tau) + 1 / np.asarray(tau, dtype=np.float64)


def n_dhel_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Floats:
    """log(n (C-1)) - C / ((C-1) tau), at the class simplex."""
    return nscl_minimum(C, n, K, tau) - np.log(K)


def scl_ball_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Floats:
    """log(1 + exp(-C / ((C-1) tau))), at the class simplex; at every hardness, in the ball too."""
    C, n, K, tau = checked_setting(C, n, K, tau)
    return np.logaddexp(0, -C / ((C - 1) * tau))


def ucl_ball_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Floats:
    """log(1 + (1 + (C-1) exp(-C / ((C-1) tau))) / C), at the class simplex, without hardness."""
    C, n, K, tau = checked_setting(C, n, K, tau)
    return np.log1p((1 + (C - 1) * np.exp(-C / ((C - 1) * tau))) / C)


def triplet_minimum(
    C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike, margin: float = 0.1
) -> Floats:
    """max(0, margin - C/(C-1)) / tau, at the class simplex; up to margin C/(C-1) not only there.

    A hinge is at least 0 and at least what is under it, whose mean over triplets and anchors is
    margin / tau more than the mean of q - p of `floors`, at least -C/((C-1) tau).

    Args:
        C: number of classes.
        n: samples in each class.
        K: views of each sample.
        tau: temperature.
        margin: of cosines.

    Returns:
        The minimum, of the broadcast shape.
    """
    C, n, K, tau = checked_setting(C, n, K, tau)
    return np.maximum(0.0, margin - C / (C - 1)) / tau * np.ones_like(n * K)


MINIMA = {
    "dcl": dcl_minimum,
    "nscl": nscl_minimum,
    "nt_xent": nt_xent_minimum,
    "nscl_coupled": nscl_coupled_minimum,
    "supcon": supcon_minimum,
    "supcon_in": supcon_minimum,
    "scl_jiang": scl_jiang_minimum,
    "hscl": scl_jiang_minimum,
    "hucl": nt_xent_minimum,
    "h_nscl": nscl_coupled_minimum,
    "dhel": dhel_minimum,
    "dhel_official": dhel_official_minimum,
    "n_dhel": n_dhel_minimum,
    "scl_ball": scl_ball_minimum,
    "ucl_ball": ucl_ball_minimum,
    "triplet": triplet_minimum,
}


def nscl_floor(counts: Sequence[int], K: int, tau: float, weight: float | None = None) -> float:
    """Lower bound of `nscl` over all unit embeddings, for any class counts n_c, N = sum n_c.

        (1/N) sum_c n_c log(K (N - n_c)) - 1/tau
            - (1/(N tau)) [sum_c n_c^2 r_c + (sum_c n_c |r_c - w|)^2 / (4 w)],   r_c = 1/(N - n_c)

    for every weight w > 0: Jensen on each log-sum, then `floors.margin_floor`. Equal to the minimum
    L* when the classes are balanced, loose under strong imbalance.

    Args:
        counts: (C,) class sizes.
        K: views of each sample.
        tau: temperature.
        weight: w; None takes the one that makes the floor highest.

    Returns:
        The floor.

    Example:
        >>> round(nscl_floor([12, 4, 2, 2], 2, 1.0), 3)
        1.073
    """
    n_c, N = checked_counts(counts), float(np.sum(counts))
    checked_whole(1, K=K)
    negatives = n_c @ np.log(K * (N - n_c)) / N
    return float(negatives) + margin_floor(n_c, np.ones_like(n_c), tau, weight)


def cdnv_at_instance_simplex(n: ArrayLike) -> Floats:
    """(n - 1) / 2 for balanced classes of size n, population moments, any labelling."""
    return (np.asarray(n, dtype=np.float64) - 1) / 2
