"""Minima of the losses that are sums over pairs: `kcl` and `sigmoid`. Ours where nothing is said.

`kcl`: a kernel that is convex and increasing in the cosine, so by Jensen its mean over a view is at
least its value at -1/(N-1), reached by the simplex of samples; views together (arXiv 2405.18045).

`sigmoid` at a fixed temperature and bias b: every term is convex in a cosine, so one cosine o of
own views, x of samples in a view and c of samples in different views suffice. The Gram matrix of N
samples of K views has the eigenvalues (1 - x) - (o - c) and 1 + (N-1) x + (K-1) (o + (N-1) c)
among its four; the lowest c for a given o has both at 0:

    x = (K-1)/K (1 - o - (1/(K-1) + o) / (N-1)),    c = o + x - 1.

o = 1 is the simplex of samples, c = -1/(N-1). The loss softplus(-o/tau - b) + (N-1) softplus(c/tau
+ b) is convex in o; its minimum has views together iff its slope at o = 1 is not positive, that is
while the bias is at most `aligned_bias`. Above it the views part: the two views of all samples
move apart as a whole, a modality gap. Where tau and b are learned, the infimum is 0 and belongs to
whatever embeddings have every own cosine above every other (arXiv 2509.18552).
"""

import numpy as np
from scipy.special import expit

from supcon_theory.theory.counts import checked_tau, checked_whole, require, root


def kernel_at(cosine: float, tau: float, kernel_name: str = "gaussian") -> float:
    """The kernel of `kcl` between unit rows of that cosine."""
    known = ("gaussian", "inverse_multiquadric")
    require(kernel_name in known, f"choose one of {known}", kernel_name=kernel_name)
    apart = (1 - cosine) / float(checked_tau(tau))
    return float(np.exp(-apart) if kernel_name == "gaussian" else (1 + apart) ** -0.5)


def kcl_minimum(N: int, tau: float, gamma: float = 16.0, kernel_name: str = "gaussian") -> float:
    """-2 + 2 gamma k(-1/(N-1)), at the simplex of samples with views together.

    Args:
        N: samples, at least 2; d >= N - 1.
        tau: temperature.
        gamma: weight of the negatives.
        kernel_name: of `kcl`.

    Returns:
        The minimum.

    Example:
        >>> round(kcl_minimum(5, 0.25), 4)
        -1.7844
    """
    checked_whole(2, N=N)
    return -2 + 2 * gamma * kernel_at(-1 / (N - 1), tau, kernel_name)


def other_view_cosine(N: int, K: int, own: float) -> float:
    """c, the least cosine of samples in different views where own views have the cosine `own`."""
    inside = (K - 1) / K * (1 - own - (1 / (K - 1) + own) / (N - 1))
    return own + inside - 1


def own_cosine(N: int, K: int, tau: float, bias: float) -> float:
    """o, the cosine of own views at the minimum of `sigmoid`; 1 up to `aligned_bias`.

    Args:
        N: samples, at least 2.
        K: views of each, at least 2.
        tau: temperature.
        bias: b.

    Returns:
        The cosine.

    Example:
        >>> own_cosine(8, 2, 0.1, -10.0), round(own_cosine(8, 2, 0.5, 0.0), 3)
        (1.0, -0.241)
    """
    checked_whole(2, N=N, K=K)
    tau = float(checked_tau(tau))

    def slope(own: float) -> float:  # of the loss, times tau
        steep = 1 - (K - 1) / K * (1 + 1 / (N - 1))
        other = expit(other_view_cosine(N, K, own) / tau + bias)
        return float((N - 1) * steep * other - expit(-own / tau - bias))

    if slope(1.0) <= 0:
        return 1.0
    least = -1 / (K - 1)  # views as far apart as they can be
    return least if slope(least) >= 0 else root(slope, least, 1.0, 1e-14)


def sigmoid_minimum(N: int, K: int, tau: float, bias: float) -> float:
    """Least value of `sigmoid` at a fixed temperature and bias, d >= N (K = 2).

    Args:
        N: samples, at least 2.
        K: views of each, at least 2.
        tau: temperature.
        bias: b.

    Returns:
        The minimum.
    """
    own = own_cosine(N, K, tau, bias)
    apart = np.logaddexp(0, other_view_cosine(N, K, own) / tau + bias)
    return float(np.logaddexp(0, -own / tau - bias) + (N - 1) * apart)


def aligned_bias(N: int, K: int, tau: float) -> float:
    """The bias above which the views of a sample part at the minimum of `sigmoid`.

    Args:
        N: samples, at least 3 (K = 2).
        K: views of each.
        tau: temperature.

    Returns:
        The bias; inf if they never part.
    """
    low, high = -3 / float(checked_tau(tau)) - 50, 3 / float(checked_tau(tau)) + 50

    def parts(bias: float) -> float:
        return 1.0 if own_cosine(N, K, tau, bias) < 1 else -1.0

    if parts(high) < 0:
        return np.inf
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if parts(middle) > 0 else (middle, high)
    return high
