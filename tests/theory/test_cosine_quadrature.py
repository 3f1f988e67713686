"""Bounds from range and 2k moments: a linear programme as the oracle, laws, bad input."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import linprog

from supcon_theory.theory.cosine_moments import log_largest_exponential, log_least_exponential
from supcon_theory.theory.cosine_quadrature import (
    Shape,
    gap_bounds_on_range,
    log_exponential_range,
)

GRID = 1e-7  # what moments may be off, as the atoms of the extreme law are not on the grid
ROOM = 1e-7  # of nodes that are nearly lost, where e^(2/tau) magnifies the rounding of moments
NUMBERS = (2, 4, 8, 12)  # of moments


def chebyshev(v: np.ndarray, number: int) -> np.ndarray:
    return np.cos(np.arange(1, number + 1)[:, None] * np.arccos(np.clip(v, -1, 1)))


def of(s: np.ndarray, weights: np.ndarray, low: float, high: float, number: int = 4) -> Shape:
    v = 2 * (s - low) / (high - low) - 1 if high > low else np.full_like(s, -1)
    return Shape(low, high, (weights * chebyshev(v, number)).sum(1))


def random_law(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    atoms = rng.integers(1, 30)
    s = rng.uniform(-1, 1, atoms) ** rng.choice([1, 3])
    weights = rng.dirichlet(np.full(atoms, rng.choice([0.1, 1.0, 10.0])))
    return s, 0.999 * weights + 0.001 / atoms  # as of samples: no weight below all rounding


@pytest.mark.parametrize("tau", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("number", [2, 4, 6])
def test_a_linear_programme_over_a_fine_grid_finds_the_same_extremes(tau, number):
    rng = np.random.default_rng(0)
    for _ in range(6):
        s, weights = random_law(rng)
        low, high = s.min() - 0.05, s.max() + 0.1
        shape = of(s, weights, low, high, number)
        found = log_exponential_range(shape, tau)
        v = np.linspace(-1, 1, 1501)
        value = np.exp(((high - low) / 2 * (v - 1)) / tau)
        moments = np.vstack([np.ones_like(v), chebyshev(v, number)])
        right = np.concatenate([[1.0], shape.moments])
        for sign, bound in zip((1, -1), found, strict=True):
            best = linprog(
                sign * value,
                A_ub=np.vstack([moments, -moments]),
                b_ub=np.concatenate([right + GRID, GRID - right]),
            )
            assert best.status == 0
            extreme = np.log(sign * best.fun) + high / tau
            # less by what a grid costs; more by what moments that may be off by GRID are worth
            assert sign * (float(bound) - extreme) > -1e-3
            assert extreme == pytest.approx(float(bound), abs=0.02)


@pytest.mark.parametrize("tau", [0.02, 0.1, 0.5, 1.0, 5.0])
@pytest.mark.parametrize("number", NUMBERS)
def test_every_law_lies_between_them_and_they_between_those_of_two_moments(tau, number):
    rng = np.random.default_rng(1)
    for _ in range(300):
        s, weights = random_law(rng)
        exact = np.log((weights * np.exp((s - s.max()) / tau)).sum()) + s.max() / tau
        mean = weights @ s
        variance = weights @ (s - mean) ** 2
        two = (f(mean, variance, tau) for f in (log_least_exponential, log_largest_exponential))
        wide = log_exponential_range(of(s, weights, -1.0, 1.0, number), tau)
        own = log_exponential_range(of(s, weights, s.min(), s.max(), number), tau)
        least, largest = two
        assert least - 1e-9 <= wide[0] and wide[1] <= largest + 1e-9
        assert own[0] - 1e-9 <= exact <= own[1] + 1e-9
        assert wide[0] - ROOM <= exact <= wide[1] + ROOM


@pytest.mark.parametrize("tau", [0.1, 0.5, 1.0])
def test_more_moments_say_more_and_many_say_all(tau):
    rng = np.random.default_rng(6)
    for _ in range(100):
        s = np.clip(0.3 * rng.standard_normal(200) + 0.1, -1, 1)
        weights = np.full(200, 1 / 200)
        exact = np.log(np.mean(np.exp(s / tau)))
        widths = []
        for number in (2, 4, 6, 8, 12, 16):
            low, high = log_exponential_range(of(s, weights, -1.0, 1.0, number), tau)
            assert low <= exact + 1e-9 and exact <= high + 1e-9
            widths.append(high - low)
        assert all(more <= fewer + 1e-9 for fewer, more in pairwise(widths))
        assert widths[2] < 0.6 * widths[1] and widths[-1] < 1e-2


@pytest.mark.parametrize("spread", [0.0, 1e-15, 1e-9, 1e-5, 1e-2])
@pytest.mark.parametrize("number", NUMBERS)
def test_laws_that_are_nearly_of_few_atoms_or_one_stay_inside(spread, number):
    rng = np.random.default_rng(2)
    for _ in range(100):
        centres = rng.uniform(-0.9, 0.9, rng.integers(1, 5))
        s = centres[rng.integers(len(centres), size=12)] + spread * rng.standard_normal(12)
        s = np.clip(s, -1, 1)
        weights = np.full(12, 1 / 12)
        for tau in (0.05, 1.0):
            exact = np.log(np.mean(np.exp((s - s.max()) / tau))) + s.max() / tau
            for low, high in ((s.min(), s.max()), (-1.0, 1.0)):
                least, largest = log_exponential_range(of(s, weights, low, high, number), tau)
                assert least - ROOM <= exact <= largest + ROOM


def test_where_nodes_of_many_moments_are_lost_those_of_fewer_are_as_good_as_without():
    rng = np.random.default_rng(7)
    for _ in range(400):  # clusters and weights at which some moments are rounding
        centres = rng.uniform(-0.9, 0.9, rng.integers(2, 6))
        spread = 10 ** rng.uniform(-6, -1)
        s = centres[rng.integers(len(centres), size=40)] + spread * rng.standard_normal(40)
        s, weights = np.clip(s, -1, 1), rng.dirichlet(np.full(40, 0.1))
        bounds = [
            log_exponential_range(of(s, weights, s.min(), s.max(), number), 0.5)
            for number in (4, 6, 12)
        ]
        for (low, high), (lower, higher) in pairwise(bounds):
            assert lower >= low - ROOM and higher <= high + ROOM


def test_laws_of_up_to_two_atoms_besides_an_end_are_attained():
    weights = np.array([0.2, 0.5, 0.3])
    for tau in (0.1, 1.0):
        for s, end in ((np.array([-0.7, 0.1, 0.6]), 0), (np.array([-0.2, 0.3, 0.8]), 1)):
            low, high = (s[0], 1.0) if end == 0 else (-1.0, s[-1])
            exact = np.log(weights @ np.exp(s / tau))
            found = log_exponential_range(of(s, weights, low, high), tau)[end]
            assert found == pytest.approx(exact, abs=1e-10)


def test_one_cosine_says_everything_and_arrays_are_row_by_row():
    least, largest = log_exponential_range(Shape(0.3, 0.3, np.zeros(4)), 0.5)
    assert least == pytest.approx(0.6) and largest == pytest.approx(0.6)
    rng = np.random.default_rng(3)
    laws = [of(*random_law(rng), -1.0, 1.0) for _ in range(4)]
    laws.append(of(np.array([-0.2, 0.4]), np.array([0.3, 0.7]), -1.0, 1.0))  # fewer atoms
    many = Shape(np.full(5, -1.0), np.full(5, 1.0), np.stack([x.moments for x in laws], 1))
    for k in (0, 1):
        alone = [log_exponential_range(x, 0.3)[k] for x in laws]
        np.testing.assert_allclose(log_exponential_range(many, 0.3)[k], alone, rtol=1e-14)
        taus = np.array([[0.3], [1.0]])
        both = [log_exponential_range(many, tau)[k] for tau in (0.3, 1.0)]
        np.testing.assert_allclose(log_exponential_range(many, taus)[k], both, rtol=1e-14)


def test_the_gap_is_between_its_bounds_and_known_where_both_laws_are_points():
    point = Shape(0.5, 0.5, np.zeros(4)), Shape(-0.1, -0.1, np.zeros(4))
    low, high = gap_bounds_on_range(*point, 1 / 9, 0.5)
    assert low == pytest.approx(np.log1p(np.exp(1.2) / 9)) and low == high
    rng = np.random.default_rng(4)
    for _ in range(50):
        (s, v), (t, w) = random_law(rng), random_law(rng)
        shapes = of(s, v, s.min(), s.max()), of(t, w, t.min(), t.max())
        gap = np.log1p(0.2 * (v @ np.exp(s / 0.3)) / (w @ np.exp(t / 0.3)))
        low, high = gap_bounds_on_range(*shapes, 0.2, 0.3)
        assert low - 1e-9 <= gap <= high + 1e-9


@pytest.mark.parametrize(
    "shape, words",
    [
        (Shape(0.5, 0.1, np.full(4, 0.1)), "pass low <= high"),
        (Shape(0.0, 1.0, np.full(4, 1.5)), "moments"),
        (Shape(0.0, 1.0, np.full(3, 0.5)), "an even number"),
        (Shape(0.0, 1.0, np.array(0.5)), "an even number"),
        (Shape(0.0, 1.0, np.full(4, np.nan)), "moments"),
    ],
)
def test_what_is_no_law_is_refused(shape, words):
    with pytest.raises(ValueError, match=words):
        log_exponential_range(shape, 0.5)
