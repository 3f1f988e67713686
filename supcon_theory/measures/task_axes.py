"""Axes between class means, and the variance along them within the classes of a labeling."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from supcon_theory.inputs import matrix

Floats = NDArray[np.float64]


class Axes(NamedTuple):
    """Of the P pairs of classes of a labeling whose means differ.

    pairs      (P, 2)  classes a < b, 0 .. C-1
    axes       (P, D)  unit vectors from the mean of a to that of b
    distances  (P,)    of the means
    along      (P, C)  u' Sigma_c u of every class c
    """

    pairs: NDArray[np.int64]
    axes: Floats
    distances: Floats
    along: Floats

    def of_all(self) -> Floats:
        """(P,) mean over all classes."""
        return self.along.mean(1)

    def of_pair(self) -> Floats:
        """(P,) mean over the two classes of the pair."""
        return np.take_along_axis(self.along, self.pairs, 1).mean(1)


def class_axes(x: ArrayLike, labels: ArrayLike) -> Axes:
    """Axes of all pairs of classes.

    Args:
        x: (N, D) features.
        labels: (N,) classes 0 .. C-1, each there.

    Returns:
        The axes; pairs whose means are one point are left out.
    """
    rows, y = matrix(x, "x"), np.asarray(labels)
    C = int(y.max()) + 1
    members = [rows[y == c] for c in range(C)]
    means = np.stack([of.mean(0) for of in members])
    pairs = np.array(list(combinations(range(C), 2)))
    D = means[pairs[:, 1]] - means[pairs[:, 0]]
    distances = np.linalg.norm(D, axis=1)
    apart = distances > 1e-12 * np.abs(rows).max(initial=0.0)
    axes = D[apart] / distances[apart, None]
    spread = [of - mean for of, mean in zip(members, means, strict=True)]
    along = np.stack([np.square(of @ axes.T).mean(0) for of in spread], axis=1)
    return Axes(pairs[apart], axes, distances[apart], along)


def cell_variance(x: ArrayLike, labels: ArrayLike, others: ArrayLike, axes: Floats) -> Floats:
    """Variance along axes, within classes, of the means of cells alone: mean_cb delta_cb^2.

    Args:
        x: (N, D) features.
        labels: (N,) classes of the labeling of the axes.
        others: (N,) classes of another labeling; cells have the same size.
        axes: (P, D).

    Returns:
        (P,) at most `Axes.of_all`.

    Raises:
        ValueError: For cells of different sizes.
    """
    score, y, o = matrix(x, "x") @ axes.T, np.asarray(labels), np.asarray(others)
    sizes = np.bincount(y * (o.max() + 1) + o, minlength=(y.max() + 1) * (o.max() + 1))
    if len(set(sizes.tolist())) > 1:
        raise ValueError(f"cells have from {sizes.min()} to {sizes.max()} rows: balance them.")
    cells = np.stack(
        [
            [score[(y == c) & (o == b)].mean(0) for b in range(o.max() + 1)]
            for c in range(y.max() + 1)
        ]
    )
    return np.square(cells - cells.mean(1, keepdims=True)).mean((0, 1))
