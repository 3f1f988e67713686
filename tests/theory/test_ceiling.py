"""Where the ceiling of the mean gap is proved: grids of both conditions, intervals, corollaries."""

import math

import mpmath
import numpy as np
import pytest

from supcon_theory.theory.ceiling import etf_ceiling, etf_ceiling_is_proved, relaxed_ceiling
from supcon_theory.theory.ceiling_windows import (
    _chord_slopes,
    _log_inverse_kappa,
    condition,
    iv,
    open_temperatures,
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


def chord_on_a_grid(C, n, tau, points=100):
    """Oracle: the smallest (h(0) - h(S)) / S^2 over a grid of S in (0, 1], 40 digits."""
    with mpmath.workdps(40):
        kappa = mpmath.mpf(n - 1) / (n * (C - 1))
        c = mpmath.mpf(C) / ((C - 1) * mpmath.mpf(tau))

        def h(S):
            down, up = (mpmath.log(1 + kappa * mpmath.exp(c * (1 + k * S))) for k in (-1, 1))
            return (1 + S) / 2 * down + (1 - S) / 2 * up

        grid = (mpmath.mpf(k) / points for k in range(1, points + 1))
        return float(min((h(0) - h(S)) / S**2 for S in grid))


@pytest.mark.parametrize("C, n", [(2, 2), (12, 10), (20, 2), (40, 10), (100, 2), (1000, 10**6)])
def test_the_ceiling_is_proved_where_one_of_two_conditions_holds_on_a_grid(C, n):
    for tau in (0.1, 0.15, 0.3, 0.35, 0.49, 0.5, 0.7):
        tangent, chord = on_a_grid(C, n, tau, 100), chord_on_a_grid(C, n, tau)
        answer = condition(C, n, tau)
        assert answer == ("proved" if max(tangent, chord) > 0 else "fails"), (tau, tangent, chord)
        known = etf_ceiling_is_proved(C, n, tau)
        assert known <= (answer == "proved")
        if tangent > 1e-9 or chord > 0.1:  # what barely holds it may miss
            assert known
        if tau >= 0.5:
            assert chord > 0


def test_up_to_thirteen_classes_every_temperature_is_proved():
    low = min(4 * b / -math.expm1(-b) - b for b in [k / 1000 for k in range(-4000, 0)])
    assert 3.2186 < low < 3.2188
    for n in (2, 3, 10, 10**6):
        assert math.log(n * 12 / (n - 1)) <= low
        assert all(open_temperatures(C, n) == [] for C in (2, 5, 13))


@pytest.mark.parametrize("C", [2, 3, 5, 14, 100, 10**4, 10**8])
def test_the_steps_of_the_proof_from_temperature_one_half_on(C):
    """beta >= 0: 4 q beta coth(beta/2) >= c. beta < 0: c F'' >= 0 for every x."""
    x = np.linspace(0, 4, 801)
    for n in (2, 3, 10, np.inf):
        for tau in np.geomspace(0.5, 20, 40):
            c = C / ((C - 1) * tau)
            beta = np.log((1 - 1 / n) / (C - 1)) + c
            up, down = 1 / (1 + np.exp(-beta - x)), 1 / (1 + np.exp(x - beta))
            if beta >= 0:
                assert 4 * up[0] * (beta / np.tanh(beta / 2) if beta else 2) >= c - 1e-12
            else:
                slopes = up * (1 - up), down * (1 - down)
                bend = up + down + x / 2 * (slopes[0] - slopes[1]) - c / 2 * sum(slopes)
                assert (bend[x <= c] >= up[0] ** 2).all()


@pytest.mark.parametrize(
    "C, n, low, high",
    [(40, 2, 0.222, 0.458), (100, 10, 0.196, 0.468)],
)
def test_windows_are_where_the_grid_fails(C, n, low, high):
    (window,) = open_temperatures(C, n, 2e-2)
    assert window.inner == pytest.approx((low, high), abs=3e-2)
    assert window.outer == pytest.approx((low, high), abs=4e-2)
    assert window.outer[0] <= window.inner[0] < window.inner[1] <= window.outer[1]
    for k in range(1, 10):
        inside = window.inner[0] + k / 10 * (window.inner[1] - window.inner[0])
        assert on_a_grid(C, n, inside) < 0 and chord_on_a_grid(C, n, inside) < 0
    for outside in (0.5 * window.outer[0], 0.99 * window.outer[0], 1.01 * window.outer[1]):
        assert max(on_a_grid(C, n, outside), chord_on_a_grid(C, n, outside)) > 0


def test_up_to_30_classes_no_temperature_is_open_for_large_classes():
    assert open_temperatures(30, 10**6, 2e-2) == []


def test_above_temperature_one_half_no_window_is_open():
    assert all(w.outer[1] <= 0.5 + 1e-14 for w in open_temperatures(1000, 2, 2e-2))


def test_a_finer_resolution_only_tightens_the_edges():
    (coarse,), (fine,) = open_temperatures(60, 2, 0.1), open_temperatures(60, 2, 0.04)
    assert coarse.outer[0] <= fine.outer[0] and fine.outer[1] <= coarse.outer[1]


@pytest.mark.parametrize("arguments", [(1, 2, 1.0), (3, 1, 1.0), (3, 2, 0.0), (2.5, 2, 1.0)])
def test_settings_without_a_ceiling_are_errors(arguments):
    with pytest.raises(ValueError):
        condition(*arguments)


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


def test_classes_of_one_sample_have_no_gap():
    assert relaxed_ceiling(5, 1, 1.0) == 0


@pytest.mark.parametrize("C, c, S", [(20, 2.3, 0.4), (5, 3.0, 0.7), (100, 4.5, 0.2)])
def test_the_slopes_on_intervals_enclose_those_of_the_function(C, c, S):
    """F, dF/dc, dF/dS and c F'' at a point, with beta of both signs."""
    kappa = mpmath.mpf(1) / (2 * (C - 1))

    def F(c, S):
        high, low, none = (mpmath.log(1 + kappa * mpmath.exp(c * (1 + k * S))) for k in (1, -1, 0))
        return none - (1 + S) / 2 * low - (1 - S) / 2 * high

    with mpmath.workdps(40):
        exact = [F(c, S), mpmath.diff(F, (c, S), (1, 0)), mpmath.diff(F, (c, S), (0, 1))]
        exact.append(mpmath.diff(F, (c, S), (0, 2)) / c)
    found = _chord_slopes(_log_inverse_kappa(C, 2), iv.mpf(c), iv.mpf(S))
    for enclosure, value in zip(found, exact, strict=True):
        assert float(enclosure.a) - 1e-12 <= value <= float(enclosure.b) + 1e-12
        assert enclosure.delta < 1e-12
