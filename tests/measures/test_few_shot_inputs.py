"""What every few-shot classifier takes and refuses: labels, dtypes, units, bad input."""

import numpy as np
import pytest
import torch

from supcon_theory.measures.centres import nearest_centre, way_error
from supcon_theory.measures.probes import knn_error, linear_probe, probe_error, ridge_probe
from supcon_theory.measures.supports import draw_supports
from tests.measures.points import classes_of_points

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
        (lambda: nearest_centre(X, Y, S[:, [0, 0, 2]], X, Y), "mix classes"),
        (lambda: nearest_centre(X, Y, S, X[:, :2], Y), "2 dimensions, features 4"),
        (lambda: nearest_centre(X[0], Y, S, X, Y), r"features have shape \(4,\)"),
        (lambda: way_error(nearest_centre(X, Y, S, X, Y).beaten, 4), "4 ways of 3 classes"),
        (lambda: linear_probe(BROKEN, Y, S), "NaN or infinite"),
        (lambda: linear_probe(X, Y, S, tol=1), "tol below 1"),
        (lambda: linear_probe(X, Y, S, tol=0.0), "tol = 0.0"),
        (lambda: linear_probe(X, Y, S, tol=-0.1), "tol = -0.1"),
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
