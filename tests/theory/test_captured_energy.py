"""Captured energy: its bounds against enumeration, its exact values against quadrature."""

import math

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss

from supcon_theory.theory.captured_energy import (
    axis_cosine_bound,
    captured_error_bound,
    least_telling_shots,
    whitened_cdnv,
)
from supcon_theory.theory.hermite import (
    hermite_features,
    sign_energies,
    sign_energy,
    top_polynomials,
)

NODES, WEIGHTS = hermegauss(80)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@pytest.mark.parametrize(
    "B, r, m, expected",
    [(1, 4, 10, 0.3), (0.5, 1, 1, 0.5 + 0.5 + 1 / 3), (0, 2, 7, 1 + 2 / 7 + 1), (1, 1, 1, 0)],
)
def test_the_bound_by_hand(B, r, m, expected):
    assert captured_error_bound(B, r, m) == pytest.approx(expected, abs=1e-15)


def test_the_bound_falls_with_shots_and_energy_and_grows_with_dimensions():
    B, m = np.linspace(0, 1, 41)[:, None], np.array([1.0, 2, 10, 1e3, 1e9])
    values = captured_error_bound(B, 5, m)
    assert (np.diff(values, axis=0) < 0).all() and (np.diff(values[1:], axis=1) < 0).all()
    assert (captured_error_bound(B, 6, m) > values).all()
    np.testing.assert_allclose(values[1:, -1], 1 - B[1:, 0], atol=1e-6)


def test_it_says_nothing_up_to_the_shots_named_and_the_next_ones_only_by_its_last_term():
    rng = np.random.default_rng(0)
    B, r = rng.uniform(0, 1, 400), rng.integers(1, 50, 400)
    silent = least_telling_shots(B, r)
    assert np.array_equal(np.isinf(silent), B <= 0.5)
    for b, k, most in zip(B, r, silent, strict=True):
        for m in (1.0, 7.0, most, 1e5):
            if 1 <= m <= most and np.isfinite(m):
                assert captured_error_bound(b, k, m) >= 0.5 - 1e-12
            elif np.isfinite(m) and m > most:
                last = (1 - b) / (1 - b + 2 * m * b)
                assert captured_error_bound(b, k, m) - last < 0.5 + 1e-12


def test_the_geometry_of_whitened_classes_is_that_of_their_covariances():
    rng = np.random.default_rng(1)
    x, Y = (
        rng.normal(size=(40, 3)) + np.repeat([[1.0, 0, 0], [0, 0.3, 0]], 20, 0),
        np.repeat([1, -1], 20),
    )
    x = x - x.mean(0)
    F = x @ np.linalg.inv(np.linalg.cholesky(x.T @ x / 40)).T
    b = Y @ F / 40
    B, D = b @ b, 2 * b
    S = [np.cov(F[Y == s].T, bias=True) for s in (1, -1)]
    V, V_dir = whitened_cdnv(B, 3)
    assert D @ D == pytest.approx(4 * B)
    assert sum(map(np.trace, S)) / 2 / (D @ D) == pytest.approx(V)
    assert sum(D @ s @ D for s in S) / 2 / (D @ D) ** 2 == pytest.approx(V_dir)


def test_two_tasks_of_which_features_hold_all_are_as_correlated_as_their_axes():
    assert axis_cosine_bound(-0.3, 1, 1) == pytest.approx(0.3)
    # the features span neither residual: opposite beyond the span, alike within it
    assert axis_cosine_bound(0.0, 0.5, 0.5) == pytest.approx(1.0)
    assert axis_cosine_bound(0.0, 0.25, 0.25, 0.25, 0.25) == pytest.approx(3.0)
    assert axis_cosine_bound(0.2, 0.0, 0.5) == np.inf


def test_the_cosine_bound_is_attained_by_what_lies_beyond_the_span():
    """Y_1 = (F + G)/sqrt 2 and Y_2 = (F - G)/sqrt 2 on four equally likely x, F and G signs."""
    F, G = np.array([1, 1, -1, -1.0]), np.array([1, -1, 1, -1.0])
    Y = (F + G) / 2, (F - G) / 2  # eta of labels that are a coin in half of the cases
    B = [float(np.mean(y * F) ** 2) for y in Y]
    eta2 = [float(np.mean(y**2)) for y in Y]
    rho = float(np.mean(Y[0] * Y[1])) + 0.0  # labels independent given x
    # cosine 1; beyond the span sqrt(1/4 1/4), residual labels sqrt(1/2 1/2)
    assert axis_cosine_bound(rho, *B, *eta2) == pytest.approx((0.25 + 0.5) / 0.25)


