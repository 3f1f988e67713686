"""The largest mean gap: classes collapsed onto a simplex, and when this is a theorem."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from supcon_theory.theory.counts import (
    checked_balanced,
    checked_tau,
    kappa,
    log1p_exp,
    log_kappa,
)


def etf_ceiling(C: ArrayLike, n: ArrayLike, tau: ArrayLike) -> np.ndarray:
    """log(1 + kappa e^{C / ((C - 1) tau)}): the gap of classes collapsed onto a simplex.

    No encoder has a larger mean gap where `etf_ceiling_is_proved`, and none was ever found
    elsewhere. Balanced classes.
    """
    C, n, tau = *checked_balanced(C, n), checked_tau(tau)
    return log1p_exp(log_kappa(kappa(C, n)) + C / ((C - 1) * tau))


def etf_ceiling_is_proved(C: ArrayLike, n: ArrayLike, tau: ArrayLike) -> np.ndarray:
    """Whether the mean gap of every encoder is known to be at most `etf_ceiling(C, n, tau)`.

    With c = C / ((C - 1) tau), beta = log kappa + c and p* = sigmoid(beta), a tangent-line argument
    at p* gives the theorem as soon as

        kl(p || p*) >= A (p - p*)^2,  A = c / (4 p*),
        for all p = sigmoid(t), log kappa <= t <= log kappa + 2 / tau.

    This is decided exactly, without a grid, as R(p) = kl(p || p*) / (p - p*)^2 is strictly convex:
    by Taylor's remainder R(p) = int_0^1 (1 - s) w(p* + (p - p*) s) ds with w(t) = 1 / (t (1 - t)),
    which is. Its minimum over (0, 1) is at 1 - p*, where it is beta coth(beta / 2) (Kearns and Saul
    1998), so over a range of p it is at the point of the range nearest to 1 - p*.

    Rounding can only turn a barely true case into False. n = 1 is True: both sides are 0.
    """
    C, n, tau = np.broadcast_arrays(*checked_balanced(C, n), checked_tau(tau))
    c = C / ((C - 1) * tau)
    lowest = log_kappa(np.where(n == 1, 1.0, kappa(C, n)))  # n = 1 is decided below
    beta = lowest + c
    t = np.clip(-beta, lowest, lowest + 2 / tau)  # logit of the point of the range nearest 1 - p*
    p, p_star = expit(t), expit(beta)
    A = c / (4 * p_star)
    terms = [log1p_exp(beta), -log1p_exp(t), -p * (beta - t), -A * (p - p_star) ** 2]
    rounding = 64 * np.finfo(float).eps * sum(np.abs(x) for x in terms)
    with np.errstate(invalid="ignore", divide="ignore"):
        kearns_saul = np.where(beta == 0, 2.0, beta / np.tanh(beta / 2))
    at_minimum = t == -beta
    at_p_star = t == beta  # R(p*) = 1 / (2 p* (1 - p*)) by continuity; for C = 2
    proved = np.select(
        [n == 1, at_minimum, at_p_star],
        [True, kearns_saul > A * (1 + 1e-14), c * expit(-beta) < 2],
        sum(terms) > rounding,
    )
    return proved if proved.ndim else bool(proved)
