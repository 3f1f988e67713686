"""The largest mean gap over all embeddings: the value at collapsed classes, and what is proved.

Conjecture: over all unit embeddings of balanced classes, mean gap <= log(1 + kappa e^c), the value
at the class simplex, with kappa = (n-1)/(n(C-1)) and c = C/((C-1) tau). It is a theorem

    for every C and n    from tau = 1/2 on,
    for every n and tau  up to 13 classes,

and wherever one of two conditions on one number holds, with beta = log kappa + c, q = sigma(beta):

    (*)   kl(p || q) >= c (p - q)^2 / (4 q)  for p in [sigma(log kappa), sigma(log kappa + 2/tau)]
    (**)  h(S) <= h(0)                       for S in [0, 1], h that of `relaxed_ceiling`

The proofs are in docs/proofs.md. Here both conditions are decided in float64 for whole arrays, with
bounds on the rounding that can only turn a barely true case into False; `ceiling_windows` decides
them in interval arithmetic.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from supcon_theory.theory.counts import (
    Floats,
    checked_balanced,
    checked_tau,
    kappa,
    log1p_exp,
    log_kappa,
)

FROM = 0.5  # temperature from which on the ceiling is a theorem for every C and n
CELLS = 1024  # of [0, 1], on which (**) is decided


def etf_ceiling(C: ArrayLike, n: ArrayLike, tau: ArrayLike) -> Floats:
    """log(1 + kappa e^{C / ((C - 1) tau)}): the gap of classes collapsed onto a simplex.

    No encoder has a larger mean gap where `etf_ceiling_is_proved`, and none was ever found
    elsewhere. Balanced classes.

    Args:
        C: number of classes.
        n: samples in each class; may be infinite.
        tau: temperature.

    Returns:
        The ceiling, of the broadcast shape.

    Example:
        >>> round(float(etf_ceiling(100, float("inf"), 1.0)), 4)
        0.0274
    """
    C, n, tau = *checked_balanced(C, n), checked_tau(tau)
    return log1p_exp(log_kappa(kappa(C, n)) + C / ((C - 1) * tau))


def etf_ceiling_is_proved(C: ArrayLike, n: ArrayLike, tau: ArrayLike) -> np.ndarray | bool:
    """Whether the mean gap of every encoder is known to be at most `etf_ceiling(C, n, tau)`.

    From tau = 1/2 on, and where (*) or (**) holds. Rounding can only turn a barely true case into
    False. n = 1 is True: both sides are 0.

    Args:
        C: number of classes.
        n: samples in each class; may be infinite.
        tau: temperature.

    Returns:
        The decision, of the broadcast shape; a plain bool for plain numbers.

    Example:
        >>> etf_ceiling_is_proved(100, 64, 0.5), etf_ceiling_is_proved(100, 64, 0.3)
        (True, False)
    """
    C, n, tau = np.broadcast_arrays(*checked_balanced(C, n), checked_tau(tau))
    proved = np.asarray((n == 1) | (tau >= FROM))
    c = C / ((C - 1) * tau)
    lowest = log_kappa(np.where(n == 1, 1.0, kappa(C, n)))  # n = 1 is decided already
    for holds in (_tangent_holds, _chord_holds):
        left = ~proved
        proved[left] = holds(lowest[left], c[left], tau[left])
    return proved if proved.ndim else bool(proved)


def _tangent_holds(lowest: Floats, c: Floats, tau: Floats) -> np.ndarray:
    """(*), at the point of the interval nearest to 1 - q, which decides for all of it."""
    beta = lowest + c
    t = np.clip(-beta, lowest, lowest + 2 / tau)  # logit of that point
    p, q = expit(t), expit(beta)
    A = c / (4 * q)
    terms = [log1p_exp(beta), -log1p_exp(t), -p * (beta - t), -A * (p - q) ** 2]
    rounding = 64 * np.finfo(float).eps * sum(np.abs(x) for x in terms)
    with np.errstate(invalid="ignore", divide="ignore"):
        kearns_saul = np.where(beta == 0, 2.0, beta / np.tanh(beta / 2))
    return np.select(
        [t == -beta, t == beta],  # t = beta for C = 2: g(q) = 1 / (2 q (1 - q))
        [kearns_saul > A * (1 + 1e-14), c * expit(-beta) < 2],
        sum(terms) > rounding,
    )


def _chord_holds(lowest: Floats, c: Floats, tau: Floats) -> np.ndarray:
    """(**), F(x) = h(0) - h(x/c) >= 0, on cells of [0, c] by Taylor's formula at their middles."""
    # F(0) = F'(0) = 0, so the cells from 0 on where F'' >= 0 are done; on any other the middle's
    # value and slope and a bound on |F''| have to do.
    beta, width = lowest + c, c / CELLS
    x = (np.arange(CELLS)[:, None] + 0.5) * width
    up, down = expit(beta + x), expit(beta - x)
    high, low = log1p_exp(beta + x), log1p_exp(beta - x)
    odd, even = (high - low) / 2, (high + low) / 2
    slopes = up * (1 - up), down * (1 - down)
    F = x / c * odd - even + log1p_exp(beta)
    F1 = odd + x / 2 * (up + down) - c / 2 * (up - down)  # c F'
    F2 = up + down + x / 2 * (slopes[0] - slopes[1]) - c / 2 * (slopes[0] + slopes[1])  # c F''
    # |sigma'| <= 1/4 and |sigma''| <= 1/(6 sqrt 3) < .0963
    third, second = 0.375 + 2 * 0.0963 * c, 2 + 3 * c / 8
    rounding = 64 * np.finfo(float).eps * (1 + np.abs(high) + np.abs(low)) * (1 + c)
    rising = np.logical_and.accumulate(F2 - third * width / 2 > rounding, axis=0)
    above = F - (np.abs(F1) * width / 2 + second * width**2 / 8) / c > rounding
    return (rising | above).all(0)


