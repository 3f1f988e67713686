"""Labels made from features: against brute force, on separated blobs, and refused input."""

import itertools

import numpy as np
import pytest
import torch

from supcon_theory.measures.clusters import clusters, equal_assignment, equal_clusters


def blobs(sizes, d=3, spread=0.01, seed=0):
    """Points around the axes, `sizes[c]` of them around axis c, in random order; their classes."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    z = np.eye(d)[y] + spread * rng.normal(size=(len(y), d))
    return torch.from_numpy(z), y


def same_partition(a, b) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return bool(((a[:, None] == a) == (b[:, None] == b)).all())


def inertia(z, y) -> float:
    """Sum of squared distances to the mean of the own cluster, sample by sample."""
    z, y = np.asarray(z), np.asarray(y)
    return sum(float(((z[i] - z[y == y[i]].mean(0)) ** 2).sum()) for i in range(len(y)))


@pytest.mark.parametrize("sizes", [(5, 5, 5), (9, 4, 2), (2, 13)])
def test_separated_blobs_are_found_whatever_their_sizes(sizes):
    z, y = blobs(sizes)
    assert same_partition(clusters(z, len(sizes)), y)


@pytest.mark.parametrize("seed", range(4))
def test_equal_blobs_are_found_and_unequal_ones_are_cut_to_equal_sizes(seed):
    z, y = blobs((5, 5, 5), seed=seed)
    assert same_partition(equal_clusters(z, 3, seed), y)
    z, _ = blobs((9, 4, 2), seed=seed)
    assert equal_clusters(z, 3, seed).bincount().tolist() == [5, 5, 5]


@pytest.mark.parametrize("N, C", [(4, 2), (6, 2), (6, 3)])
@pytest.mark.parametrize("seed", range(5))
def test_the_equal_assignment_is_the_best_of_all(N, C, seed):
    scores = np.random.default_rng(seed).normal(size=(N, C))
    every = set(itertools.permutations(np.repeat(np.arange(C), N // C)))
    best = max(sum(scores[i, c] for i, c in enumerate(y)) for y in every)
    y = equal_assignment(scores)
    assert np.bincount(y).tolist() == [N // C] * C
    assert scores[np.arange(N), y].sum() == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_equal_clusters_are_a_fixed_point_of_both_turns_and_better_than_random(seed):
    z = torch.randn(40, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    y = equal_clusters(z, 4, seed).numpy()
    centres = np.stack([z.numpy()[y == c].mean(0) for c in range(4)])
    scores = z.numpy() @ centres.T
    at = np.arange(40)
    best = scores[at, equal_assignment(scores)].sum()
    assert scores[at, y].sum() == pytest.approx(best, abs=1e-9)
    shuffled = np.random.default_rng(seed).permutation(y)
    assert inertia(z, y) < inertia(z, shuffled)


def test_the_same_seed_gives_the_same_labels():
    z = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    for make in (clusters, equal_clusters):
        assert (make(z, 6, seed=3) == make(z, 6, seed=3)).all()


@pytest.mark.parametrize("make", [clusters, equal_clusters])
@pytest.mark.parametrize(
    "z, C, error, word",
    [
        (torch.ones(12, 3), 3, ValueError, "constant"),
        (torch.eye(2).repeat(6, 1), 3, ValueError, "only 2 of 12"),
        (torch.eye(3), 1, ValueError, "C is 1"),
        (torch.full((4, 2), torch.nan), 2, ValueError, "NaN"),
        (torch.ones(4, 2, 3), 2, ValueError, "shape"),
        (torch.ones(4, 2, dtype=torch.cfloat), 2, TypeError, "complex"),
    ],
)
def test_features_without_clusters_are_refused_in_a_sentence(make, z, C, error, word):
    with pytest.raises(error, match=word):
        make(z, C)


def test_a_number_of_samples_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="multiple of 3"):
        equal_clusters(torch.randn(10, 2), 3)
