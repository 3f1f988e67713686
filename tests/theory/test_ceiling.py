"""Where the ceiling of the mean gap is proved: one point, not a grid; intervals; corollaries."""

import math

import mpmath
import numpy as np
import pytest

from supcon_theory.theory.ceiling import (
    condition,
    etf_ceiling,
    etf_ceiling_is_proved,
    open_temperatures,
    relaxed_ceiling,
)


def on_a_grid(C, n, tau, points=400):
    """Oracle: the smallest kl(p || q) - c (p - q)^2 / (4 q) over a grid of p, 40 digits."""
    with mpmath.workdps(40):
        kappa, tau = mpmath.mpf(n - 1) / (n * (C - 1)), mpmath.mpf(tau)
        c = mpmath.mpf(C) / ((C - 1) * tau)
        q = 1 / (1 + 1 / (kappa * mpmath.exp(c)))
        worst = mpmath.inf
        for k in range(points + 1):
            p = 1 / (1 + 1 / (kappa * mpmath.exp(2 * k / (points * tau))))
            kl = p * mpmath.log(p / q) + (1 - p) * mpmath.log((1 - p) / (1 - q))
            worst = min(worst, kl - c * (p - q) ** 2 / (4 * q))
        return float(worst)


@pytest.mark.parametrize("C", [2, 3, 12, 15, 20, 100, 1000])
@pytest.mark.parametrize("n", [2, 10, 10**6])
def test_the_one_point_criterion_agrees_with_a_grid_of_all_points(C, n):
    for tau in (0.05, 0.15, 0.3, 0.5, 0.7, 0.78, 0.85, 1.0, 3.0):
        worst = on_a_grid(C, n, tau)
        answer = condition(C, n, tau)
        assert answer in ("proved", "fails")
        if abs(worst) > 1e-12:
            assert answer == ("proved" if worst > 0 else "fails"), (tau, worst)


def test_up_to_thirteen_classes_every_temperature_is_proved():
    low = min(4 * b / -math.expm1(-b) - b for b in [k / 1000 for k in range(-4000, 0)])
    assert 3.2186 < low < 3.2188
    for n in (2, 3, 10, 10**6):
        assert math.log(n * 12 / (n - 1)) <= low
        assert all(open_temperatures(C, n) == [] for C in (2, 5, 13))


def test_from_temperature_086_every_number_of_classes_is_proved():
    u = 1 / 0.86
    x = math.exp(u)
    assert 4 * (x * u - x + 1) / (x - 1) ** 2 > 14 / 13 * u + 1e-3
    for C in (14, 20, 100, 10**4, 10**8):
        for n in (2, 10**6):
            assert (
                condition(C, n, 0.86) == condition(C, n, 1.0) == condition(C, n, 30.0) == "proved"
            )
    for C in (20, 1000, 10**6):
        assert all(w.outer[1] < 0.86 for w in open_temperatures(C, 2))


@pytest.mark.parametrize(
    "C, n, low, high",
    [(15, 2, 0.457, 0.570), (20, 2, 0.327, 0.672), (40, 2, 0.219, 0.756), (100, 10, 0.191, 0.773)],
)
def test_windows_are_where_the_grid_fails(C, n, low, high):
    (window,) = open_temperatures(C, n)
    assert window.inner == pytest.approx((low, high), abs=2e-3)
    assert window.outer[0] <= window.inner[0] < window.inner[1] <= window.outer[1]
    for k in range(1, 10):
        inside = window.inner[0] + k / 10 * (window.inner[1] - window.inner[0])
        assert on_a_grid(C, n, inside) < 0
    for outside in (0.5 * window.outer[0], 0.99 * window.outer[0], 1.01 * window.outer[1]):
        assert on_a_grid(C, n, outside) > 0


def test_a_finer_resolution_only_tightens_the_edges():
    (coarse,), (fine,) = open_temperatures(20, 2, 1e-2), open_temperatures(20, 2, 1e-4)
    assert coarse.outer[0] <= fine.outer[0] and fine.outer[1] <= coarse.outer[1]
    assert fine.outer[1] - fine.inner[1] < 2e-4


@pytest.mark.parametrize("arguments", [(1, 2, 1.0), (3, 1, 1.0), (3, 2, 0.0), (2.5, 2, 1.0)])
def test_settings_without_a_ceiling_are_errors(arguments):
    with pytest.raises(ValueError):
        condition(*arguments)


def test_the_float_criterion_agrees_with_the_rigorous_one():
    for C in (2, 5, 14, 20, 300):
        for n in (2, 7):
            for tau in (0.1, 0.4, 0.6, 0.79, 1.0):
                assert bool(etf_ceiling_is_proved(C, n, tau)) == (condition(C, n, tau) == "proved")


# ---- the relaxed ceiling ------------------------------------------------------------------------
def test_the_relaxed_ceiling_is_the_largest_value_on_a_fine_grid():
    S = np.linspace(0, 1, 200_001)
    for C, n, tau in ((2, 2, 1.0), (40, 2, 0.3), (100, 10, 0.25), (1000, 2, 0.2), (1000, 50, 0.01)):
        kappa, c = (n - 1) / (n * (C - 1)), C / ((C - 1) * tau)
        beta = np.log(kappa) + c
        up, down = np.logaddexp(0, beta - c * S), np.logaddexp(0, beta + c * S)
        grid = ((1 + S) / 2 * up + (1 - S) / 2 * down).max()
        found = float(relaxed_ceiling(C, n, tau))
        assert grid - 1e-12 <= found == pytest.approx(grid, rel=1e-8)


def test_the_relaxed_ceiling_is_the_ceiling_from_tau_a_half_on_and_wherever_that_is_proved():
    C, n, tau = np.meshgrid([2, 3, 13, 50, 1000], [2, 10, np.inf], np.geomspace(0.05, 5, 60))
    ceiling, relaxed = etf_ceiling(C, n, tau), relaxed_ceiling(C, n, tau)
    assert (relaxed >= ceiling).all()
    equal = relaxed <= ceiling * (1 + 1e-10)
    assert equal[tau >= 0.5].all() and not equal.all()
    assert equal[np.asarray(etf_ceiling_is_proved(C, n, tau))].all()


def test_no_mean_gap_is_above_the_relaxed_ceiling():
    """Where the ceiling has no proof: off-centre, collapsed and two-pole embeddings."""
    rng = np.random.default_rng(0)
    C, n, tau = 40, 2, 0.3
    assert not etf_ceiling_is_proved(C, n, tau)
    y = np.repeat(np.arange(C), n)
    same = (y[:, None] == y) & ~np.eye(C * n, dtype=bool)
    for shift in (0.0, 0.3, 1.0, 3.0):
        for poles in (False, True):
            centres = rng.standard_normal((C, C)) / C**0.5
            if poles:
                centres = (
                    np.where(np.arange(C) < 30, 1.0, -1.0)[:, None] * np.eye(C)[:1] + centres / 9
                )
            z = (centres + shift * np.eye(C)[:1])[y]
            z /= np.linalg.norm(z, axis=1, keepdims=True)
            s = np.exp(z @ z.T / tau)
            gap = np.log1p((s * same).sum(1) / (s * (y[:, None] != y)).sum(1)).mean()
            assert gap <= float(relaxed_ceiling(C, n, tau)) + 1e-9


def test_a_class_of_one_sample_has_no_relaxed_ceiling():
    with pytest.raises(ValueError, match="pass n >= 2"):
        relaxed_ceiling(5, 1, 1.0)
