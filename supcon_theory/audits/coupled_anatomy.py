"""What the excess of SupCon, and of NT-Xent, over their minimum is made of.

About unit rows in float64, so that the identities can hold to rounding.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.special import logsumexp
from torch import Tensor

from supcon_theory.audits.columns import COUPLED_ANATOMY
from supcon_theory.audits.gap import Evaluated
from supcon_theory.theory.coupled_anatomy import (
    coupled_collapse_worth,
    coupled_excess_terms,
    most_within,
)
from supcon_theory.theory.minima import supcon_minimum

COLUMNS, VERSION = COUPLED_ANATOMY.columns, COUPLED_ANATOMY.version


class Labelled(NamedTuple):
    """What the terms are made of, of a labelling into C classes of M rows, at any temperature."""

    own: np.ndarray  # (N, K) mean cosine to the other rows of the class
    others: np.ndarray  # (N, K) mean cosine to the rows of other classes
    within: float  # mean squared distance of a row from the mean of its class
    centre: float  # squared norm of the mean of all rows
    C: int
    M: int


def coupled_anatomy_rows(found: Evaluated) -> list[dict[str, float]]:
    """The terms of both losses, of float64 embeddings whose log sums are there already.

    Args:
        found: Embeddings in float64 with their losses.

    Returns:
        A row of `COLUMNS` per temperature. SupCon's are NaN for unequal classes and where no anchor
        has a positive, NT-Xent's for other than two views.
    """
    N, K, _ = found.z.shape
    cosines = torch.einsum("nkd,nld->nkl", found.z, found.z).cpu().numpy()
    views = cosines[:, ~np.eye(K, dtype=bool)].reshape(N, K, K - 1)  # to the other views
    every = torch.arange(N, device=found.z.device)
    labelled = {
        "supcon": found.balanced and K * found.counts.min() > 1 and _labelled(found.z, found.y),
        "nt_xent": K == 2 and _labelled(found.z, every),  # every sample is a class of its own
    }
    rows = []
    for tau, losses in found.losses.items():
        own = np.asarray(logsumexp(views / tau, axis=2)) if K > 1 else np.full((N, K), -np.inf)
        log_sums = np.logaddexp(np.logaddexp(losses.log_S, losses.log_D), own)
        row = dict.fromkeys(COUPLED_ANATOMY.names, np.nan)
        for loss, of in labelled.items():
            if of:
                row |= _terms(loss, of, log_sums, tau)
        rows.append(row)
    return rows


def _labelled(z: Tensor, y: Tensor) -> Labelled:
    """Of labels 0 .. C-1, as many rows of each."""
    (N, K, d), C = z.shape, int(y.max()) + 1
    M = N * K // C
    sums = z.new_zeros(C, d).index_add_(0, y, z.sum(1))[y][:, None]
    total = z.sum((0, 1))
    own = ((z * sums).sum(2) - z.square().sum(2)) / (M - 1)
    others = (z * (total - sums)).sum(2) / (N * K - M)
    within = (z - sums / M).square().sum(2).mean()
    centre = (total / (N * K)).square().sum()
    return Labelled(own.cpu().numpy(), others.cpu().numpy(), float(within), float(centre), C, M)


def _terms(loss: str, of: Labelled, log_sums: np.ndarray, tau: float) -> dict[str, float]:
    """The excess, its terms, and how far they are from adding up to it; of SupCon its collapse."""
    own, others, within, centre, C, M = of
    terms = coupled_excess_terms(own, others, log_sums, within, centre, C, M, tau)
    mean = float((log_sums - own / tau).mean())
    excess = mean - float(supcon_minimum(C, M, 1, tau))
    first = {"supcon": "collapse", "nt_xent": "alignment"}[loss]
    row = {
        f"{loss}_excess": excess,
        f"{loss}_{first}": terms.collapse,
        f"{loss}_centring": terms.centring,
        f"{loss}_anchors": terms.anchors,
        f"{loss}_jensen": terms.jensen,
        f"{loss}_anatomy_error": abs(excess - sum(terms)) / max(abs(mean), 1),
        f"violation_{loss}_terms": max(max(terms) - excess, -min(terms)),
    }
    if loss == "supcon":
        row |= {
            "supcon_share_collapse": terms.collapse / excess if excess > 0 else np.nan,
            "supcon_worth_collapse": float(coupled_collapse_worth(C, M, tau)),
            "supcon_most_within": float(most_within(max(excess, 0.0), C, M, tau)),
        }
    return row
