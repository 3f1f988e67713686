"""Linear and ridge probe against scikit-learn; a common vector or scale changes nothing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge

from supcon_theory.measures.centres import nearest_centre, way_error
from supcon_theory.measures.probes import linear_probe, probe_error, ridge_probe
from supcon_theory.measures.supports import draw_supports
from tests.measures.points import classes_of_points, standard


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
