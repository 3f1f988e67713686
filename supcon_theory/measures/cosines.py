"""Moments of every anchor's cosines to its own class and to the others.

Mean and variance come from the sums and the second-moment matrices of the classes, in O(N K d^2)
time and O(d^2) memory; ranges and higher moments from all pairs, a strip of them at a time.
"""

from itertools import groupby
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.processes import check_same, mine, total

STRIP = 2**20  # pairs at a time: 8 MB in float64, four times


class AnchorCosines(NamedTuple):
    """Moments of the cosines of each anchor, each (N, K) float64; NaN for an empty set.

    `own` leaves out all views of the anchor's own sample; variances are population ones.
    """

    own_mean: np.ndarray
    own_variance: np.ndarray
    other_mean: np.ndarray
    other_variance: np.ndarray


def anchor_cosines(z: Tensor, y: object) -> AnchorCosines:
    """Moments of <z_a, z_b> over the other samples b of the class of a, and over other classes.

    Args:
        z: (N, K, d) unit rows.
        y: (N,) labels, of any kind.

    Returns:
        The four moments.
    """
    z = inputs.embeddings(z).detach().double()
    y = inputs.labels(y, len(z)).to(z.device)
    N, K, d = z.shape
    first, second = z.sum((0, 1)), torch.einsum("nkd,nke->de", z, z)
    found = z.new_full((4, N, K), torch.nan)
    for c in range(int(y.max()) + 1):
        places = (y == c).nonzero()[:, 0]
        of = z[places]
        n, rows = len(places), of.reshape(-1, d)
        sums, squares = rows.sum(0), rows.T @ rows
        views = of @ of.transpose(1, 2)  # an anchor's own sample
        own = [of @ sums - views.sum(2), _quadratic(of, squares) - views.square().sum(2)]
        others = [of @ (first - sums), _quadratic(of, second - squares)]
        for k, (totals, count) in enumerate(((own, K * (n - 1)), (others, K * (N - n)))):
            if count:
                mean = totals[0] / count
                found[2 * k, places] = mean
                found[2 * k + 1, places] = (totals[1] / count - mean**2).clamp(min=0)
    return AnchorCosines(*found.cpu().numpy())


class CosineShape(NamedTuple):
    """Ranges and moments of the cosines of each anchor to one set, float64; NaN if it is empty.

    `low` and `high` are (N, K), `moments` (degree, N, K): means of Chebyshev's T_j(v), j = 1 ..
    degree, of v = (2 s - low - high)/(high - low), which is -1 where all cosines are the same.
    """

    low: np.ndarray
    high: np.ndarray
    moments: np.ndarray


def cosine_shapes(z: Tensor, y: object, degree: int) -> tuple[CosineShape, CosineShape]:
    """Range and moments of <z_a, z_b> over the other samples of a's class, and over others.

    Args:
        z: (N, K, d) unit rows.
        y: (N,) labels, of any kind.
        degree: Number of moments, at least 1.

    Returns:
        Of the own class, all views of the anchor's sample left out; of the other classes.
    """
    z = inputs.embeddings(z).detach().double()
    y = inputs.labels(y, len(z)).to(z.device)
    N, K, _ = z.shape
    check_same(z, y)
    found = z.new_zeros(2, 2 + inputs.whole(degree, "degree"), N, K)
    sizes, strip = y.bincount(), max(1, STRIP // (N * K))
    strips = [
        (c, a, min(a + strip, n * K))
        for c, n in enumerate(sizes.tolist())
        for a in range(0, n * K, strip)
    ]
    for c, of_class in groupby(mine(strips, lambda s: s[2] - s[1]), key=lambda s: s[0]):
        places = (y == c).nonzero()[:, 0]
        of, others = z[places].flatten(0, 1), z[y != c].flatten(0, 1)
        same = torch.arange(len(of), device=z.device) // K
        for _, start, stop in of_class:
            rows = torch.arange(start, stop, device=z.device)
            at = places[rows // K], rows % K
            if len(places) > 1:
                apart = same[rows, None] != same
                cosines = (of[rows] @ of.T)[apart].view(len(rows), -1)
                found[0, :, at[0], at[1]] = _shape(cosines, degree)
            if len(others):
                found[1, :, at[0], at[1]] = _shape(of[rows] @ others.T, degree)
    total(found)
    found[0, :, sizes[y] == 1] = torch.nan
    found[1, :, sizes[y] == N] = torch.nan
    own, rest = (CosineShape(x[0], x[1], x[2:]) for x in found.cpu().numpy())
    return own, rest


def _shape(cosines: Tensor, degree: int) -> Tensor:
    """(2 + degree, rows): low, high and moments along each row, which is overwritten."""
    low, high = cosines.aminmax(dim=1)
    half = torch.where(high > low, high - low, 1) / 2
    v = cosines.sub_(low[:, None]).div_(half[:, None]).sub_(1)
    before, now, moments = torch.ones_like(v), v.clone(), [v.mean(1)]
    for _ in range(degree - 1):  # T_{j+1} = 2 v T_j - T_{j-1}
        before, now = now, before.neg_().addcmul_(v, now, value=2)
        moments.append(now.mean(1))
    return torch.stack([low, high, *moments])


def _quadratic(rows: Tensor, matrix: Tensor) -> Tensor:
    """<row, matrix row> for each row of (n, K, d)."""
    return ((rows @ matrix) * rows).sum(2)
