"""How near to a Gaussian features are: one-dimensional projections, norms, a multivariate test.

projections  sup |F - Phi| of standardised projections (Lilliefors' distance) and their excess
             kurtosis, along random directions. In many dimensions most projections of almost
             anything are near normal (Diaconis and Freedman 1984): they need a control.
norms        Var |x - mu|^2 over 2 tr Sigma^2, which is 1 for a Gaussian of any covariance
BHEP         N int |psi(t) - e^{-|t|^2/2}|^2 w(t) dt, psi the characteristic function of the
             whitened rows and w the density of N(0, beta^2 I) (Baringhaus and Henze 1988; Henze
             and Zirkler 1990); consistent against every other law. As it is affine invariant,
             its law under any Gaussian is one law, drawn by simulation: the test is exact.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from supcon_theory.inputs import matrix

Floats = NDArray[np.float64]


def projections(x: ArrayLike, directions: int, seed: int) -> Floats:
    """Projections on random directions, uniform on the sphere.

    Args:
        x: (N, D) features.
        directions: How many.
        seed: Key of the draw.

    Returns:
        (N, directions).
    """
    rows = matrix(x, "x")
    drawn = np.random.default_rng((seed, rows.shape[1])).normal(size=(rows.shape[1], directions))
    return rows @ (drawn / np.linalg.norm(drawn, axis=0))


def normal_distances(values: ArrayLike) -> Floats:
    """Sup |F - Phi| of each column, standardised by its own mean and deviation.

    Args:
        values: (N, P), N at least 2.

    Returns:
        (P,) distances in (0, 1); NaN for a constant column.
    """
    x = np.sort(matrix(values, "values"), axis=0)
    N = len(x)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = ndtr((x - x.mean(0)) / x.std(0, ddof=1))
    steps = np.arange(N + 1)[:, None] / N
    return np.maximum(steps[1:] - z, z - steps[:-1]).max(0)


def excess_kurtosis(values: ArrayLike) -> Floats:
    """E (x - mu)^4 / sigma^4 - 3 of each column of (N, P); 0 for a Gaussian, NaN for a constant."""
    x = matrix(values, "values")
    x = x - x.mean(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (x**4).mean(0) / np.square((x**2).mean(0)) - 3


def norm_ratio(x: ArrayLike) -> float:
    """Var |x - mu|^2 over 2 tr Sigma^2: 1 for a Gaussian, below where norms are the more alike.

    Args:
        x: (N, D) features.

    Returns:
        The ratio of population moments; NaN where all rows are one.
    """
    u = matrix(x, "x")
    u = u - u.mean(0)
    gram = u.T @ u if len(u) >= u.shape[1] else u @ u.T
    squares, trace = np.square(u).sum(1), np.square(gram).sum() / len(u) ** 2
    return float(squares.var() / (2 * trace)) if trace > 0 else np.nan


def top_components(x: ArrayLike, k: int) -> Floats:
    """Whitened scores on the k top principal components: (N, k), mean 0, covariance (1/N) 1.

    Args:
        x: (N, D) features.
        k: Components, below N and at most the rank of x.

    Returns:
        The scores.

    Raises:
        ValueError: for features of a smaller rank.
    """
    u = matrix(x, "x")
    U, values, _ = np.linalg.svd(u - u.mean(0), full_matrices=False)
    rank = int((values > 1e-10 * values[:1].sum()).sum())
    if not 1 <= k <= rank:
        raise ValueError(f"k is {k} but x has {rank} principal components: ask for 1 to {rank}.")
    return U[:, :k] * np.sqrt(len(u))


def bhep(white: ArrayLike) -> float:
    """The BHEP statistic of whitened rows, with the bandwidth of Henze and Zirkler.

        (1/N) sum_ij e^{-b^2 |y_i - y_j|^2 / 2} + N (1 + 2 b^2)^{-k/2}
        - 2 (1 + b^2)^{-k/2} sum_i e^{-b^2 |y_i|^2 / (2 (1 + b^2))}

    b = ((2k + 1) N / 4)^{1/(k + 4)} / sqrt 2.

    Args:
        white: (N, k) of mean 0 and covariance 1.

    Returns:
        The statistic, at least 0.
    """
    y = matrix(white, "white")
    N, k = y.shape
    b2 = ((2 * k + 1) * N / 4) ** (2 / (k + 4)) / 2
    norms = np.square(y).sum(1)
    apart = np.maximum(norms[:, None] + norms - 2 * y @ y.T, 0.0)
    pairs = np.exp(-b2 / 2 * apart).sum() / N
    singles = np.exp(-b2 * norms / (2 * (1 + b2))).sum()
    return float(pairs - 2 * (1 + b2) ** (-k / 2) * singles + N * (1 + 2 * b2) ** (-k / 2))


def bhep_null(N: int, k: int, draws: int, seed: int) -> Floats:
    """BHEP of Gaussian samples of this size, sorted: the law under the null, whatever its moments.

    Args:
        N: Rows.
        k: Dimensions.
        draws: Samples.
        seed: Key.

    Returns:
        (draws,) statistics.
    """
    rng = np.random.default_rng((seed, N, k, draws))
    found = [bhep(top_components(rng.normal(size=(N, k)), k)) for _ in range(draws)]
    return np.sort(found)


def exact_p(statistic: ArrayLike, null: Floats) -> Floats:
    """(1 + draws of the null at least as large) / (1 + draws): a test of exactly its level.

    Args:
        statistic: Of any shape.
        null: (R,) of `bhep_null`.

    Returns:
        P values in [1/(R + 1), 1].
    """
    larger = len(null) - np.searchsorted(null, np.asarray(statistic, float), side="left")
    return (1 + larger) / (1 + len(null))
