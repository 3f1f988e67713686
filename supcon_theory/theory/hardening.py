"""Bounds on what hardened negatives of the anchor's own class add to a loss (arXiv 2209.00078).

An anchor has n_s negatives of its class and n_d of others; with weights e^{b cos} the hardened
means of e^s over all, its class and others obey M = lambda M_s + (1 - lambda) M_d, lambda =
n_s E_s / (n_s E_s + n_d E_d) with E the mean weight. So with the same positive and number Q

    H-SCL <= H-UCL at an anchor  iff  M_s >= M_d                                      (A*)

and, every cosine being in [-1, 1],

    H-UCL - H-SCL <= log((1 + rho e^{2b + 2/tau}) / (1 + rho e^{2b})),    rho = n_s / n_d,
    -log(1 + rho e^{2b}) <= H-UCL - H-NSCL <= log(1 + rho e^{2b + 2/tau})

where H-NSCL has as many negatives as other classes give (b = 0: CL less NSCL). The first two are
ours in this form.
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, checked_tau, log1p_exp, require


def log_ratio(n_c: ArrayLike, N: ArrayLike) -> Floats:
    """Log rho of an anchor whose class has n_c of the N samples: (n_c - 1) / (N - n_c)."""
    n_c, N = np.asarray(n_c, float), np.asarray(N, float)
    require((n_c >= 1) & (n_c < N), "a class needs samples, and others besides", n_c=n_c, N=N)
    with np.errstate(divide="ignore"):
        return np.log((n_c - 1) / (N - n_c))


def hardened_bounds(
    n_c: ArrayLike, N: ArrayLike, tau: float, tilt: float
) -> tuple[Floats, Floats, Floats]:
    """Bounds of H-UCL - H-NSCL, lower and upper, and the upper one of H-UCL - H-SCL at equal Q.

    Args:
        n_c: samples in the anchor's class.
        N: samples.
        tau: temperature.
        tilt: b, of weights e^{b cos}; beta / tau.

    Returns:
        Three arrays of the broadcast shape.

    Example:
        >>> [round(float(x), 3) for x in hardened_bounds(64, 640, 1.0, 0.0)]
        [-0.104, 0.592, 0.489]
    """
    tau = float(checked_tau(tau))
    require(tilt >= 0, "a tilt must be at least 0", tilt=tilt)
    log_rho = log_ratio(n_c, N)
    low, high = log1p_exp(log_rho + 2 * tilt), log1p_exp(log_rho + 2 * tilt + 2 / tau)
    return -low, high, high - low
