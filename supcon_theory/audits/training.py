"""What is followed along training: the audit of the gap, the floor of NSCL, and transfer from one
encoder to another (arXiv 2506.04411).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from supcon_theory.audits.gap import gap_audit
from supcon_theory.measures.losses import global_losses
from supcon_theory.theory import gap as theory
from supcon_theory.theory.minima import nscl_floor
from supcon_theory.theory.transfer import effective_ratio, nscl_excess


def followed(z: Tensor, y: Tensor, taus: Sequence[float]) -> list[dict]:
    """`gap_audit` with the floor of NSCL, the mean centred bound, and losses per negative."""
    counts, K = y.bincount().numpy(), z.shape[1]
    others = np.log(K * (len(y) - counts)) @ counts / len(y)
    rows = []
    for row in gap_audit(z, y, taus):
        floor = nscl_floor(counts, K, row["tau"])
        rows.append(
            row
            | {
                "floor": floor,
                "excess_floor": floor - row["loss_nscl"],
                "level_dcl": row["loss_dcl"] - np.log(K * (len(y) - 1)),
                "level_nscl": row["loss_nscl"] - others,
                "bound_centred": centred(z, counts, row["tau"]),
            }
        )
    return rows


def bare(z: Tensor, y: Tensor, taus: Sequence[float]) -> list[dict]:
    """Only the two losses, their gap and what it is compared with."""
    counts = y.bincount().numpy()
    return [
        {
            "tau": tau,
            "loss_dcl": losses.mean_dcl,
            "loss_nscl": losses.mean_nscl,
            "gap": losses.mean_gap,
            "r": float(effective_ratio(losses.mean_gap, theory.equal_similarity_gap(counts))),
            "bound_n_max": float(theory.published_bound_any_counts(counts, tau)),
            "bound_centred": centred(z, counts, tau),
        }
        for tau, losses in global_losses(z, y, taus).items()
    ]


def centred(z: Tensor, counts: np.ndarray, tau: float) -> float:
    """Mean over anchors of the label-free bound; NaN if the classes are not balanced."""
    if counts.min() != counts.max():
        return np.nan
    z = torch.nn.functional.normalize(z.double(), dim=-1)
    alignment = (z @ z.mean((0, 1))).numpy()
    return float(theory.balanced_anchor_bound(alignment, len(counts), counts[0], tau).mean())


def transfer(f: Mapping, g: Mapping) -> dict[str, float]:
    """CL-trained f against NSCL-trained g, on one set and at one temperature."""
    found = {f"excess_{name}": f[f"loss_{name}"] - g[f"loss_{name}"] for name in ("dcl", "nscl")}
    identity = nscl_excess(f["loss_dcl"], g["loss_dcl"], f["gap"], g["gap"])
    return found | {
        "gap_partner": g["gap"],
        "error_transfer": abs(found["excess_nscl"] - float(identity)),
    }
