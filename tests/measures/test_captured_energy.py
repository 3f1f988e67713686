"""Whitened features and the energy they capture, against regression and against chance."""

import numpy as np
import pytest

from supcon_theory.measures.captured_energy import (
    between_views,
    class_energy,
    cross_fitted,
    task_axis,
    whitened,
)


def views(N=60, K=2, D=5, seed=0, noise=0.5):
    rng = np.random.default_rng(seed)
    s = rng.normal(size=(N, 1, D)) * np.arange(1, D + 1)
    return s + noise * rng.normal(size=(N, K, D)) * np.arange(1, D + 1)[::-1] + 7


@pytest.mark.parametrize("K", [1, 2, 3])
def test_rows_are_white_and_what_views_share_is_diagonal_and_falls(K):
    x = views(K=K)
    found = whitened(x)
    rows, G = found.features.reshape(-1, 5), found.features.mean(1)
    np.testing.assert_allclose(rows.T @ rows / len(rows), np.eye(5), atol=1e-10)
    np.testing.assert_allclose(G.T @ G / len(G), np.diag(found.shared), atol=1e-10)
    assert (np.diff(found.shared) <= 0).all() and found.shared[-1] >= 0
    assert K > 1 or np.allclose(found.shared, 1)
    np.testing.assert_allclose((x - found.mean) @ found.axes, found.features, atol=1e-10)


def test_neither_energy_nor_what_is_shared_knows_the_coordinates():
    x, rng = views(), np.random.default_rng(1)
    other = x @ rng.normal(size=(5, 5)) + rng.normal(size=5)
    one, two = whitened(x), whitened(np.concatenate([other, other[..., :1]], -1))
    np.testing.assert_allclose(one.shared, two.shared, rtol=1e-8)
    y = np.arange(60) % 4
    for unbiased in (True, False):
        energies = [class_energy(of.features, y, unbiased=unbiased) for of in (one, two)]
        assert energies[0] == pytest.approx(energies[1], rel=1e-8)


def test_the_energy_of_a_task_is_the_share_of_it_that_a_regression_explains():
    x, Y = views(), np.where(np.arange(60) % 2, 1, -1)
    rows = np.column_stack([x.reshape(-1, 5), np.ones(120)])
    targets = np.repeat(Y, 2)
    fitted = rows @ np.linalg.lstsq(rows, targets, rcond=None)[0]
    axis = task_axis(whitened(x).features, Y)
    assert axis @ axis == pytest.approx(fitted @ targets / 120)
    assert class_energy(whitened(x).features, Y, unbiased=False) == pytest.approx(axis @ axis)


def test_the_energy_of_classes_is_the_mean_over_orthonormal_contrasts():
    F, y = whitened(views()).features, np.arange(60) % 3
    contrasts = np.array([[1, -1, 0], [1, 1, -2]]) * np.sqrt([[3 / 2], [1 / 2]])
    energies = [np.square(task_axis(F, c[y])).sum() for c in contrasts]
    assert class_energy(F, y, unbiased=False) == pytest.approx(np.mean(energies))


def test_without_bias_shuffled_labels_have_no_energy():
    F, rng = whitened(views(N=200, D=20)).features, np.random.default_rng(2)
    shuffles = [rng.permutation(np.arange(200) % 4) for _ in range(300)]
    plain, right = (
        np.mean([class_energy(F, y, unbiased=u) for y in shuffles]) for u in (False, True)
    )
    assert abs(right) < 2e-3 < 0.02 < plain


def test_no_labels_have_more_energy_than_views_share():
    rng = np.random.default_rng(3)
    for seed in range(40):
        F = whitened(views(N=24, D=6, seed=seed, noise=rng.uniform(0.1, 3)))
        for C in (2, 3, 4):
            best = np.argsort(F.features[:, :, 0].mean(1))  # labels after the top direction
            for order in (best, rng.permutation(24)):
                y = np.empty(24, int)
                y[order] = np.repeat(np.arange(C), 24 // C)
                energy = class_energy(F.features, y, unbiased=False)
                assert energy <= F.shared[: C - 1].sum() / (C - 1) + 1e-12


def test_views_that_are_the_same_share_all_and_independent_ones_nothing_on_other_samples():
    x = np.repeat(views(K=1), 2, axis=1)
    assert np.allclose(between_views(whitened(x).shared, 2), 1)
    rng = np.random.default_rng(4)
    one, other = rng.normal(size=(2, 400, 2, 60))
    in_sample = between_views(whitened(one, 3).shared, 2).mean()
    crossed = between_views(cross_fitted(one, other, 3).shared, 2).mean()
    assert in_sample > 0.4 and abs(crossed) < 0.15


def test_cross_fitted_directions_are_those_of_the_other_samples():
    one, other = views(seed=5), views(seed=6)
    found = cross_fitted(one, other, 2)
    span = (other - whitened(one).mean) @ whitened(one, 2).axes
    np.testing.assert_allclose(found.shared, whitened(span).shared)
    assert found.features.shape == (60, 2, 2)


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: whitened(np.ones((4, 2, 3))), "the same in all rows"),
        (lambda: whitened(np.full((4, 2, 3), np.nan)), "NaN"),
        (lambda: whitened(np.ones((4, 3))), r"\(4, 3\)"),
        (lambda: between_views(np.ones(2), 1), "K is 1"),
        (lambda: class_energy(np.ones((3, 1, 1)), [0, 0, 1], unbiased=True), r"\[2, 1\]"),
        (lambda: class_energy(np.ones((3, 1, 1)), [0, 0, 0], unbiased=True), r"\[3\]"),
    ],
)
def test_what_has_no_energy_is_refused_in_a_sentence(call, word):
    with pytest.raises(ValueError, match=word):
        call()