def test_the_polynomials_are_orthonormal_and_eigenfunctions_of_the_view_operator():
    he = hermite_features(NODES[:, None], [(a,) for a in range(1, 9)])
    np.testing.assert_allclose((he * WEIGHTS[:, None]).T @ he, np.eye(8), atol=1e-9)
    rho = 0.7
    at = rho * NODES[:40:7, None] + math.sqrt(1 - rho**2) * NODES  # another view given x
    image = np.einsum("g,xga->xa", WEIGHTS, hermite_features(at[..., None], [(1,), (2,), (5,)]))
    expected = hermite_features(NODES[:40:7, None], [(1,), (2,), (5,)]) * rho ** np.array([1, 2, 5])
    np.testing.assert_allclose(image, expected, rtol=1e-8, atol=1e-8)


def test_the_energies_of_a_sign_add_up_to_the_arcsine_law():
    c2 = sign_energies(400)
    assert (c2[::2] == 0).all() and c2[1] == pytest.approx(2 / math.pi)
    for rho in (0.1, 0.5, 0.9):
        assert c2 @ rho ** np.arange(401) == pytest.approx(2 / math.pi * math.asin(rho), rel=1e-12)


def test_the_energy_of_a_sign_is_that_of_quadrature_over_the_content():
    """E[sign(s) he_a(x)] over s > 0 by a fine trapezoid, he_a averaged over the noise."""
    rho, s = 0.6, np.linspace(0, 12, 200_001)
    density = 2 * np.exp(-(s**2) / 2) / math.sqrt(2 * math.pi)  # both signs: odd times odd
    B = 0.0
    for r, a in enumerate(top_polynomials([rho], 5), 1):
        given = hermite_features(s[:, None], [a])[:, 0] * rho ** (a[0] / 2)  # E[he_a(x) | s]
        B += np.trapezoid(given * density, s) ** 2 if a[0] % 2 else 0.0
        assert sign_energy([rho], 0, r)[0] == pytest.approx(B, abs=1e-8)


def test_what_views_share_most_comes_first_whatever_the_task():
    assert top_polynomials([0.9, 0.5], 4) == [(1, 0), (2, 0), (3, 0), (4, 0)]
    assert top_polynomials([0.9, 0.5], 8)[6:] == [(0, 1), (7, 0)]
    assert sign_energy([0.9, 0.5], 1, 6)[0] == 0
    assert top_polynomials([0.9, 0.8], 5)[4] == (1, 1)  # half of it is of the other content
    assert sign_energy([0.9, 0.8], 1, 5)[0] == pytest.approx(0.8 * 2 / math.pi)
    B, eta2 = sign_energy([0.9, 0.5], 1, 7)
    assert B == pytest.approx(0.5 * 2 / math.pi) and eta2 == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: captured_error_bound(1.1, 1, 1), "share of the energy"),
        (lambda: captured_error_bound(float("nan"), 1, 1), "share of the energy"),
        (lambda: captured_error_bound(0.5, 0, 1), "whole number"),
        (lambda: captured_error_bound(0.5, 1.5, 1), "whole number"),
        (lambda: captured_error_bound(0.5, 1, 0), "shots"),
        (lambda: least_telling_shots(-0.1, 1), "share of the energy"),
        (lambda: whitened_cdnv(2, 1), "share of the energy"),
        (lambda: axis_cosine_bound(1.5, 0.5, 0.5), "between -1 and 1"),
        (lambda: axis_cosine_bound(0, 0.5, 0.5, 0.4, 1), "at most"),
        (lambda: top_polynomials([1.0], 1), r"\(0, 1\)"),
        (lambda: top_polynomials([0.5], 13), "from 1 to 12"),
        (lambda: sign_energies(-1), "whole number"),
    ],
)
def test_other_numbers_are_refused_in_a_sentence(call, word):
    with pytest.raises(ValueError, match=word):
        call()
