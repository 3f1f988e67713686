"""How far nearest neighbours agree: with the labels, and with those of a map."""

import numpy as np
import torch
from sklearn import manifold
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.measures.rows import UnitRows, each_tile
from supcon_theory.processes import check_same, mine, total

QUERIES = 512  # rows whose cosines to a tile are held at once


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


def nearest_others(source: UnitRows, samples: np.ndarray, neighbours: int) -> np.ndarray:
    """The nearest other samples of some samples among all, by the cosine of their first views.

    Exact, O(M N d) time; memory 512 cosines to a tile of rows.

    Args:
        source: N unit rows.
        samples: (M,) which samples.
        neighbours: Number of neighbours k, from 1 to N - 1.

    Returns:
        (M, k) sample numbers, the nearest first.

    Raises:
        ValueError: For another number of neighbours.
    """
    if not 1 <= neighbours < source.shape[0]:
        raise ValueError(f"neighbours is {neighbours} but must be from 1 to {source.shape[0] - 1}.")
    asked = torch.from_numpy(samples)
    queries = source.at(samples)[:, 0]
    check_same(queries, asked)
    best = queries.new_full((len(samples), neighbours), -torch.inf)
    at = torch.zeros(len(samples), neighbours, dtype=torch.int64)
    blocks = [slice(a, a + QUERIES) for a in range(0, len(queries), QUERIES)]
    blocks = mine(blocks, lambda block: len(asked[block]))
    for rows, x in each_tile(source):
        x, number = x[:, 0], torch.arange(rows.start, rows.stop)
        for block in blocks:
            cosines = queries[block] @ x.T
            inside = (asked[block] >= rows.start) & (asked[block] < rows.stop)
            cosines[inside, asked[block][inside] - rows.start] = -torch.inf
            near, place = cosines.topk(min(neighbours, len(x)), dim=1)
            every = torch.cat([best[block], near], 1)
            best[block], kept = every.topk(neighbours, dim=1)
            at[block] = torch.cat([at[block], number[place]], 1).gather(1, kept)
    return total(at).numpy()


def vote_error(voters: np.ndarray, y: np.ndarray, own: np.ndarray) -> float:
    """Share of samples whose class does not get most votes of its neighbours.

    Each neighbour has one vote; of t classes with the most votes each wins with probability 1/t.

    Args:
        voters: (M, k) samples that vote.
        y: (N,) class numbers 0 .. C-1.
        own: (M,) class number of each sample that is voted on.

    Returns:
        The error.
    """
    votes = np.zeros((len(voters), int(y.max()) + 1), dtype=np.int32)
    np.add.at(votes, (np.arange(len(voters))[:, None], y[voters]), 1)
    most = votes.max(axis=1)
    wins = votes[np.arange(len(voters)), own] == most
    return float(1 - (wins / (votes == most[:, None]).sum(axis=1)).mean())
