"""How far CL and NSCL can drift apart in training: the bound of arXiv 2510.08852, Theorem 1.

It is about a surrogate: the similarities themselves descend, each row of the batch along the
gradient p / (tau B) of its own loss. With one start and the same batches of B the difference E_t of
the two similarity matrices (Frobenius norm) obeys

    E_{t+1} <= (1 + eta_t / (2 tau^2 B)) E_t + (eta_t / (tau B)) |mismatch_t|_2

mismatch_t the vector of |p_CL - p_NSCL|_1 of the B anchors, all at CL's similarities: the softmax
is 1/2-Lipschitz, and its logits are similarities over tau. All is in logarithms, so that a bound of
e^448 is a number like any other. Rates eta_t are those of the similarities, not of weights.
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, anchor_kappa, checked_moments, checked_tau, require


def log_published_drift(
    rates: ArrayLike, tau: float, batch: int, prior: float, delta: float
) -> float:
    """Log of exp(H / (2 tau^2 B)) (H / (tau sqrt B)) Delta, H the sum of the rates; as published.

    Delta = 2 e^(2/tau) (prior + e) / (1 - prior - e) with e = sqrt(log(T B / delta) / (2 B)), which
    the share of a class in a batch exceeds nowhere with probability 1 - delta (Hoeffding).

    Args:
        rates: (T,) learning rates of the similarities.
        tau: temperature.
        batch: B, images in a batch.
        prior: share of the largest class.
        delta: probability that the bound fails.

    Returns:
        The log; infinite where prior + e reaches 1, -inf for rates of 0.

    Raises:
        ValueError: for numbers that are none of these.

    Example:
        >>> round(log_published_drift(np.full(100, 0.1), 1.0, 1024, 0.01, 0.05), 2)
        -0.73
    """
    rates, share = checked_moments(rates=rates, prior=prior)
    tau = float(checked_tau(tau))
    require(0 < delta < 1, "a probability lies between 0 and 1", delta=delta)
    excess = share + np.sqrt(np.log(len(rates) * batch / delta) / (2 * batch))
    if excess >= 1:
        return float("inf")
    H = rates.sum()
    with np.errstate(divide="ignore"):
        mismatch = np.log(2) + 2 / tau + np.log(excess / (1 - excess))
        return float(H / (2 * tau**2 * batch) + np.log(H / (tau * np.sqrt(batch))) + mismatch)


def log_drift(rates: ArrayLike, tau: float, batch: int, mismatch: ArrayLike) -> Floats:
    """Log of the bound of the recursion above, after each step (ours: nothing is rounded up).

    Args:
        rates: (T,) learning rates of the similarities.
        tau: temperature.
        batch: B, images in a batch.
        mismatch: (T,) Euclidean norms of the anchors' |p_CL - p_NSCL|_1, or bounds on them.

    Returns:
        (T,) logs; -inf where no step has yet been taken.

    Raises:
        ValueError: for numbers that are none of these.

    Example:
        >>> np.exp(log_drift([1.0, 1.0], 1.0, 2, [2.0, 2.0])).tolist()
        [1.0, 2.25]
    """
    rates, mismatch = checked_moments(rates=rates, mismatch=mismatch)
    tau = float(checked_tau(tau))
    with np.errstate(divide="ignore"):
        added = np.log(rates) + np.log(mismatch) - np.log(tau * batch)
    growth = np.log1p(rates / (2 * tau**2 * batch))
    logs, found = -np.inf, []
    for grow, add in zip(growth, added, strict=True):
        logs = np.logaddexp(grow + logs, add)
        found.append(logs)
    return np.array(found)


def composition_mismatch(counts: ArrayLike, tau: ArrayLike) -> float:
    """Largest norm of the anchors' |p_CL - p_NSCL|_1 in a batch of these class counts (ours).

    An anchor of a class with m of the B images has S/D <= e^(2/tau) (m - 1)/(B - m), so its
    distance is at most 2 x/(1 + x), x that bound; published is 2 x, of the largest class, for all.

    Args:
        counts: (C,) images of each class in the batch; classes that are not in it may be left out.
        tau: temperature.

    Returns:
        The norm over the batch.

    Raises:
        ValueError: for a batch of one class.

    Example:
        >>> composition_mismatch([1, 1], 1.0)
        0.0
    """
    m = np.asarray(counts, float)
    m = m[m > 0]
    with np.errstate(divide="ignore"):
        logits = np.log(anchor_kappa(m, m.sum())) + 2 / checked_tau(tau)
    return float(np.sqrt(m @ np.square(2 / (1 + np.exp(-logits)))))


def log_cap(N: int) -> float:
    """log(2 N): two N x N matrices of cosines are at most 2 N apart."""
    return float(np.log(2 * N))
