"""Errors of affine classifiers over many support draws at once, and the nearest class centre.

Given one draw, a sample z of class i is beaten by class j when the score of j reaches that of i.
Everything is counted from these events: the two-way error of every ordered pair, the all-way
error, and the error over every choice of C' classes, all from the same draws and exact over the
queries. A tie is an error, as in the bounds, which control P(margin <= 0).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse
import scipy.special

from supcon_theory.inputs import matrix
from supcon_theory.measures.supports import query_rows, support_classes

# Scores closer than this, relative to the norms in them, differ by rounding only: a tie.
_TIE = 1e-12
# Scores held at a time: 2 MB, so that they are compared and counted while in the cache.
_BLOCK = 2**18


class Errors(NamedTuple):
    """What affine classifiers get wrong, by draw and by true class.

    pair    (R, C, C): [r, i, j] share of the class-i queries beaten by class j in draw r, which is
            the two-way error i -> j; the diagonal is 0.
    beaten  (R, C, C): [r, i, w] share of the class-i queries beaten by exactly w other classes.
    """

    pair: np.ndarray
    beaten: np.ndarray


def affine_errors(weight, bias, classes: Sequence, queries, query_labels) -> Errors:
    """Errors of the classifiers argmax_c <weight[r, c], z> + bias[r, c] on the queries.

    A vector common to all queries, and weights and a bias common to all classes, are taken out
    first: neither decides anything, and the slack within which scores are tied is relative to what
    does. Cost 2 R C Q d: one matrix product per class of queries and block of draws.

    Args:
        weight: (R, C, d) weights of R classifiers.
        bias: (R, C) their biases.
        classes: (C,) the label of each row of weights, ascending.
        queries: (Q, d) features.
        query_labels: (Q,) labels, of the same classes.

    Returns:
        What each classifier gets wrong.

    Raises:
        ValueError: For NaN, fewer than two classes, and query labels that are not `classes`.
    """
    weight, bias = np.asarray(weight, dtype=np.float64), np.asarray(bias, dtype=np.float64)
    z = matrix(queries, "queries")
    rows = query_rows(query_labels, len(z), classes)
    if weight.ndim != 3 or weight.shape[2] != z.shape[1]:
        raise ValueError(f"weight {weight.shape} does not act on queries {z.shape}.")
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise ValueError("NaN or infinite weight: drop the draws whose classifier has none.")
    repeats, count, d = weight.shape
    origin = z.mean(axis=0)
    bias = bias + weight @ origin
    bias -= bias.mean(axis=1, keepdims=True)
    weight = weight - weight.mean(axis=1, keepdims=True)
    # Powers of two: squares and products of anything stay numbers, and no score changes its bits.
    z = z - origin
    power = exponent(z)
    scale = np.maximum(exponent(weight, (1, 2))[:, :, 0] + power, exponent(bias, 1))
    z, bias = np.ldexp(z, -power), np.ldexp(bias, -scale)
    weight = np.ldexp(weight, (power - scale)[:, :, None])
    norms = np.sqrt(np.einsum("rcd,rcd->rc", weight, weight)).max(axis=1)
    most = np.abs(bias).max(axis=1)
    pair = np.empty((repeats, count, count))
    beaten = np.empty((repeats, count, count))
    for i, members in enumerate(rows):
        n = len(members)
        own = z[members]
        lengths = np.sqrt(np.einsum("qd,qd->q", own, own))
        own = np.ascontiguousarray(own.T)
        step = max(1, _BLOCK // (count * n))
        for r in range(0, repeats, step):
            s = slice(r, r + step)
            score = (weight[s].reshape(-1, d) @ own).reshape(-1, count, n)
            score += bias[s, :, None]
            reach = score[:, i] - _TIE * (np.outer(norms[s], lengths) + most[s, None])
            ahead = (score >= reach[:, None]).view(np.uint8)
            ahead[:, i] = 0
            pair[s, i] = ahead.sum(axis=2, dtype=np.uint32) / n
            wins = ahead.sum(axis=1, dtype=np.uint8 if count <= 256 else np.uint32)
            cell = wins + count * np.arange(len(wins))[:, None]
            beaten[s, i] = (
                np.bincount(cell.ravel(), minlength=len(wins) * count).reshape(len(wins), count) / n
            )
    return Errors(pair, beaten)


def exponent(x: np.ndarray, axis=None) -> np.ndarray:
    """The binary exponent of the largest entry (dimensions kept): to scale by it rounds nothing."""
    return np.frexp(np.abs(x).max(axis=axis, keepdims=axis is not None))[1]


def way_error(beaten: np.ndarray, ways: int) -> np.ndarray:
    """Error among `ways` classes, averaged over every choice of them that has the true class.

    A sample beaten by w of the C - 1 other classes is right among C' classes when the C' - 1
    others are all of the rest: with probability binom(C-1-w, C'-1) / binom(C-1, C'-1). `ways` = C
    is the all-way error, 2 the mean two-way error; every class has the same weight.

    Args:
        beaten: (R, C, C) from `Errors`.
        ways: Number of classes C' to choose among.

    Returns:
        (R,) errors.

    Raises:
        ValueError: Unless 2 <= ways <= C.
    """
    count = beaten.shape[-1]
    if not 2 <= ways <= count:
        raise ValueError(f"{ways} ways of {count} classes: choose from 2 to {count}.")
    spared = np.asarray(scipy.special.comb(count - 1 - np.arange(count), ways - 1))
    return 1 - (beaten @ (spared / spared[0])).mean(axis=-1)


def support_means(features, labels, supports) -> np.ndarray:
    """Empirical class centres of every draw.

    Args:
        features: (N, d) features.
        labels: (N,) labels of any kind.
        supports: (R, C, m) rows from `draw_supports`.

    Returns:
        (R, C, d) means.
    """
    x = matrix(features, "features")
    support_classes(len(x), labels, supports)
    repeats, count, m = np.shape(supports)
    # A matrix of multiplicities: repeated rows add up, and no (R, C, m, d) array is ever formed.
    weights, ends = np.full(np.size(supports), 1 / m), np.arange(0, np.size(supports) + 1, m)
    shape = (repeats * count, len(x))
    picks = scipy.sparse.csr_array((weights, np.ravel(supports), ends), shape=shape)
    return (picks @ x).reshape(repeats, count, -1)


def nearest_centre(features, labels, supports, queries, query_labels) -> Errors:
    """Nearest-class-centre classification: argmin_c ||z - mean of the supports of class c||.

    With the rows of `features` as queries and supports drawn with replacement this is the few-shot
    error of their empirical law, exact over the test point; with every row of a class as its
    support it is the error at known centres.

    Note: ||z - mu||^2 is smallest where <z, mu> - ||mu||^2 / 2 is largest, an affine score. The
    rule does not see a common shift: everything is measured from the first row of the features, so
    that the scores lose no digits to a large common mean.

    Args:
        features: (N, d) features.
        labels: (N,) labels of any kind.
        supports: (R, C, m) rows from `draw_supports`.
        queries: (Q, d) features.
        query_labels: (Q,) labels, of the same classes.

    Returns:
        What each draw gets wrong.

    Raises:
        ValueError: For queries of other dimensions, and what `affine_errors` raises.
    """
    x, z = matrix(features, "features"), matrix(queries, "queries")
    if z.shape[1] != x.shape[1]:
        raise ValueError(f"queries have {z.shape[1]} dimensions, features {x.shape[1]}.")
    origin, x = x[0], x - x[0]
    power = exponent(x)
    mu = support_means(np.ldexp(x, -power), labels, supports)
    shift = mu.mean(axis=(0, 1))
    mu -= shift
    bias = -0.5 * np.einsum("rcd,rcd->rc", mu, mu)
    classes = support_classes(len(x), labels, supports)
    z = np.ldexp(z - origin, -power)
    z -= shift
    return affine_errors(mu, bias, classes, z, query_labels)
