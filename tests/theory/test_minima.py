"""Closed-form minima against the losses themselves at the configurations that attain them."""

import numpy as np
import pytest
import torch

from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory import minima
from supcon_theory.theory.gap import equal_similarity_gap
from supcon_theory.theory.simplex import class_simplex, instance_simplex, simplex_etf

SETTINGS = [(2, 2, 2, 1.0), (3, 4, 2, 0.3), (4, 3, 3, 0.1), (5, 2, 2, 2.0)]
AT_INSTANCES = {"dcl", "nt_xent", "dhel", "dhel_official"}
OPTIONS = {
    "hucl": {"beta": 0.0},
    "hscl": {"beta": 2.0},
    "h_nscl": {"beta": 2.0},
}


def loss(name, z, y, tau, **options):
    return float(OBJECTIVES[name](torch.from_numpy(z), torch.from_numpy(y), tau=tau, **options))


@pytest.mark.parametrize("C, n, K, tau", SETTINGS)
@pytest.mark.parametrize("name", minima.MINIMA)
def test_each_minimum_is_the_loss_at_its_simplex(name, C, n, K, tau):
    at = instance_simplex if name in AT_INSTANCES | {"hucl"} else class_simplex
    z, y = at([n] * C, K, n * C + 3)
    expected = minima.MINIMA[name](C, n, K, tau)
    assert loss(name, z, y, tau, **OPTIONS.get(name, {})) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["dcl", "nscl", "nt_xent", "nscl_coupled", "supcon"])
def test_random_embeddings_never_go_below_the_minimum(name):
    rng = np.random.default_rng(0)
    for C, n, K, tau in SETTINGS:
        y = np.repeat(np.arange(C), n)
        for noise in (0.01, 0.3, 10.0):
            z = class_simplex([n] * C, K, C + 1)[0]
            z = z + noise * rng.standard_normal(z.shape)
            z /= np.linalg.norm(z, axis=-1, keepdims=True)
            assert loss(name, z, y, tau) >= minima.MINIMA[name](C, n, K, tau) - 1e-12


def test_values_printed_for_the_published_batches():
    for C, B, value in [
        (10, 1024, 6.4098),
        (100, 1024, 6.6058),
        (100, 896, 6.4725),
        (10, 2048, 7.1021),
    ]:
        assert minima.nscl_coupled_minimum(C, B / C, 2, 1.0) == pytest.approx(value, abs=6e-5)


def test_minima_broadcast():
    table = minima.nscl_minimum(np.array([2, 3])[:, None], 4, 2, np.array([0.1, 1.0]))
    assert table.shape == (2, 2)
    assert table[1, 0] == minima.nscl_minimum(3, 4, 2, 0.1)


# ---- floors -------------------------------------------------------------------------------------
def unit(rng, *shape):
    z = rng.standard_normal(shape)
    return z / np.linalg.norm(z, axis=-1, keepdims=True)


@pytest.mark.parametrize("counts", [[4, 4, 4], [12, 4, 2, 2], [5, 5, 1, 1], [3, 1]])
def test_no_embedding_is_below_the_floor_for_any_counts(counts):
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(len(counts)), counts)
    for tau in (0.1, 1.0):
        floor = minima.nscl_floor(counts, 2, tau)
        for _ in range(20):
            centres = unit(rng, len(counts), 3)[y][:, None] + rng.choice([0, 0.1, 1]) * unit(
                rng, len(y), 2, 3
            )
            z = centres / np.linalg.norm(centres, axis=-1, keepdims=True)
            assert loss("nscl", z, y, tau) >= floor - 1e-12


def test_the_floor_is_the_minimum_when_balanced():
    assert minima.nscl_floor([5] * 4, 2, 0.3) == pytest.approx(
        minima.nscl_minimum(4, 5, 2, 0.3), abs=1e-12
    )


def test_the_floor_uses_the_best_weight():
    for counts in ([12, 4, 2, 2], [20, 1, 1, 1], [9, 6, 3]):
        best = minima.nscl_floor(counts, 2, 1.0)
        grid = [minima.nscl_floor(counts, 2, 1.0, w) for w in np.geomspace(1e-3, 10, 4000)]
        assert max(grid) <= best + 1e-12
        assert max(grid) == pytest.approx(best, abs=1e-3)
    assert minima.nscl_floor([12, 4, 2, 2], 2, 1.0) == pytest.approx(1.073, abs=1e-3)


def test_all_similarities_are_equal_at_the_instance_simplex():
    for C, n, K, tau in SETTINGS:
        z, y = instance_simplex([n] * C, K, n * C - 1)
        gap = loss("dcl", z, y, tau) - loss("nscl", z, y, tau)
        assert gap == pytest.approx(equal_similarity_gap([n] * C), abs=1e-12)


# ---- simplices and bad input --------------------------------------------------------------------
@pytest.mark.parametrize("points, d", [(2, 1), (3, 2), (7, 9), (100, 99)])
def test_a_simplex_has_unit_rows_at_equal_cosines(points, d):
    rows = simplex_etf(points, d)
    ideal = np.eye(points) * points / (points - 1) - 1 / (points - 1)
    np.testing.assert_allclose(rows @ rows.T, ideal, atol=1e-13)


def test_too_few_dimensions_say_that_no_simplex_exists():
    with pytest.raises(ValueError, match="no simplex ETF of 5 points exists below d = 4"):
        simplex_etf(5, 3)


@pytest.mark.parametrize(
    "arguments, word",
    [
        ((1, 2, 2, 1), "C = 1"),
        ((2, 0, 2, 1), "n = 0"),
        ((2, 2, 0, 1), "K = 0"),
        ((2, 2, 2, 0), "tau = 0"),
    ],
)
def test_impossible_settings_are_named(arguments, word):
    with pytest.raises(ValueError, match=word):
        minima.nscl_minimum(*arguments)


def test_one_class_and_empty_classes_are_errors():
    for counts, words in (
        ([4], "at least two classes"),
        (4, "at least two classes"),
        ([3, 0], "at least 1"),
    ):
        with pytest.raises(ValueError, match=words):
            minima.nscl_floor(counts, 2, 1.0)
    for counts, words in (([4], "at least two classes"), ([3, 0], "at least 1")):
        with pytest.raises(ValueError, match=words):
            class_simplex(counts, 2, 3)
