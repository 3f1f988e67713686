"""Labels made from features alone: k-means clusters, of any size or all of the same size.

The labelling that features themselves suggest is the natural adversary of a bound on the gap that
is to hold for every labelling: it makes same-class similarities large wherever it can.
"""

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from torch import Tensor

from supcon_theory import inputs

STARTS = 4  # of k-means; the best is kept
ROUNDS = 50  # of assignments to equal clusters; 5 to 20 are the rule


def clusters(features: Tensor | np.ndarray, C: int, seed: int = 0) -> Tensor:
    """K-means clusters of features, none empty, of whatever size.

    Args:
        features: (N, D).
        C: Number of clusters, at least 2 and at most the number of features that differ.
        seed: Of the starts of k-means.

    Returns:
        (N,) int64 labels 0 ... C-1.
    """
    found = _k_means(_checked(features, C), C, seed)
    return torch.from_numpy(np.asarray(found.labels_, dtype=np.int64))


def equal_clusters(features: Tensor | np.ndarray, C: int, seed: int = 0) -> Tensor:
    """Clusters of N / C features each: a local minimum of k-means among such labellings.

    From the centres of k-means, in turns the best assignment with N / C places at each centre (by
    the Hungarian method; O(N^2) memory) and the means of the clusters, until nothing changes.
    Neither turn raises the sum of squared distances to the centres.

    Args:
        features: (N, D), N a multiple of C.
        C: Number of clusters, at least 2 and at most the number of features that differ.
        seed: Of the starts of k-means.

    Returns:
        (N,) int64 labels 0 ... C-1.

    Raises:
        ValueError: If C does not divide N.
    """
    x = _checked(features, C)
    if len(x) % C:
        raise ValueError(
            f"{len(x)} features cannot be cut into {C} clusters of equal size: pass a "
            f"multiple of {C}."
        )
    centres = _k_means(x, C, seed).cluster_centers_
    y = None
    for _ in range(ROUNDS):
        before, y = y, equal_assignment(x @ centres.T)
        if before is not None and (y == before).all():
            break
        centres = np.stack([x[y == c].mean(0) for c in range(C)])
    return torch.from_numpy(y)


def equal_assignment(scores: np.ndarray) -> np.ndarray:
    """Columns of scores with the largest sum of scores, every column N / C times.

    With inner products as scores it is also the one of least squared distances: the norms of the
    rows and of the N / C copies of each column add the same to every assignment.

    Args:
        scores: (N, C), N a multiple of C.

    Returns:
        (N,) columns.
    """
    places = len(scores) // scores.shape[1]
    chosen = linear_sum_assignment(np.repeat(scores, places, axis=1), maximize=True)[1]
    return chosen // places


def _k_means(x: np.ndarray, C: int, seed: int) -> KMeans:
    return KMeans(C, n_init=STARTS, random_state=seed).fit(x)  # pyright: ignore[reportArgumentType]


def _checked(features: Tensor | np.ndarray, C: int) -> np.ndarray:
    """The features as float64, or one sentence why they have no C clusters."""
    inputs.whole(C, "C", 2)
    x = inputs.matrix(features)
    different = len(np.unique(x, axis=0))
    if different < C:
        raise ValueError(
            f"only {different} of {len(x)} features differ, too few for {C} clusters: "
            f"a constant encoder cannot be clustered, so train it or ask for fewer."
        )
    return x
