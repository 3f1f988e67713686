"""How far apart the contrastive loss (DCL) and the supervised one (NSCL) can be.

Anchor by anchor gap = log(1 + S / D), S and D being sums of exp(cosine / tau) over K (n_c - 1) and
K (N - n_c) terms. A bound therefore has the form log(1 + ratio of the counts * exp(c / tau)), and
only c differs from one to the next: 0 when all similarities are equal, C / (C - 1) where the gap is
largest (a collapsed simplex, `ceiling`), 2 when each cosine takes its worst value by itself.

Everything is vectorised (arguments broadcast), float64, and evaluated as logaddexp(0, log ratio),
so that tau = .005, where exp(2 / tau) is 10^173, is as good as tau = 1. C is a number of classes, n
a class size (n = inf is allowed), n_c the size of the anchor's class and N that of the set;
`counts` are all class sizes, of the set (or batch) on which the gap is evaluated.
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import (
    Floats,
    anchor_kappa,
    checked_balanced,
    checked_counts,
    checked_tau,
    kappa,
    log1p_exp,
    log_kappa,
)


def equal_similarity_gap(counts: ArrayLike) -> float:
    """Mean gap when all cosines are equal: sum_c (n_c / N) log(1 + (n_c - 1) / (N - n_c)).

    What counting alone gives, whatever tau; balanced, log(1 + kappa).

    Args:
        counts: (C,) class sizes.

    Returns:
        The mean over all samples.

    Example:
        >>> round(equal_similarity_gap([100, 100]), 4)
        0.6881
    """
    counts = checked_counts(counts)
    N = counts.sum()
    return float(np.sum(counts / N * np.log1p((counts - 1) / (N - counts))))


def anchor_upper_bound(n_c: ArrayLike, N: ArrayLike, tau: ArrayLike) -> Floats:
    """gap_i <= log(1 + (n_c - 1) / (N - n_c) e^{2 / tau}) for every anchor of every encoder.

    Attained: a class collapsed at u, all other samples at -u.

    Args:
        n_c: samples in the anchor's class.
        N: samples in all.
        tau: temperature.

    Returns:
        The bound, of the broadcast shape.
    """
    tau = checked_tau(tau)
    return log1p_exp(log_kappa(anchor_kappa(n_c, N)) + 2 / tau)


def anchor_lower_bound(n_c: ArrayLike, N: ArrayLike, tau: ArrayLike) -> Floats:
    """gap_i >= log(1 + (n_c - 1) / (N - n_c) e^{-2 / tau}) for every anchor of every encoder."""
    tau = checked_tau(tau)
    return log1p_exp(log_kappa(anchor_kappa(n_c, N)) - 2 / tau)


def published_bound(C: ArrayLike, tau: ArrayLike) -> Floats:
    """Mean gap <= log(1 + e^{2 / tau} / (C - 1)), balanced classes (arXiv 2506.04411, Theorem 1).

    Note: the paper writes tau = 1; the temperature enters as the cosines do, divided by tau.

    Args:
        C: number of classes.
        tau: temperature.

    Returns:
        The bound, of the broadcast shape.

    Example:
        >>> round(float(published_bound(100, 1.0)), 3)
        0.072
    """
    C, _ = checked_balanced(C, np.inf)
    return log1p_exp(2 / checked_tau(tau) - np.log(C - 1))


def published_bound_any_counts(counts: ArrayLike, tau: ArrayLike) -> Floats:
    """Mean gap <= log(1 + n_max e^{2 / tau} / (N - n_max)) (arXiv 2506.04411, Theorem 1).

    n_max rather than n_max - 1 also covers a contrastive loss whose denominator keeps all K views
    of the anchor's own sample.

    Args:
        counts: (C,) class sizes.
        tau: temperature.

    Returns:
        The bound, of the shape of tau.
    """
    counts = checked_counts(counts)
    largest = counts.max()
    return log1p_exp(np.log(largest / (counts.sum() - largest)) + 2 / checked_tau(tau))


def class_averaged_bound(counts: ArrayLike, tau: ArrayLike) -> Floats:
    """Mean gap <= sum_c (n_c / N) log(1 + (n_c - 1) / (N - n_c) e^{2 / tau}).

    The mean of `anchor_upper_bound`; under imbalance far below the n_max form.

    Args:
        counts: (C,) class sizes.
        tau: temperature.

    Returns:
        The bound, of the shape of tau.
    """
    counts = checked_counts(counts)
    N = counts.sum()
    return anchor_upper_bound(counts, N, np.asarray(tau, float)[..., None]) @ (counts / N)


def centred_bound(alignment: ArrayLike, C: ArrayLike, n: ArrayLike, tau: ArrayLike) -> Floats:
    """gap_i <= log(1 + kappa exp(C / ((C - 1) tau) (1 - <z_i, zbar>))), balanced classes.

    It needs no labels, only C and n. Proof: the cosines of anchor i sum to N K <z_i, zbar>, of
    which the anchor's class contributes at most n K; Jensen's inequality turns the mean
    different-class cosine into a lower bound on D, and S <= K (n - 1) e^{1 / tau}. Looser than
    `anchor_upper_bound` where the alignment is below -(C - 2) / C.

    Args:
        alignment: <z_i, zbar>, zbar the mean of all N K unit rows of the set on which the gap is
            evaluated (a stratified batch is such a set).
        C: number of classes.
        n: samples in each class.
        tau: temperature.

    Returns:
        The bound, of the broadcast shape.

    Raises:
        ValueError: if an alignment is none of a unit row with a mean of unit rows.
    """
    alignment = np.asarray(alignment, float)
    if not np.all(np.abs(alignment) <= 1 + 1e-5):
        raise ValueError(
            "an alignment <z_i, zbar> is NaN or beyond [-1, 1]: zbar must be the mean of unit rows."
        )
    C, n, tau = *checked_balanced(C, n), checked_tau(tau)
    return log1p_exp(log_kappa(kappa(C, n)) + C / ((C - 1) * tau) * (1 - alignment))


def balanced_anchor_bound(
    alignment: ArrayLike, C: ArrayLike, n: ArrayLike, tau: ArrayLike
) -> Floats:
    """The smaller of `centred_bound` and `anchor_upper_bound`, neither of which always wins.

    Args:
        alignment: <z_i, zbar>, as `centred_bound` takes it.
        C: number of classes.
        n: samples in each class.
        tau: temperature.

    Returns:
        The bound, of the broadcast shape.
    """
    worst = log1p_exp(log_kappa(kappa(C, n)) + 2 / checked_tau(tau))
    return np.minimum(centred_bound(alignment, C, n, tau), worst)
