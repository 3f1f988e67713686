"""Published bounds on the m-shot error of the nearest class centre, each under its own name.

Supports are m iid samples per class, the test point is an independent sample of class i, the
prediction is the nearest empirical class centre; ties count as errors. Averages over ordered pairs
of classes i != j (population moments, 1/n):

    V      average of v_i / d_ij^2            single-class CDNV
    V_root average of sqrt(v_i) / d_ij
    V_dir  average of u' Sigma_i u / d_ij^2   directional CDNV, u = (mu_j - mu_i) / d_ij

All functions broadcast over these and over m, return the bound itself, which may exceed 1, and
leave min(1, .) to whoever reports an error. With C' = `ways` classes in the episode a bound is
(C' - 1) times the two-way one. The `_terms` functions return the two parts (directional,
dispersion) whose sum is the bound.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from supcon_theory.theory.counts import Floats, checked_moments, checked_shots, checked_ways

Terms = tuple[Floats, Floats]


def older_bound(V: ArrayLike, V_dir: ArrayLike, m: ArrayLike, ways: ArrayLike = 2) -> Floats:
    """(C'-1) min_a { (1/2 - 2/a - 2^{3/2}/(a m))^{-2} V_dir + (2^{3/2} a / m) V }: NOT a bound.

    The 1/m form of the first version of arXiv 2506.04411 (its project page and released code), as
    intended: the released code takes a wrong root of the cubic for a, which gives more than the
    minimum. Refuted: a class that varies along one direction orthogonal to the means with
    V = sqrt(m) has an error that tends to .2545, this value is 11.31 / sqrt(m).

    Args:
        V: single-class CDNV.
        V_dir: directional CDNV.
        m: supports per class.
        ways: classes in the episode.

    Returns:
        The bound, of the broadcast shape.
    """
    return np.add(*older_terms(V, V_dir, m, ways))


def older_terms(V: ArrayLike, V_dir: ArrayLike, m: ArrayLike, ways: ArrayLike = 2) -> Terms:
    """`older_bound` in its directional and dispersion terms."""
    m, (V, V_dir), ways = checked_shots(m), checked_moments(V=V, V_dir=V_dir), checked_ways(ways)
    return _scaled(ways, _terms_at_best_a(V_dir, 2 + 2**1.5 / m, 2**1.5 * V / m))


def neurips_bound(*moments: ArrayLike, **options: ArrayLike) -> Floats:
    """(C'-1)[(1/2 - A/a)^{-2} V_dir + (a/4)(2 (V_root + V) / sqrt(m) + V / m)], A = 2 + sqrt(8)/m.

    arXiv 2506.04411 (NeurIPS 2025); the best a >= 5 is its Corollary 1.
    Valid for every m >= 1 and a > 2A (the paper: a >= 5, m >= 10); +inf for a <= 2A.

    Args:
        *moments: the arguments of `neurips_terms`.
        **options: the same by name.

    Returns:
        The bound, of the broadcast shape.

    Example:
        >>> round(float(neurips_bound(1.672125, 1.672125**0.5, 0.072864, 500)), 3)
        1.459
    """
    return np.add(*neurips_terms(*moments, **options))


def neurips_terms(
    V: ArrayLike,
    V_root: ArrayLike,
    V_dir: ArrayLike,
    m: ArrayLike,
    ways: ArrayLike = 2,
    a: ArrayLike | None = None,
) -> Terms:
    """`neurips_bound` in its directional and dispersion terms.

    Args:
        V: single-class CDNV.
        V_root: average of sqrt(v_i) / d_ij.
        V_dir: directional CDNV.
        m: supports per class.
        ways: classes in the episode.
        a: the free number; None takes the best one.

    Returns:
        Both terms, of the broadcast shape.
    """
    m, ways = checked_shots(m), checked_ways(ways)
    V, V_root, V_dir = checked_moments(V=V, V_root=V_root, V_dir=V_dir)
    slope = (2 * (V_root + V) / np.sqrt(m) + V / m) / 4
    return _scaled(ways, _terms(V_dir, 2 + 2**1.5 / m, slope, a, least=5))


def neurips_bound_rounded(
    V: ArrayLike, V_root: ArrayLike, V_dir: ArrayLike, m: ArrayLike, ways: ArrayLike = 2
) -> Floats:
    """(C'-1)[8 V_dir + 8 (V_root + V)/sqrt(m) + 4 V/m]: `neurips_bound` at a = 16 with 7.83 -> 8.

    The rounding needs m >= 10. It is valid at every m, since `tightened_bound` at a = 16, which is
    7.11 V_dir + (4 V_root + 5.66 V)/sqrt(m) + 4 V/m, is below it.

    Args:
        V: single-class CDNV.
        V_root: average of sqrt(v_i) / d_ij.
        V_dir: directional CDNV.
        m: supports per class.
        ways: classes in the episode.

    Returns:
        The bound, of the broadcast shape.
    """
    m, ways = checked_shots(m), checked_ways(ways)
    V, V_root, V_dir = checked_moments(V=V, V_root=V_root, V_dir=V_dir)
    return (ways - 1) * (8 * V_dir + 8 * (V_root + V) / np.sqrt(m) + 4 * V / m)


def tightened_bound(
    V: ArrayLike,
    V_root: ArrayLike,
    V_dir: ArrayLike,
    m: ArrayLike,
    ways: ArrayLike = 2,
    a: ArrayLike | None = None,
) -> Floats:
    """(C'-1)[(1/2 - 2/a)^{-2} V_dir + (a/4)((sqrt(2) V + V_root)/sqrt(m) + V/m)], a > 4, m >= 1.

    The same moments as `neurips_bound` and never above it. Proof, d_ij = 1, w = z - mu_i, errors
    e_i, e_j of the two centres: half the margin is 1/2 - <w,u> - X with
    X = <w, e_j - e_i> - <u, e_j> + (|e_i|^2 - |e_j|^2)/2. For t in (0, 1/2) an error needs
    <w,u> >= 1/2 - t or X >= t; the first has probability at most V_dir/(1/2 - t)^2 (Chebyshev), the
    second at most E[X_+]/t. A centred Y has E[Y_+] = E|Y|/2, so
    2 E[X_+] <= sqrt(v_i (v_i + v_j)/m) + sqrt(v_j/m) + v_i/m. Average over both orders, bound
    sqrt(v_i + v_j)(sqrt(v_i) + sqrt(v_j))/2 by (v_i + v_j)/sqrt(2), and put t = 2/a.

    Args:
        V: single-class CDNV.
        V_root: average of sqrt(v_i) / d_ij.
        V_dir: directional CDNV.
        m: supports per class.
        ways: classes in the episode.
        a: the free number; None takes the best one.

    Returns:
        The bound, of the broadcast shape.
    """
    m, ways = checked_shots(m), checked_ways(ways)
    V, V_root, V_dir = checked_moments(V=V, V_root=V_root, V_dir=V_dir)
    slope = ((2**0.5 * V + V_root) / np.sqrt(m) + V / m) / 4
    return np.add(*_scaled(ways, _terms(V_dir, 2 + 0 * m, slope, a, least=0)))


def cantelli_tightened_bound(
    V: ArrayLike, V_dir: ArrayLike, m: ArrayLike, ways: ArrayLike = 2
) -> Floats:
    """`tightened_bound` with Cantelli for Chebyshev and without V_root, at the best t in (0, 1/2).

        (C'-1)[V_dir/(V_dir + (1/2 - t)^2) + ((sqrt(2) V + sqrt(V_dir))/sqrt(m) + V/m)/(2 t)]

    Proof: as there, but P(<w,u> >= 1/2 - t) <= V_ij/(V_ij + (1/2 - t)^2) (Cantelli), which is
    concave in the directional CDNV V_ij of the pair, so that its average is at most its value at
    V_dir; and -<u, e_j> has variance u' Sigma_j u/m, whose average over ordered pairs is V_dir/m,
    so that its mean positive part is on average at most sqrt(V_dir/m)/2. As m -> infinity it tends
    to 4 V_dir/(1 + 4 V_dir).

    Args:
        V: single-class CDNV.
        V_dir: directional CDNV.
        m: supports per class.
        ways: classes in the episode.

    Returns:
        The bound, of the broadcast shape.

    Example:
        >>> round(float(cantelli_tightened_bound(1.6721, 0.0729, 500)), 2)
        0.75
    """
    m, ways = checked_shots(m), checked_ways(ways)
    V, V_dir = checked_moments(V=V, V_dir=V_dir)
    slope = ((2**0.5 * V + np.sqrt(V_dir)) / np.sqrt(m) + V / m) / 2

    def at(share: Floats) -> Floats:  # every t gives a bound; t = 1/2 leaves 1 for the first part
        t = share / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            first = np.where(V_dir == 0, t == 0.5, V_dir / (V_dir + (0.5 - t) ** 2))
            return first + np.where(slope == 0, 0.0, slope / t)

    grid = expit(np.linspace(-24, 24, 385)).reshape(-1, *[1] * np.broadcast(V, V_dir, m).ndim)
    best = at(grid).argmin(0)
    step = 48 / 384
    low = -24 + step * (best - 1)
    high = low + 2 * step
    for _ in range(40):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        falling = at(expit(a)) > at(expit(b))
        low, high = np.where(falling, a, low), np.where(falling, high, b)
    return (ways - 1) * np.minimum(at(grid).min(0), at(expit((low + high) / 2)))


def known_centroid_bound(V_dir: ArrayLike) -> Floats:
    """4 V_dir / (1 + 4 V_dir) >= P(<w, u> >= d/2) of one ordered pair: Cantelli, centres known.

    Attained by a two-point law for every V_dir. It is concave: the average of the bound over pairs
    is at most the bound of the average. Every bound with a free a, and Theorem 4.1, goes to
    4 V_dir as m -> infinity instead.

    Args:
        V_dir: directional CDNV of the pair.

    Returns:
        The bound, of the shape of V_dir.
    """
    (V_dir,) = checked_moments(V_dir=V_dir)
    return 4 * V_dir / (1 + 4 * V_dir)


def best_a(V_dir: ArrayLike, A: ArrayLike, slope: ArrayLike) -> Floats:
    """The a > 2A that minimises (1/2 - A/a)^{-2} V_dir + slope a.

    Convex in a; with y = a - 2A its derivative vanishes where y^3 = 8 F y + 16 F A, F = 2 V_dir A /
    slope. The right side over y^2 falls and y grows, so bisection is safe; the root is between
    max(sqrt(8F), cbrt(16FA)) and max(sqrt(16F), cbrt(32FA)).

    Args:
        V_dir: directional CDNV.
        A: the A of the bound.
        slope: what a is multiplied by.

    Returns:
        a, of the broadcast shape; infinite where none attains the infimum.
    """
    V_dir, A, slope = np.broadcast_arrays(V_dir, A, slope)
    with np.errstate(divide="ignore", invalid="ignore"):
        F = np.where(V_dir == 0, 0.0, 2 * V_dir * A / slope)
        low = np.maximum(np.sqrt(8 * F), np.cbrt(16 * F * A))
        high = np.maximum(np.sqrt(16 * F), np.cbrt(32 * F * A))
        for _ in range(60):
            middle = (low + high) / 2
            right = middle - 8 * F / middle - 16 * F * A / middle**2 < 0
            low, high = np.where(right, middle, low), np.where(right, high, middle)
    return 2 * A + np.where(np.isinf(F), np.inf, high)


def _terms(V_dir, A, slope, a, least) -> Terms:
    if a is None:
        return _terms_at_best_a(V_dir, A, slope, least)
    (a,) = checked_moments(a=a)
    with np.errstate(divide="ignore"):
        directional = V_dir / np.square(0.5 - A / a)
    return np.where(a > 2 * A, directional, np.inf), slope * a


def _terms_at_best_a(V_dir, A, slope, least=0.0) -> Terms:
    """The two terms at the best a >= max(least, 2A), the infimum where none attains it."""
    a = np.maximum(least, best_a(V_dir, A, slope))
    with np.errstate(divide="ignore", invalid="ignore"):
        directional = np.where(V_dir == 0, 0.0, V_dir / np.square(0.5 - A / a))
        dispersion = np.where(slope == 0, 0.0, slope * a)
    return directional, dispersion


def _scaled(ways: Floats, terms: Terms) -> Terms:
    return (ways - 1) * terms[0], (ways - 1) * terms[1]
