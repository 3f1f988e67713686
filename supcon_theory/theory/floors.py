"""Values below which no embedding can bring a loss, for whatever class counts a batch has.

With p_a and q_a the mean s of anchor a to its positives and to the rows of other classes, Jensen's
inequality on the log-sum bounds the loss of the anchor by a convex increasing function of q_a - p_a
that depends on the anchor's class only,

    loss_a >= log(A_c + B_c e^{q_a - p_a}),        A_c, B_c: see `TERMS`.

Its tangent at any x has a slope omega_c in [0, 1], so a lower bound of the mean of omega_c (q_a -
p_a), `margin_floor`, is one of the loss. `class_floor` takes the best of a few tangents, one of
them at -C/((C-1) tau), the value on the class simplex. Balanced classes give back the minimum
itself (`minima.MINIMA`), attained at the class simplex; for other counts the floor is not attained.
A loss that does not ask the labels is the case of N classes of one sample: its floor is its
minimum, attained at the instance simplex.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, xlogy

from supcon_theory.theory.counts import (
    Floats,
    checked_counts,
    checked_tau,
    checked_whole,
    require,
)

TANGENTS = 5  # between the value on the class simplex and the least that q - p can be


class Terms(NamedTuple):
    """An anchor in a class of n, of N samples x K views, loses at least log(A + B e^{q - p})."""

    A: Callable[[Floats, float, int], Floats]
    B: Callable[[Floats, float, int], Floats]


def _nothing(n: Floats, N: float, K: int) -> Floats:
    return np.zeros_like(n)


def _this_positive(n: Floats, N: float, K: int) -> Floats:
    return np.ones_like(n)


def _positives(n: Floats, N: float, K: int) -> Floats:
    return K * n - 1


def _others(n: Floats, N: float, K: int) -> Floats:
    return K * (N - n)


def _others_in_view(n: Floats, N: float, K: int) -> Floats:
    return N - n


def _all_others(n: Floats, N: float, K: int) -> Floats:
    return np.full_like(n, K * (N - 1))


def _own_share(n: Floats, N: float, K: int) -> Floats:
    return 1 + n / N


def _other_share(n: Floats, N: float, K: int) -> Floats:
    return (N - n) / N


DECOUPLED, COUPLED = Terms(_nothing, _others), Terms(_this_positive, _others)
IN_VIEW, ALL_POSITIVES = Terms(_nothing, _others_in_view), Terms(_positives, _others)
SCALED = Terms(_this_positive, _all_others)
TERMS = {
    **dict.fromkeys(("dcl", "nscl"), DECOUPLED),
    **dict.fromkeys(("dhel", "n_dhel"), IN_VIEW),
    **dict.fromkeys(("nt_xent", "hucl", "nscl_coupled", "h_nscl", "n_pairs"), COUPLED),
    **dict.fromkeys(("supcon", "supcon_in"), ALL_POSITIVES),
    **dict.fromkeys(("scl_jiang", "hscl"), SCALED),
    # a mean of negatives, and positives that are the whole class, the anchor too: of all rows n / N
    # have the positives' mean of e^s, so that M_beta >= M_0 >= (n/N) e^p + (1 - n/N) e^q
    "scl_ball": Terms(_this_positive, _this_positive),
    "ucl_ball": Terms(_own_share, _other_share),
}


def mixed(alpha: float) -> Terms:
    """Terms of `ssem`: A = K e^{h(alpha)} (n-1)^{1-alpha}, B = K (N-n), h the entropy of alpha.

    With o and t the mean s to own views (and itself) and to sis, E(all) >= K (e^o + (n-1) e^t +
    (N-n) e^q), and log(e^o + (n-1) e^t) is at least p + h(alpha) + (1-alpha) log(n-1) at the mean
    p = alpha o + (1-alpha) t of the positives (Gibbs), with equality for the softmax weight alone.

    Args:
        alpha: weight of the own views.

    Returns:
        The terms.
    """

    def A(n: Floats, N: float, K: int) -> Floats:
        with np.errstate(divide="ignore"):  # a class of one sample has a loss for alpha = 1 only
            mates = xlogy(1 - alpha, np.maximum(n - 1, 0))
        return K * np.exp(entr(alpha) + entr(1 - alpha) + mates)

    return Terms(A, _others)


def at_most(terms: Terms, positives: float) -> Terms:
    """Terms with no more than so many positives in the denominator."""
    return terms._replace(A=lambda n, N, K: np.minimum(terms.A(n, N, K), positives))


def margin_floor(
    counts: ArrayLike, slopes: ArrayLike, tau: float, weight: float | None = None
) -> float:
    """Lower bound of (1/N) sum_a omega_c (q_a - p_a) over all unit embeddings, omega_c >= 0.

        -(1/(N tau)) [sum_c n_c omega_c + sum_c n_c^2 rho_c + (sum_c n_c |rho_c - w|)^2 / (4 w)],
        rho_c = omega_c / (N - n_c),

    for every w > 0. Proof: p_a <= 1/tau. With s the sum of all K N rows, s_c that of a class, q_a
    is <z_a, s - s_c> / (K (N - n_c) tau). The class part is at most its value at collapse, since
    sum_{a in c} <z_a, s_c> = |s_c|^2 <= (K n_c)^2; and <u, s> >= -|u - w s|^2 / (4 w) for
    u = sum_a rho_c z_a, with |u - w s| <= K sum_c n_c |rho_c - w|. K cancels.

    Args:
        counts: (C,) class sizes of the batch.
        slopes: (C,) omega_c; 0 for a class whose anchors have no loss.
        tau: temperature.
        weight: w; None takes the one that makes the floor highest.

    Returns:
        The bound.
    """
    n_c, omega, tau = checked_counts(counts), np.asarray(slopes, float), float(checked_tau(tau))
    N = n_c.sum()
    rho = omega / (N - n_c)
    if not rho.any():
        return 0.0  # every slope has vanished, as it does at low temperatures
    if weight is None:
        weight = _best_weight(n_c, rho)
    require(weight > 0, "a weight must be positive", weight=weight)
    spread = (n_c @ np.abs(rho - weight)) ** 2 / (4 * weight)
    return -float((n_c @ omega + n_c**2 @ rho + spread) / (N * tau))


def _best_weight(n_c: Floats, rho: Floats) -> float:
    """Argmin over w of (sum_c n_c |rho_c - w|)^2 / w: a kink, or |a/b| if the sum is a + b w."""
    kinks = np.unique(rho)
    sign = np.where(rho[None, :] <= kinks[:, None], 1.0, -1.0)  # on the piece just above each kink
    a, b = -sign @ (n_c * rho), sign @ n_c
    pieces = np.abs(a[(a != 0) & (b != 0)] / b[(a != 0) & (b != 0)])
    candidates = np.concatenate([kinks[kinks > 0], pieces])
    spread = (np.abs(rho[None, :] - candidates[:, None]) @ n_c) ** 2 / candidates
    return float(candidates[spread.argmin()])


def class_floor(terms: Terms, counts: ArrayLike, weights: ArrayLike, K: int, tau: float) -> float:
    """Lower bound of an objective over all unit embeddings of a batch with these class counts.

    Args:
        terms: of the objective.
        counts: (C,) class sizes of the batch, at least two classes.
        weights: (C,) weight of an anchor of each class in the mean; 0 where it has no loss.
        K: views of each sample.
        tau: temperature.

    Returns:
        The floor; the minimum where the classes are balanced and d >= C - 1.

    Raises:
        ValueError: if no anchor of such a batch has a loss.

    Example:
        >>> round(class_floor(TERMS["supcon"], [5, 5, 5], [1, 1, 1], 2, 0.5), 4)
        2.3022
    """
    n_c, tau = checked_counts(counts), float(checked_tau(tau))
    checked_whole(1, K=K)
    N, C = n_c.sum(), len(n_c)
    share = n_c * np.asarray(weights, float)
    require(share.sum() > 0, "no anchor of such a batch has a loss; use larger classes", counts=n_c)
    share = share / share.sum()
    with np.errstate(divide="ignore"):
        log_A, log_B = np.log(terms.A(n_c, N, K)), np.log(terms.B(n_c, N, K))
    floors = [float(share @ np.logaddexp(log_A, log_B - 2 / tau))]  # q - p >= -2/tau
    for x in np.linspace(-C / (C - 1), -2, TANGENTS) / tau:
        value = np.logaddexp(log_A, log_B + x)
        slope = np.exp(log_B + x - value)
        omega = slope * share * N / n_c  # of anchors: their mean over all N is that of the loss
        floors.append(float(share @ (value - slope * x)) + margin_floor(n_c, omega, tau))
    return max(floors)


def triplet_floor(counts: ArrayLike, weights: ArrayLike, tau: float, margin: float = 0.1) -> float:
    """Lower bound of `triplet` over all unit embeddings of a batch with these class counts.

    The mean of hinges of an anchor is at least 0 and at least margin / tau + q - p, whose mean
    `margin_floor` bounds. 0 is attained at the class simplex up to margin C/(C-1), whatever the
    counts; balanced classes give back `minima.triplet_minimum`.

    Args:
        counts: (C,) class sizes of the batch, at least two classes.
        weights: (C,) 1, or 0 where the anchors of a class have no loss.
        tau: temperature.
        margin: of cosines.

    Returns:
        The floor.

    Example:
        >>> triplet_floor([5, 5, 5], [1, 1, 1], 0.5), triplet_floor([6, 4], [1, 1], 0.5, 2.5)
        (0.0, 1.0)
    """
    n_c, tau = checked_counts(counts), float(checked_tau(tau))
    share = n_c * np.asarray(weights, float)
    omega = np.asarray(weights, float) * n_c.sum() / share.sum()
    linear = margin / tau + margin_floor(n_c, omega, tau)
    return max(0.0, (margin - 2) / tau, linear)  # q - p >= -2/tau


def weights_floor(probabilities: ArrayLike, tau: float, margin: float = 0.0) -> float:
    """Lower bound of `cross_entropy` with unit class weights, classes met with these frequencies.

        log(1 + (C-1) e^x) + sigma (x0 - x),   x = (margin - C/(C-1)) / tau,
        x0 = (margin - C^{3/2}/(C-1) sqrt(sum_c p_c^2)) / tau,
        sigma = (C-1) e^x / (1 + (C-1) e^x)

    Proof: Jensen bounds the loss of a row by log(1 + (C-1) e^{q-p}), q - p = margin/tau + <z, W - C
    w_c>/((C-1) tau) with W the sum of the weights, the mean of which products is at least -sum_c
    p_c |C w_c - W| / ((C-1) tau); by Cauchy and sum_c |C w_c - W|^2 = C^3 - C |W|^2 that gives x0.
    Balanced: attained at the simplex.

    Args:
        probabilities: (C,) frequencies of the classes, of sum 1.
        tau: temperature.
        margin: taken off the true class's cosine.

    Returns:
        The floor of the mean over all rows.

    Example:
        >>> round(weights_floor([0.25] * 4, 0.5), 4)
        0.1893
    """
    p, tau = np.asarray(probabilities, float), float(checked_tau(tau))
    C = len(p)
    x, x0 = -C / ((C - 1) * tau), -(C**1.5) / ((C - 1) * tau) * np.sqrt(p @ p)
    others = np.log(C - 1) + margin / tau + x
    return float(np.logaddexp(0, others) + np.exp(others - np.logaddexp(0, others)) * (x0 - x))


def debiased_floor(N: int, K: int, tau: float, tau_plus: float) -> tuple[float, float, bool]:
    """What is known of the least value of `debiased` and `hcl`: a bound, and the best value found.

    Bound: log(1 + Q e^{-2/tau}), Q = K (N-1), since the clamp keeps G >= e^{-1/tau} and s_ap <=
    1/tau. Best found: the value at the instance simplex, log(1 + Q G e^{-1/tau}) with

        G = max(e^{-1/tau}, (e^{-1/((N-1) tau)} - tau_plus e^{1/tau}) / (1 - tau_plus)).

    It is the minimum where the clamp is reached, and where Q tau_plus <= 1 - tau_plus: there
    log(1 + Q (e^x - tau_plus) / (1 - tau_plus)) is convex in x = log M - s_ap and Jensen applies as
    for `nt_xent`. Elsewhere it is concave, and nothing is proved.

    Args:
        N: samples.
        K: views of each.
        tau: temperature.
        tau_plus: share of the anchor's class among the negatives.

    Returns:
        The bound, the value at the instance simplex, and whether that is proved to be the minimum.

    Example:
        >>> debiased_floor(512, 2, 0.1, 0.1)[2], debiased_floor(512, 2, 1.0, 0.1)[2]
        (True, False)
    """
    checked_whole(2, N=N)
    checked_whole(1, K=K)
    require(0 <= tau_plus < 1, "pass a share of at least 0, below 1", tau_plus=tau_plus)
    tau, Q = float(checked_tau(tau)), K * (N - 1)
    bound = float(np.logaddexp(0, np.log(Q) - 2 / tau))
    with np.errstate(divide="ignore", over="ignore"):
        # both sides times e^{-1/tau}, so that nothing overflows
        corrected = (np.exp(-N / ((N - 1) * tau)) - tau_plus) / (1 - tau_plus)
        clamped = corrected <= np.exp(-2 / tau)
        found = bound if clamped else float(np.log1p(Q * corrected))
    return bound, found, bool(clamped or Q * tau_plus <= 1 - tau_plus)
