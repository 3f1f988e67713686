"""How far class means, as they are, lie from a simplex of unit vectors that sum to 0.

`collapse.etf_deviation` centres and scales the means first; here neither is done, so that vectors
of the unit ball that are short, or share a direction, are told from a simplex (arXiv 2311.05139).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from supcon_theory.measures.moments import Features, as_moments
from supcon_theory.measures.spectrum import singular_values


class MeansGeometry(NamedTuple):
    """Of class means mu_c in a space where a minimiser has ||mu_c|| = 1 and sum mu_c = 0."""

    zero_sum: float  # ||mean_c mu_c||
    unit_norm: float  # mean_c |  ||mu_c|| - 1  |
    cosine: float  # mean over c != c' of cos(mu_c, mu_c')
    spread: float  # largest less smallest of these cosines
    equal_products: float  # mean over c != c' of |cos(mu_c, mu_c') + 1/(C-1)|


def means_geometry(features: Features, labels=None) -> MeansGeometry:
    """Zero sum, unit norms and equal products of class means, without centring.

    Args:
        features: (N, D) or (N, K, D) with labels, or their Moments.
        labels: (N,) labels of any kind, for features.

    Returns:
        The deviations, 0 at a simplex of unit vectors; NaN cosines where a mean is 0.
    """
    means = as_moments(features, labels).means
    C, norms = len(means), means.norm(dim=1)
    unit = means / norms[:, None]
    cosines = (unit @ unit.T)[~torch.eye(C, dtype=torch.bool)]
    return MeansGeometry(
        means.mean(0).norm().item(),
        (norms - 1).abs().mean().item(),
        cosines.mean().item(),
        (cosines.max() - cosines.min()).item(),
        (cosines + 1 / (C - 1)).abs().mean().item(),
    )


def means_spectrum(features: Features, labels=None) -> Tensor:
    """Singular values of the class means less their mean, one fewer than classes, descending.

    Args:
        features: (N, D) or (N, K, D) with labels, or their Moments.
        labels: (N,) labels of any kind, for features.

    Returns:
        (min(C, D + 1) - 1,) float64: C means less their mean span C - 1 dimensions at most.
    """
    means = as_moments(features, labels).means
    return singular_values(means, centred=True)[: len(means) - 1]
