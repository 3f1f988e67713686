"""Few-shot probes of frozen features: nearest class centre, k nearest neighbours, linear, ridge.

All take features (N, d) with labels (N,), supports (R, C, m) from `draw_supports`, and queries
(Q, d) with labels (Q,) that share the classes. Errors average over the classes with equal weight.
"""

import warnings
from typing import NamedTuple

import numpy as np
from scipy.special import expit, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from supcon_theory.measures.centres import (
    affine_errors,
    nearest_centre,
    support_means,
    way_error,
)
from supcon_theory.measures.supports import (
    class_rows,
    draw_supports,
    feature_matrix,
    support_classes,
)

__all__ = [
    "affine_errors",
    "draw_supports",
    "knn_error",
    "linear_probe",
    "nearest_centre",
    "probe_error",
    "ridge_probe",
    "support_means",
    "way_error",
]


class Probe(NamedTuple):
    """Affine classifiers argmax_c <weight[r, c], z> + bias[r, c], one per support draw.

    weight (R, C, d), bias (R, C), classes (C,); gradient (R,) the largest entry of the gradient of
    the objective at the solution, converged (R,) whether it is within the tolerance asked for.
    """

    weight: np.ndarray
    bias: np.ndarray
    classes: np.ndarray
    gradient: np.ndarray
    converged: np.ndarray


def linear_probe(
    features, labels, supports, *, inverse_l2: float = 1.0, tol: float = 1e-4, max_iter: int = 1000
) -> Probe:
    """Softmax regression by scikit-learn's L-BFGS on every draw of supports.

    Minimises, over the S = C m supports x of a draw divided by their RMS norm, with a free bias b,

        (1/S) sum_x -log softmax(W x + b)_y + ||W||^2 / (2 inverse_l2 S),

    convex, so a small gradient is a proof of optimality; `Probe.weight` acts on the features as
    given. The gradient is recomputed here at the returned solution and held against `tol`
    (largest entry); scikit-learn's own criterion also stops on a flat objective.

    Note: with two classes scikit-learn fits one weight vector w, which is the softmax with
    W = (-w/2, w/2) and the penalty ||w||^2 in place of ||W||^2.

    Raises ValueError for NaN, all-zero supports, inverse_l2 <= 0, tol <= 0, max_iter < 1.
    """
    x = feature_matrix(features)
    classes = support_classes(x, labels, supports)
    if not (inverse_l2 > 0 and tol > 0 and max_iter >= 1):
        raise ValueError(
            f"inverse_l2 = {inverse_l2}, tol = {tol}, max_iter = {max_iter}: all must be positive."
        )
    repeats, count, m = np.shape(supports)
    y = np.repeat(np.arange(count), m)
    weight, bias = np.empty((repeats, count, x.shape[1])), np.empty((repeats, count))
    gradient = np.empty(repeats)
    with threadpool_limits(1), warnings.catch_warnings():
        # Not converging is measured below and returned, not printed.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # At m = 1 every label is rare; scikit-learn suspects a regression.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        for r, rows in enumerate(np.asarray(supports).reshape(repeats, -1)):
            a = x[rows]
            scale = _rms_norm(a)
            a /= scale
            fit = LogisticRegression(C=inverse_l2, tol=tol, max_iter=max_iter).fit(a, y)
            w, b = fit.coef_, fit.intercept_
            gradient[r] = _largest_gradient(a, y, w, b, inverse_l2)
            if count == 2:
                w, b = np.concatenate([-w, w]) / 2, np.concatenate([-b, b]) / 2
            weight[r], bias[r] = w / scale, b
    return Probe(weight, bias, classes, gradient, gradient <= tol)


