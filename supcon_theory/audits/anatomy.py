"""What the excess of NSCL over its minimum is made of, and the gap from two moments of cosines.

Everything is about unit rows in float64, so that the identity can hold to rounding.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from supcon_theory.audits.columns import ANATOMY
from supcon_theory.audits.coupled_anatomy import coupled_anatomy_rows
from supcon_theory.audits.gap import Evaluated, evaluated
from supcon_theory.audits.moment_bounds import moment_bound_rows
from supcon_theory.measures.cosines import AnchorCosines, anchor_cosines
from supcon_theory.theory.anatomy import collapse_worth, excess_terms, jensen_floor
from supcon_theory.theory.cosine_moments import moment_gap_bounds
from supcon_theory.theory.counts import anchor_kappa
from supcon_theory.theory.minima import nscl_minimum

COLUMNS, VERSION = ANATOMY.columns, ANATOMY.version
MOMENTS = ("bound_moments", "bound_moments_low")  # for classes of any sizes
MOMENTS += ("violation_moments", "violation_moments_low", "violation_jensen")


def anatomy_audit(z: Tensor, y: Tensor, taus: Sequence[float]) -> list[dict[str, float]]:
    """The terms of L_NSCL - L*, and bounds on the gap from the moments of each anchor's cosines.

    Args:
        z: Embeddings (N, K, d), rows unit up to rounding.
        y: Labels (N,), of any kind.
        taus: Temperatures.

    Returns:
        A row per temperature: `tau`, `COLUMNS`, those of `coupled_anatomy` and of `moment_bounds`.
        The terms are about balanced classes and NaN for others; bounds from moments need a second
        sample in each class, else they are NaN.
    """
    found = evaluated(z.double(), y, taus)
    parts = (anatomy_rows(found), coupled_anatomy_rows(found), moment_bound_rows(found))
    return [of | coupled | bounds for of, coupled, bounds in zip(*parts, strict=True)]


def anatomy_rows(found: Evaluated) -> list[dict[str, float]]:
    """A row of `COLUMNS` per temperature, of float64 embeddings whose losses are there already."""
    cosines = anchor_cosines(found.z, found.y)
    return [anatomy_row(found, cosines, tau) for tau in found.losses]


def anatomy_row(found: Evaluated, cosines: AnchorCosines, tau: float) -> dict[str, float]:
    """The row of `anatomy_audit` at one temperature."""
    losses, own = found.losses[tau], found.own[:, None]
    N, K, _ = found.z.shape
    row = {"tau": tau, "gap": losses.mean_gap, "loss_nscl": losses.mean_nscl}
    low = high = np.full(losses.gap.shape, np.nan)
    if found.counts.min() > 1:
        moments = cosines.own_mean, cosines.own_variance
        others = cosines.other_mean, cosines.other_variance
        low, high = moment_gap_bounds(moments, others, anchor_kappa(own, N), tau)
    jensen = losses.log_D - np.log(K * (N - own)) - cosines.other_mean / tau
    return (
        row
        | _terms(found, float(jensen.mean()), losses.mean_nscl, tau)
        | {
            "bound_moments": float(high.mean()),
            "bound_moments_low": float(low.mean()),
            "violation_moments": float((losses.gap - high).max()),
            "violation_moments_low": float((low - losses.gap).max()),
            "violation_jensen": float((jensen_floor(cosines.other_variance, tau) - jensen).max()),
        }
    )


def _terms(found: Evaluated, jensen: float, loss: float, tau: float) -> dict[str, float]:
    """The excess, its terms, and how far they are from adding up to it; NaN for unequal classes."""
    names = [name for name in ANATOMY.names if name not in ("gap", "loss_nscl", *MOMENTS)]
    if not found.balanced:
        return dict.fromkeys(names, np.nan)
    (N, K, _), C = found.z.shape, len(found.counts)
    n = N // C
    augmentation = (found.z - found.z.mean(1, keepdim=True)).square().sum(2).mean()
    means = torch.zeros(C, found.z.shape[2], dtype=found.z.dtype, device=found.z.device)
    means.index_add_(0, found.y, found.z.mean(1)).div_(n)
    within = (found.z - means[found.y][:, None]).square().sum(2).mean()
    centre = found.z.mean((0, 1)).square().sum()
    jensen = max(jensen, 0.0)  # not below 0 but by rounding, or the terms would not add up
    terms = excess_terms(float(augmentation), float(within), float(centre), jensen, C, tau)
    excess = loss - float(nscl_minimum(C, n, K, tau))
    return {
        "excess": excess,
        **{f"excess_{name}": float(value) for name, value in terms._asdict().items()},
        "anatomy_error": abs(excess - float(sum(terms))) / max(abs(loss), 1),
        "violation_terms": float(max(terms)) - excess,
        "share_collapse": float(terms.collapse) / excess if excess > 0 else np.nan,
        "worth_collapse": float(collapse_worth(C, tau)),
        "within": float(within),
    }
