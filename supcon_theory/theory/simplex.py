"""Simplex equiangular tight frames, as arrays: the configurations at which the minima are attained.

`z` is (N, K, d) with unit rows and `y` (N,) with classes 0..C-1 in order, as everywhere.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from supcon_theory.theory.counts import Floats, checked_counts, checked_whole


def simplex_etf(points: int, d: int) -> Floats:
    """Unit rows, every two at cosine -1 / (points - 1), in the first points - 1 axes.

    Vertex k + 1 is fixed by its cosine with the k before it, so the array is lower triangular:
    with a_k = <row_i, e_k> for i > k, row_k = (a_0, ..., a_{k-1}, sqrt(1 - sum a^2), 0, ...).

    Args:
        points: number of vertices, at least 2.
        d: dimension, at least points - 1.

    Returns:
        (points, d) unit rows.

    Raises:
        ValueError: if there are fewer than 2 points, or no such simplex in d dimensions.

    Example:
        >>> simplex_etf(2, 1).tolist()
        [[1.0], [-1.0]]
    """
    checked_whole(2, points=points)
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
    checked_counts(counts)
    return np.repeat(np.arange(len(counts)), counts)


def class_simplex(counts: Sequence[int], K: int, d: int) -> tuple[Floats, NDArray[np.int64]]:
    """Embeddings (N, K, d) and labels with every class in one vertex of the C-point simplex."""
    y = labels_of(counts)
    return np.repeat(simplex_etf(len(counts), d)[y][:, None], K, axis=1), y


def instance_simplex(counts: Sequence[int], K: int, d: int) -> tuple[Floats, NDArray[np.int64]]:
    """Embeddings (N, K, d) and labels with every sample its own vertex of the N-point simplex."""
    y = labels_of(counts)
    return np.repeat(simplex_etf(len(y), d)[:, None], K, axis=1), y
