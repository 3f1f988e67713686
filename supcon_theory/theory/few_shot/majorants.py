"""Functions above the indicator of x + u <= rho whose expectations a finite list of moments gives.

The margin of a test point is a sum x of independent terms plus a small remainder u, and only

    E[e^{i k w x}],  k <= K0;   E[u^r e^{i k w x}],  r = 0, 1, 2,  k <= K2;   E[u^2],  E[u^4]

are known. With y = x - rho, w = 2 pi / PERIOD, trigonometric polynomials p0 (degree K0) and
p_b >= 0 (degree K2), and numbers beta, alpha >= 0, put

    G(y, u) = p0(y) + sum_b p_b(y) (u - b)^2 + beta u^2 + alpha u^4.

Claim: G(y, u) >= 1{y + u <= 0} for all u and all y >= -LEFT, if p0 >= 0 on the circle and

    y in [-LEFT, RIGHT]:  p0(y) + sum_b p_b(y) (y + b)_+^2 + beta y_+^2 + alpha y_+^4 >= 1    (1)
    beta RIGHT^2 + alpha RIGHT^4 >= 1                                                         (2)

Proof: G >= 0. Let u <= -y. Then (u - b)^2 >= (y + b)_+^2 for b >= 0, u^2 >= y_+^2, u^4 >= y_+^4,
and (1) is the claim in the window; beyond it u <= -RIGHT, and (2) alone is enough.

`majorants.npz` holds the solutions of the linear programmes of `programmes`, which minimise E[G]
for a reference law of x; that only decides how good a majorant is. That it is one is verified each
time that one is read, on 2^19 points with the largest curvature between them: nothing rests on the
solver, nor on the file.
"""

import zipfile
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from supcon_theory.theory.counts import Complexes, Floats

LEFT, RIGHT = 4.5, 9.5
PERIOD = LEFT + RIGHT
FREQUENCY = 2 * np.pi / PERIOD
K0, K2 = 20, 10
SHIFTS = (0.3, 1.0, 2.0)  # b in units of the standard deviation of u
SPREADS = (0.05, 0.1, 0.2, 0.35, 0.6)  # standard deviations of u for which there is a majorant
PLACES = (-4.5, -3.0, -1.5, 0.0)  # values of rho
KURTOSES = (4.0, 40.0, 400.0)  # E[u^4] / E[u^2]^2
KEYS = tuple(product(SPREADS, PLACES, KURTOSES))  # in the order of the file
COLUMNS = ("p0", "p", "beta", "alpha")  # a row of each array per key
FILE = Path(__file__).with_suffix(".npz")
AGAIN = "install the package again, or run python -m supcon_theory.theory.few_shot.programmes"
_FINE = 2**19


@dataclass(frozen=True)
class Majorant:
    """G(y, u): complex coefficients such that p(y) = Re sum_k c_k e^{i k w y}."""

    p0: Complexes  # (K0 + 1,)
    p: Complexes  # (len(shifts), K2 + 1)
    shifts: Floats  # the b
    beta: float
    alpha: float

    def __call__(self, y: Floats, u: Floats) -> Floats:
        """G at points (y, u)."""
        value = polynomial(self.p0, y) + self.beta * u**2 + self.alpha * u**4
        for c, b in zip(self.p, self.shifts, strict=False):
            value = value + polynomial(c, y) * (u - b) ** 2
        return value


def polynomial(c: Complexes, y: Floats) -> Floats:
    """Re sum_k c_k e^{i k w y}."""
    return np.real(np.exp(1j * FREQUENCY * np.multiply.outer(y, np.arange(len(c)))) @ c)


@cache
def majorant(spread: float, place: float, kurtosis: float) -> Majorant:
    """A tabulated majorant, verified; it is valid for every law, and good for one like its key.

    Args:
        spread: sd(u), one of SPREADS.
        place: rho, one of PLACES.
        kurtosis: E[u^4] / E[u^2]^2, one of KURTOSES.

    Returns:
        G.

    Raises:
        ValueError: if the file does not hold a majorant there.

    Example:
        >>> import numpy as np
        >>> bool(majorant(0.1, 0.0, 4.0)(np.array([-1.0, 0.5]), np.array([0.9, -0.5])).min() >= 1)
        True
    """
    found = _tabulated()[KEYS.index((spread, place, kurtosis))]
    if not is_majorant(found):
        raise ValueError(
            f"{FILE} is damaged, the entry for {spread, place, kurtosis} is no majorant: {AGAIN}."
        )
    return found


@cache
def _tabulated() -> list[Majorant]:
    try:
        with np.load(FILE, allow_pickle=False) as file:
            rows = zip(*(file[name] for name in COLUMNS), strict=True)
            return [
                Majorant(p0, p, spread * np.array(SHIFTS), float(beta), float(alpha))
                for (spread, _, _), (p0, p, beta, alpha) in zip(KEYS, rows, strict=True)
            ]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{FILE} cannot be read ({error}): {AGAIN}.") from error


def is_majorant(g: Majorant) -> bool:
    """Whether p_b, p0, beta, alpha >= 0, (1) and (2) hold: verified, not sampled."""
    beyond = g.beta * RIGHT**2 + g.alpha * RIGHT**4 >= 1 - 1e-12
    held = all(least >= allowance for least, allowance in constraints(g))
    return bool(held and beyond and min(g.beta, g.alpha) >= 0 and np.isfinite(g.p).all())


def constraints(g: Majorant) -> list[tuple[float, float]]:
    """Each p_b >= 0, then p0 >= 0, then (1): the least value on the fine grid and an allowance.

    Between grid points h apart a function is at least the smaller end value minus
    (h^2 / 8) max of its second derivative, which the coefficients bound: the allowance.

    Args:
        g: a candidate.

    Returns:
        Pairs; the constraint holds everywhere if the least value is at least the allowance.
    """
    bend = (PERIOD / _FINE) ** 2 / 8
    k, reach = FREQUENCY * np.arange(K2 + 1), RIGHT + g.shifts
    y, p0 = on_circle(g.p0)
    p = [on_circle(c)[1] for c in g.p]
    second, first, zeroth = (np.abs(g.p) @ k**r for r in (2, 1, 0))
    bent0 = np.sum((FREQUENCY * np.arange(K0 + 1)) ** 2 * np.abs(g.p0))
    bent1 = bent0 + np.sum(second * reach**2 + 4 * first * reach + 2 * zeroth)
    bent1 += 2 * g.beta + 12 * g.alpha * RIGHT**2
    leasts = [*(values.min() for values in p), p0.min(), cover(g, p0, p, y).min() - 1]
    return [
        (float(a), float(bend * b)) for a, b in zip(leasts, [*second, bent0, bent1], strict=True)
    ]


def on_circle(c: Complexes, points: int = _FINE) -> tuple[Floats, Floats]:
    """Even grid y from -LEFT, and the polynomial there, by one FFT."""
    turned = c * np.exp(-1j * FREQUENCY * LEFT * np.arange(len(c)))
    turned[1:] /= 2
    padded = np.zeros(points // 2 + 1, complex)
    padded[: len(c)] = turned
    return -LEFT + PERIOD * np.arange(points) / points, np.fft.irfft(padded, points) * points


def cover(g: Majorant, p0: Floats, p: list[Floats], y: Floats) -> Floats:
    """The left side of (1), from the values of p0 and of each p_b at the points y."""
    up = np.square(np.maximum(y, 0))
    parts = (
        values * np.square(np.maximum(y + b, 0)) for values, b in zip(p, g.shifts, strict=True)
    )
    return sum(parts, p0 + g.beta * up + g.alpha * np.square(up))
