"""Few-shot probes against loops, scikit-learn, and the laws they must obey."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import NearestCentroid

from supcon_theory.measures.centres import (
    affine_errors,
    nearest_centre,
    support_means,
    way_error,
)
from supcon_theory.measures.probes import knn_error, linear_probe, probe_error, ridge_probe
from supcon_theory.measures.supports import draw_supports


def classes_of_points(seed=0, C=5, n=12, d=4, spread=1.0, labels=None):
    """Overlapping Gaussian classes, rows shuffled so that no class is a slice."""
    rng = np.random.default_rng(seed)
    labels = np.arange(C) if labels is None else np.asarray(labels)
    y = rng.permutation(np.repeat(labels, n))
    means = dict(zip(labels.tolist(), spread * rng.standard_normal((len(labels), d)), strict=True))
    return np.array([means[c] for c in y.tolist()]) + rng.standard_normal((len(y), d)), y


def standard(a):
    """Mean of the rows, and their RMS distance from it."""
    mean = a.mean(axis=0)
    return mean, np.sqrt(((a - mean) ** 2).sum(axis=1).mean())


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


# ---- supports --------------------------------------------------------------------------------


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


# ---- nearest class centre --------------------------------------------------------------------


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


# ---- linear probe ----------------------------------------------------------------------------


@pytest.mark.parametrize("C", [2, 3, 6])
def test_linear_probe_equals_scikit_learn(C):
    x, y = classes_of_points(10, C=C, spread=1.5)
    q, qy = classes_of_points(11, C=C, spread=1.5, n=40)
    s = draw_supports(y, 8, 3, seed=0)
    error = probe_error(linear_probe(x, y, s, tol=1e-6), q, qy)
    for r, rows in enumerate(s.reshape(3, -1)):
        mean, scale = standard(x[rows])
        theirs = LogisticRegression(tol=1e-10, max_iter=5000).fit((x[rows] - mean) / scale, y[rows])
        assert error[r] == pytest.approx(1 - theirs.score((q - mean) / scale, qy), abs=1e-12)


@pytest.mark.parametrize("C", [2, 4])
def test_the_reported_gradient_is_that_of_the_stated_objective(C):
    x, y = classes_of_points(12, C=C)
    x += 30
    s = draw_supports(y, 6, 1, seed=0)
    probe = linear_probe(x, y, s, inverse_l2=3.0, max_iter=3)
    rows = s.ravel()
    mean, scale = standard(x[rows])
    a, target = torch.tensor((x[rows] - mean) / scale), torch.as_tensor(y[rows])
    largest = []
    for at in (0.0, 1.0):
        w = torch.tensor(at * scale * probe.weight[0], requires_grad=True)
        b = torch.tensor(at * (probe.bias[0] + probe.weight[0] @ mean), requires_grad=True)
        loss = torch.nn.functional.cross_entropy(a @ w.T + b, target)
        penalty = ((w[1] - w[0]) ** 2).sum() if C == 2 else (w**2).sum()
        (loss + penalty / (2 * 3.0 * len(rows))).backward()
        largest.append(max(float(w.grad.abs().max()), float(b.grad.abs().max())))
    assert probe.gradient[0] == pytest.approx(largest[1] / largest[0], rel=1e-6)
    assert 1e-4 < probe.gradient[0] < 1 and not probe.converged[0]


def test_a_probe_that_did_not_converge_has_no_error_rate():
    x, y = classes_of_points(13)
    s = draw_supports(y, 5, 2, seed=0)
    stopped = linear_probe(x, y, s, tol=1e-6, max_iter=2)
    assert not stopped.converged.any()
    assert np.isnan(probe_error(stopped, x, y)).all()
    half = stopped._replace(converged=np.array([True, False]))
    assert np.isnan(probe_error(half, x, y)).tolist() == [False, True]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.floats(-6, 6))
def test_probes_do_not_see_the_scale_of_the_features(seed, log_scale):
    x, y = classes_of_points(seed, C=3)
    s = draw_supports(y, 6, 2, seed=seed)
    q = x * np.exp(log_scale)
    for fit in (lambda f: linear_probe(f, y, s, tol=1e-6), lambda f: ridge_probe(f, y, s)):
        np.testing.assert_allclose(probe_error(fit(x), x, y), probe_error(fit(q), q, y), atol=1e-12)


# ---- what no probe may see: a common vector, a common scale ------------------------------------

PROBES = {
    "linear": lambda *given: linear_probe(*given, tol=1e-6),
    "linear as it comes": linear_probe,
    "ridge": ridge_probe,
}


def embedded(kind, seed=0, C=5, n=30, d=16):
    """Features with a large common part, and queries: as encoders make them."""
    x, y = classes_of_points(seed, C=C, n=n, d=d, spread=0.8)
    if kind == "after ReLU":  # positive, with a mean of its own
        x = np.maximum(x + 2, 0)
    elif kind == "one huge dimension":  # massive activations
        x[:, 3] = 1e4 + 0.5 * x[:, 3]
    elif kind == "collapsed":  # unit rows of cosines near 1
        x = np.ones(d) + 1e-3 * x
        x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x, y


@pytest.mark.parametrize("kind", ["as they are", "after ReLU", "one huge dimension", "collapsed"])
@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_of_features_is_that_of_their_centred_and_scaled_selves(probe, kind):
    x, y = embedded(kind)
    q, qy = embedded(kind, seed=1)
    s = draw_supports(y, 10, 3, seed=0)
    mean, scale = standard(x)
    fitted = PROBES[probe](x, y, s)
    plain = PROBES[probe]((x - mean) / scale, y, s)
    assert fitted.converged.all() and plain.converged.all()
    np.testing.assert_allclose(fitted.weight * scale, plain.weight, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(
        probe_error(fitted, q, qy), probe_error(plain, (q - mean) / scale, qy)
    )


@pytest.mark.parametrize("offset", [1e2, 1e3, 1e4, 1e6])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5])
@pytest.mark.parametrize("probe", PROBES)
def test_a_common_vector_and_scale_change_nothing(probe, scale, offset):
    """Features on a grid of 2^-10, so that the offset itself rounds nothing away."""
    x, y = classes_of_points(20, C=4, n=20, d=8)
    x = np.round(x * 1024) / 1024
    s = draw_supports(y, 8, 3, seed=0)
    v = offset * np.array([1, -1, 0, 2, 1, 0.5, 0, 3])
    base, moved = PROBES[probe](x, y, s), PROBES[probe](scale * (x + v), y, s)
    tolerance = 1e-9 if scale == 1 else 1e-9 + 1e-14 * offset
    np.testing.assert_allclose(
        scale * moved.weight, base.weight, rtol=tolerance, atol=tolerance * abs(base.weight).max()
    )
    assert base.converged.all() and moved.converged.all()
    q, qy = classes_of_points(21, C=4, n=50, d=8)
    np.testing.assert_array_equal(probe_error(base, q, qy), probe_error(moved, scale * (q + v), qy))


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_a_probe_far_from_the_origin_learns_what_the_nearest_centre_does(offset):
    x, y = classes_of_points(22, n=60, d=12, spread=0.8)
    q, qy = classes_of_points(22, n=60, d=12, spread=0.8)
    s = draw_supports(y, 30, 4, seed=0)
    centres = way_error(nearest_centre(x + offset, y, s, q + offset, qy).beaten, 5).mean()
    for fit in PROBES.values():
        assert probe_error(fit(x + offset, y, s), q + offset, qy).mean() < centres + 0.05


@pytest.mark.parametrize("fit", [linear_probe, ridge_probe])
@pytest.mark.parametrize("offset", [0.0, 0.1, 1e6])
def test_supports_that_are_one_point_have_no_classifier_and_say_so(fit, offset):
    x, y = classes_of_points(23, C=3)
    s = draw_supports(y, 4, 3, seed=0)
    x[s[1].ravel()] = x[0]
    probe = fit(x + offset, y, s)
    one = {r for r in range(3) if len(np.unique(x[s[r].ravel()], axis=0)) == 1}
    assert 1 in one and not probe.converged[1] and np.isnan(probe.weight[1]).all()
    assert np.isnan(probe_error(probe, x + offset, y)).tolist() == [r in one for r in range(3)]
    assert "draws have no classifier" in probe.reason and "one point" in probe.reason
    nothing = fit(np.zeros_like(x), y, s)
    assert not nothing.converged.any() and "3 of 3 draws" in nothing.reason


@pytest.mark.parametrize("fit", [linear_probe, ridge_probe])
def test_the_starting_point_is_never_called_converged(fit):
    """Classes with the same mean: the best weights are those at the start, which decide nothing."""
    x = np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1]]) + 7
    y = np.array([0, 0, 1, 1])
    probe = fit(x, y, np.array([[[0, 1], [2, 3]]]))
    assert not probe.converged.any() and "same mean" in probe.reason
    assert np.isnan(probe_error(probe, x, y)).all()


@pytest.mark.parametrize("C, d", [(60, 300), (3, 2)])
def test_convergence_is_relative_to_the_gradient_at_the_start(C, d):
    """With many classes and dimensions the start itself is within 1e-3 in absolute terms."""
    x, y = classes_of_points(24, C=C, n=4, d=d, spread=0.5)
    s = draw_supports(y, 2, 1, seed=0)
    loose, tight = linear_probe(x, y, s, tol=1e-3), linear_probe(x, y, s, tol=1e-7)
    assert loose.converged.all() and tight.converged.all() and tight.gradient < 1e-7
    np.testing.assert_allclose(loose.weight, tight.weight, atol=0.02 * abs(tight.weight).max())


def test_neighbours_far_from_the_origin_are_the_same_neighbours():
    x, y = classes_of_points(25, C=3)
    x = np.round(x * 64) / 64
    s = draw_supports(y, 5, 3, seed=0)
    for k in (1, 4):
        plain = knn_error(x, y, s, x, y, k=k, metric="euclidean")
        moved = knn_error(x + 2.0**30, y, s, x + 2.0**30, y, k=k, metric="euclidean")
        np.testing.assert_allclose(plain, moved, atol=1e-12)


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


# ---- labels of any kind ------------------------------------------------------------------------

KINDS = {
    "uint16": lambda y: y.astype(np.uint16),
    "identifiers": lambda y: y * 10**12 + 7,
    "negative": lambda y: y - 100,
    "strings": lambda y: np.array(["cat", "cow", "dog", "eel", "fox"])[y],
    "tensor": torch.as_tensor,
    "list": lambda y: y.tolist(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_names_whatever_they_are(kind):
    x, y = classes_of_points(26)
    z = KINDS[kind](y)
    s = draw_supports(y, 4, 3, seed=0)
    assert draw_supports(z, 4, 3, seed=0).shape == s.shape
    for ours, named in (
        (nearest_centre(x, y, s, x, y).beaten, nearest_centre(x, z, s, x, z).beaten),
        (knn_error(x, y, s, x, y, k=2), knn_error(x, z, s, x, z, k=2)),
        *(
            (probe_error(f(x, y, s), x, y), probe_error(f(x, z, s), x, z))
            for f in (linear_probe, ridge_probe)
        ),
    ):
        np.testing.assert_array_equal(ours, named)
    with pytest.raises(ValueError, match="select the same classes"):
        nearest_centre(x, z, s, x, np.array(list("vwxyz"))[y])


def test_features_may_be_short_floats_with_a_graph_or_read_only_arrays():
    x, y = classes_of_points(27)
    short = torch.as_tensor(x).bfloat16()
    x = short.double().numpy()
    frozen = x.copy()
    frozen.flags.writeable = False
    s = draw_supports(y, 4, 3, seed=0)
    for form in (short, torch.tensor(x, requires_grad=True), frozen, np.asfortranarray(x)):
        np.testing.assert_array_equal(linear_probe(form, y, s).weight, linear_probe(x, y, s).weight)
        np.testing.assert_array_equal(
            nearest_centre(form, y, s, form, y).pair, nearest_centre(x, y, s, x, y).pair
        )


# ---- ridge and nearest neighbours ------------------------------------------------------------


@pytest.mark.parametrize(("m", "d"), [(2, 30), (9, 4)])
def test_ridge_equals_scikit_learn_on_either_side_of_square(m, d):
    x, y = classes_of_points(14, C=4, d=d)
    s = draw_supports(y, m, 2, seed=0)
    probe = ridge_probe(x, y, s, l2=0.05)
    for r, rows in enumerate(s.reshape(2, -1)):
        mean, scale = standard(x[rows])
        theirs = Ridge(alpha=0.05 * len(rows)).fit((x[rows] - mean) / scale, np.eye(4)[y[rows]])
        np.testing.assert_allclose(probe.weight[r] * scale, theirs.coef_, atol=1e-10)
        np.testing.assert_allclose(
            probe.bias[r] + probe.weight[r] @ mean, theirs.intercept_, atol=1e-10
        )
        assert probe.gradient[r] < 1e-12
    assert probe_error(probe, x, y).shape == (2,)


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


@pytest.mark.parametrize("size", [1e-170, 1e-30, 1e-16, 1e30, 1e140])
def test_no_error_depends_on_the_unit_of_the_features(size):
    x, y = classes_of_points(21, C=4, n=10, d=6)
    q, qy = classes_of_points(22, C=4, n=10, d=6)
    s = draw_supports(y, 3, 4, seed=0)

    def errors(a):
        return [
            nearest_centre(a * x, y, s, a * q, qy).pair,
            *(probe_error(fit(a * x, y, s), a * q, qy) for fit in (linear_probe, ridge_probe)),
            *(knn_error(a * x, y, s, a * q, qy, k=2, metric=of) for of in ("cosine", "euclidean")),
        ]

    for found, wanted in zip(errors(size), errors(1.0), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_neighbours_by_cosine_are_told_apart_where_all_cosines_are_nearly_one():
    x, y = classes_of_points(23, C=3, n=10, d=5)
    s = draw_supports(y, 4, 3, seed=0)
    common = np.ones(5) * 1e7
    across = x - (x @ common)[:, None] / (common @ common) * common  # what cosines still see
    wanted = knn_error(across, y, s, across, y, k=1, metric="euclidean")
    np.testing.assert_array_equal(knn_error(x + common, y, s, x + common, y, k=1), wanted)


# ---- bad input -------------------------------------------------------------------------------

X, Y = classes_of_points(17, C=3, n=5)
S = draw_supports(Y, 2, 2, seed=0)
BROKEN = X.copy()
BROKEN[4, 1] = np.nan


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: draw_supports(Y, 6, 1, seed=0), "m = 6 but class 0 has 5 samples"),
        (lambda: draw_supports(Y, 0, 1, seed=0), "m is 0"),
        (lambda: draw_supports(Y, 1, 0, seed=0), "repeats is 0"),
        (lambda: draw_supports(Y, 1, 1, seed=-1), "seed is -1"),
        (lambda: draw_supports(np.zeros(5, int), 1, 1, seed=0), "1 class: .* at least two"),
        (lambda: draw_supports(Y / 2, 1, 1, seed=0), "labels is 0.5 in row"),
        (lambda: nearest_centre(BROKEN, Y, S, X, Y), "features are NaN or infinite .* first in 4"),
        (lambda: nearest_centre(X, Y, S, BROKEN, Y), "queries are NaN or infinite .* first in 4"),
        (lambda: nearest_centre(X, Y[:-1], S, X, Y), r"labels has shape \(14,\).* \(15,\)"),
        (lambda: nearest_centre(X, Y, S, X[:-1], Y), r"query_labels has shape \(15,\).* \(14,\)"),
        (lambda: nearest_centre(X, Y, S, X[Y < 2], Y[Y < 2]), "queries of 2 classes against"),
        (lambda: nearest_centre(X, Y, S[:, :, :0], X, Y), "m >= 1"),
        (lambda: nearest_centre(X, Y, S + 10, X, Y), "of 15 features"),
        (lambda: nearest_centre(X, Y, S[:, [1, 0, 2]], X, Y), "mix classes"),
        (lambda: nearest_centre(X, Y, S, X[:, :2], Y), "2 dimensions, features 4"),
        (lambda: nearest_centre(X[0], Y, S, X, Y), r"features have shape \(4,\)"),
        (lambda: way_error(nearest_centre(X, Y, S, X, Y).beaten, 4), "4 ways of 3 classes"),
        (lambda: linear_probe(BROKEN, Y, S), "NaN or infinite"),
        (lambda: linear_probe(X, Y, S, tol=1), "tol below 1"),
        (lambda: linear_probe(X, Y, S, tol=0.0), "tol = 0.0"),
        (lambda: linear_probe(X, Y, S, inverse_l2=0), "must be positive"),
        (lambda: ridge_probe(X, Y, S, l2=0), "l2 = 0"),
        (lambda: knn_error(X, Y, S, X[:, :2], Y, k=1), "2 dimensions, features 4"),
        (lambda: knn_error(X, Y, S, X, Y, k=1, metric="none"), "metric is 'none'"),
        (lambda: knn_error(X, Y, S, X, Y, k=7), "k = 7 neighbours of 6 supports"),
        (lambda: knn_error(X, Y, S, X[Y < 2], Y[Y < 2], k=1), "queries of 2 classes"),
    ],
)
def test_bad_input_is_answered_in_one_sentence(call, says):
    with pytest.raises(ValueError, match=says):
        call()


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda v: draw_supports(Y, v, 1, seed=0), "m"),
        (lambda v: draw_supports(Y, 1, v, seed=0), "repeats"),
        (lambda v: knn_error(X, Y, S, X, Y, k=v), "k"),
        (lambda v: linear_probe(X, Y, S, max_iter=v), "max_iter"),
    ],
)
@pytest.mark.parametrize("value", [2.5, "2", True, None])
def test_numbers_of_things_are_whole(call, name, value):
    with pytest.raises(TypeError, match=f"{name} is {value!r}; it must be an integer"):
        call(value)
