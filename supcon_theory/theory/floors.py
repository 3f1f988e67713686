"""Floors beyond the balanced minima, and values of the losses away from their own minimiser."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import hypergeom

from supcon_theory.theory.minima import Float, as_arrays, nscl_minimum


def nscl_floor(counts: Sequence[int], K: int, tau: float, weight: float | None = None) -> float:
    """Lower bound of `nscl` over all unit embeddings, for any class counts m_c, B = sum m_c:

        (1/B) sum_c m_c log(K (B - m_c)) - 1/tau
            - (1/(B tau)) [sum_c m_c^2 r_c + (sum_c m_c |r_c - w|)^2 / (4 w)],   r_c = 1/(B - m_c)

    for every weight w > 0; by default the w that makes the floor highest. Proof: Jensen on each
    log-sum leaves sum_a r_a (<z_a, s> - <z_a, s_class>) with s the sum of all rows; the class part
    is at most its value at collapse, and <u, s> >= -|u - w s|^2 / (4w) for u = sum_a r_a z_a.
    Equal to the minimum L* when the classes are balanced, loose under strong imbalance.
    """
    m = np.asarray(counts, dtype=np.float64)
    if len(m) < 2 or m.min() < 1:
        raise ValueError(
            f"counts = {list(counts)}: give at least two classes of at least 1 sample."
        )
    as_arrays(len(m), m.min(), K, tau)
    B = m.sum()
    r = 1 / (B - m)
    if weight is None:
        weight = _best_weight(m, r)
    elif not weight > 0:
        raise ValueError(f"weight = {weight}: it must be positive.")
    spread = (m @ np.abs(r - weight)) ** 2 / (4 * weight)
    return float(m @ np.log(K * (B - m)) / B - 1 / tau - (m @ (m * r) + spread) / (B * tau))


def _best_weight(m: np.ndarray, r: np.ndarray) -> float:
    """Argmin over w of (sum_c m_c |r_c - w|)^2 / w: a kink r_c, or |a/b| if the sum is a + b w."""
    candidates = list(r)
    for kink in r:
        sign = np.where(r <= kink, 1.0, -1.0)  # on the piece just above this kink
        a, b = -(sign * m) @ r, sign @ m
        if b != 0 and a != 0:
            candidates.append(abs(a / b))
    candidates = np.array(candidates)
    spread = (np.abs(r[None, :] - candidates[:, None]) @ m) ** 2 / candidates
    return float(candidates[spread.argmin()])


def nscl_coupled_at_etf_in_random_batches(C: int, n: int, B: int, tau: float, K: int = 2) -> float:
    """E log(1 + K (B - m) exp(-C / ((C-1) tau))) over random batches of B of the N = n C samples.

    m is the anchor's class count in its batch, 1 + Hypergeometric(N-1, n-1, B-1). The value of
    `nscl_coupled` at the class simplex, about 1/B *below* its minimum for stratified batches
    (n = B/C); that it is the smallest possible expectation is not proved.
    """
    as_arrays(C, n, K, tau)
    if not 1 <= B <= n * C:
        raise ValueError(f"B = {B}: a batch has between 1 and N = {n * C} samples.")
    law = hypergeom(n * C - 1, n - 1, B - 1)
    same = np.arange(min(n, B))
    value = np.log1p(K * (B - 1 - same) * np.exp(-C / ((C - 1) * tau)))
    return float(law.pmf(same) @ value)


def dcl_at_class_simplex(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Float:
    """log(K [n (C-1) e^{-1/((C-1) tau)} + (n-1) e^{1/tau}]) - 1/tau: a strict saddle of `dcl`."""
    C, n, K, tau = as_arrays(C, n, K, tau)
    with np.errstate(divide="ignore"):  # n = 1: no other sample of the class, log 0
        same = np.log(K * (n - 1))
    return np.logaddexp(nscl_minimum(C, n, K, tau), same)


def nscl_at_instance_simplex(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Float:
    """log(K n (C-1)) - N / ((N-1) tau): where `dcl` is smallest, `nscl` is not."""
    C, n, K, tau = as_arrays(C, n, K, tau)
    N = n * C
    return np.log(K * n * (C - 1)) - N / ((N - 1) * tau)


def cdnv_at_instance_simplex(n: ArrayLike) -> Float:
    """(n - 1) / 2 for balanced classes of size n, population moments, any labelling."""
    return (np.asarray(n, dtype=np.float64) - 1) / 2


def gap_at_instance_simplex(C: ArrayLike, n: ArrayLike) -> Float:
    """log(1 + (n-1) / (N-n)): all similarities of different samples are equal, r = 1."""
    C, n, _, _ = as_arrays(C, n, 1, 1.0)
    return np.log1p((n - 1) / (n * (C - 1)))
