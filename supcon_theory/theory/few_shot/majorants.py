"""Functions above the indicator of x + u <= rho whose expectations a finite list of moments gives.

The margin of a test point is a sum x of independent terms plus a small remainder u, and only

    E[e^{i k w x}],  k <= K0;   E[u^r e^{i k w x}],  r = 0, 1, 2,  k <= K2;   E[u^2],  E[u^4]

are known. With y = x - rho, w = 2 pi / PERIOD, trigonometric polynomials p0 (degree K0) and
p_b >= 0 (degree K2), and numbers beta, alpha >= 0, put

    G(y, u) = p0(y) + sum_b p_b(y) (u - b)^2 + beta u^2 + alpha u^4.

Claim: G(y, u) >= 1{y + u <= 0} for all u and all y >= -LEFT, if p0 >= 0 on the circle and

    y in [-LEFT, RIGHT]:  p0(y) + sum_b p_b(y) (y + b)_+^2 + beta y_+^2 + alpha y_+^4 >= 1    (1)
    beta RIGHT^2 + alpha RIGHT^4 >= 1                                                     (2)

Proof: G >= 0. Let u <= -y. Then (u - b)^2 >= (y + b)_+^2 for b >= 0, u^2 >= y_+^2, u^4 >= y_+^4, and
(1) is the claim in the window; beyond it u <= -RIGHT, and (2) alone is enough.

A linear programme minimises E[G] for a normal x with a heavier and a uniform part mixed in; that
only decides how good a majorant is. That it is one is checked afterwards on 2^19 points, with the
largest curvature between them, and repaired by raising p0 and p_b: nothing rests on the solver.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import linprog
from scipy.stats import norm

LEFT, RIGHT = 4.5, 9.5
PERIOD = LEFT + RIGHT
FREQUENCY = 2 * np.pi / PERIOD
K0, K2 = 20, 10
SHIFTS = (0.3, 1.0, 2.0)  # b in units of the standard deviation of u
SPREADS = (0.05, 0.1, 0.2, 0.35, 0.6)  # standard deviations of u for which there is a majorant
PLACES = (-4.5, -3.0, -1.5, 0.0)  # values of rho
KURTOSES = (4.0, 40.0, 400.0)  # E[u^4] / E[u^2]^2
_REFERENCE = ((0.97, 1.0), (0.03, 1.5))  # weights and standard deviations of x, to optimise for
_UNIFORM = 3e-4
_FINE = 2**19


@dataclass(frozen=True)
class Majorant:
    """G(y, u): complex coefficients such that p(y) = Re sum_k c_k e^{i k w y}."""

    p0: np.ndarray  # (K0 + 1,)
    p: np.ndarray  # (len(shifts), K2 + 1)
    shifts: np.ndarray  # the b
    beta: float
    alpha: float

    def __call__(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """G at points (y, u)."""
        value = polynomial(self.p0, y) + self.beta * u**2 + self.alpha * u**4
        for c, b in zip(self.p, self.shifts, strict=False):
            value = value + polynomial(c, y) * (u - b) ** 2
        return value


def polynomial(c: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Re sum_k c_k e^{i k w y}."""
    return (np.exp(1j * FREQUENCY * np.multiply.outer(y, np.arange(len(c)))) @ c).real


@cache
def majorant(spread: float, place: float, kurtosis: float) -> Majorant:
    """The majorant for sd(u) = spread, rho = place and this kurtosis of u; valid for every law."""
    y = np.unique(np.concatenate([np.linspace(-LEFT, RIGHT, 150), np.linspace(-1, 1.5, 80)]))
    for _ in range(5):
        found = _solved(spread, place, kurtosis, y)
        extra = _violated(found)
        if len(extra) == 0:
            break
        y = np.unique(np.concatenate([y, extra]))
    return _repaired(found)


def _solved(spread: float, place: float, kurtosis: float, y: np.ndarray) -> Majorant:
    """The linear programme on the points y; columns: p0, one p_b after the other, beta, alpha."""
    unit = 2.0  # beta and alpha are per (u / unit)^2, (u / unit)^4, p_b per u^2 / spread: scaling
    shifts = spread * np.array(SHIFTS)
    basis0, basis2 = _basis(y, K0), _basis(y, K2)
    n0, n2 = basis0.shape[1], basis2.shape[1]
    cost, columns = [_expected(place, K0)], [basis0]
    for b in shifts:
        cost.append((spread**2 + b**2) / spread * _expected(place, K2))
        columns.append(basis2 * (np.maximum(y + b, 0) ** 2 / spread)[:, None])
    cost.append([(spread / unit) ** 2, kurtosis * (spread / unit) ** 4])
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
    cost = np.concatenate(cost) / norm.cdf(place)
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


