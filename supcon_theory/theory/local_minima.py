"""A local minimum near a computed point, proved from its gradient, its Hessian and one constant.

Proofs: docs/proofs.md, "A local minimum near a computed point".
"""

import math
from typing import NamedTuple

import numpy as np


class Trap(NamedTuple):
    """What surrounds a computed point Z of F, distances modulo rotations of all rows together.

    A local minimum lies within `inner` of Z, no critical point between `inner` and `outer`, and F
    within `outer` is nowhere below F(Z) - `drop`. All NaN where the condition does not hold.
    """

    inner: float
    outer: float
    drop: float


NONE = Trap(math.nan, math.nan, math.nan)


def third_derivative_bound(tau: float) -> float:
    """Bound on |d^3/dt^3| of an anchor's loss along unit-speed geodesics of the product of spheres.

    (2 sqrt 2)^3/(6 sqrt 3)/tau^3 + 6 sqrt 2/tau^2 + 4 sqrt 2/tau for every loss
    log sum_{b in D} e^{s_ab/tau} - mean_p s_ap/tau, whatever the sets; ours. A sum over anchors has
    at most their number times it.

    Args:
        tau: Temperature.

    Returns:
        The bound.

    Raises:
        ValueError: tau is not positive.
    """
    if not tau > 0:
        raise ValueError(f"tau is {tau} but must be positive")
    cumulant = (2 * math.sqrt(2)) ** 3 / (6 * math.sqrt(3))
    return cumulant / tau**3 + 6 * math.sqrt(2) / tau**2 + 4 * math.sqrt(2) / tau


def rounding(rows: int, d: int, tau: float) -> float:
    """What float64 may add to the gradient of a sum over anchors, far from its true norm: ours.

    Each of the at most 4 rows/tau that the anchors' forces sum to has a relative error of at most
    rows + (d + 4)(1 + 1/tau) roundings; 8 times that. An allowance a priori: `checker/minimum.py`
    proves the same in integers.

    Args:
        rows: Number of rows, N K.
        d: Their dimension.
        tau: Temperature.

    Returns:
        The allowance.
    """
    return 8 * np.finfo(np.float64).eps * (rows + (d + 4) * (1 + 1 / tau)) * 4 * rows / tau


def newton_condition(gradient: float, curvature: float, third: float) -> float:
    """H = L g / lambda^2, which is below 1/2 where `trap` proves a local minimum.

    Args:
        gradient: g, at least the norm of the gradient.
        curvature: lambda, at most the least eigenvalue of the Hessian orthogonal to rotations.
        third: L, at least the third derivative along unit-speed geodesics.

    Returns:
        h; inf where lambda <= 0.
    """
    return third * gradient / curvature**2 if curvature > 0 else math.inf


def trap(gradient: float, curvature: float, third: float) -> Trap:
    """Where F, invariant under rotations, has a local minimum near a point: ours.

    Along every geodesic from Z that is orthogonal to its rotations,
    dF/dt >= psi(t) = -g + lambda t - L t^2/2, which is positive between its roots
    inner, outer = (lambda -+ sqrt(lambda^2 - 2 g L))/L if h < 1/2; F falls by at most
    g inner - lambda inner^2/2 + L inner^3/6 before it rises.

    Args:
        gradient: As of `newton_condition`.
        curvature: As of `newton_condition`.
        third: As of `newton_condition`.

    Returns:
        The trap.
    """
    if not newton_condition(gradient, curvature, third) < 0.5:
        return NONE
    root = math.sqrt(curvature**2 - 2 * gradient * third)
    inner = 2 * gradient / (curvature + root)  # = (curvature - root) / third, without cancellation
    drop = gradient * inner - curvature * inner**2 / 2 + third * inner**3 / 6
    return Trap(inner, (curvature + root) / third, drop)