def relaxed_ceiling(C: ArrayLike, n: ArrayLike, tau: ArrayLike) -> Floats:
    """Largest of h(S) over S in [0, 1]: no mean gap is above it, at any C, n and temperature.

        h(S) = (1 + S)/2 sp(beta - c S) + (1 - S)/2 sp(beta + c S),   sp = softplus,
        c = C / ((C - 1) tau), beta = log kappa + c

    Proof: docs/proofs.md, step 1 of the ceiling. h(0) is `etf_ceiling`, so where h falls from there
    on the two are equal. Classes of one sample have no gap: 0.

    Args:
        C: number of classes.
        n: samples in each class; may be infinite.
        tau: temperature.

    Returns:
        The bound, of the broadcast shape, to about 1e-12.

    Example:
        >>> round(float(relaxed_ceiling(100, 2, 0.25) / etf_ceiling(100, 2, 0.25)), 2)
        1.25
    """
    C, n, tau = np.broadcast_arrays(*checked_balanced(C, n), checked_tau(tau))
    c = C / ((C - 1) * tau)
    beta = log_kappa(kappa(C, n)) + c

    def h(S: Floats) -> Floats:
        return (1 + S) / 2 * log1p_exp(beta - c * S) + (1 - S) / 2 * log1p_exp(beta + c * S)

    grid = np.linspace(0, 1, 513).reshape(-1, *[1] * beta.ndim)
    heights = h(grid)
    best = heights.argmax(0) / 512
    low, high = np.maximum(best - 1 / 512, 0), np.minimum(best + 1 / 512, 1)
    for _ in range(100):  # thirds: h rises, then falls, within two cells of the grid
        a, b = low + (high - low) / 3, high - (high - low) / 3
        rising = h(a) < h(b)
        low, high = np.where(rising, a, low), np.where(rising, high, b)
    return np.maximum(heights.max(0), h((low + high) / 2))
