"""Mean and variance of every anchor's cosines to its own class and to the others, without pairs.

From the sums and the second-moment matrices of the classes: O(N K d^2) time, O(d^2) memory.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from supcon_theory import inputs


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


def _quadratic(rows: Tensor, matrix: Tensor) -> Tensor:
    """<row, matrix row> for each row of (n, K, d)."""
    return ((rows @ matrix) * rows).sum(2)
