"""Distances from a Gaussian against loops and integrals; what the multivariate test sees."""

import numpy as np
import pytest
import scipy.stats
from scipy.integrate import quad

from supcon_theory.measures.gaussianity import (
    bhep,
    bhep_null,
    exact_p,
    excess_kurtosis,
    norm_ratio,
    normal_distances,
    projections,
    top_components,
)


def skewed(N=60, D=3, seed=0):
    return np.random.default_rng(seed).exponential(size=(N, D)) * [1.0, 3.0, 0.2][:D] + 5


def test_distances_and_kurtosis_are_scipys():
    x = np.hstack([skewed(), -skewed()])  # the largest distance is above, then below
    for column, found, kurtosis in zip(x.T, normal_distances(x), excess_kurtosis(x), strict=True):
        standard = (column - column.mean()) / column.std(ddof=1)
        assert found == pytest.approx(scipy.stats.kstest(standard, "norm").statistic)
        assert kurtosis == pytest.approx(scipy.stats.kurtosis(column))
    flat = np.ones((5, 1))
    assert np.isnan(normal_distances(flat)).all() and np.isnan(excess_kurtosis(flat)).all()


def test_projections_are_on_unit_directions_that_the_seed_decides():
    basis = projections(np.eye(6), 50, seed=1)
    np.testing.assert_allclose(np.linalg.norm(basis, axis=0), 1)
    x = skewed(20, 3)
    np.testing.assert_allclose(projections(x, 50, 1), x @ projections(np.eye(3), 50, 1))
    assert not np.allclose(basis, projections(np.eye(6), 50, seed=2))


def test_norms_of_a_gaussian_have_ratio_one_and_of_a_sphere_less():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200_000, 4)) @ rng.normal(size=(4, 4)) + 3
    assert norm_ratio(x) == pytest.approx(1, abs=0.03)
    u = x[:50] - x[:50].mean(0)
    expected = np.square(u).sum(1).var() / (
        2 * np.trace(np.cov(u.T, bias=True) @ np.cov(u.T, bias=True))
    )
    assert norm_ratio(x[:50]) == pytest.approx(expected)
    wide = rng.normal(size=(5, 30))
    by_features = np.square(np.cov(wide.T, bias=True)).sum()
    centred = wide - wide.mean(0)
    assert norm_ratio(wide) == pytest.approx(np.square(centred).sum(1).var() / (2 * by_features))
    ball = rng.normal(size=(2000, 4))
    assert norm_ratio(ball / np.linalg.norm(ball, axis=1, keepdims=True)) < 0.1
    assert np.isnan(norm_ratio(np.ones((4, 2))))


def test_top_components_are_white_and_the_largest():
    x = skewed()
    y = top_components(x, 2)
    np.testing.assert_allclose(y.T @ y / len(y), np.eye(2), atol=1e-12)
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-12)
    along = [abs(np.corrcoef(y[:, 0], column)[0, 1]) for column in x.T]
    assert np.argmax(along) == 1  # the widest
    np.testing.assert_allclose(top_components(1e-12 * x, 2), y, atol=1e-9)
    with pytest.raises(ValueError, match="has 1 principal components"):
        top_components(np.outer(np.arange(5.0), [1, 2]), 2)


def test_bhep_is_the_integral_of_the_distance_of_characteristic_functions():
    y = top_components(skewed(25, 1), 1)[:, 0]
    N, b = len(y), (3 * len(y) / 4) ** (1 / 5) / np.sqrt(2)

    def distance(t):
        psi = np.exp(1j * t * y).mean()
        return abs(psi - np.exp(-(t**2) / 2)) ** 2 * scipy.stats.norm.pdf(t, scale=b)

    assert bhep(y[:, None]) == pytest.approx(N * quad(distance, -40, 40, limit=400)[0], rel=1e-6)


def test_bhep_in_the_plane_by_loops():
    y = top_components(skewed(12, 2), 2)
    N, k = y.shape
    b2 = ((2 * k + 1) * N / 4) ** (2 / (k + 4)) / 2
    pairs = sum(np.exp(-b2 / 2 * np.sum((p - q) ** 2)) for p in y for q in y) / N
    singles = sum(np.exp(-b2 * p @ p / (2 * (1 + b2))) for p in y)
    expected = pairs - 2 * (1 + b2) ** (-k / 2) * singles + N * (1 + 2 * b2) ** (-k / 2)
    assert bhep(y) == pytest.approx(expected)


def test_the_test_is_affine_invariant_and_tells_a_mixture_from_a_gaussian():
    rng = np.random.default_rng(0)
    null = bhep_null(100, 3, 99, seed=0)
    assert (np.diff(null) >= 0).all() and (null > 0).all()
    x = rng.normal(size=(100, 3))
    turned = x @ rng.normal(size=(3, 3)) + 9
    assert bhep(top_components(turned, 3)) == pytest.approx(bhep(top_components(x, 3)))
    assert exact_p(bhep(top_components(x, 3)), null) > 0.05
    mixture = x + 4 * (np.arange(100) % 2)[:, None]
    assert exact_p(bhep(top_components(mixture, 3)), null) == 0.01


def test_p_values_count_draws_at_least_as_large():
    assert exact_p([0.0, 2.0, 2.5, 9.0], np.array([1.0, 2, 3])).tolist() == [1, 0.75, 0.5, 0.25]
