"""Gaussian classes: exact errors against counting, and the stated moments against the law."""

import numpy as np
import pytest

from supcon_theory.theory.few_shot.gaussian import (
    GaussianClasses,
    moments_of_pairs,
    one_nuisance,
    pair_errors,
    sampled_centres,
    simplex_classes,
)


def test_pair_errors_given_centres_equal_counting_on_samples():
    rng = np.random.default_rng(0)
    law = GaussianClasses(rng.standard_normal((3, 4)), rng.uniform(0.1, 2, (3, 4)))
    centres = sampled_centres(law, 2, 5, seed=1)
    exact = pair_errors(law, centres)
    n = 40_000
    for i in range(3):
        z = law.means[i] + rng.standard_normal((n, 4)) * np.sqrt(law.variances[i])
        distance = ((z[:, None, None] - centres) ** 2).sum(axis=-1)
        counted = (distance <= distance[:, :, i : i + 1]).mean(axis=0)
        counted[:, i] = 0
        assert np.abs(counted - exact[:, i]).max() < 5 * np.sqrt(0.25 / n)


def test_centres_without_noise_between_them_tie():
    law = GaussianClasses(np.zeros((2, 3)), np.zeros((2, 3)))
    assert pair_errors(law, sampled_centres(law, 1, 1, seed=0))[0].tolist() == [[0, 1], [1, 0]]


def test_sampled_centres_have_the_law_of_means_of_m_samples():
    law = simplex_classes(3, 6, 0.1, 1.0)
    centres = sampled_centres(law, 4, 20_000, seed=0)
    assert np.abs(centres.mean(axis=0) - law.means).max() < 5 * np.sqrt(0.3 / 4 / 20_000)
    np.testing.assert_allclose(centres.var(axis=0), law.variances / 4, rtol=0.05)
    assert np.array_equal(sampled_centres(law, 4, 3, seed=0), centres[:3])


@pytest.mark.parametrize("C", [2, 5])
def test_simplex_classes_have_the_stated_moments(C):
    law = simplex_classes(C, 20, directional=0.05, dispersion=1.5)
    np.testing.assert_allclose(law.variances.sum(axis=1), 1.5)
    for i in range(C):
        for j in set(range(C)) - {i}:
            gap = law.means[j] - law.means[i]
            assert gap @ gap == pytest.approx(1)
            assert gap**2 @ law.variances[i] == pytest.approx(0.05)


def test_moments_of_pairs_are_loops_over_the_law():
    rng = np.random.default_rng(3)
    law = GaussianClasses(rng.standard_normal((3, 4)), rng.uniform(0.1, 2, (3, 4)))
    found = moments_of_pairs(law)
    for k, (i, j) in enumerate((i, j) for i in range(3) for j in range(3) if i != j):
        gap, s_i, s_j = law.means[i] - law.means[j], law.variances[i], law.variances[j]
        loops = {
            **{"distance2": gap @ gap, "v_i": s_i.sum(), "v_j": s_j.sum()},
            **{"along_i": (gap**2 * s_i).sum(), "along_j": (gap**2 * s_j).sum()},
            **{"squared_i": (s_i**2).sum(), "squared_j": (s_j**2).sum(), "product": s_i @ s_j},
            **{"fourth_i": s_i.sum() ** 2 + 2 * s_i @ s_i, "third_j": 0.0},
            "fourth_j": s_j.sum() ** 2 + 2 * s_j @ s_j,
        }
        assert set(loops) == set(found)
        for name, value in loops.items():
            assert found[name][k] == pytest.approx(value, rel=1e-12), name


def test_known_errors_of_two_published_laws():
    """Two-way errors computed independently, with 960,000 draws: .0204; .157 at m = 10."""
    variances = np.full((2, 64), 1.45 / 63)
    variances[:, 0] = 0.05
    spread = GaussianClasses(np.eye(2, 64)[[1, 0]] * [[0], [1]], variances)
    for law, expected in ((spread, 0.0204), (one_nuisance(64, 0.02, 1.5), 0.157)):
        per_draw = pair_errors(law, sampled_centres(law, 10, 4000, seed=0)).sum(axis=(1, 2)) / 2
        allowed = 4 * per_draw.std() / np.sqrt(4000) + 0.0005
        assert per_draw.mean() == pytest.approx(expected, abs=allowed)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: simplex_classes(5, 5, 0.1, 1), "5 classes in 5 dimensions"),
        (lambda: simplex_classes(5, 9, 0.3, 1), "directional = 0.3"),
        (lambda: one_nuisance(2, -0.1, 1), "variances -0.1"),
        (lambda: sampled_centres(one_nuisance(2, 0.1, 1), 0, 1, 0), "m = 0"),
    ],
)
def test_bad_laws_are_answered_in_one_sentence(call, says):
    with pytest.raises(ValueError, match=says):
        call()