def ridge_probe(features, labels, supports, *, l2: float = 1e-2) -> Probe:
    """Ridge regression on one-hot labels, in closed form, on every draw of supports.

    Minimises (1/S) ||Y - X W' - 1 b'||^2 + l2 ||W||^2 over the S supports X divided by their RMS
    norm, b free: with X and Y centred, W' = (X'X + l2 S I)^-1 X'Y = X'(XX' + l2 S I)^-1 Y; the
    smaller system is solved.

    Raises ValueError for NaN, all-zero supports, l2 <= 0.
    """
    x = feature_matrix(features)
    classes = support_classes(x, labels, supports)
    if not l2 > 0:
        raise ValueError(f"l2 = {l2}: it must be positive.")
    repeats, count, m = np.shape(supports)
    hot = np.repeat(np.eye(count), m, axis=0)
    target = hot - 1 / count
    weight, bias = np.empty((repeats, count, x.shape[1])), np.empty((repeats, count))
    gradient = np.empty(repeats)
    with threadpool_limits(1):
        for r, rows in enumerate(np.asarray(supports).reshape(repeats, -1)):
            a = x[rows]
            scale = _rms_norm(a)
            a /= scale
            centre = a.mean(axis=0)
            a -= centre
            size, d = a.shape
            if d <= size:
                w = np.linalg.solve(a.T @ a + l2 * size * np.eye(d), a.T @ target)
            else:
                w = a.T @ np.linalg.solve(a @ a.T + l2 * size * np.eye(size), target)
            gradient[r] = np.abs(2 / size * a.T @ (a @ w - target) + 2 * l2 * w).max()
            weight[r], bias[r] = w.T / scale, 1 / count - centre @ w
    return Probe(weight, bias, classes, gradient, np.full(repeats, True))


def probe_error(probe: Probe, queries, query_labels) -> np.ndarray:
    """All-way error (R,) of each draw's classifier; NaN where it did not converge.

    Ties are errors. Raises ValueError for NaN queries and classes that the probe does not have.
    """
    done = probe.converged
    error = np.full(len(done), np.nan)
    if done.any():
        count = affine_errors(
            probe.weight[done], probe.bias[done], probe.classes, queries, query_labels
        )
        error[done] = way_error(count.beaten, len(probe.classes))
    return error


def knn_error(
    features, labels, supports, queries, query_labels, *, k: int, metric: str = "cosine"
) -> np.ndarray:
    """All-way error (R,) of scikit-learn's k nearest neighbours among the supports of each draw.

    Neighbours vote with the inverse of their distance, so that k above m does not end in ties.

    Raises ValueError for NaN, k < 1, k above the number of supports, classes without queries.
    """
    x, z = feature_matrix(features), feature_matrix(queries, "queries")
    classes = support_classes(x, labels, supports)
    repeats, count, m = np.shape(supports)
    if not 1 <= k <= count * m:
        raise ValueError(f"k = {k} neighbours of {count * m} supports: choose from 1 to that.")
    rows = class_rows(query_labels)
    if list(rows) != classes.tolist():
        raise ValueError(
            f"queries of {len(rows)} classes against supports of {count} classes: "
            "every class needs both, so select the same classes in both."
        )
    y = np.repeat(classes, m)
    error = np.empty(repeats)
    with threadpool_limits(1):
        for r, picked in enumerate(np.asarray(supports).reshape(repeats, -1)):
            knn = KNeighborsClassifier(k, weights="distance", metric=metric, algorithm="brute")
            wrong = knn.fit(x[picked], y).predict(z) != np.asarray(query_labels)
            error[r] = np.mean([wrong[members].mean() for members in rows.values()])
    return error


def _rms_norm(a: np.ndarray) -> float:
    scale = np.sqrt(np.einsum("sd,sd->", a, a) / len(a))
    if scale == 0:
        raise ValueError("all supports are zero: features without norm cannot be scaled.")
    return scale


def _largest_gradient(a, y, w, b, inverse_l2: float) -> float:
    """Largest entry of the gradient of the objective of `linear_probe` at (w, b)."""
    score = a @ w.T + b
    if len(w) == 1:
        residual = expit(score) - y[:, None]
    else:
        residual = softmax(score, axis=1)
        residual[np.arange(len(y)), y] -= 1
    slope = (residual.T @ a + w / inverse_l2) / len(a)
    return max(np.abs(slope).max(), np.abs(residual.mean(axis=0)).max())
