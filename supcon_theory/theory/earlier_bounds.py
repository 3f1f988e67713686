"""Earlier bounds between a contrastive loss and a supervised one, for every number M of negatives.

The setting of all three papers: an anchor x of class y, a positive drawn from class y and M
negatives drawn from everything, all independent; C equally frequent classes; logits <f(x), f(x')> /
tau with unit rows, hence within [-1/tau, 1/tau]. With mu_c the mean of class c, p the logit of the
positive and n_k those of the negatives the losses are

    R_cont = E -log(e^p / (e^p + sum_k e^{n_k})),
    R_sup  = E -log(e^{<f(x), mu_y> / tau} / sum_c e^{<f(x), mu_c> / tau}).

Each bound is on R_sup given R_cont, and holds for every single anchor. It is another supervised
loss than NSCL (class means for weights), so only the distance of a bound from its loss compares
with that of arXiv 2506.04411. Proofs: replacing p and n_k by their class means is Jensen's
inequality.
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, checked_tau, checked_whole


def collision_probability(M: int, C: int) -> float:
    """1 - (1 - 1/C)^M: some of M negatives has the anchor's class (arXiv 1902.09229, tau)."""
    _check(M=M, C=C)
    return float(-np.expm1(M * np.log1p(-1 / C)))


def collision_term(M: int, C: int) -> float:
    """E log(1 + Col), Col ~ Binomial(M, 1/C) the negatives of the anchor's class.

    The loss that colliding negatives leave even when every class is collapsed: with S and D the
    exponentials of colliding and other negatives, S alone beside a positive of the same size.

    Args:
        M: number of negatives.
        C: number of classes.

    Returns:
        The expectation.

    Example:
        >>> round(collision_term(2, 2), 4)  # log(2) / 2 + log(3) / 4
        0.6212
    """
    from scipy.stats import binom  # slow to load

    _check(M=M, C=C)
    col = np.arange(M + 1)
    return float(binom.pmf(col, M, 1 / C) @ np.log1p(col))


def coverage(draws: int, C: int) -> float:
    """Probability that so many uniform draws meet every one of C classes (coupon collector)."""
    _check(draws=draws, C=C)
    seen = np.zeros(C + 1)
    seen[0] = 1.0
    stay = np.arange(C + 1) / C
    for _ in range(draws):
        seen = seen * stay + np.concatenate([[0.0], (seen * (1 - stay))[:-1]])
    return float(seen[C])


def arora_upper(contrastive: ArrayLike, M: int, C: int) -> Floats:
    """R_sup <= (R_cont - E log(1 + Col)) / ((1 - tau_M) v), v = coverage(M + 1, C); inf if v = 0.

    arXiv 1902.09229 (Theorem 4.5) in the form for one C-way task of 2102.06866. Proof: without
    collision, and if the negatives meet all other classes, log(1 + sum) is at least the loss of the
    C-way task; with Col collisions it is at least log(1 + Col).

    Args:
        contrastive: R_cont.
        M: number of negatives.
        C: number of classes.

    Returns:
        The bound on R_sup, of the shape of R_cont.
    """
    weight = (1 - collision_probability(M, C)) * coverage(M + 1, C)
    return _over(np.asarray(contrastive, float) - collision_term(M, C), weight)


def nozawa_sato_upper(contrastive: ArrayLike, M: int, C: int) -> Floats:
    """R_sup <= (2 R_cont - E log(1 + Col)) / v, v = coverage(M + 1, C); inf if v = 0.

    arXiv 2102.06866. Proof: log(1 + Col + rest) >= [log(1 + Col) + log(1 + rest)] / 2, the rest
    being that of the C-way task if the M negatives meet all other classes.

    Args:
        contrastive: R_cont.
        M: number of negatives.
        C: number of classes.

    Returns:
        The bound on R_sup, of the shape of R_cont.
    """
    return _over(2 * np.asarray(contrastive, float) - collision_term(M, C), coverage(M + 1, C))


def bao_upper(contrastive: ArrayLike, M: int, C: int, tau: float) -> Floats:
    """R_sup <= R_cont + log(C cosh^2(1/tau) / M), every M >= 1 (arXiv 2110.02501).

    Proof: drop the positive from the denominator; E log mean_k e^{n_k} >= -log E e^{-n} and
    E e^{n} E e^{-n} <= cosh^2(1/tau) (Kantorovich), while E e^{n} >= mean_c e^{<f(x), mu_c>/tau}.

    Args:
        contrastive: R_cont.
        M: number of negatives.
        C: number of classes.
        tau: temperature.

    Returns:
        The bound on R_sup, of the shape of R_cont.
    """
    _check(M=M, C=C)
    return np.asarray(contrastive, float) + np.log(C / M) + 2 * _log_cosh(tau)


def bao_lower(contrastive: ArrayLike, M: int, C: int, tau: float) -> Floats:
    """R_sup >= R_cont + log(C M / (M + 1)^2) - 2 log cosh(1/tau), every M >= 1 (arXiv 2110.02501).

    Proof (own): Jensen on the log, the chord of exp over [-1/tau, 1/tau] for each class, and a
    function concave in each class mean, whose maximum the tests compute.

    Args:
        contrastive: R_cont.
        M: number of negatives.
        C: number of classes.
        tau: temperature.

    Returns:
        The bound on R_sup, of the shape of R_cont.
    """
    _check(M=M, C=C)
    return np.asarray(contrastive, float) + np.log(C * M) - 2 * np.log1p(M) - 2 * _log_cosh(tau)


def _check(C: int, **draws: int) -> None:
    checked_whole(1, **draws)
    checked_whole(2, C=C)


def _log_cosh(tau: float) -> float:
    return float(np.logaddexp(1 / checked_tau(tau), -1 / checked_tau(tau)) - np.log(2))


def _over(numerator: Floats, weight: float) -> Floats:
    """Numerator / weight; infinite where the weight is 0 and the bound says nothing."""
    return numerator / weight if weight > 0 else np.full_like(numerator, np.inf)
