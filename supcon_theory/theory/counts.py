"""Class counts: their checks, and kappa, the ratio of the numbers of terms in S and in D."""

import numpy as np
from numpy.typing import ArrayLike


def log1p_exp(x: ArrayLike) -> np.ndarray:
    """log(1 + e^x), for any x."""
    return np.logaddexp(0.0, x)


def kappa(C: ArrayLike, n: ArrayLike) -> np.ndarray:
    """(n - 1) / (n (C - 1)): terms in S over terms in D, in balanced classes."""
    C, n = checked_balanced(C, n)
    return (1 - 1 / n) / (C - 1)


def anchor_kappa(own: ArrayLike, total: ArrayLike) -> np.ndarray:
    """(n_c - 1) / (N - n_c): the same for an anchor of a class of any size."""
    own, total = checked_own(own, total)
    return (own - 1) / (total - own)


def log_kappa(ratio: np.ndarray) -> np.ndarray:
    """Log of `kappa` or `anchor_kappa`; -inf for a class of one sample, whose S is empty."""
    with np.errstate(divide="ignore"):
        return np.log(ratio)


def checked_tau(tau: ArrayLike) -> np.ndarray:
    tau = np.asarray(tau, float)
    if not np.all((tau > 0) & (tau < np.inf)):
        raise ValueError(f"tau = {tau.tolist()}: a temperature must be positive and finite.")
    return tau


def checked_balanced(C: ArrayLike, n: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    C, n = np.asarray(C, float), np.asarray(n, float)
    if not np.all((C >= 2) & (C == np.floor(C)) & (C < np.inf)):
        raise ValueError(f"C = {C.tolist()}: pass a whole number of at least 2 classes.")
    if not np.all((n >= 1) & (n == np.floor(n))):
        raise ValueError(f"n = {n.tolist()}: pass whole class sizes of at least 1, or infinity.")
    return C, n


def checked_own(own: ArrayLike, total: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    own, total = np.asarray(own, float), np.asarray(total, float)
    if not np.all((own >= 1) & (own == np.floor(own)) & (total == np.floor(total))):
        raise ValueError(f"own = {own.tolist()} of {total.tolist()}: pass whole numbers, own >= 1.")
    if not np.all((own < total) & (total < np.inf)):
        raise ValueError(
            f"own = {own.tolist()} of total = {total.tolist()}: own must be below a finite total, "
            "or the anchor has no negatives of another class."
        )
    return own, total


def checked_counts(counts: ArrayLike) -> np.ndarray:
    counts = np.asarray(counts, float)
    if counts.ndim != 1 or len(counts) < 2:
        raise ValueError(f"counts = {counts.tolist()}: pass the sizes of at least two classes.")
    if not np.all((counts >= 1) & (counts == np.floor(counts)) & (counts < np.inf)):
        raise ValueError(f"counts = {counts.tolist()}: pass whole class sizes of at least 1.")
    return counts
