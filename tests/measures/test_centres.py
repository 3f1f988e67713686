"""The nearest class centre against a loop and scikit-learn; ties, choices of classes."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestCentroid

from supcon_theory.measures.centres import affine_errors, nearest_centre, support_means, way_error
from supcon_theory.measures.supports import draw_supports
from tests.measures.points import classes_of_points


def loop_nearest_centre(x, y, supports, queries, query_labels):
    """pair, all-way and the list of beaten counts, one distance at a time."""
    classes = np.unique(y)
    R, C = len(supports), len(classes)
    pair, all_way = np.zeros((R, C, C)), np.zeros((R, C))
    for r in range(R):
        centre = [x[supports[r, k]].mean(axis=0) for k in range(C)]
        for i in range(C):
            mine = queries[query_labels == classes[i]]
            for z in mine:
                distance = [np.sum((z - c) ** 2) for c in centre]
                beats = [j != i and distance[j] <= distance[i] for j in range(C)]
                pair[r, i] += np.array(beats) / len(mine)
                all_way[r, i] += any(beats) / len(mine)
    return pair, all_way.mean(axis=1)


@pytest.mark.parametrize("m", [1, 3, 12])
@pytest.mark.parametrize("replace", [False, True])
def test_nearest_centre_equals_a_loop_over_distances(m, replace):
    x, y = classes_of_points(1, C=4, n=12)
    q, qy = classes_of_points(2, C=4, n=7)
    s = draw_supports(y, m, 3, seed=5, replace=replace)
    ours = nearest_centre(x, y, s, q, qy)
    pair, all_way = loop_nearest_centre(x, y, s, q, qy)
    np.testing.assert_allclose(ours.pair, pair, atol=1e-12)
    np.testing.assert_allclose(way_error(ours.beaten, 4), all_way, atol=1e-12)


def test_nearest_centre_equals_scikit_learn_on_the_same_draws():
    x, y = classes_of_points(3, labels=[1, 4, 5, 9, 30, 31], n=15, d=6)
    q, qy = classes_of_points(3, labels=[1, 4, 5, 9, 30, 31], n=15, d=6, spread=0.8)
    s = draw_supports(y, 4, 8, seed=0)
    ours = way_error(nearest_centre(x, y, s, q, qy).beaten, 6)
    for error, rows in zip(ours, s.reshape(8, -1), strict=True):
        theirs = NearestCentroid().fit(x[rows], y[rows]).score(q, qy)
        assert error == pytest.approx(1 - theirs, abs=1e-12)


def test_blocks_of_draws_do_not_change_the_counts(monkeypatch):
    x, y = classes_of_points(4)
    s = draw_supports(y, 2, 11, seed=0)
    whole = nearest_centre(x, y, s, x, y)
    monkeypatch.setattr("supcon_theory.measures.centres._BLOCK", 5 * 12 * 4)
    parts = nearest_centre(x, y, s, x, y)
    assert all(np.array_equal(a, b) for a, b in zip(whole, parts, strict=True))


@pytest.mark.parametrize("ways", [2, 3, 4, 5])
def test_way_error_is_the_mean_over_all_choices_of_classes(ways):
    C = 5
    x, y = classes_of_points(6, C=C, spread=0.7)
    s = draw_supports(y, 2, 3, seed=0)
    by_choice = []
    for chosen in itertools.combinations(range(C), ways):
        rows = np.isin(y, chosen)
        renumber = np.cumsum(rows) - 1
        sub = nearest_centre(x[rows], y[rows], renumber[s[:, list(chosen)]], x[rows], y[rows])
        by_choice.append(way_error(sub.beaten, ways))
    expected = np.mean(by_choice, axis=0)
    ours = nearest_centre(x, y, s, x, y)
    np.testing.assert_allclose(way_error(ours.beaten, ways), expected, atol=1e-12)
    if ways == 2:
        np.testing.assert_allclose(ours.pair.sum(axis=(1, 2)) / (C * (C - 1)), expected, atol=1e-12)


def test_classes_of_unequal_size_have_equal_weight():
    x = np.array([[0.0], [0.1], [0.2], [0.9], [1.0]])
    y = np.array([0, 0, 0, 1, 1])
    s = np.array([[[0], [4]]])
    queries, of = np.array([[0.9], [0.1], [0.2], [0.3], [1.0]]), np.array([0, 0, 0, 0, 1])
    ours = nearest_centre(x, y, s, queries, of)
    assert way_error(ours.beaten, 2) == pytest.approx([(1 / 4 + 0) / 2])


def test_a_tie_is_an_error():
    x = np.array([[-1.0], [1.0], [3.0]])
    y = np.arange(3)
    s = draw_supports(y, 1, 1, seed=0)
    ours = nearest_centre(x, y, s, np.array([[0.0], [0.5], [4.0]]), y)
    assert ours.pair[0].tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert way_error(ours.beaten, 3) == pytest.approx([1 / 3])


def test_collapsed_features_are_always_wrong():
    x = np.full((40, 3), 0.1) + np.array([1e3, -2.0, 7e-5])
    y = np.repeat(np.arange(4), 10)
    ours = nearest_centre(x, y, draw_supports(y, 7, 5, seed=0), x, y)
    assert (way_error(ours.beaten, 4) == 1).all()
    assert (way_error(ours.beaten, 2) == 1).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(-3, 3), st.floats(-50, 50))
def test_nearest_centre_does_not_see_rotation_shift_or_scale(seed, log_scale, shift):
    x, y = classes_of_points(seed, C=3, n=6, d=3)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    s = draw_supports(y, 2, 4, seed=seed)
    moved = np.exp(log_scale) * x @ turn + shift
    a, b = nearest_centre(x, y, s, x, y), nearest_centre(moved, y, s, moved, y)
    np.testing.assert_array_equal(a.beaten, b.beaten)


def test_more_than_256_classes_are_counted_without_overflow():
    x, y = np.zeros((300, 2)), np.arange(300)
    ours = nearest_centre(x, y, draw_supports(y, 1, 1, seed=0), x, y)
    assert (ours.beaten[0, :, 299] == 1).all()


def test_support_means_count_repeated_rows():
    x, y = classes_of_points(8)
    s = draw_supports(y, 30, 4, seed=0, replace=True)
    np.testing.assert_allclose(support_means(x, y, s), x[s].mean(axis=2), atol=1e-13)


def test_torch_tensors_are_welcome():
    x, y = classes_of_points(9)
    s = draw_supports(torch.as_tensor(y), 3, 2, seed=0)
    a = nearest_centre(x, y, s, x, y)
    xt, yt = torch.as_tensor(x), torch.as_tensor(y)
    b = nearest_centre(xt, yt, s, xt, yt)
    np.testing.assert_array_equal(a.pair, b.pair)


@pytest.mark.parametrize("offset", [0.0, 2.0**20, 2.0**30])
def test_ties_far_from_the_origin_are_ties_and_near_misses_are_not(offset):
    """The middle of two centres is an error; 2^-20 to either side decides."""
    x = np.array([[0.0, 0], [2, 0], [0, 50]])
    y = np.arange(3)
    s = draw_supports(y, 1, 1, seed=0)
    q = np.array([[1.0, 0], [1 - 2.0**-20, 0], [1 + 2.0**-20, 0], [1, 0], [0, 50]]) + offset
    found = nearest_centre(x + offset, y, s, q, np.array([0, 0, 1, 1, 2])).pair[0]
    assert found[0, 1] == 0.5 and found[1, 0] == 0.5


@pytest.mark.parametrize("common", [0.0, 1e9])
def test_what_ties_scores_is_relative_to_what_decides(common):
    """Neither an offset of the queries nor weights common to all classes widen the slack."""
    offset = 2.0**24
    weight = np.array([[-1.0], [1.0]])
    q, of = offset + np.array([[-(2.0**-12)], [2.0**-12], [-1.0], [1.0]]), np.array([0, 1, 0, 1])
    assert affine_errors(weight[None], -weight.T * offset, [0, 1], q, of).pair.sum() == 0
    z = q - offset
    shared = np.full((1, 2, 1), common)
    assert affine_errors(weight + shared, np.full((1, 2), common), [0, 1], z, of).pair.sum() == 0
    far = np.concatenate([z, [[1e12], [-1e12]]])  # one sample's reach is not another's
    assert affine_errors(weight[None], np.zeros((1, 2)), [0, 1], far, [*of, 1, 0]).pair.sum() == 0
