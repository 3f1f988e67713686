"""Samples that lie with another class: candidates for a wrong label.

A sample x of class c (the mean of its views) is compared with the mean of the *other* samples of c,
mu = mu_c - (x - mu_c) / (n_c - 1), and with the nearest mean mu_j of another class:

    margin   t = (|x - mu_j|^2 - |x - mu|^2) / (2 |mu_j - mu_c|)

is, up to the shift of mu, the distance from the plane half way between the two, positive on the
own side. In a class that overlaps with others many margins are negative and say nothing, so two
things are asked for: t < 0, and t far below the median of its class, in units of a robust spread of
the margins, 1.4826 times the median absolute deviation, which few wrong labels hardly move.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from supcon_theory.measures.moments import Moments
from supcon_theory.measures.rows import Rows, each_tile

ROBUST = 1.4826  # median absolute deviations in a standard deviation, for a normal law
FALSE_CANDIDATES = 0.1  # expected in all N samples, were the margins of all classes normal
FEWEST = 5  # samples of a class that a spread of margins is taken from


class Misplaced(NamedTuple):
    """Of each of N samples: nearest other class, both distances, score (NaN in a tiny class)."""

    nearest: np.ndarray
    own: np.ndarray
    other: np.ndarray
    score: np.ndarray
    threshold: float

    @property
    def candidates(self) -> np.ndarray:
        """Samples beyond the border and above the threshold, the highest score first."""
        found = np.flatnonzero((self.other < self.own) & (self.score > self.threshold))
        return found[np.argsort(-self.score[found], kind="stable")]


def misplaced(source: Rows, y: Tensor, moments: Moments) -> Misplaced:
    """How far each sample is on the side of another class, against its own class's samples.

    The score is (median margin of the class - t) / spread, the spread that of the class or of all
    margins less their class medians, whichever is larger (in small classes the first is noise). The
    threshold is the normal quantile beyond which .1 of N normal margins are expected. Margins are
    not quite normal; simulated with right labels (d = 5, 50, 200; 2 to 400 classes, apart or not):
    normal classes of 20 samples or more have up to .2 % false candidates (d = 5; .05 % from d = 50
    on), of five samples up to 1 %, classes with tails of Student's t_4 up to .8 % and 1.3 %. With
    2 % of the labels wrong, all of those are found where classes are apart. Classes of fewer than
    five samples have no candidates.

    Args:
        source: N samples.
        y: (N,) class numbers.
        moments: Of these rows under y.

    Returns:
        What was found of each sample.
    """
    N, C = len(y), len(moments.means)
    means, n = moments.means, moments.samples.double()
    squares = means.square().sum(1)
    apart = torch.cdist(means, means).numpy()
    nearest = np.empty(N, dtype=np.int64)
    own, other = np.empty((2, N))
    for rows, x in each_tile(source):
        centre, of = x.double().mean(1), y[rows]
        distance = centre.square().sum(1, True) - 2 * centre @ means.T + squares
        residual = (centre - means[of]).norm(dim=1)
        own[rows] = (residual * n[of] / (n[of] - 1)).numpy()  # the distance to the mean without it
        distance.scatter_(1, of[:, None], torch.inf)
        least, at = distance.min(1)
        nearest[rows], other[rows] = at.numpy(), least.clamp_min(0).sqrt().numpy()
    labels = y.numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        margin = (other**2 - own**2) / (2 * apart[labels, nearest])
        order = np.argsort(labels, kind="stable")
        away = np.full(N, np.nan)
        spread = np.zeros(C)
        for c, members in enumerate(np.split(order, np.cumsum(np.bincount(labels))[:-1])):
            if len(members) >= FEWEST:
                away[members] = np.median(margin[members]) - margin[members]
                spread[c] = np.median(np.abs(away[members]))
        pooled = np.nanmedian(np.abs(away)) if np.isfinite(away).any() else np.nan
        score = away / (ROBUST * np.maximum(spread, pooled)[labels])
    threshold = float(-ndtri(FALSE_CANDIDATES / N)) if N > 2 * FALSE_CANDIDATES else 0.0
    return Misplaced(nearest, own, other, score, threshold)
