"""The largest mean gap over all embeddings of balanced classes: the value at collapsed classes.

For every number of classes C, class size n and temperature tau no embeddings have a mean gap above
that of classes collapsed onto a simplex, log(1 + kappa e^c) with kappa = (n-1)/(n(C-1)) and
c = C/((C-1) tau). The proof is in docs/proofs.md: by a tangent up to 13 classes, by a chord from
tau = 1/2 on, and otherwise by weights that follow the gap itself, up to one inequality in four
variables that `checker/ceiling.py` verifies in integers.
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import (
    Floats,
    checked_balanced,
    checked_tau,
    kappa,
    log1p_exp,
    log_kappa,
)


def etf_ceiling(C: ArrayLike, n: ArrayLike, tau: ArrayLike) -> Floats:
    """log(1 + kappa e^{C / ((C - 1) tau)}): the gap of classes collapsed onto a simplex.

    No embeddings have a larger mean gap. Balanced classes. Proof: docs/proofs.md, the ceiling.

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


def relaxed_ceiling(C: ArrayLike, n: ArrayLike, tau: ArrayLike) -> Floats:
    """Largest of h(S) over S in [0, 1]: what the first step of the proof alone gives.

        h(S) = (1 + S)/2 sp(beta - c S) + (1 - S)/2 sp(beta + c S),   sp = softplus,
        c = C / ((C - 1) tau), beta = log kappa + c

    Never below `etf_ceiling`, which is h(0), and equal to it from tau = 1/2 on. Classes of one
    sample have no gap: 0.

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
