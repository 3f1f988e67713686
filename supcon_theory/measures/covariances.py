"""Squares of covariances, as they are and without the bias of few samples.

For samples with two sets of features x (N, p) and y (N, q), u and v the centred ones:

    plug-in   |Cov|_F^2 = |u'v|_F^2 / N^2
    unbiased  [ |u'v|^2 - N/(N-2) sum k l + (sum k)(sum l)/((N-1)(N-2)) ] / (N (N-3)),
              k = |u|^2 and l = |v|^2 of each sample

The second is the U-statistic of the kernel <x1-x2, x3-x4><y1-y2, y3-y4>/4 over distinct samples,
whose mean is |Cov|_F^2 (Song et al. 2012, JMLR 13, as the unbiased HSIC of linear kernels, which
leave out the diagonal and all that depends on one sample only; in feature space by us: centred
kernels have row sums 0, so those without the diagonal have row sums -k). With y = x it is the
unbiased tr Sigma^2 of Himeno and Yamada (2014). As an inner product of U-centred matrices (Szekely
and Rizzo 2014) it obeys Cauchy-Schwarz, and tr Sigma^2 is never negative.

Cost O(N p q), memory O(p q): linear in the samples; where N is smaller than both, O(N^2).
"""

import math

import torch
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.measures.moments import COINCIDE, Features

FEWEST = 4  # samples of a U-statistic of order 4


def centred(features: Features, name: str = "features") -> Tensor:
    """Views averaged, the mean row taken out, and scaled by a power of two: float64 (N, D).

    Args:
        features: (N, D) or (N, K, D).
        name: How an error calls them.

    Returns:
        Rows of which no square overflows; all 0 where they differ by rounding only.
    """
    rows = inputs.features(features, name).detach()
    rows = rows.double().mean(1) if rows.ndim == 3 else rows.double()
    _, power = torch.frexp(rows.abs().max())
    rows = torch.ldexp(rows, -power)
    spread = rows - rows.mean(0)
    spread = spread - spread.mean(0)
    constant = spread.norm() <= COINCIDE * rows.norm()
    return torch.zeros_like(spread) if constant else spread


def product_square(x: Tensor, y: Tensor) -> float:
    """|x'y|_F^2 of (N, p) and (N, q), by the smaller of the feature and the sample matrices."""
    if len(x) < min(x.shape[1], y.shape[1]):
        return ((x @ x.T) * (y @ y.T)).sum().item()
    return (x.T @ y).square().sum().item()


def gram_product(x: Tensor, y: Tensor) -> float:
    """tr(x'x y'y) of (M, D) and (N, D), by the smaller of the two ways."""
    if len(x) * len(y) < x.shape[1] ** 2:
        return (x @ y.T).square().sum().item()
    return ((x.T @ x) * (y.T @ y)).sum().item()


def unbiased_covariance_square(k: Tensor, l: Tensor, square: float) -> float:
    """|Cov|_F^2 without bias.

    Args:
        k: (N,) squared lengths of the centred rows u.
        l: (N,) the same of v.
        square: |u'v|_F^2.

    Returns:
        The estimate; NaN for fewer than 4 samples.
    """
    N = len(k)
    if N < FEWEST:
        return math.nan
    crossed = square - N / (N - 2) * (k @ l).item()
    alone = (k.sum() * l.sum()).item() / ((N - 1) * (N - 2))
    return (crossed + alone) / (N * (N - 3))


def unbiased_trace_square(k: Tensor, l: Tensor, square: float) -> float:
    """(tr Sigma_u)(tr Sigma_v) without bias: the U-statistic of |x1-x2|^2 |y3-y4|^2 / 4.

    Sum over distinct samples, by inclusion and exclusion, with k, l of centred rows:
    [ (sum k)(sum l) (N^2-3N+1)/(N-1) + 2 |u'v|^2/(N-1) - N sum k l ] / (N (N-2) (N-3)).

    Args:
        k: (N,) squared lengths of the centred rows u.
        l: (N,) the same of v.
        square: |u'v|_F^2.

    Returns:
        The estimate; NaN for fewer than 4 samples.
    """
    N = len(k)
    if N < FEWEST:
        return math.nan
    sums = (k.sum() * l.sum()).item() * (N * N - 3 * N + 1) / (N - 1)
    found = sums + 2 * square / (N - 1) - N * (k @ l).item()
    return found / (N * (N - 2) * (N - 3))
