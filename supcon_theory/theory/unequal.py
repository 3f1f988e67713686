"""Floors of the losses and a ceiling of the gap for classes of any size. Ours.

Let s be the mean of all N K unit rows, S = |s|, a_i = <z_i, s> and a_c its mean over class c, with
weights w_c = n_c / N. Then |a_c| <= S and sum_c w_c a_c = S^2. The cosines of anchor i to all rows
sum to N K a_i, of which its own class has at most n_c K, so their mean x_i over other classes has

    x_i >= phi_c(a_i) = max(-1, (N a_i - n_c) / (N - n_c)),    convex, increasing in a_i.      (1)

By Jensen D_i >= K (N - n_c) e^{x_i / tau}; each statement below inserts (1) and then asks for the
worst a_c that these constraints allow. That is a linear programme which fills the cheapest class
first. S is unknown: on a cell S_0 <= S <= S_1 the constraints are relaxed to |a_c| <= S_1 and
sum_c w_c a_c >= S_0^2, so the worst of the cells is a bound for every S, whatever their number.
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.ceiling import etf_ceiling
from supcon_theory.theory.counts import (
    Floats,
    anchor_kappa,
    checked_counts,
    checked_tau,
    checked_whole,
    log1p_exp,
    log_kappa,
)
from supcon_theory.theory.minima import nscl_floor

CELLS = 512  # of S in [0, 1]; more make the bounds sharper by less than 1e-3 nats


def centred_bound_any_counts(
    alignment: ArrayLike, n_c: ArrayLike, N: ArrayLike, tau: ArrayLike
) -> Floats:
    """gap_i <= log(1 + kappa_c e^{(1 - x) / tau}), x = phi_c(<z_i, s>) of (1).

    kappa_c = (n_c - 1) / (N - n_c), S_i <= K (n_c - 1) e^{1/tau}. Balanced and where x > -1 it is
    `gap.centred_bound`; elsewhere `gap.anchor_upper_bound`. It needs the size of the anchor's
    class only.

    Args:
        alignment: <z_i, s>, s the mean of all unit rows of the evaluated set.
        n_c: samples in the anchor's class.
        N: samples in all.
        tau: temperature.

    Returns:
        The bound, of the broadcast shape.
    """
    n_c, N = np.asarray(n_c, float), np.asarray(N, float)
    nearest = np.maximum(-1, (N * np.asarray(alignment, float) - n_c) / (N - n_c))
    return log1p_exp(log_kappa(anchor_kappa(n_c, N)) + (1 - nearest) / checked_tau(tau))


def relaxed_ceiling_any_counts(counts: ArrayLike, tau: float) -> float:
    """A number that the mean gap of no embedding exceeds, for any class sizes.

    gap_i <= f_c(a_i) = log(1 + kappa_c e^{(1 - phi_c(a_i)) / tau}), which falls from its largest
    value U_c (phi = -1) and is convex from there on; so it is at most U_c up to that point and the
    chord from there to S_1. The mean of these is maximised over the a_c. Never above
    `class_averaged_bound`; balanced, `etf_ceiling`, which is attained.

    Args:
        counts: (C,) class sizes.
        tau: temperature.

    Returns:
        The ceiling.

    Example:
        >>> of = relaxed_ceiling_any_counts
        >>> round(of([50, 50], 1.0), 3), round(of([90, 10], 1.0), 2)
        (2.109, 3.84)
    """
    n_c, tau = checked_counts(counts), float(checked_tau(tau))
    C, N = len(n_c), n_c.sum()
    if n_c.min() == n_c.max():
        return float(etf_ceiling(C, n_c[0], tau))

    def bound(a: Floats) -> Floats:
        return centred_bound_any_counts(a, n_c, N, tau)

    ends = _cells()
    bend = np.clip(2 * n_c / N - 1, -ends[:, 1:], ends[:, 1:])  # up to there phi is -1
    top, bottom = bound(bend), bound(ends[:, 1:])
    with np.errstate(invalid="ignore"):
        rate = np.where(bend < ends[:, 1:], (top - bottom) / (ends[:, 1:] - bend), 0)
    spent = _least_spent(n_c / N, bend + ends[:, 1:], rate, ends)
    return float((top @ (n_c / N) - spent).max())


def nscl_floor_any_counts(counts: ArrayLike, K: int, tau: float) -> float:
    """Lower bound of the mean NSCL loss over all unit embeddings, for any class sizes.

    L_i >= log(K (N - n_c)) + (phi_c(a_i) - 1) / tau, the positive cosine being at most 1; or
    `nscl_floor`, whichever is higher. Balanced, the minimum L*.

    Args:
        counts: (C,) class sizes.
        K: views of each sample.
        tau: temperature.

    Returns:
        The floor.

    Example:
        >>> round(nscl_floor_any_counts([12, 4, 2, 2], 2, 1.0), 3)
        1.306
    """
    n_c, tau = checked_counts(counts), float(checked_tau(tau))
    checked_whole(1, K=K)
    constant = np.log(K * (n_c.sum() - n_c)) - 1 / tau
    found = _least_mean(n_c, constant, np.full(len(n_c), 1 / tau))
    return max(found, nscl_floor(list(n_c), K, tau))


def supcon_floor_any_counts(counts: ArrayLike, K: int, tau: float) -> float:
    """Lower bound of the mean SupCon loss (L_out) over all unit embeddings, for any class sizes.

    Jensen on both parts of the denominator: with p_i <= 1 the mean positive cosine,

        L_i >= psi_c(x_i - p_i),    psi_c(t) = log(n_c K - 1 + K (N - n_c) e^{t / tau}),

    psi_c convex and increasing, so above its tangent at t_c = phi_c(0) - 1, the value of a centred
    collapse. Balanced it is `supcon_minimum`.

    Args:
        counts: (C,) class sizes.
        K: views of each sample.
        tau: temperature.

    Returns:
        The floor; NaN where a class has a single row, which has no positive.
    """
    n_c, tau = checked_counts(counts), float(checked_tau(tau))
    checked_whole(1, K=K)
    if (n_c * K).min() < 2:
        return np.nan
    N = n_c.sum()
    at = np.maximum(-1, -n_c / (N - n_c)) - 1
    positives, others = np.log(n_c * K - 1), np.log(K * (N - n_c)) + at / tau
    value = np.logaddexp(positives, others)
    slope = np.exp(others - value) / tau
    return _least_mean(n_c, value - slope * (at + 1), slope)


def _least_mean(n_c: Floats, constant: Floats, slope: Floats) -> float:
    """Least sum_c w_c (constant_c + slope_c phi_c(a_c)) over what a_c and S may be."""
    N = n_c.sum()
    ends = _cells()
    low = -ends[:, 1:]
    bend = np.clip(2 * n_c / N - 1, low, ends[:, 1:])
    start = np.maximum(-1, (N * low - n_c) / (N - n_c))  # phi at a = -S_1
    rate = np.broadcast_to(slope * N / (N - n_c), bend.shape)
    value = (constant + slope * start) @ (n_c / N)
    return float((value + _least_spent(n_c / N, bend - low, rate, ends)).min())


def _cells() -> Floats:
    """(CELLS, 2) ends S_0, S_1 of the cells that cover [0, 1]."""
    ends = np.linspace(0, 1, CELLS + 1)
    return np.stack([ends[:-1], ends[1:]], axis=1)


def _least_spent(w: Floats, free: Floats, rate: Floats, ends: Floats) -> Floats:
    """(cells,) least cost of raising sum_c w_c a_c from -S_1, all a_c = -S_1, to S_0^2.

    Args:
        w: (C,) weights of the classes.
        free: (cells, C) how far each a_c rises at no cost.
        rate: (cells, C) cost of w_c a_c from there up to S_1.
        ends: (cells, 2) S_0 and S_1.

    Returns:
        The least cost in each cell.
    """
    low, high = ends.T
    need = high + low**2 - free @ w
    order = np.argsort(rate, axis=1)
    room = np.take_along_axis(w * (2 * high[:, None] - free), order, axis=1)
    before = np.cumsum(room, axis=1) - room
    filled = np.clip(need[:, None] - before, 0, room)
    return (filled * np.take_along_axis(rate, order, axis=1)).sum(axis=1)
