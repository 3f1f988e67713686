"""Distances, shared directions and weights of two embeddings against N x N matrices."""

import numpy as np
import pytest
import scipy.linalg
import torch

from supcon_theory.measures.comparison import cka, rsa
from supcon_theory.measures.subspaces import apart, shared_directions, weight_gaps
from supcon_theory.theory.alignment import cosine_floor

SHAPES = [(6, 4, 3), (30, 5, 8), (12, 40, 3), (9, 50, 60), (200, 20, 10)]  # N, p, q


def draw(N, p, q, seed=0, near=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, p)) + 0.5
    return x, x @ rng.normal(size=(p, q)) / np.sqrt(p) + near * rng.normal(size=(N, q))


def cosines(x):
    z = x / np.linalg.norm(x, axis=1, keepdims=True)
    return z @ z.T


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_distances_are_those_of_n_by_n_matrices(shape):
    x, y = draw(*shape)
    N, found = len(x), apart(1e3 * x, 1e-3 * y)
    A, B, H = cosines(x), cosines(y), np.eye(N) - 1 / N
    assert found.drift == pytest.approx(np.linalg.norm(A - B), rel=1e-10)
    K, L = H @ A @ H, H @ B @ H
    assert found.kernels == pytest.approx(np.linalg.norm(K - L) / np.linalg.norm(K), rel=1e-10)
    a, b = (1 - of[np.triu_indices(N, 1)] for of in (A, B))
    expected = np.linalg.norm(b - a) / (np.sqrt(len(a)) * a.std())
    assert found.dissimilarities == pytest.approx(expected, rel=1e-10)


def test_of_itself_turned_nothing_is_apart_and_views_are_averaged():
    x, _ = draw(20, 6, 4)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    assert apart(x, 7 * x @ turn) == (0, 0, 0)
    turns = [np.linalg.qr(np.random.default_rng(seed).normal(size=(6, 6)))[0] for seed in range(20)]
    assert {apart(x, x @ turn) for turn in turns} == {(0, 0, 0)}  # of 60 roundings none is seen
    views = np.stack([2 * x, np.zeros_like(x)], 1)
    assert apart(views, x) == (0, 0, 0)
    with pytest.raises(ValueError, match="20 samples and y 19"):
        apart(x, x[1:])


@pytest.mark.parametrize("near", [0.01, 0.1, 0.5, 3.0])
def test_cka_and_rsa_are_never_below_their_floors(near):
    for seed, shape in enumerate(SHAPES * 4):
        x, _ = draw(*shape, seed)
        y = x + near * np.random.default_rng((seed, 1)).normal(size=x.shape)
        unit = [z / np.linalg.norm(z, axis=1, keepdims=True) for z in (x, y)]
        found = apart(x, y)
        assert cka(*unit).biased.value >= cosine_floor(found.kernels, 0.0) - 1e-10
        assert rsa(x, y).biased.value >= cosine_floor(found.dissimilarities, -1.0) - 1e-10


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shared_directions_are_scipys_subspace_angles(shape):
    x, y = draw(*shape)
    k = min(3, *(np.linalg.matrix_rank(of - of.mean(0)) for of in (x, y)))
    U, V = (np.linalg.svd(of - of.mean(0), full_matrices=False)[0][:, :k] for of in (x, y))
    expected = np.sort(np.cos(scipy.linalg.subspace_angles(U, V)))[::-1]
    np.testing.assert_allclose(shared_directions(x, y, k), expected, atol=1e-8)
    np.testing.assert_allclose(shared_directions(x, 5 * x[:, ::-1].copy(), k), 1, atol=1e-8)


def test_weights_are_compared_layer_by_layer():
    one = {"a.weight": torch.tensor([[3.0, 4.0]]), "a.bias": torch.ones(2)}
    other = {"a.weight": torch.tensor([[3.0, -4.0]]), "a.bias": torch.zeros(2)}
    assert weight_gaps(one, other) == {"a.weight": pytest.approx(8 / 5)}
    assert weight_gaps(one, one) == {"a.weight": 0}
    opposite = {name: -w for name, w in one.items()}
    assert weight_gaps(one, opposite) == {"a.weight": pytest.approx(2)}
    with pytest.raises(ValueError, match="different layers"):
        weight_gaps(one, {"b.weight": torch.ones(1, 2)})
