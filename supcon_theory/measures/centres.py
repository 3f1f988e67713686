"""Errors of affine classifiers over many support draws at once, and the nearest class centre.

Given one draw, a sample z of class i is beaten by class j when the score of j reaches that of i.
Everything is counted from these events: the two-way error of every ordered pair, the all-way
error, and the error over every choice of C' classes, all from the same draws and exact over the
queries. A tie is an error, as in the bounds, which control P(margin <= 0).
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse
import scipy.special

from supcon_theory.measures.supports import class_rows, feature_matrix, support_classes

# Scores closer than this, relative to the largest norms in them, differ by rounding only: a tie.
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


def affine_errors(weight, bias, classes, queries, query_labels) -> Errors:
    """Errors of the classifiers argmax_c <weight[r, c], z> + bias[r, c] on the queries.

    weight (R, C, d), bias (R, C), classes (C,) the label of each row; queries (Q, d) with labels
    (Q,). Cost 2 R C Q d: one matrix product per class of queries and block of draws.

    Raises ValueError for NaN, fewer than two classes, and query labels that are not `classes`.
    """
    weight, bias = np.asarray(weight, dtype=np.float64), np.asarray(bias, dtype=np.float64)
    z = feature_matrix(queries, "queries")
    rows = class_rows(query_labels)
    if len(z) != len(query_labels):
        raise ValueError(f"{len(query_labels)} labels for {len(z)} queries: give one each.")
    if list(rows) != np.asarray(classes).tolist():
        raise ValueError(
            f"queries of {len(rows)} classes against supports of {len(classes)} classes: "
            "every class needs both, so select the same classes in both."
        )
    if weight.ndim != 3 or weight.shape[2] != z.shape[1]:
        raise ValueError(f"weight {weight.shape} does not act on queries {z.shape}.")
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise ValueError("NaN or infinite weight: drop the draws whose classifier has none.")
    repeats, count, d = weight.shape
    norms = np.sqrt(np.einsum("rcd,rcd->rc", weight, weight))
    reach = norms.max() * np.sqrt(np.einsum("qd,qd->q", z, z).max()) + np.abs(bias).max()
    pair = np.empty((repeats, count, count))
    beaten = np.empty((repeats, count, count))
    for i, members in enumerate(rows.values()):
        n = len(members)
        own = np.ascontiguousarray(z[members].T)
        step = max(1, _BLOCK // (count * n))
        for r in range(0, repeats, step):
            s = slice(r, r + step)
            score = (weight[s].reshape(-1, d) @ own).reshape(-1, count, n)
            score += bias[s, :, None]
            ahead = (score >= score[:, i : i + 1] - _TIE * reach).view(np.uint8)
            ahead[:, i] = 0
            pair[s, i] = ahead.sum(axis=2, dtype=np.uint32) / n
            wins = ahead.sum(axis=1, dtype=np.uint8 if count <= 256 else np.uint32)
            cell = wins + count * np.arange(len(wins))[:, None]
            beaten[s, i] = (
                np.bincount(cell.ravel(), minlength=len(wins) * count).reshape(len(wins), count) / n
            )
    return Errors(pair, beaten)


def way_error(beaten: np.ndarray, ways: int) -> np.ndarray:
    """Error (R,) among `ways` classes, averaged over every choice of them that has the true class.

    A sample beaten by w of the C - 1 other classes is right among C' classes when the C' - 1
    others are all of the rest: with probability binom(C-1-w, C'-1) / binom(C-1, C'-1). `ways` = C
    is the all-way error, 2 the mean two-way error; every class has the same weight.

    Raises ValueError unless 2 <= ways <= C.
    """
    count = beaten.shape[-1]
    if not 2 <= ways <= count:
        raise ValueError(f"{ways} ways of {count} classes: choose from 2 to {count}.")
    spared = scipy.special.comb(count - 1 - np.arange(count), ways - 1)
    return 1 - (beaten @ (spared / spared[0])).mean(axis=-1)


def support_means(features, labels, supports) -> np.ndarray:
    """Empirical class centres (R, C, d) of the supports (R, C, m): rows of `features` (N, d)."""
    x = feature_matrix(features)
    support_classes(x, labels, supports)
    repeats, count, m = np.shape(supports)
    # A matrix of multiplicities: repeated rows add up, and no (R, C, m, d) array is ever formed.
    picks = scipy.sparse.csr_array(
        (
            np.full(repeats * count * m, 1 / m),
            np.ravel(supports),
            np.arange(0, repeats * count * m + 1, m),
        ),
        shape=(repeats * count, len(x)),
    )
    return (picks @ x).reshape(repeats, count, -1)


def nearest_centre(features, labels, supports, queries, query_labels) -> Errors:
    """Nearest-class-centre classification: argmin_c ||z - mean of the supports of class c||.

    features (N, d), labels (N,), supports (R, C, m) from `draw_supports`; queries (Q, d) with
    their labels (Q,). With the rows of `features` as queries and supports drawn with replacement
    this is the few-shot error of their empirical law, exact over the test point; with every row
    of a class as its support it is the error at known centres.

    Note: ||z - mu||^2 is smallest where <z, mu> - ||mu||^2 / 2 is largest, an affine score.
    """
    x = feature_matrix(features)
    classes = support_classes(x, labels, supports)
    mu = support_means(x, labels, supports)
    # The rule does not see a common shift; the scores lose no digits to a large common mean.
    shift = mu.mean(axis=(0, 1))
    mu = mu - shift
    z = feature_matrix(queries, "queries")
    if z.shape[1] != x.shape[1]:
        raise ValueError(f"queries have {z.shape[1]} dimensions, features {x.shape[1]}.")
    bias = -0.5 * np.einsum("rcd,rcd->rc", mu, mu)
    return affine_errors(mu, bias, classes, z - shift, query_labels)
