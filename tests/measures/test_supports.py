"""Draws of supports: of their class, nested in m, the same whatever else is drawn."""

import numpy as np

from supcon_theory.measures.supports import draw_supports
from tests.measures.points import classes_of_points


def test_a_draw_is_a_prefix_of_every_larger_draw():
    y = np.repeat(np.arange(4), 20)
    for replace in (False, True):
        large = draw_supports(y, 20, 6, seed=3, replace=replace)
        for m in (1, 2, 7, 13):
            small = draw_supports(y, m, 6, seed=3, replace=replace)
            assert np.array_equal(small, large[:, :, :m])


def test_the_draw_of_a_class_does_not_depend_on_the_other_classes_or_repeats():
    y = np.array([0, 3, 1, 3, 0, 1, 3, 0, 1, 1, 0, 3])
    all_of_them = draw_supports(y, 2, 5, seed=1)
    kept = np.flatnonzero(y != 1)
    some = draw_supports(y[kept], 2, 3, seed=1)
    assert np.array_equal(kept[some], all_of_them[:3][:, [0, 2]])


def test_draws_differ_between_seeds_streams_repeats_and_classes():
    y = np.repeat(np.arange(3), 50)
    base = draw_supports(y, 10, 2, seed=0)
    within = base % 50
    assert not np.array_equal(base, draw_supports(y, 10, 2, seed=1))
    assert not np.array_equal(base, draw_supports(y, 10, 2, seed=0, stream=1))
    assert not np.array_equal(base[0], base[1])
    assert not np.array_equal(within[0, 0], within[0, 1])


def test_supports_are_of_their_class_and_without_replacement_all_different():
    _, y = classes_of_points(labels=[2, 5, 7], n=9)
    s = draw_supports(y, 9, 20, seed=0)
    assert (y[s] == np.array([2, 5, 7])[:, None]).all()
    assert (np.sort(s, axis=2) == [[np.flatnonzero(y == c) for c in (2, 5, 7)]]).all()
    repeated = draw_supports(y, 9, 20, seed=0, replace=True)
    assert (y[repeated] == np.array([2, 5, 7])[:, None]).all()
    assert any(len(set(row)) < 9 for row in repeated.reshape(-1, 9).tolist())


def test_every_row_is_drawn_equally_often():
    y = np.repeat([0, 1], 5)
    for replace in (False, True):
        s = draw_supports(y, 1, 4000, seed=0, replace=replace)
        share = np.bincount(s.ravel(), minlength=10) / 4000
        assert np.abs(share - 0.2).max() < 5 * np.sqrt(0.16 / 4000)
