"""Few-shot probes of frozen features: linear, ridge, k nearest neighbours.

All take features (N, d) with labels (N,), supports (R, C, m) from `draw_supports`, and queries
(Q, d) with labels (Q,) that share the classes. Errors average over the classes with equal weight.

The affine probes have a free bias, so they cannot see a vector common to all features. They are
fitted to (x - mean) / RMS of the supports, with the mean put back into the bias: without that, an
offset that is large against the spread leaves nothing of the features but itself.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from sklearn.neighbors import VALID_METRICS, KNeighborsClassifier
from threadpoolctl import threadpool_limits

from supcon_theory.inputs import choice, matrix, whole
from supcon_theory.measures.centres import affine_errors, exponent, nearest_centre, way_error
from supcon_theory.measures.supports import draw_supports, query_rows, support_classes

__all__ = [  # with what the protocol of a probe needs besides
    "Probe",
    "draw_supports",
    "knn_error",
    "linear_probe",
    "nearest_centre",
    "probe_error",
    "probe_probabilities",
    "ridge_probe",
    "way_error",
]

_SHIFTLESS = ("euclidean", "l2", "sqeuclidean")  # metrics that scikit-learn expands about 0
_NO_SLOPE = 1e-12  # of features of RMS 1: a gradient that is rounding


class Probe(NamedTuple):
    """Affine classifiers argmax_c <weight[r, c], z> + bias[r, c], one per support draw.

    weight (R, C, d), bias (R, C), classes (C,) their labels; gradient (R,) the largest entry of
    the gradient of the objective at the solution over the largest at the start (all weights 0),
    converged (R,) whether it is within the tolerance asked for. A draw whose supports determine no
    classifier has NaN for all of these; `reason` says why ("" when there is none).
    """

    weight: np.ndarray
    bias: np.ndarray
    classes: list
    gradient: np.ndarray
    converged: np.ndarray
    reason: str = ""


def linear_probe(
    features, labels, supports, *, inverse_l2: float = 1.0, tol: float = 1e-4, max_iter: int = 1000
) -> Probe:
    """Softmax regression by L-BFGS on every draw of supports.

    Minimises, over the S = C m supports x of a draw less their mean and divided by their RMS
    distance from it, with a free bias b,

        (1/S) sum_x -log softmax(W x + b)_y + ||W||^2 / (2 inverse_l2 S),

    convex, so a small gradient is a proof of optimality. How small is relative to the gradient at
    the start W = 0, which shrinks with C and with d: no absolute tolerance tells an optimum from a
    start in every case.

    Note: with two classes the penalty is ||w||^2 of the one vector w = W_1 - W_0 that decides, as
    in scikit-learn; that is twice ||W||^2.

    Args:
        features: (N, d) features, any offset and scale.
        labels: (N,) labels of any kind.
        supports: (R, C, m) rows from `draw_supports`.
        inverse_l2: Inverse strength of the penalty (scikit-learn's C), positive.
        tol: Largest entry of the gradient, in units of that at the start, below 1. Under about
            1e-8 the rounding of the objective ends the search first, and `converged` says so.
        max_iter: Most iterations of L-BFGS.

    Returns:
        The classifiers, which act on the features as given.

    Raises:
        ValueError: For numbers out of range, and what `support_classes` raises.
    """
    whole(max_iter, "max_iter", 0)
    if not (inverse_l2 > 0 and 0 < tol < 1 and max_iter >= 1):
        raise ValueError(
            f"inverse_l2 = {inverse_l2}, tol = {tol}, max_iter = {max_iter}: all must be positive "
            "and tol below 1, the gradient at the start."
        )

    def solve(a: np.ndarray, hot: np.ndarray):
        C = hot.shape[1]
        problem = a, hot, (2 if C == 2 else 1) / (inverse_l2 * len(a))
        flat = np.zeros(C * (a.shape[1] + 1))
        start = np.abs(_softmax_regression(flat, *problem)[1]).max()
        limits = {"gtol": tol * start, "ftol": 0, "maxiter": max_iter, "maxfun": 20 * max_iter}
        if start > _NO_SLOPE:
            flat = minimize(
                _softmax_regression, flat, problem, "L-BFGS-B", jac=True, options=limits
            ).x
        end = np.abs(_softmax_regression(flat, *problem)[1]).max()
        return flat[:-C].reshape(C, -1), flat[-C:], start, end

    return _fitted(features, labels, supports, solve, tol)


def ridge_probe(features, labels, supports, *, l2: float = 1e-2) -> Probe:
    """Ridge regression on one-hot labels, in closed form, on every draw of supports.

    Minimises (1/S) ||Y - X W' - 1 b'||^2 + l2 ||W||^2 over the S supports X less their mean and
    divided by their RMS distance from it, b free: with Y centred as well,
    W' = (X'X + l2 S I)^-1 X'Y = X'(XX' + l2 S I)^-1 Y; the smaller system is solved.

    Args:
        features: (N, d) features, any offset and scale.
        labels: (N,) labels of any kind.
        supports: (R, C, m) rows from `draw_supports`.
        l2: Strength of the penalty, positive.

    Returns:
        The classifiers, which act on the features as given; converged where the gradient is below
        1e-6 of that at the start.

    Raises:
        ValueError: Unless l2 > 0, and what `support_classes` raises.
    """
    if not l2 > 0:
        raise ValueError(f"l2 = {l2}: it must be positive.")

    def solve(a: np.ndarray, hot: np.ndarray):
        (size, d), C = a.shape, hot.shape[1]
        target = hot - 1 / C
        if d <= size:
            w = np.linalg.solve(a.T @ a + l2 * size * np.eye(d), a.T @ target)
        else:
            w = a.T @ np.linalg.solve(a @ a.T + l2 * size * np.eye(size), target)
        end = np.abs(a.T @ (a @ w - target) / size + l2 * w).max()
        return w.T, np.full(C, 1 / C), np.abs(a.T @ target).max() / size, end

    return _fitted(features, labels, supports, solve, 1e-6)


def probe_error(probe: Probe, queries, query_labels) -> np.ndarray:
    """All-way error of each draw's classifier; ties are errors.

    Args:
        probe: From `linear_probe` or `ridge_probe`.
        queries: (Q, d) features.
        query_labels: (Q,) labels, of the classes of the probe.

    Returns:
        (R,) errors, NaN where the probe did not converge.
    """
    done = probe.converged
    error = np.full(len(done), np.nan)
    if done.any():
        count = affine_errors(
            probe.weight[done], probe.bias[done], probe.classes, queries, query_labels
        )
        error[done] = way_error(count.beaten, len(probe.classes))
    return error


def probe_probabilities(probe: Probe, queries) -> np.ndarray:
    """softmax_c(<weight[r, c], z> + bias[r, c]) of each draw's classifier.

    Args:
        probe: From `linear_probe`.
        queries: (Q, d) features.

    Returns:
        (R, Q, C) probabilities, NaN where the probe did not converge.
    """
    z = matrix(queries, "queries")
    score = np.einsum("rcd,qd->rqc", probe.weight, z) + probe.bias[:, None]
    score[~probe.converged] = np.nan
    score -= score.max(axis=-1, keepdims=True)
    p = np.exp(score)
    return p / p.sum(axis=-1, keepdims=True)


def knn_error(
    features, labels, supports, queries, query_labels, *, k: int, metric: str = "cosine"
) -> np.ndarray:
    """All-way error of scikit-learn's k nearest neighbours among the supports of each draw.

    Neighbours vote with the inverse of their distance, so that k above m does not end in ties.

    Args:
        features: (N, d) features.
        labels: (N,) labels of any kind.
        supports: (R, C, m) rows from `draw_supports`.
        queries: (Q, d) features.
        query_labels: (Q,) labels, of the same classes.
        k: Neighbours that vote, from 1 to C m.
        metric: Any of scikit-learn's; cosines are about 0, Euclidean distances about anything.

    Returns:
        (R,) errors.

    Raises:
        ValueError: For k out of range, classes without queries, and what `support_classes` raises.
    """
    x, z = matrix(features, "features"), matrix(queries, "queries")
    classes = support_classes(len(x), labels, supports)
    repeats, count, m = np.shape(supports)
    if not callable(metric):
        choice(metric, "metric", tuple(VALID_METRICS["brute"]))
    if z.shape[1] != x.shape[1]:
        raise ValueError(f"queries have {z.shape[1]} dimensions, features {x.shape[1]}.")
    if not 1 <= whole(k, "k", 0) <= count * m:
        raise ValueError(f"k = {k} neighbours of {count * m} supports: choose from 1 to that.")
    rows = query_rows(query_labels, len(z), classes)
    if metric == "cosine":  # half the squared distance of unit rows; scikit-learn's 1 - cosine has
        x, z, metric = _unit(x), _unit(z), "sqeuclidean"  # no digits left where cosines are near 1
    if metric in _SHIFTLESS:  # ||x||^2 - 2 <x, z> + ||z||^2 loses its digits to a common vector
        x, z = x - x[0], z - x[0]
        power = exponent(np.vstack([x, z]))  # and its squares must be numbers
        x, z = np.ldexp(x, -power), np.ldexp(z, -power)
    y = np.repeat(np.arange(count), m)
    error = np.empty(repeats)
    with threadpool_limits(1):
        for r, picked in enumerate(np.asarray(supports).reshape(repeats, -1)):
            knn = KNeighborsClassifier(k, weights="distance", metric=metric, algorithm="brute")
            guess = knn.fit(x[picked], y).predict(z)
            error[r] = np.mean([(guess[members] != c).mean() for c, members in enumerate(rows)])
    return error


def _unit(x: np.ndarray) -> np.ndarray:
    """Rows over their norms; a row of zeros, equally far from all, stays."""
    x = np.ldexp(x, -exponent(x, axis=1))
    norms = np.sqrt(np.einsum("nd,nd->n", x, x))[:, None]
    return x / np.where(norms == 0, 1, norms)


def _fitted(features, labels, supports, solve: Callable, tol: float) -> Probe:
    """`solve(a, one-hot)`, which gives W, b and two gradients, on every standardised draw."""
    x = matrix(features, "features")
    classes = support_classes(len(x), labels, supports)
    repeats, count, m = np.shape(supports)
    hot = np.repeat(np.eye(count), m, axis=0)
    weight, bias = np.full((repeats, count, x.shape[1]), np.nan), np.full((repeats, count), np.nan)
    gradient, why = np.full(repeats, np.nan), {}
    with threadpool_limits(1):
        for r, rows in enumerate(np.asarray(supports).reshape(repeats, -1)):
            # Differences to a row first: exact where an offset is large, 0 where all are the same.
            a = x[rows] - x[rows[0]]
            mean = a.mean(axis=0)
            a -= mean
            if not (top := np.abs(a).max()):
                why[r] = "all supports are one point"
                continue
            scale = top * np.sqrt(np.square(a / top).sum(axis=1).mean())
            w, b, start, end = solve(a / scale, hot)
            if start <= _NO_SLOPE:
                why[r] = "the supports of all classes have the same mean"
                continue
            weight[r], gradient[r] = w / scale, end / start
            bias[r] = b - weight[r] @ mean - weight[r] @ x[rows[0]]
    reason = ""
    if why:
        first = min(why)
        reason = (
            f"{len(why)} of {repeats} draws have no classifier, the first {first}: {why[first]}"
        )
    return Probe(weight, bias, classes, gradient, gradient <= tol, reason)


def _softmax_regression(flat: np.ndarray, a: np.ndarray, hot: np.ndarray, l2: float):
    """Mean cross-entropy of <W, a> + b plus l2 ||W||^2 / 2, and its gradient; (W, b) flat."""
    C = hot.shape[1]
    weight, bias = flat[:-C].reshape(C, -1), flat[-C:]
    score = a @ weight.T + bias
    score -= score.max(axis=1, keepdims=True)
    p = np.exp(score)
    total = p.sum(axis=1, keepdims=True)
    loss = (np.log(total).sum() - np.vdot(score, hot)) / len(a) + l2 / 2 * np.vdot(weight, weight)
    residual = (p / total - hot) / len(a)
    return loss, np.concatenate([(residual.T @ a + l2 * weight).ravel(), residual.sum(axis=0)])
