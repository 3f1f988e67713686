"""Axes between class means and variances along them, against loops; cells that do not balance."""

import numpy as np
import pytest

from supcon_theory.measures.task_axes import cell_variance, class_axes


def draw(C, B, each=3, D=5, seed=0):
    """Rows, classes and blocks of a balanced design."""
    y, o = (k.ravel() for k in np.indices((C, B, each))[:2])
    return np.random.default_rng(seed).normal(size=(len(y), D)) + y[:, None] ** 2, y, o


@pytest.mark.parametrize("C, B", [(2, 3), (3, 2), (4, 4)])
def test_axes_and_variances_are_loops(C, B):
    x, y, o = draw(C, B)
    found = class_axes(x, y)
    assert found.pairs.tolist() == [[a, b] for a in range(C) for b in range(a + 1, C)]
    along = cell_variance(x, y, o, found.axes)
    for p, (a, b) in enumerate(found.pairs):
        step = x[y == b].mean(0) - x[y == a].mean(0)
        assert found.distances[p] == pytest.approx(np.linalg.norm(step))
        u = step / np.linalg.norm(step)
        np.testing.assert_allclose(found.along[p], [np.var(x[y == c] @ u) for c in range(C)])
        cells = [[(x[(y == c) & (o == k)] @ u).mean() for k in range(B)] for c in range(C)]
        assert along[p] == pytest.approx(np.mean([np.var(of) for of in cells]))


def test_means_that_are_one_point_have_no_axis():
    x = np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 1.0], [2.0, -1.0], [0.0, 5.0], [0.0, 7.0]])
    assert class_axes(x, [0, 0, 1, 1, 2, 2]).pairs.tolist() == [[0, 2], [1, 2]]


def test_an_empty_last_cell_is_refused():
    x, y, o = draw(3, 2)
    kept = (y < 2) | (o < 1)
    with pytest.raises(ValueError, match="from 0 to 3 rows"):
        cell_variance(x[kept], y[kept], o[kept], np.eye(5))
