"""The excess of NSCL as four terms, and the gap from two moments: loops, extremes, an attack."""

import numpy as np
import pytest

from supcon_theory.theory.anatomy import collapse_worth, excess_terms, jensen_floor
from supcon_theory.theory.cosine_moments import (
    log_largest_exponential,
    log_least_exponential,
    moment_gap_bounds,
)
from supcon_theory.theory.minima import nscl_minimum
from supcon_theory.theory.simplex import class_simplex, instance_simplex


def unit(z):
    return z / np.linalg.norm(z, axis=-1, keepdims=True)


def moved(seed):
    """Embeddings (N, K, d) with all four terms above 0."""
    rng = np.random.default_rng(seed)
    C, n, K, d = int(rng.integers(2, 6)), int(rng.integers(2, 5)), int(rng.integers(1, 4)), 5
    centres, samples = rng.normal(size=(C, 1, 1, d)), rng.normal(size=(C, n, 1, d))
    views = 0.4 * rng.normal(size=(C, n, K, d))
    return unit(centres + rng.uniform(0, 2) * samples + views + rng.uniform(0, 1)), C, n, K


def loops(z, C, n, K, tau):
    """L_NSCL and its four terms, an anchor at a time."""
    flat = [(c, i, z[c, i, k]) for c in range(C) for i in range(n) for k in range(K)]
    loss, jensen = [], []
    for c, i, a in flat:
        s = np.array([a @ b for e, _, b in flat if e != c])
        positive = np.mean([a @ z[c, i, k] for k in range(K)])
        loss.append(-positive / tau + np.log(np.exp(s / tau).sum()))
        jensen.append(np.log(np.exp(s / tau).mean()) - s.mean() / tau)
    away = [np.sum((a - z[c, i].mean(0)) ** 2) for c, i, a in flat]
    within = [np.sum((a - z[c].mean((0, 1))) ** 2) for c, _, a in flat]
    centre = np.sum(np.mean([a for *_, a in flat], 0) ** 2)
    return np.mean(loss), (np.mean(away), np.mean(within), centre, np.mean(jensen))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("tau", [1.0, 0.2])
def test_the_terms_add_up_to_the_excess(seed, tau):
    z, C, n, K = moved(seed)
    loss, measured = loops(z, C, n, K, tau)
    terms = excess_terms(*measured, C, tau)
    assert min(terms) >= 0
    assert sum(terms) == pytest.approx(loss - nscl_minimum(C, n, K, tau), abs=1e-12)


def test_at_the_collapsed_etf_every_term_is_zero_at_cls_minimiser_only_collapse_is_left():
    C, n, tau = 5, 4, 0.5
    z, _ = class_simplex([n] * C, 2, C - 1)
    _, measured = loops(z.reshape(C, n, 2, -1), C, n, 2, tau)
    assert max(excess_terms(*np.maximum(measured, 0), C, tau)) < 1e-12
    z, _ = instance_simplex([n] * C, 1, n * C - 1)
    _, measured = loops(z.reshape(C, n, 1, -1), C, n, 1, tau)
    terms = excess_terms(*np.maximum(measured, 0), C, tau)
    assert measured[1] == pytest.approx(C * (n - 1) / (n * C - 1))
    assert terms.collapse <= collapse_worth(C, tau) and sum(terms) - terms.collapse < 1e-12


def laws(rng, count=400):
    """Laws on [-1, 1] of up to six atoms, many of them at the ends."""
    for _ in range(count):
        atoms = rng.choice([-1, 1, 0], 6) + rng.choice([0, 1], 6) * rng.uniform(-1, 1, 6)
        weights = rng.dirichlet(np.full(6, rng.choice([0.1, 1.0])))
        yield np.clip(atoms, -1, 1), weights


