"""The participation ratio (tr Sigma)^2 / tr Sigma^2 without the bias of few samples.

The plug-in cannot exceed N - 1, however many directions vary. Here numerator and denominator are
U-statistics of order 4 over distinct samples, each unbiased; their ratio is not, but its bias is of
order 1/N in every dimension (Chun et al. 2025, arXiv 2509.26560, give the same for single rows).

Views of a sample are not independent. With u the centred view means, w a view less its sample's
mean and A_k = mean_l w_l w_l' of sample k, Sigma = Sigma_u + E A, and over distinct samples

    tr Sigma^2     E<x1-x2, x3-x4>^2/4 + 2 E (x1-x2)'A_3(x1-x2)/2 + E tr A_1 A_2
    (tr Sigma)^2   E|x1-x2|^2|x3-x4|^2/4 + 2 E |x1-x2|^2 tr A_3/2 + E (tr A_1)(tr A_2)

The sums over distinct samples are those over all, less what coincides (sum u = 0):

    E (x1-x2)'A_3(x1-x2)/2 = [ (n-1) sum_jk u_j'A_k u_j/n - sum u_k'A_k u_k ] / ((n-1)(n-2))
"""

import math

import numpy as np
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.measures.covariances import (
    FEWEST,
    centred,
    gram_product,
    product_square,
    unbiased_covariance_square,
    unbiased_trace_square,
)
from supcon_theory.measures.moments import Measure


def unbiased_traces(features: Tensor | np.ndarray) -> tuple[float, float]:
    """(tr Sigma)^2 and tr Sigma^2 of the rows, each without bias, up to one common factor.

    Args:
        features: (N, D), or (N, K, D), views of N independent samples.

    Returns:
        Both; NaN for fewer than 4 samples, 0 and 0 for a constant embedding.
    """
    rows = inputs.features(features).detach()
    rows = rows if rows.ndim == 3 else rows[:, None]
    n, views, d = rows.shape
    if n < FEWEST:
        return math.nan, math.nan
    flat = centred(rows.flatten(0, 1)).view(n, views, d)
    u = flat.mean(1)
    k = u.square().sum(1)
    squares = product_square(u, u)
    trace = unbiased_trace_square(k, k, squares)
    square = unbiased_covariance_square(k, k, squares)
    if views == 1:
        return trace, square
    w = flat - u[:, None]
    within = w.square().sum(2).mean(1)  # tr A_k
    a = within.sum()
    trace += 2 * _apart(n, (k.sum() * a).item() / n, (k @ within).item())
    trace += (a * a - within.square().sum()).item() / (n * (n - 1))
    own = (w @ u[:, :, None]).square().mean(1).sum().item()  # sum u_k'A_k u_k
    square += 2 * _apart(n, gram_product(w.flatten(0, 1), u) / (n * views), own)
    same = (w @ w.mT).square().sum().item()
    square += (product_square(*[w.flatten(0, 1)] * 2) - same) / (views**2 * n * (n - 1))
    return trace, square


def _apart(n: int, mean: float, own: float) -> float:
    """The middle term: `mean` is (1/n) sum_jk u_j'A_k u_j, `own` the sum of the terms j = k."""
    return ((n - 1) * mean - own) / ((n - 1) * (n - 2))


def corrected_participation_ratio(features: Tensor | np.ndarray) -> Measure:
    """(tr Sigma)^2 / tr Sigma^2 of the rows, numerator and denominator without bias.

    The truth lies in [1, D]: an estimate beyond either end is put there, and the reason says so.

    Args:
        features: (N, D), or (N, K, D), views of N independent samples.

    Returns:
        From 1 to D; NaN with a reason for fewer than 4 samples or a constant embedding.
    """
    shape = inputs.features(features).shape
    trace, square = unbiased_traces(features)
    if math.isnan(trace):
        return Measure(math.nan, f"{shape[0]} samples: the corrected ratio needs {FEWEST}")
    if trace == square == 0:
        return Measure(math.nan, "constant embedding: no direction varies")
    ratio = trace / square if square > 0 else math.inf
    if 1 <= ratio <= shape[-1]:
        return Measure(ratio)
    end = 1.0 if ratio < 1 else float(shape[-1])
    return Measure(
        end, f"the estimate {ratio:.4g} lies outside of 1 to {shape[-1]}: put at the end"
    )
