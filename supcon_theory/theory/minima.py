"""The smallest values of the objectives over free unit embeddings, balanced classes.

Two simplices carry every closed form: the class simplex (each class in one point, class means at
cosine -1/(C-1), possible iff d >= C-1) and the instance simplex (each sample its own vertex, cosine
-1/(N-1), possible iff d >= N-1); the views of a sample always coincide. `simplex.py` builds both.

Sources: arXiv 2506.04411, Theorem 2 (`nscl`); 2004.11362 (`supcon`); 2405.18045 (`dhel`). The values
that these papers do not print follow from the same two steps: Jensen on the log-sum, and the squared
norm of the sum of all embeddings being at least 0.

Everything broadcasts over NumPy arrays in float64.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = np.float64 | NDArray[np.float64]


def as_arrays(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> tuple[Float, ...]:
    """The arguments as float64 arrays, or one sentence about the first that makes no sense."""
    for name, value, least in (("C", C, 2), ("n", n, 1), ("K", K, 1)):
        if not np.all(np.asarray(value) >= least):
            raise ValueError(f"{name} = {value}: needed is {name} >= {least}.")
    if not np.all(np.asarray(tau) > 0):
        raise ValueError(f"tau = {tau}: the temperature must be positive.")
    return tuple(np.asarray(value, dtype=np.float64) for value in (C, n, K, tau))


def nscl_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Float:
    """L* = log(K n (C-1)) - C / ((C-1) tau), iff views and classes collapse to a simplex ETF.

    arXiv 2506.04411, Theorem 2: balanced classes, d >= C-1, every K >= 1.
    """
    C, n, K, tau = as_arrays(C, n, K, tau)
    return np.log(K * n * (C - 1)) - C / ((C - 1) * tau)


def dcl_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Float:
    """log(K (N-1)) - N / ((N-1) tau) with N = n C, at the instance simplex."""
    C, n, K, tau = as_arrays(C, n, K, tau)
    N = n * C
    return np.log(K * (N - 1)) - N / ((N - 1) * tau)


def nt_xent_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Float:
    """log(1 + K (N-1) exp(-N / ((N-1) tau))), at the instance simplex; `hucl` (beta = 0) too."""
    return np.logaddexp(0, dcl_minimum(C, n, K, tau))


def nscl_coupled_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Float:
    """log(1 + K n (C-1) exp(-C / ((C-1) tau))), at the class simplex; `h_nscl` too.

    Note: n = B/C makes it no floor of random batches: `nscl_coupled_at_etf_in_random_batches`.
    """
    return np.logaddexp(0, nscl_minimum(C, n, K, tau))


def supcon_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Float:
    """log(nK - 1 + nK (C-1) exp(-C / ((C-1) tau))), at the class simplex; L_out and L_in alike."""
    floor = nscl_minimum(C, n, K, tau)
    others = np.asarray(n) * np.asarray(K) - 1
    if not np.all(others >= 1):
        raise ValueError(f"n K = {others + 1}: supcon needs n K >= 2, another row of the class.")
    return np.logaddexp(np.log(others), floor)


def scl_jiang_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Float:
    """log(1 + K (N-1) exp(-C / ((C-1) tau))), at the class simplex; `hscl` at every hardness."""
    C, n, K, tau = as_arrays(C, n, K, tau)
    return np.logaddexp(0, np.log(K * (n * C - 1)) - C / ((C - 1) * tau))


def dhel_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Float:
    """log(N-1) - N / ((N-1) tau), at the instance simplex."""
    return dcl_minimum(C, n, K, tau) - np.log(K)


def dhel_official_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Float:
    """2 log(N-1) - (N+1) / ((N-1) tau), at the instance simplex."""
    return 2 * dhel_minimum(C, n, K, tau) + 1 / np.asarray(tau, dtype=np.float64)


def n_dhel_minimum(C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike) -> Float:
    """log(n (C-1)) - C / ((C-1) tau), at the class simplex."""
    return nscl_minimum(C, n, K, tau) - np.log(K)


MINIMA = {
    "dcl": dcl_minimum,
    "nscl": nscl_minimum,
    "nt_xent": nt_xent_minimum,
    "nscl_coupled": nscl_coupled_minimum,
    "supcon": supcon_minimum,
    "supcon_in": supcon_minimum,
    "scl_jiang": scl_jiang_minimum,
    "hscl": scl_jiang_minimum,
    "hucl": nt_xent_minimum,
    "h_nscl": nscl_coupled_minimum,
    "dhel": dhel_minimum,
    "dhel_official": dhel_official_minimum,
    "n_dhel": n_dhel_minimum,
}
