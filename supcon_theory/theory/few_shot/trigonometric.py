"""Trigonometric moments of the margin, and the error bound that they and a majorant give."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from supcon_theory.theory.counts import Complexes, Floats
from supcon_theory.theory.few_shot.majorants import (
    FREQUENCY,
    K0,
    K2,
    KURTOSES,
    LEFT,
    PLACES,
    SPREADS,
    Majorant,
    majorant,
)
from supcon_theory.theory.few_shot.margin import ClassLaw, Margin

WORTH = 0.7  # above this place the error probability is near 1/2 or more, and 1 is the bound


def trigonometric_bound(law_i: ClassLaw, law_j: ClassLaw, margin: Margin) -> Floats:
    """Upper bound on P(T <= 0) of every test point of a margin.

    Let s^2 = Var L, x = L/s, u = U/s, rho = -E/s: an error is x + u <= rho. A majorant G of
    `majorants` is at least the indicator of this for x >= rho - LEFT, and G >= 0, so

        P(T <= 0) <= E[G(x - rho, u)] + P(x < rho - LEFT),

    the first exactly from the moments E[u^r e^{ikwx}], r <= 2, and E[u^4], the second by Chernoff
    from the exact moment generating function of L. A larger rho only enlarges the event, so rho is
    raised to the lowest tabulated place. No assumption but independent draws.

    Args:
        law_i: the class of the test points.
        law_j: the other class.
        margin: of Z test points.

    Returns:
        (Z,) bounds in (0, 1].
    """
    s = np.sqrt(margin.linear_variance)
    bound = np.ones(len(s))
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.maximum(-margin.mean / s, PLACES[0])
    use = np.flatnonzero((s > 0) & (place < WORTH))
    if len(use) == 0:
        return bound
    s, place = s[use], place[use]
    beyond = (LEFT - place) / s
    edge = np.exp(margin_at(margin, use).log_mgf(beyond) - beyond * s * (LEFT - place))
    moments = joint_moments(law_i, law_j, margin_at(margin, use), s)
    turn = np.exp(-1j * FREQUENCY * np.outer(place, np.arange(K0 + 1)))
    spread = np.sqrt(margin.remainder_variance) / s
    for key in sorted(set(_keys(spread, place, margin))):
        rows = np.array([k == key for k in _keys(spread, place, margin)])
        value = _expectation(
            majorant(*key),
            [x[rows] for x in moments],
            turn[rows],
            spread[rows] ** 2,
            margin.remainder_fourth / s[rows] ** 4,
        )
        bound[use[rows]] = np.minimum(1, value + edge[rows])
    return bound


def margin_at(margin: Margin, rows: NDArray[np.intp]) -> Margin:
    """The same for some of the test points."""
    return replace(
        margin,
        mean=margin.mean[rows],
        h=tuple(h[rows] for h in margin.h),
        linear_variance=margin.linear_variance[rows],
    )


def joint_moments(law_i: ClassLaw, law_j: ClassLaw, margin: Margin, s: Floats) -> list[Complexes]:
    """E[u^r e^{ikwx}] for r = 0, 1, 2.

    The two classes are independent and U = U_j - U_i, so their moments multiply.

    Args:
        law_i: the class of the test points.
        law_j: the other class.
        margin: of Z test points.
        s: (Z,) standard deviation of L.

    Returns:
        Complex arrays (Z, K0 + 1), (Z, K2 + 1), (Z, K2 + 1).
    """
    a = _class_moments(law_j, margin.h[0], margin.m, s)
    b = _class_moments(law_i, margin.h[1], margin.m, s)
    head = slice(K2 + 1)
    first = a[1] * b[0][:, head] - a[0][:, head] * b[1]
    second = a[2] * b[0][:, head] - 2 * a[1] * b[1] + a[0][:, head] * b[2]
    return [a[0] * b[0], first / s[:, None], second / s[:, None] ** 2]


def _class_moments(law: ClassLaw, h: Floats, m: int, s: Floats) -> list[Complexes]:
    """E[e^{itS}], E[U e^{itS}], E[U^2 e^{itS}] of one class, S = sum_k h(x_k), t = kw/s.

    With w_x = e^{i t h(x)}/n, phi = sum w_x, q = sum w_x w_y <x,y>, b = sum w_x w_y <x,y>^2,
    c = sum_x w_x (sum_y w_y <x,y>)^2, and (r) = m (m-1) ... (m-r+1):

        phi^m;   (2) phi^{m-2} q / m^2;
        [2 (2) phi^{m-2} b + 4 (3) phi^{m-3} c + (4) phi^{m-4} q^2] / m^4.

    Returns:
        Complex arrays (Z, K0 + 1), (Z, K2 + 1), (Z, K2 + 1).
    """
    step = np.exp(1j * FREQUENCY * h / s[:, None])
    weights = np.full_like(step, 1 / h.shape[1])
    gram2 = law.gram**2
    falling = [float(np.prod([m - r for r in range(depth)])) for depth in range(5)]
    found = [np.empty((len(h), K0 + 1), complex)] + [
        np.empty((len(h), K2 + 1), complex) for _ in range(2)
    ]
    for k in range(K0 + 1):
        phi = weights.sum(1)
        found[0][:, k] = phi**m
        if k <= K2:
            power = [phi ** (m - r) if m >= r else 0.0 for r in range(5)]
            image = _times(weights, law.gram)
            q = np.sum(weights * image, 1)
            b = np.sum(weights * _times(weights, gram2), 1)
            c = np.sum(weights * image**2, 1)
            found[1][:, k] = falling[2] * power[2] * q / m**2
            found[2][:, k] = (
                2 * falling[2] * power[2] * b
                + 4 * falling[3] * power[3] * c
                + falling[4] * power[4] * q**2
            ) / m**4
        weights = weights * step
    return found


def _times(weights: Complexes, real: Floats) -> Complexes:
    """Complex times real matrix, as two real products."""
    return np.real(weights) @ real + 1j * (np.imag(weights) @ real)


def _keys(spread: Floats, place: Floats, margin: Margin) -> list[tuple]:
    """Which tabulated majorant is best for each test point; any would be valid."""
    square = margin.remainder_variance**2
    kurtosis = margin.remainder_fourth / square if square > 0 else KURTOSES[0]
    kurtosis = min(KURTOSES, key=lambda k: abs(np.log(k / kurtosis)))
    spreads, places = np.array(SPREADS), np.array(PLACES)
    nearest = np.abs(np.log(np.maximum(spread, 1e-300))[:, None] - np.log(spreads)).argmin(1)
    at = np.abs(place[:, None] - places).argmin(1)
    return [
        (float(spreads[a]), float(places[b]), kurtosis) for a, b in zip(nearest, at, strict=False)
    ]


def _expectation(
    g: Majorant, moments: list[Complexes], turn: Complexes, variance: Floats, fourth: Floats
) -> Floats:
    """E[G(x - rho, u)] from the joint moments, the phases e^{-ikw rho}, E[u^2] and E[u^4]."""
    zero, first, second = moments
    low, short = zero[:, : K2 + 1], turn[:, : K2 + 1]
    value = np.real((zero * turn) @ g.p0) + g.beta * variance + g.alpha * fourth
    for c, b in zip(g.p, g.shifts, strict=False):
        value += np.real(((second - 2 * b * first + b * b * low) * short) @ c)
    return value
