"""Simplex equiangular tight frames, as arrays: the configurations at which the minima are attained.

`z` is (N, K, d) with unit rows and `y` (N,) with classes 0..C-1 in order, as everywhere.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def simplex_etf(points: int, d: int) -> Floats:
    """(points, d) unit rows, every two at cosine -1 / (points - 1), in the first points-1 axes.

    Vertex k + 1 is fixed by its cosine with the k before it, so the array is lower triangular:
    with a_k = <row_i, e_k> for i > k, row_k = (a_0, ..., a_{k-1}, sqrt(1 - sum a^2), 0, ...).
    """
    if points < 2:
        raise ValueError(f"points = {points}: a simplex needs at least 2 points.")
    if d < points - 1:
        raise ValueError(
            f"d = {d}: no simplex ETF of {points} points exists below d = {points - 1}; "
            "ask for more dimensions."
        )
    rows = np.zeros((points, d))
    cosine = -1 / (points - 1)
    for k in range(points - 1):
        before = rows[k, :k] @ rows[k, :k]
        rows[k, k] = np.sqrt(1 - before)
        rows[k + 1 :, k] = (cosine - before) / rows[k, k]
    return rows


def labels_of(counts: Sequence[int]) -> NDArray[np.int64]:
    """(N,) labels 0..C-1 in order, class c `counts[c]` times."""
    if len(counts) < 2 or min(counts) < 1:
        raise ValueError(
            f"counts = {list(counts)}: give at least two classes of at least 1 sample."
        )
    return np.repeat(np.arange(len(counts)), counts)


def class_simplex(counts: Sequence[int], K: int, d: int) -> tuple[Floats, NDArray[np.int64]]:
    """Embeddings (N, K, d) and labels with every class in one vertex of the C-point simplex."""
    y = labels_of(counts)
    z = simplex_etf(len(counts), d)[y]
    return np.repeat(z[:, None, :], K, axis=1), y


def instance_simplex(counts: Sequence[int], K: int, d: int) -> tuple[Floats, NDArray[np.int64]]:
    """Embeddings (N, K, d) and labels with every sample its own vertex of the N-point simplex."""
    y = labels_of(counts)
    z = simplex_etf(len(y), d)
    return np.repeat(z[:, None, :], K, axis=1), y
