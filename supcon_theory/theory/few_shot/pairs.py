"""Bounds on one ordered pair of classes, from the exact moments of the pair.

For the pair (i, j), D = mu_j - mu_i, w = x - mu_c within class c, population moments (1/n):

    distance2    |D|^2
    v_i, v_j     tr Sigma_c                   fourth_i, fourth_j   E|w|^4
    along_i      D' Sigma_i D                 along_j              D' Sigma_j D
    squared_i    tr Sigma_i^2 (and _j)        product              tr Sigma_i Sigma_j
    third_j      D . E[w |w|^2] over class j

The pairwise error is P(|z - c_j|^2 <= |z - c_i|^2) for z of class i and empirical centres c of m
samples each. All functions broadcast over pairs and m; values above 1 are left as they are. They
trust the moments: where the class means differ by rounding only there is no distance to give them,
and that is for whoever computes it from features to notice. The mean of a (..., C, C) table of pair
bounds over i != j bounds the mean two-way error, (C - 1) times that the C-way one.
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, checked_moments, checked_shots
from supcon_theory.theory.few_shot.averages import Terms


def of_every_pair(
    v: Floats,
    squared: Floats,
    fourth: Floats,
    distance2: Floats,
    along: Floats,
    product: Floats,
    third: Floats,
) -> dict[str, Floats]:
    """The arguments of `margin_moments` for all ordered pairs i != j: (0, 1), (0, 2) ...

    Args:
        v: (C,) tr Sigma_c.
        squared: (C,) tr Sigma_c^2.
        fourth: (C,) E|w|^4.
        distance2: (C, C) |D|^2.
        along: (C, C) D' Sigma_i D.
        product: (C, C) tr Sigma_i Sigma_j.
        third: (C, C) D . E[w |w|^2] over class j.

    Returns:
        Arrays (C (C-1),) by name, in the order of the arguments, but for m.
    """
    off = ~np.eye(len(v), dtype=bool)
    matrices = {
        "distance2": distance2,
        "v_i": v[:, None],
        "v_j": v,
        "along_i": along,
        "along_j": along.T,
        "squared_i": squared[:, None],
        "squared_j": squared,
        "product": product,
        "third_j": third,
        "fourth_i": fourth[:, None],
        "fourth_j": fourth,
    }
    return {name: np.broadcast_to(x, off.shape)[off] for name, x in matrices.items()}


def theorem_4_1(*moments: ArrayLike) -> Floats:
    """[4 V_dir + (sqrt E1 + sqrt E2 + sqrt E3)^2] / (1 + (v_j - v_i)/(m d^2))^2, arXiv 2603.03530.

    E1 = (4/m)(V^2 + V/4), E2 = V/m, E3 = (Theta + 2 (m-1) V^2)/m^3, with V = (v_i + v_j)/d^2 and
    Theta = (fourth_i + fourth_j)/d^4. Chebyshev on the margin, so it holds for every m >= 1 as long
    as the mean margin d^2 + (v_j - v_i)/m is positive.
    Note: the paper and its code do not check that; where it fails the value is +inf here.

    Args:
        *moments: the arguments of `theorem_4_1_terms`.

    Returns:
        The bound, of the broadcast shape.
    """
    return np.add(*theorem_4_1_terms(*moments))


def theorem_4_1_terms(
    distance2: ArrayLike,
    v_i: ArrayLike,
    v_j: ArrayLike,
    along_i: ArrayLike,
    fourth_i: ArrayLike,
    fourth_j: ArrayLike,
    m: ArrayLike,
    *,
    crude: bool = False,
) -> Terms:
    """`theorem_4_1` in its directional and dispersion terms.

    Args:
        distance2: |D|^2.
        v_i: tr Sigma_i.
        v_j: tr Sigma_j.
        along_i: D' Sigma_i D.
        fourth_i: E|w|^4 over class i.
        fourth_j: E|w|^4 over class j.
        m: supports per class.
        crude: True for `theorem_c_2`.

    Returns:
        Both terms, of the broadcast shape.

    Raises:
        ValueError: Where two class means coincide.
    """
    m = checked_shots(m)
    d2, v_i, v_j, along_i, fourth_i, fourth_j = checked_moments(
        distance2=distance2, v_i=v_i, v_j=v_j, along_i=along_i, fourth_i=fourth_i, fourth_j=fourth_j
    )
    if np.any(d2 == 0):
        raise ValueError(
            "two class means coincide (distance 0): no bound by ratios exists, leave the pair out."
        )
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


def theorem_c_2(*moments: ArrayLike) -> Floats:
    """`theorem_4_1` with 3 (E1 + E2 + E3) for the square: never below it, by Cauchy-Schwarz."""
    return np.add(*theorem_4_1_terms(*moments, crude=True))


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
) -> tuple[Floats, Floats, Floats]:
    """Mean, variance that stays as m -> inf, variance that vanishes, of |z - c_j|^2 - |z - c_i|^2.

    Exact, over supports and test point:
    mean     |D|^2 + (v_j - v_i)/m
    variance 4 D'Sigma_i D, and (4/m)[tr Sigma_i^2 + tr Sigma_i Sigma_j + D'Sigma_j D]
             + (4/m^2) D.E_j[w |w|^2]
             + sum over both c of [fourth_c - v_c^2 + 2 (m-1) tr Sigma_c^2]/m^3

    Args:
        distance2: |D|^2.
        v_i: tr Sigma_i.
        v_j: tr Sigma_j.
        along_i: D' Sigma_i D.
        along_j: D' Sigma_j D.
        squared_i: tr Sigma_i^2.
        squared_j: tr Sigma_j^2.
        product: tr Sigma_i Sigma_j.
        third_j: D . E[w |w|^2] over class j.
        fourth_i: E|w|^4 over class i.
        fourth_j: E|w|^4 over class j.
        m: supports per class.

    Returns:
        The mean and the two variances, of the broadcast shape.
    """
    m = checked_shots(m)
    d2, v_i, v_j, along_i, along_j = checked_moments(
        distance2=distance2, v_i=v_i, v_j=v_j, along_i=along_i, along_j=along_j
    )
    squared_i, squared_j, product = checked_moments(
        squared_i=squared_i, squared_j=squared_j, product=product
    )
    fourth_i, fourth_j = checked_moments(fourth_i=fourth_i, fourth_j=fourth_j)
    squares = sum(
        fourth - v**2 + 2 * (m - 1) * squared
        for fourth, v, squared in ((fourth_i, v_i, squared_i), (fourth_j, v_j, squared_j))
    )
    vanishing = (
        4 / m * (squared_i + product + along_j) + 4 / m**2 * np.asarray(third_j) + squares / m**3
    )
    return d2 + (v_j - v_i) / m, 4 * along_i, vanishing


def cantelli_certificate(*moments: ArrayLike) -> Floats:
    """Var / (Var + mean^2) of the margin where its mean is positive, else 1; never above 1.

    Cantelli's inequality with the exact variance, so it holds for every law with four moments,
    m >= 1. As m -> infinity it becomes `known_centroid_bound`.

    Args:
        *moments: the arguments of `margin_moments`.

    Returns:
        The bound, of the broadcast shape.

    Example:
        >>> isotropic = (1, 1, 1, 0.01, 0.01, 0.01, 0.01, 0.01, 0, 1.02, 1.02)  # 100 dimensions
        >>> round(float(cantelli_certificate(*isotropic, 5)), 4)
        0.0616
    """
    return np.add(*cantelli_terms(*moments))


def cantelli_terms(*moments: ArrayLike) -> Terms:
    """`cantelli_certificate` split as its variance is: what stays as m -> inf, and the rest."""
    mean, staying, vanishing = margin_moments(*moments)
    variance = staying + vanishing
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(variance > 0, staying / variance, 0.0)
        bound = np.where(mean > 0, variance / (variance + np.square(mean)), 1.0)
    return share * bound, (1 - share) * bound