def _basis(y: np.ndarray, degree: int) -> np.ndarray:
    angle = FREQUENCY * np.outer(y, np.arange(1, degree + 1))
    return np.concatenate([np.ones((len(y), 1)), np.cos(angle), np.sin(angle)], 1)


def _expected(place: float, degree: int) -> np.ndarray:
    """Expectations of `_basis` at y = x - place under the reference law of x."""
    k = FREQUENCY * np.arange(1, degree + 1)
    size = sum(weight * np.exp(-((sd * k) ** 2) / 2) for weight, sd in _REFERENCE)
    total = _UNIFORM + sum(weight for weight, _ in _REFERENCE)
    return np.concatenate([[total], size * np.cos(k * place), -size * np.sin(k * place)])


def _complex(x: np.ndarray) -> np.ndarray:
    half = len(x) // 2
    return np.concatenate([x[:1], x[1 : half + 1] - 1j * x[half + 1 :]]).astype(complex)


def _on_circle(c: np.ndarray, points: int = _FINE) -> tuple[np.ndarray, np.ndarray]:
    """Even grid y from -LEFT, and the polynomial there, by one FFT."""
    turned = c * np.exp(-1j * FREQUENCY * LEFT * np.arange(len(c)))
    turned[1:] /= 2
    padded = np.zeros(points // 2 + 1, complex)
    padded[: len(c)] = turned
    return -LEFT + PERIOD * np.arange(points) / points, np.fft.irfft(padded, points) * points


def _cover(g: Majorant, p0: np.ndarray, p: list[np.ndarray], y: np.ndarray) -> np.ndarray:
    """The left side of (1)."""
    up = np.maximum(y, 0)
    return (
        p0
        + sum(values * np.maximum(y + b, 0) ** 2 for values, b in zip(p, g.shifts, strict=False))
        + (g.beta * up**2 + g.alpha * up**4)
    )


def _violated(g: Majorant, tolerance: float = 1e-5, points: int = 2**13) -> np.ndarray:
    """Local minima at which a constraint is broken."""
    y, p0 = _on_circle(g.p0, points)
    p = [_on_circle(c, points)[1] for c in g.p]
    slacks = [p0, _cover(g, p0, p, y) - 1] + [values * g.shifts[0] for values in p]
    found = []
    for slack in slacks:
        lowest = (slack <= np.roll(slack, 1)) & (slack <= np.roll(slack, -1)) & (slack < -tolerance)
        found.append(y[lowest])
    return np.concatenate(found)


def _repaired(g: Majorant) -> Majorant:
    """Raise p_b, then p0, until all constraints hold between the points of the fine grid too.

    Between grid points h apart a function is at least the smaller end value minus
    (h^2 / 8) max of its second derivative, which the coefficients bound.
    """
    bend = (PERIOD / _FINE) ** 2 / 8
    k = FREQUENCY * np.arange(K2 + 1)
    p, reach = g.p.copy(), RIGHT + g.shifts
    y, p0 = _on_circle(g.p0)
    values, curvature = [], np.sum((FREQUENCY * np.arange(K0 + 1)) ** 2 * np.abs(g.p0))
    dip0 = max(0.0, -p0.min()) + bend * curvature
    for r, c in enumerate(p):
        second, first = np.sum(k**2 * np.abs(c)), np.sum(k * np.abs(c))
        on_grid = _on_circle(c)[1]
        lift = max(0.0, -on_grid.min()) + bend * second + 1e-12
        p[r, 0] += lift
        values.append(on_grid + lift)
        curvature += second * reach[r] ** 2 + 4 * first * reach[r] + 2 * np.sum(np.abs(p[r]))
    curvature += 2 * g.beta + 12 * g.alpha * RIGHT**2
    dip1 = max(0.0, 1 - _cover(g, p0, values, y).min()) + bend * curvature
    lifted = g.p0.copy()
    lifted[0] += max(dip0, dip1) + 1e-12
    return Majorant(lifted, p, g.shifts, g.beta, g.alpha)