@pytest.mark.parametrize("tau", [2.0, 0.5, 0.05])
def test_no_law_leaves_the_bounds_of_its_two_moments_and_two_atoms_attain_them(tau):
    for atoms, weights in laws(np.random.default_rng(0)):
        x = weights @ atoms
        v = weights @ (atoms - x) ** 2
        exact = np.log(weights @ np.exp((atoms - 1) / tau)) + 1 / tau
        low, high = log_least_exponential(x, v, tau), log_largest_exponential(x, v, tau)
        assert low - 1e-8 <= exact <= high + 1e-8
        if 0.01 < v < 1 - x**2 - 1e-6:
            for end, bound in ((-1, low), (1, high)):
                other = x + v / (x - end)
                w = (x - end) ** 2 / ((x - end) ** 2 + v)
                assert w * other + (1 - w) * end == pytest.approx(x, abs=1e-12)
                assert w * (other - x) ** 2 + (1 - w) * (end - x) ** 2 == pytest.approx(v)
                attained = np.logaddexp(np.log(w) + other / tau, np.log1p(-w) + end / tau)
                assert bound == pytest.approx(attained, abs=1e-9)


def test_an_ascent_over_laws_of_given_moments_stays_within_and_comes_near():
    """The extreme law on a grid, by a linear programme."""
    from scipy.optimize import linprog

    s, tau = np.linspace(-1, 1, 401), 0.4
    for x, v in ((0.3, 0.2), (-0.6, 0.1), (0.0, 0.9)):
        equal = dict(A_eq=[np.ones_like(s), s, s**2], b_eq=[1, x, v + x**2], bounds=(0, 1))
        least, most = (sign * linprog(sign * np.exp(s / tau), **equal).fun for sign in (1, -1))
        low, high = (
            np.exp(log_least_exponential(x, v, tau)),
            np.exp(log_largest_exponential(x, v, tau)),
        )
        assert low <= least * (1 + 1e-9) and least == pytest.approx(low, rel=2e-3)
        assert high >= most * (1 - 1e-9) and most == pytest.approx(high, rel=2e-3)


def test_without_variance_the_bounds_meet_and_with_it_they_part():
    low, high = moment_gap_bounds((0.3, 0.0), (-0.1, 0.0), 1 / 9, 0.5)
    assert low == pytest.approx(high) == pytest.approx(np.log1p(np.exp(0.8) / 9))
    low, high = moment_gap_bounds((0.3, 0.1), (-0.1, 0.1), 1 / 9, 0.5)
    assert low < np.log1p(np.exp(0.8) / 9) < high
    assert moment_gap_bounds((0.0, 0.0), (0.0, 0.0), 0.0, 1.0) == (0, 0)


@pytest.mark.parametrize("end", [-1.0, 1.0])
def test_a_law_on_one_end_is_a_point(end):
    for bound in (log_least_exponential, log_largest_exponential):
        assert bound(end, 0.0, 0.3) == pytest.approx(end / 0.3, abs=1e-12)


def test_the_jensen_term_is_at_least_what_its_variance_makes_of_it():
    for atoms, weights in laws(np.random.default_rng(1)):
        for tau in (1.0, 0.1):
            x = weights @ atoms
            jensen = np.log(weights @ np.exp((atoms - x) / tau))
            assert jensen >= jensen_floor(weights @ (atoms - x) ** 2, tau) - 1e-12


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: log_least_exponential(1.1, 0.0, 1.0), "mean = "),
        (lambda: log_least_exponential(0.5, 0.8, 1.0), "variance = "),
        (lambda: log_largest_exponential(0.5, np.nan, 1.0), "variance = "),
        (lambda: log_largest_exponential(0.5, 0.1, 0.0), "tau = 0"),
        (lambda: excess_terms(-0.1, 0, 0, 0, 3, 1.0), "augmentation"),
        (lambda: excess_terms(0, 0, 0, 0, 1, 1.0), "C = 1"),
        (lambda: collapse_worth(3, -1.0), "tau = -1"),
        (lambda: jensen_floor(-1.0, 1.0), "variance"),
    ],
)
def test_bad_numbers_get_one_sentence(call, words):
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
