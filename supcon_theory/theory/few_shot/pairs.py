"""Bounds on one ordered pair of classes, from the exact moments of the pair, and their union.

For the pair (i, j), D = mu_j - mu_i, w = x - mu_c within class c, population moments (1/n):

    distance2    |D|^2
    v_i, v_j     tr Sigma_c                   fourth_i, fourth_j   E|w|^4
    along_i      D' Sigma_i D                 along_j              D' Sigma_j D
    squared_i    tr Sigma_i^2 (and _j)        product              tr Sigma_i Sigma_j
    third_j      D . E[w |w|^2] over class j

The pairwise error is P(|z - c_j|^2 <= |z - c_i|^2) for z of class i and empirical centres c of m
samples each. All functions broadcast over pairs and m; values above 1 are left as they are.
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.few_shot.averages import Terms, checked_moments, checked_shots


def theorem_4_1(
    distance2: ArrayLike,
    v_i: ArrayLike,
    v_j: ArrayLike,
    along_i: ArrayLike,
    fourth_i: ArrayLike,
    fourth_j: ArrayLike,
    m: ArrayLike,
) -> np.ndarray:
    """[4 V_dir + (sqrt E1 + sqrt E2 + sqrt E3)^2] / (1 + (v_j - v_i)/(m d^2))^2, arXiv 2603.03530.

    E1 = (4/m)(V^2 + V/4), E2 = V/m, E3 = (Theta + 2 (m-1) V^2)/m^3, with V = (v_i + v_j)/d^2 and
    Theta = (fourth_i + fourth_j)/d^4. Chebyshev on the margin, so it holds for every m >= 1 as long
    as the mean margin d^2 + (v_j - v_i)/m is positive.
    Note: the paper and its code do not check that; where it fails the value is +inf here.
    """
    return sum(theorem_4_1_terms(distance2, v_i, v_j, along_i, fourth_i, fourth_j, m))


def theorem_4_1_terms(
    distance2: ArrayLike,
    v_i: ArrayLike,
    v_j: ArrayLike,
    along_i: ArrayLike,
    fourth_i: ArrayLike,
    fourth_j: ArrayLike,
    m: ArrayLike,
    crude: bool = False,
) -> Terms:
    """`theorem_4_1` in its directional and dispersion terms; `crude` for `theorem_c_2`."""
    m = checked_shots(m)
    d2, v_i, v_j, along_i, fourth_i, fourth_j = checked_moments(
        distance2=distance2, v_i=v_i, v_j=v_j, along_i=along_i, fourth_i=fourth_i, fourth_j=fourth_j
    )
    d2 = _apart(d2)
    V, theta = (v_i + v_j) / d2, (fourth_i + fourth_j) / d2**2
    E = (4 / m * (V**2 + V / 4), V / m, (theta + 2 * (m - 1) * V**2) / m**3)
    dispersion = 3 * sum(E) if crude else sum(np.sqrt(e) for e in E) ** 2
    margin = 1 + (v_j - v_i) / (m * d2)
    with np.errstate(divide="ignore"):
        scale = np.where(margin > 0, 1 / np.square(margin), np.inf)
        zero = np.where(margin > 0, 0.0, np.inf)  # 0 * inf is not what a failed condition means
    with np.errstate(invalid="ignore"):
        directional = np.where(margin > 0, 4 * along_i / d2**2 * scale, zero)
        return directional, np.where(margin > 0, dispersion * scale, zero)


def theorem_c_2(
    distance2: ArrayLike,
    v_i: ArrayLike,
    v_j: ArrayLike,
    along_i: ArrayLike,
    fourth_i: ArrayLike,
    fourth_j: ArrayLike,
    m: ArrayLike,
) -> np.ndarray:
    """`theorem_4_1` with 3 (E1 + E2 + E3) for the square: never below it, by Cauchy-Schwarz."""
    return sum(theorem_4_1_terms(distance2, v_i, v_j, along_i, fourth_i, fourth_j, m, crude=True))


def margin_moments(
    distance2: ArrayLike,
    v_i: ArrayLike,
    v_j: ArrayLike,
    along_i: ArrayLike,
    along_j: ArrayLike,
    squared_i: ArrayLike,
    squared_j: ArrayLike,
    product: ArrayLike,
    third_j: ArrayLike,
    fourth_i: ArrayLike,
    fourth_j: ArrayLike,
    m: ArrayLike,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean, variance that stays as m -> inf, variance that vanishes) of |z - c_j|^2 - |z - c_i|^2.

    Exact, over supports and test point:
    mean     |D|^2 + (v_j - v_i)/m
    variance 4 D'Sigma_i D, and (4/m)[tr Sigma_i^2 + tr Sigma_i Sigma_j + D'Sigma_j D]
             + (4/m^2) D.E_j[w |w|^2] + sum over both c of [fourth_c - v_c^2 + 2(m-1)tr Sigma_c^2]/m^3
    """
    m = checked_shots(m)
    d2, v_i, v_j, along_i, along_j, squared_i, squared_j, product, fourth_i, fourth_j = (
        checked_moments(
            distance2=distance2,
            v_i=v_i,
            v_j=v_j,
            along_i=along_i,
            along_j=along_j,
            squared_i=squared_i,
            squared_j=squared_j,
            product=product,
            fourth_i=fourth_i,
            fourth_j=fourth_j,
        )
    )
    squares = sum(
        fourth - v**2 + 2 * (m - 1) * squared
        for fourth, v, squared in ((fourth_i, v_i, squared_i), (fourth_j, v_j, squared_j))
    )
    vanishing = (
        4 / m * (squared_i + product + along_j) + 4 / m**2 * np.asarray(third_j) + squares / m**3
    )
    return d2 + (v_j - v_i) / m, 4 * along_i, vanishing


