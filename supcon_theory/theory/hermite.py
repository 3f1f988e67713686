"""Gaussian two-view models, whose eigenfunctions are Hermite polynomials: B without estimating.

A sample has independent standard normal contents s_1 .. s_k; a view sees x_j = sqrt(rho_j) s_j +
sqrt(1 - rho_j) noise. The two-view operator (T f)(x) = E[f(x') | x] of another view x' of the same
sample has the eigenfunctions prod_j he_{a_j}(x_j), he_a = He_a / sqrt(a!) orthonormal, with
eigenvalues prod_j rho_j^{a_j} (Mehler). The task is Y = sign(s_t) of one content t. Then

    E[Y he_a(x_t)] = rho_t^(a/2) c_a,   c_a = E[sign(s) he_a(s)],
    c_{2k+1}^2 = (2/pi) (2k)! / (4^k (k!)^2 (2k + 1)),   c_{2k} = 0,   |eta|^2 = (2/pi) asin(rho_t)

(sum c_a^2 rho^a = (2/pi) asin rho is the correlation of the signs of two views).
"""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, checked_whole, require

DEGREE = 12  # of polynomials that are ranked


def sign_energies(degree: int) -> Floats:
    """c_a^2 of the sign of a standard normal number for a = 0 .. degree.

    Args:
        degree: the last a.

    Returns:
        (degree + 1,), 0 at even a; the sum of all is 1.

    Example:
        >>> bool(abs(sign_energies(1)[1] - 2 / math.pi) < 1e-15)
        True
    """
    checked_whole(0, degree=degree)
    odd = np.arange(1, degree + 1, 2)
    half = [math.comb(a - 1, a // 2) / 4.0 ** (a // 2) for a in odd.tolist()]
    found = np.zeros(degree + 1)
    found[odd] = 2 / math.pi * np.array(half) / odd
    return found


def top_polynomials(rho: Sequence[float], r: int) -> list[tuple[int, ...]]:
    """Degrees (a_1 .. a_k) of the r non-constant eigenfunctions of the largest eigenvalues.

    Args:
        rho: (k,) correlations of the contents between views, in (0, 1), no two products equal.
        r: how many, up to `DEGREE`.

    Returns:
        r tuples of k degrees, the largest eigenvalue first.

    Raises:
        ValueError: for other correlations, or an r that the degrees looked at may not settle.
    """
    share = np.asarray(rho, float)
    require((share > 0) & (share < 1), "correlations between views lie in (0, 1)", rho=rho)
    require(1 <= r <= DEGREE, f"choose from 1 to {DEGREE} eigenfunctions", r=r)
    # every power up to r of the largest is there, so that what has a higher degree is never in it
    degrees = [a for a in product(range(DEGREE + 1), repeat=len(share)) if any(a)]
    value = {a: float(np.prod(share ** np.array(a))) for a in degrees}
    return sorted(degrees, key=lambda a: -value[a])[:r]


def sign_energy(rho: Sequence[float], task: int, r: int) -> tuple[float, float]:
    """Energy B_r of Y = sign(s_task) in the top r eigenfunctions, and |eta|^2, which no r exceeds.

    Args:
        rho: (k,) as in `top_polynomials`.
        task: the content whose sign is the label.
        r: dimension of the features.

    Returns:
        B_r and |eta|^2.

    Example:
        >>> round(sign_energy([0.9, 0.5], 1, 2)[0], 3)  # he_1(x_1), he_2(x_1): not of the task
        0.0
    """
    mine = [a[task] for a in top_polynomials(rho, r) if sum(a) == a[task]]
    c2 = sign_energies(DEGREE)
    B = float(sum(c2[a] * rho[task] ** a for a in mine))
    return B, 2 / math.pi * math.asin(rho[task])


def hermite_features(x: ArrayLike, degrees: Sequence[tuple[int, ...]]) -> Floats:
    """Orthonormal products of Hermite polynomials of standard normal numbers.

    Args:
        x: (..., k) what a view sees.
        degrees: r tuples of k degrees.

    Returns:
        (..., r) features of mean 0 and covariance I.
    """
    x = np.asarray(x, float)
    highest = max(map(max, degrees))
    he = [np.ones_like(x), x]
    for a in range(1, highest):  # He_{a+1} = x He_a - a He_{a-1}, divided by the root of (a+1)!
        he.append((x * he[a] - math.sqrt(a) * he[a - 1]) / math.sqrt(a + 1))
    columns = [np.prod([he[a][..., j] for j, a in enumerate(of)], axis=0) for of in degrees]
    return np.stack(columns, axis=-1)
