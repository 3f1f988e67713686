"""The linear programmes behind the tabulated majorants, and the command that writes their file.

    python -m supcon_theory.theory.few_shot.programmes

solves the 60 programmes (45 s to 4 minutes on one core) and writes `majorants.npz`. A programme
minimises E[G] for a normal x with a heavier and a uniform part mixed in, under the constraints of
`majorants` on a grid that grows where they are broken; what is broken between its points is
repaired by raising p0 and p_b.
"""

from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from supcon_theory.theory.counts import Complexes, Floats
from supcon_theory.theory.few_shot.majorants import (
    COLUMNS,
    FILE,
    FREQUENCY,
    K0,
    K2,
    KEYS,
    LEFT,
    RIGHT,
    SHIFTS,
    Majorant,
    constraints,
    cover,
    on_circle,
)

_REFERENCE = ((0.97, 1.0), (0.03, 1.5))  # weights and standard deviations of x, to optimise for
_UNIFORM = 3e-4


def solve(spread: float, place: float, kurtosis: float) -> Majorant:
    """The best majorant for sd(u) = spread, rho = place and this kurtosis of u.

    Args:
        spread: sd(u).
        place: rho.
        kurtosis: E[u^4] / E[u^2]^2.

    Returns:
        G, repaired: a majorant whatever the solver did.
    """
    y = np.unique(np.concatenate([np.linspace(-LEFT, RIGHT, 150), np.linspace(-1, 1.5, 80)]))
    for _ in range(5):
        found = _solved(spread, place, kurtosis, y)
        extra = violated(found)
        if len(extra) == 0:
            break
        y = np.unique(np.concatenate([y, extra]))
    return repaired(found)


def repaired(g: Majorant) -> Majorant:
    """Raise p_b, then p0, until all constraints hold between the points of the fine grid too."""
    p, p0 = g.p.copy(), g.p0.copy()
    p[:, 0] += [_lift(*pair) + 1e-12 for pair in constraints(g)[:-2]]
    p0[0] += max(_lift(*pair) for pair in constraints(replace(g, p=p))[-2:]) + 1e-12
    return replace(g, p0=p0, p=p)


def _lift(least: float, allowance: float) -> float:
    return max(0.0, -least) + allowance


def violated(g: Majorant, tolerance: float = 1e-5, points: int = 2**13) -> Floats:
    """Local minima at which a constraint is broken."""
    y, p0 = on_circle(g.p0, points)
    p = [on_circle(c, points)[1] for c in g.p]
    slacks = [p0, cover(g, p0, p, y) - 1] + [values * g.shifts[0] for values in p]
    found = []
    for slack in slacks:
        lowest = (slack <= np.roll(slack, 1)) & (slack <= np.roll(slack, -1)) & (slack < -tolerance)
        found.append(y[lowest])
    return np.concatenate(found)


def _solved(spread: float, place: float, kurtosis: float, y: Floats) -> Majorant:
    """The linear programme on the points y; columns: p0, one p_b after the other, beta, alpha."""
    from scipy.optimize import linprog  # slow to load

    unit = 2.0  # beta and alpha are per (u / unit)^2, (u / unit)^4, p_b per u^2 / spread: scaling
    shifts = spread * np.array(SHIFTS)
    basis0, basis2 = _basis(y, K0), _basis(y, K2)
    n0, n2 = basis0.shape[1], basis2.shape[1]
    cost, columns = [_expected(place, K0)], [basis0]
    for b in shifts:
        cost.append((spread**2 + b**2) / spread * _expected(place, K2))
        columns.append(basis2 * (np.maximum(y + b, 0) ** 2 / spread)[:, None])
    cost.append(np.array([(spread / unit) ** 2, kurtosis * (spread / unit) ** 4]))
    above = np.maximum(y / unit, 0)[:, None]
    cover = np.concatenate([*columns, above**2, above**4], 1)
    scale = 1 / np.sqrt(np.maximum(1, np.abs(cover).max(1)))
    beyond = np.zeros((1, cover.shape[1]))
    beyond[0, -2:] = -((RIGHT / unit) ** 2), -((RIGHT / unit) ** 4)
    rows, least = [-cover * scale[:, None], beyond], [-scale, [-1.0]]
    for start, basis in [(0, basis0)] + [(n0 + r * n2, basis2) for r in range(len(shifts))]:
        positive = np.zeros((len(y), cover.shape[1]))
        positive[:, start : start + basis.shape[1]] = -basis
        rows.append(positive)
        least.append(np.zeros(len(y)))
    bounds = [(None, None)] * (cover.shape[1] - 2) + [(0, None)] * 2
    cost = np.concatenate(cost) / ndtr(place)
    for method in ("highs-ds", "highs-ipm"):  # now and then one of them gives up
        answer = linprog(
            cost, np.concatenate(rows), np.concatenate(least), bounds=bounds, method=method
        )
        if answer.x is not None:
            break
    else:
        raise RuntimeError(f"no majorant for {spread, place, kurtosis}: {answer.message}")
    x = answer.x
    p = [_complex(x[n0 + r * n2 : n0 + (r + 1) * n2]) / spread for r in range(len(shifts))]
    beta, alpha = np.maximum(x[-2:], 0) / (unit**2, unit**4)
    alpha = max(alpha, (1 - beta * RIGHT**2) / RIGHT**4)  # (2) to the last digit
    return Majorant(_complex(x[:n0]), np.array(p), shifts, float(beta), float(alpha))


def _basis(y: Floats, degree: int) -> Floats:
    angle = FREQUENCY * np.outer(y, np.arange(1, degree + 1))
    return np.concatenate([np.ones((len(y), 1)), np.cos(angle), np.sin(angle)], 1)


def _expected(place: float, degree: int) -> Floats:
    """Expectations of `_basis` at y = x - place under the reference law of x."""
    k = FREQUENCY * np.arange(1, degree + 1)
    size = sum(weight * np.exp(-((sd * k) ** 2) / 2) for weight, sd in _REFERENCE)
    total = _UNIFORM + sum(weight for weight, _ in _REFERENCE)
    return np.concatenate([[total], size * np.cos(k * place), -size * np.sin(k * place)])


def _complex(x: Floats) -> Complexes:
    half = len(x) // 2
    return np.concatenate([x[:1], x[1 : half + 1] - 1j * x[half + 1 :]]).astype(complex)


def main() -> None:
    """Solve every programme and write the file."""
    found = [solve(*key) for key in KEYS]
    columns = {name: np.array([getattr(g, name) for g in found]) for name in COLUMNS}
    np.savez(FILE, allow_pickle=False, **columns)


if __name__ == "__main__":
    main()
