"""How far nearest neighbours agree: with the labels, and with those of a map."""

import numpy as np
from sklearn import manifold
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from supcon_theory import inputs


def purity(x: Tensor | np.ndarray, y, neighbours: int = 10) -> float:
    """Neighbour class agreement: mean share of a point's nearest neighbours that are of its class.

    The point itself is left out. Labels that say nothing of x give about (n - 1)/(N - 1).

    Args:
        x: (N, d); distances are Euclidean (for unit rows in the order of cosines).
        y: (N,) labels of any kind.
        neighbours: Number of neighbours, from 1 to N - 1.

    Returns:
        A share of 1.

    Raises:
        ValueError: For another number of neighbours.
    """
    x = inputs.matrix(x, "x")
    labels = inputs.labels(y, len(x)).cpu().numpy()
    if not 1 <= neighbours < len(x):
        raise ValueError(f"neighbours is {neighbours} but must be from 1 to {len(x) - 1}.")
    near = NearestNeighbors(n_neighbors=neighbours).fit(x - x[0]).kneighbors(return_distance=False)
    return float((labels[near] == labels[:, None]).mean())


def trustworthiness(x: Tensor | np.ndarray, low: np.ndarray, neighbours: int = 10) -> float:
    """1 if a map makes no neighbours that the features lack (Venna and Kaski 2001; scikit-learn's).

    Args:
        x: (N, d) features.
        low: (N, 2) their places in the map.
        neighbours: Number of neighbours, cut at half of N where the measure ends.

    Returns:
        From 0 to 1.
    """
    x = inputs.matrix(x, "x")
    count = min(neighbours, (len(x) - 1) // 2)
    return float(manifold.trustworthiness(x, inputs.matrix(low, "low"), n_neighbors=count))