def cantelli_certificate(*moments: ArrayLike) -> np.ndarray:
    """Var / (Var + mean^2) of the margin where its mean is positive, else 1; never above 1.

    Takes the arguments of `margin_moments`. Cantelli's inequality with the exact variance, so it
    holds for every law with four moments, m >= 1. As m -> infinity it becomes
    `known_centroid_bound`.
    """
    return sum(cantelli_terms(*moments))


def cantelli_terms(*moments: ArrayLike) -> Terms:
    """`cantelli_certificate` split as its variance is: what stays as m -> infinity, and the rest."""
    mean, staying, vanishing = margin_moments(*moments)
    variance = staying + vanishing
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(variance > 0, staying / variance, 0.0)
        bound = np.where(mean > 0, variance / (variance + np.square(mean)), 1.0)
    return share * bound, (1 - share) * bound


def all_way(pairs: np.ndarray) -> np.ndarray:
    """(1/C) sum over i and j != i of a (..., C, C) pair bound: the union bound on the C-way error."""
    pairs = _square(pairs)
    off = np.where(np.eye(pairs.shape[-1], dtype=bool), 0.0, pairs)
    return off.sum((-2, -1)) / pairs.shape[-1]


def two_way(pairs: np.ndarray) -> np.ndarray:
    """Average of a (..., C, C) pair bound over ordered pairs i != j: bounds the mean two-way error."""
    return all_way(pairs) / (_square(pairs).shape[-1] - 1)


def _square(pairs: np.ndarray) -> np.ndarray:
    pairs = np.asarray(pairs, np.float64)
    if pairs.ndim < 2 or pairs.shape[-1] != pairs.shape[-2] or pairs.shape[-1] < 2:
        raise ValueError(f"pairs has shape {pairs.shape}, but must end in (C, C) with C >= 2")
    return pairs


def _apart(distance2: np.ndarray) -> np.ndarray:
    if np.any(distance2 == 0):
        raise ValueError(
            "two class means coincide (distance 0), and no bound by ratios exists then"
        )
    return distance2
