"""The gap inside a mini-batch, and of the losses that keep the positive in their denominators.

A batch is a data set of its own: with its own class counts every bound of `gap` holds in it. With
those of the full data set they do not: one class may be over-represented by bad luck.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import hypergeom

from supcon_theory.theory.counts import (
    anchor_kappa,
    checked_balanced,
    checked_own,
    checked_tau,
    log1p_exp,
    log_kappa,
)


def batch_gap_bounds(y: ArrayLike, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """(lower, upper) bound of every sample's gap in a batch with labels y (B,), two arrays (B,):

        log(1 + (m_c - 1) / (B - m_c) e^{-+ 2 / tau}),   m_c = samples of class c in the batch.

    Raises ValueError where the batch holds one class only: NSCL is infinite there.
    """
    y = np.asarray(y)
    if y.ndim != 1 or y.size == 0 or not np.issubdtype(y.dtype, np.integer):
        raise ValueError(f"y is {y.dtype} of shape {y.shape}: pass the integer labels of a batch.")
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    log_ratio, reach = log_kappa(anchor_kappa(counts[inverse], y.size)), 2 / checked_tau(tau)
    return log1p_exp(log_ratio - reach), log1p_exp(log_ratio + reach)


def coupled_gap_bounds(
    own: ArrayLike, total: ArrayLike, K: int, tau: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """(lower, upper) bound of the gap `nt_xent` - `nscl_coupled` of an anchor, per positive:

        log(1 + S / (P + D)),  P = exp(cosine with the positive / tau), hence
        log(1 + K (n_c - 1) / (K (N - n_c) + 1) e^{-+ 2 / tau}).

    Note: the gap is smaller than that of the decoupled losses, so their upper bounds hold for it,
    but their lower bounds do not.
    """
    own, total = checked_own(own, total)
    if K < 2:
        raise ValueError(f"K = {K}: a positive is another view, so K must be at least 2.")
    log_ratio = log_kappa(K * (own - 1) / (K * (total - own) + 1))
    reach = 2 / checked_tau(tau)
    return log1p_exp(log_ratio - reach), log1p_exp(log_ratio + reach)


def expected_batch_gap(C: int, n: int, B: int, tau: float = np.inf) -> float:
    """E log(1 + x / (B - 1 - x) e^{2 / tau}) over random batches of B of the N = n C samples.

    x, the number of the anchor's class among the other B - 1, is hypergeometric. tau = inf gives
    the expected gap when all cosines are equal (slightly above log(1 + kappa)), a finite tau the
    expected own-batch upper bound: below the full-data one for C >= 3 in the cases computed, above
    it for C = 2. Batches where the anchor has no different-class sample (x = B - 1) are excluded,
    since NSCL is infinite there.
    """
    checked_balanced(C, n)
    if not n < np.inf or not 2 <= B <= n * C:
        raise ValueError(f"B = {B} with n = {n}: pass a finite n and a batch of 2 to n C samples.")
    if not tau > 0:
        raise ValueError(f"tau = {tau}: pass a positive temperature, or inf for equal cosines.")
    x = np.arange(max(0, B - 1 - n * (C - 1)), min(n - 1, B - 2) + 1)
    weight = hypergeom.pmf(x, n * C - 1, n - 1, B - 1)
    gaps = log1p_exp(log_kappa(x / (B - 1 - x)) + 2 / tau)
    return float(weight @ gaps / weight.sum())
