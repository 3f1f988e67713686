"""Whitened features in the order of what two views share, and the energy they capture of labels.

For rows x of N samples with K views, F = whitened rows (mean 0, covariance I over all rows), turned
so that the mean F over the views of a sample, G, has a diagonal second moment:

    F'F / (N K) = I,   G'G / N = diag(shared),   1 >= shared_1 >= shared_2 >= ... >= 1/K or 0

`shared` needs no labels. The energy of a balanced binary task is B = |E[Y F]|^2; that of C balanced
classes is the mean of it over C - 1 orthonormal contrasts between classes,

    B = sum_c (1/C) |E[F | c]|^2 / (C - 1).

Every labelling of samples obeys B <= mean of the C - 1 largest `shared`: the class means' second
moment is at most G's (the variance of G within classes is left out) and has rank C - 1 (ours). For
views that are independent given the class both are the same, so without labels the mean of the
largest is an estimate of B, from above.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
RANK = 1e-6  # directions of less, relative to the norm of the rows, are rounding of float32


class Whitened(NamedTuple):
    """Features (N, K, r) of mean 0 and covariance I; what views of a sample share along each.

    They are (x - mean) @ axes.
    """

    features: Floats
    shared: Floats
    mean: Floats
    axes: Floats


def whitened(x: ArrayLike, r: int | None = None) -> Whitened:
    """Whiten rows and order the directions by what views of a sample share.

    Args:
        x: (N, K, D) features of K views of N samples.
        r: Keep the directions that are shared most; all if None.

    Returns:
        As many directions as the rows span, at most r.

    Raises:
        ValueError: for another shape, numbers that are not finite, and rows that are all the same.
    """
    rows = np.asarray(x, float)
    if rows.ndim != 3:
        raise ValueError(f"features have shape {rows.shape}: pass (samples, views, dimensions).")
    if not np.isfinite(rows).all():
        raise ValueError("features have an entry that is NaN or infinite: remove such samples.")
    N, K, D = rows.shape
    mean = rows.mean((0, 1))
    spread = (rows - mean).reshape(N * K, D)
    _, s, V = np.linalg.svd(spread, full_matrices=False)
    kept = s > RANK * np.linalg.norm(rows)
    if not kept.any():
        raise ValueError("features are the same in all rows: there is nothing to whiten.")
    axes = V[kept].T * (np.sqrt(N * K) / s[kept])
    G = (spread @ axes).reshape(N, K, -1).mean(1)
    values, turn = np.linalg.eigh(G.T @ G / N)
    order = np.argsort(-values, kind="stable")[:r]
    axes = axes @ turn[:, order]
    features = (spread @ axes).reshape(N, K, -1)
    return Whitened(features, np.clip(values[order], 0.0, 1.0), mean, axes)


def cross_fitted(one: ArrayLike, other: ArrayLike, r: int) -> Whitened:
    """The r directions that views of some samples share most, whitened on other samples.

    What they share there is not what was looked for here: with many dimensions and few samples the
    largest of `shared` are chance.

    Args:
        one: (N, K, D) features whose directions are found.
        other: (M, K, D) features that are looked at along them.
        r: Directions.

    Returns:
        The other samples whitened within these directions.
    """
    found = whitened(one, r)
    return whitened((np.asarray(other, float) - found.mean) @ found.axes)


def between_views(shared: Floats, K: int) -> Floats:
    """(K shared - 1)/(K - 1): the covariance of two different views along each direction.

    `shared` counts each view with itself, whose covariance is 1, as one of K.

    Args:
        shared: Of `Whitened`, from K views.
        K: Views, at least 2.

    Returns:
        In [-1/(K-1), 1].

    Raises:
        ValueError: For a single view.
    """
    if K < 2:
        raise ValueError(f"K is {K}: what views share takes at least 2 views of each sample.")
    return (K * shared - 1) / (K - 1)


def task_axis(features: Floats, task: ArrayLike) -> Floats:
    """E[Y F], whose squared length is the captured energy.

    Args:
        features: (N, K, r) whitened.
        task: (N,) labels -1 and 1, as many of each.

    Returns:
        (r,) axis.
    """
    Y = np.asarray(task, float)
    return np.einsum("n,nkr->r", Y, features) / (len(Y) * features.shape[1])


def class_energy(features: Floats, labels: ArrayLike, *, unbiased: bool) -> float:
    """B of C balanced classes: of the rows as they are, or without the bias of few samples.

    Unbiased, products of a sample with itself are left out of the squared class means, and of the
    squared mean of all, which is taken off: its mean over shuffled labels is exactly 0.

    Args:
        features: (N, K, r) whitened.
        labels: (N,) classes, of the same size n each.
        unbiased: Leave out products of a sample with itself.

    Returns:
        B, at most 1; unbiased it may be below 0, and is NaN for classes of one sample.

    Raises:
        ValueError: For a single class, or classes of different sizes.
    """
    G, y = features.mean(1), np.asarray(labels)
    names, counts = np.unique(y, return_counts=True)
    if len(names) < 2 or len(set(counts.tolist())) > 1:
        raise ValueError(f"classes have {counts.tolist()} samples: pass classes of one size.")
    C, n, N = len(names), int(counts[0]), len(G)
    own = np.square(G).sum()
    squares = sum(np.square(G[y == name].sum(0)).sum() for name in names)
    if not unbiased:
        return float(squares / n**2 / C / (C - 1))
    if n < 2:
        return float("nan")
    everything = (np.square(G.sum(0)).sum() - own) / (N * (N - 1))
    return float(((squares - own) / (C * n * (n - 1)) - everything) / (C - 1))
