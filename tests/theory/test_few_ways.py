"""Episodes of a few of the classes, and the sharper bound from averages: exact errors of laws."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from supcon_theory.theory.few_shot.averages import (
    cantelli_tightened_bound,
    known_centroid_bound,
    tightened_bound,
)
from supcon_theory.theory.few_shot.certificates import KINDS, certificate, mean_product
from tests.theory.attack import exact_error


@pytest.mark.parametrize("size", range(6))
def test_the_mean_product_is_that_over_all_subsets(size):
    q = np.random.default_rng(size).uniform(0, 1, (7, 5))
    q[0], q[1, :3] = 1e-200, 0
    slow = [np.mean([np.prod(row[list(s)]) for s in combinations(range(5), size)]) for row in q]
    np.testing.assert_allclose(mean_product(q, size), slow, rtol=1e-12)


def laws(rng, classes):
    """Classes of two atoms, often far out, with one to nine copies each."""
    centres = rng.normal(size=(classes, 1, 2)) * rng.choice([1, 4])
    atoms = centres + 10 ** rng.uniform(-2, 0.7, (classes, 2, 1)) * rng.normal(size=(classes, 2, 2))
    return [np.repeat(x, rng.integers(1, 10, 2), axis=0) for x in atoms]


@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize("m", [1, 2, 4])
def test_no_episode_errs_more_often_than_its_certificate(kind, m):
    rng, C = np.random.default_rng(m), 4
    for _ in range(6):
        law = laws(rng, C)
        found = certificate(law, m, kind, ways=(2, 3, 4))
        assert found.by_ways[2] == pytest.approx(found.two_way_error, abs=1e-12)
        assert found.by_ways[4] == pytest.approx(found.error, abs=1e-12)
        for ways in (2, 3, 4):
            episodes = combinations(range(C), ways)
            exact = np.mean([exact_error([law[c] for c in e], m)[1].mean() for e in episodes])
            assert exact <= found.by_ways[ways] + 1e-12
            assert found.by_ways[ways] <= (ways - 1) * found.two_way_error + 1e-12
        assert found.by_ways[2] <= found.by_ways[3] <= found.by_ways[4]


@pytest.mark.parametrize("ways", [1, 5])
def test_episodes_have_from_two_to_all_classes(ways):
    with pytest.raises(ValueError, match=f"ways = {ways}: an episode has from 2 to all 4"):
        certificate(laws(np.random.default_rng(0), 4), 2, "cantelli", ways=(ways,))


def averages(law):
    """V and V_dir of a law of two or more classes, by loops."""
    single, along = [], []
    for i, x in enumerate(law):
        for j, y in enumerate(law):
            if i != j:
                D, w = y.mean(0) - x.mean(0), x - x.mean(0)
                single.append(np.mean(np.sum(w**2, 1)) / (D @ D))
                along.append(np.mean((w @ D) ** 2) / (D @ D) ** 2)
    return np.mean(single), np.mean(along)


def test_an_attack_does_not_break_the_sharper_average_bound():
    """The largest error / bound; 4,299 laws of a longer search gave .264."""
    rng, worst = np.random.default_rng(0), 0.0
    for _ in range(150):
        law = laws(rng, int(rng.integers(2, 4)))
        for m in (1, 3):
            error = np.nanmean(exact_error(law, m)[0])
            worst = max(worst, error / cantelli_tightened_bound(*averages(law), m))
    assert 0.05 < worst < 1


def test_the_sharper_average_bound_is_the_minimum_over_t():
    rng = np.random.default_rng(0)
    for _ in range(60):
        V, m = 10 ** rng.uniform(-2, 2), 10 ** rng.uniform(0, 6)
        V_dir = V * 10 ** rng.uniform(-4, 0)

        def value(t, V=V, V_dir=V_dir, m=m):
            slope = (2**0.5 * V + V_dir**0.5) / m**0.5 + V / m
            return V_dir / (V_dir + (0.5 - t) ** 2) + slope / (2 * t)

        edges = np.linspace(0, 0.5, 40)
        tries = pairwise(edges)
        least = min(minimize_scalar(value, bounds=ends, method="bounded").fun for ends in tries)
        found = float(cantelli_tightened_bound(V, V_dir, m))
        assert found == pytest.approx(least, rel=1e-4) and found <= least * (1 + 1e-9)


def test_the_values_on_the_published_inputs_and_the_limit():
    found = cantelli_tightened_bound(1.6721, 0.0729, [1, 10, 100, 500])
    assert found == pytest.approx([5.31, 2.00, 1.10, 0.75], abs=5e-3)
    older = tightened_bound(1.6721, 1.6721**0.5, 0.0729, [1, 10, 100, 500])
    assert (found < older).all()
    assert cantelli_tightened_bound(1.5, 0.05, 1e16) == pytest.approx(
        known_centroid_bound(0.05), rel=1e-3
    )
    assert cantelli_tightened_bound(0.0, 0.0, 10) == 0  # classes that are points
    assert cantelli_tightened_bound(1.0, 0.1, 10, ways=5) == 4 * cantelli_tightened_bound(
        1.0, 0.1, 10
    )
