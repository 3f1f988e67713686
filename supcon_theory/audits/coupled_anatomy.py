"""What the excess of SupCon, and of NT-Xent, over their minimum is made of.

About unit rows in float64, so that the identities can hold to rounding.
"""

import numpy as np
import torch
from scipy.special import logsumexp
from torch import Tensor

from supcon_theory.audits.columns import COUPLED_ANATOMY
from supcon_theory.audits.gap import Evaluated
from supcon_theory.theory.coupled_anatomy import (
    CoupledExcess,
    coupled_collapse_worth,
    coupled_excess_terms,
    most_within,
)
from supcon_theory.theory.minima import supcon_minimum

COLUMNS, VERSION = COUPLED_ANATOMY.columns, COUPLED_ANATOMY.version


def coupled_anatomy_rows(found: Evaluated) -> list[dict[str, float]]:
    """The terms of both losses, of float64 embeddings whose log sums are there already.

    Args:
        found: Embeddings in float64 with their losses.

    Returns:
        A row of `COLUMNS` per temperature. SupCon's are NaN for unequal classes and where no anchor
        has a positive, NT-Xent's for other than two views.
    """
    z, y = found.z, found.y
    N, K, _ = z.shape
    views = torch.einsum("nkd,nld->nkl", z, z).cpu().numpy()
    views = views[:, ~np.eye(K, dtype=bool)].reshape(N, K, K - 1)  # cosines to the other views
    rows = []
    for tau, losses in found.losses.items():
        own = np.asarray(logsumexp(views / tau, axis=2)) if K > 1 else np.full((N, K), -np.inf)
        log_sums = np.logaddexp(np.logaddexp(losses.log_S, losses.log_D), own)
        rows.append(_supcon(z, y, found, log_sums, tau) | _nt_xent(z, log_sums, tau))
    return rows


def _supcon(
    z: Tensor, y: Tensor, found: Evaluated, log_sums: np.ndarray, tau: float
) -> dict[str, float]:
    """The terms of SupCon, and what they say of collapse."""
    C, M = len(found.counts), int(found.counts.min()) * z.shape[1]
    if not found.balanced or M < 2:
        names = COUPLED_ANATOMY.names
        return dict.fromkeys((name for name in names if "nt_xent" not in name), np.nan)
    excess, terms, error = _terms(z, y, log_sums, C, M, tau)
    return {
        "supcon_excess": excess,
        "supcon_collapse": terms.collapse,
        "supcon_centring": terms.centring,
        "supcon_anchors": terms.anchors,
        "supcon_jensen": terms.jensen,
        "supcon_anatomy_error": error,
        "violation_supcon_terms": max(max(terms) - excess, -min(terms)),
        "supcon_share_collapse": terms.collapse / excess if excess > 0 else np.nan,
        "supcon_worth_collapse": float(coupled_collapse_worth(C, M, tau)),
        "supcon_most_within": float(most_within(max(excess, 0.0), C, M, tau)),
    }


def _nt_xent(z: Tensor, log_sums: np.ndarray, tau: float) -> dict[str, float]:
    """The terms of NT-Xent: those of SupCon with every sample a class of its own."""
    N, K, _ = z.shape
    if K != 2:
        names = COUPLED_ANATOMY.names
        return dict.fromkeys((name for name in names if "nt_xent" in name), np.nan)
    samples = torch.arange(N, device=z.device)
    excess, terms, error = _terms(z, samples, log_sums, N, K, tau)
    return {
        "nt_xent_excess": excess,
        "nt_xent_alignment": terms.collapse,
        "nt_xent_centring": terms.centring,
        "nt_xent_anchors": terms.anchors,
        "nt_xent_jensen": terms.jensen,
        "nt_xent_anatomy_error": error,
        "violation_nt_xent_terms": max(max(terms) - excess, -min(terms)),
    }


def _terms(
    z: Tensor, y: Tensor, log_sums: np.ndarray, C: int, M: int, tau: float
) -> tuple[float, CoupledExcess, float]:
    """The excess, its terms, and how far they are from adding up to it."""
    N, K, d = z.shape
    sums = z.new_zeros(C, d).index_add_(0, y, z.sum(1))[y][:, None]
    total, norms = z.sum((0, 1)), z.square().sum(2)
    own = (((z * sums).sum(2) - norms) / (M - 1)).cpu().numpy()
    others = ((z * (total - sums)).sum(2) / (N * K - M)).cpu().numpy()
    within = float((z - sums / M).square().sum(2).mean())
    centre = float((total / (N * K)).square().sum())
    terms = coupled_excess_terms(own, others, log_sums, within, centre, C, M, tau)
    loss = float((log_sums - own / tau).mean())
    excess = loss - float(supcon_minimum(C, M, 1, tau))
    return excess, terms, abs(excess - sum(terms)) / max(abs(loss), 1)
