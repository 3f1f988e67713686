"""Axes of independent tasks: the bound against laws made to reach it, and the form that fails."""

import numpy as np
import pytest

from supcon_theory.audits.multitask import axes_row, constructed_row, factor_rows
from supcon_theory.measures.task_axes import cell_variance, class_axes
from supcon_theory.theory.multitask import axis_bound


def cube(C1=3, C2=2, each=4, d=5, seed=0):
    rng = np.random.default_rng(seed)
    y1, y2 = (np.repeat(of.ravel(), each) for of in np.mgrid[:C1, :C2])
    cells = rng.normal(size=(C1, C2, d))[y1, y2]
    return cells + rng.normal(size=(len(y1), d)), y1, y2


def test_axes_and_variances_are_those_of_the_covariances():
    x, y, _ = cube()
    found = class_axes(x, y)
    for (a, b), u, distance, along in zip(*found, strict=True):
        D = x[y == b].mean(0) - x[y == a].mean(0)
        assert distance == pytest.approx(np.linalg.norm(D))
        np.testing.assert_allclose(u, D / np.linalg.norm(D))
        expected = [u @ np.cov(x[y == c].T, bias=True) @ u for c in range(3)]
        np.testing.assert_allclose(along, expected)
    pair = [found.along[k, list(ab)].mean() for k, ab in enumerate(found.pairs)]
    np.testing.assert_allclose(found.of_pair(), pair)
    np.testing.assert_allclose(found.of_all(), found.along.mean(1))


def test_the_variance_of_cells_leaves_out_what_is_within_them():
    x, y1, y2 = cube()
    found = class_axes(x, y1)
    means = np.empty_like(x)
    for c, b in np.ndindex(3, 2):
        cell = (y1 == c) & (y2 == b)
        means[cell] = x[cell].mean(0)
    expected = [np.mean([np.var(means[y1 == c] @ u) for c in range(3)]) for u in found.axes]
    np.testing.assert_allclose(cell_variance(x, y1, y2, found.axes), expected)
    assert (cell_variance(x, y1, y2, found.axes) <= found.of_all()).all()
    with pytest.raises(ValueError, match="from 3 to 4 rows"):
        cell_variance(x[1:], y1[1:], y2[1:], found.axes)


@pytest.mark.parametrize("C1, C2", [(2, 2), (3, 2), (2, 4)])
def test_no_law_breaks_the_bound_and_two_by_two_reach_it(C1, C2):
    rows = list(factor_rows(C1, C2, 40, seed=1))
    for row in rows:
        assert max(row["violation_axes"], row["violation_cells"], row["violation_order"]) < 1e-12
    assert max(row["over_all"] for row in rows) > 0.9
    assert (max(row["over_pair"] for row in rows) > 1.5) == (max(C1, C2) > 2)


def test_of_all_pairs_of_axes_the_worst_is_told():
    x, y1, y2 = cube(3, 3)
    one, two = class_axes(x, y1), class_axes(x, y2)
    left = [
        abs(u @ v) - axis_bound(d1, d2, 3, 3, s1, s2)
        for u, d1, s1 in zip(one.axes, one.distances, one.of_all(), strict=True)
        for v, d2, s2 in zip(two.axes, two.distances, two.of_all(), strict=True)
    ]
    row = axes_row(x, y1, y2)
    assert len(left) == 9 and row["violation_axes"] == pytest.approx(max(left))
    assert row["violation_cells"] > row["violation_axes"] and row["over_cells"] > row["over_all"]


def test_averaged_over_the_pair_it_fails_without_limit():
    rows = [constructed_row(spread) for spread in (0.1, 0.01, 1e-3)]
    assert all(row["cosine"] == 1 and row["violation_axes"] < 0 for row in rows)
    assert np.all(np.diff([row["over_pair"] for row in rows]) > 20) and rows[0]["over_pair"] > 3


def test_a_factor_too_little_is_seen(monkeypatch):
    from supcon_theory.audits import multitask

    x = np.array([[-1.0], [1], [-1], [1]])[:, :1] * np.array([[1.0], [1], [1], [1]])
    y1, y2 = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    x = x + 0.1 * (2 * y1[:, None] - 1)  # both axes are the line, all variance is between cells
    assert axes_row(x, y1, y2)["over_all"] == pytest.approx(1.0)
    monkeypatch.setattr(multitask, "axis_bound", lambda *of: 0.9 * axis_bound(*of))
    assert axes_row(x, y1, y2)["violation_axes"] > 0.09


@pytest.mark.parametrize(
    "numbers, word",
    [
        ((1, 1, 1, 2, 1, 1), "whole number"),
        ((1, 1, 2, 2, -1, 1), "negative"),
        ((1, np.nan, 2, 2, 1, 1), "NaN"),
    ],
)
def test_other_numbers_are_refused_in_a_sentence(numbers, word):
    with pytest.raises(ValueError, match=word):
        axis_bound(*numbers)


def test_attributes_of_characters_are_balanced_against_each_other():
    from supcon_theory.data.attributes import glyph_factors

    images, attributes = glyph_factors(0)
    columns = np.stack(list(attributes.values()))
    cells = np.unique(columns, axis=1, return_counts=True)
    assert cells[0].shape == (3, 16) and (cells[1] == 100).all() and len(images) == 1600
    assert not np.array_equal(images, glyph_factors(1).images)
