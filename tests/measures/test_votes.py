"""Votes of the nearest neighbours, against a loop, far from the origin, by cosine."""

import numpy as np
import pytest

from supcon_theory.measures.probes import knn_error
from supcon_theory.measures.supports import draw_supports
from tests.measures.points import classes_of_points


@pytest.mark.parametrize("k", [1, 4])
def test_nearest_neighbours_equal_a_loop(k):
    x, y = classes_of_points(15, C=3)
    q, qy = classes_of_points(16, C=3, n=9)
    s = draw_supports(y, 5, 2, seed=0)
    ours = knn_error(x, y, s, q, qy, k=k, metric="euclidean")
    for r in range(2):
        wrong = []
        for z, c in zip(q, qy, strict=True):
            distance = np.linalg.norm(x[s[r].ravel()] - z, axis=1)
            near = np.argsort(distance)[:k]
            votes = np.bincount(y[s[r].ravel()][near], 1 / distance[near], minlength=3)
            wrong.append(votes.argmax() != c)
        assert ours[r] == pytest.approx(np.mean(wrong), abs=1e-12)


def test_neighbours_far_from_the_origin_are_the_same_neighbours():
    x, y = classes_of_points(25, C=3)
    x = np.round(x * 64) / 64
    s = draw_supports(y, 5, 3, seed=0)
    for k in (1, 4):
        plain = knn_error(x, y, s, x, y, k=k, metric="euclidean")
        moved = knn_error(x + 2.0**30, y, s, x + 2.0**30, y, k=k, metric="euclidean")
        np.testing.assert_allclose(plain, moved, atol=1e-12)


def test_neighbours_by_cosine_are_told_apart_where_all_cosines_are_nearly_one():
    x, y = classes_of_points(23, C=3, n=10, d=5)
    s = draw_supports(y, 4, 3, seed=0)
    common = np.ones(5) * 1e7
    across = x - (x @ common)[:, None] / (common @ common) * common  # what cosines still see
    wanted = knn_error(across, y, s, across, y, k=1, metric="euclidean")
    np.testing.assert_array_equal(knn_error(x + common, y, s, x + common, y, k=1), wanted)
