"""What is followed along training: the gap, the floor of NSCL, transfer, and two nulls.

Everything is about one checkpoint and one set of images (arXiv 2506.04411).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from supcon_theory.audits.columns import TRAINING
from supcon_theory.audits.gap import Evaluated, evaluated, gap_row
from supcon_theory.theory import gap as theory
from supcon_theory.theory.minima import nscl_floor
from supcon_theory.theory.transfer import effective_ratio, nscl_excess

COLUMNS, VERSION = TRAINING.columns, TRAINING.version
Row = dict[str, Any]


def checkpoint_audit(
    f: Tensor,
    g: Tensor,
    y: Tensor,
    shuffled: Tensor,
    taus: Sequence[float],
    walk: Tensor | None = None,
) -> Iterator[dict[str, Any]]:
    """All rows of one checkpoint of a CL- and an NSCL-trained encoder.

    Args:
        f: Embeddings (N, K, d) of the CL-trained encoder.
        g: Those of the NSCL-trained one.
        y: Labels (N,).
        shuffled: The same labels, shuffled: the first null.
        taus: Temperatures.
        walk: Embeddings of `matched_walk`, the second null.

    Yields:
        Rows with `protocol` "exact" (both encoders, `TRAINING`) and "control" (the nulls, which
        are compared with nothing but the label-free bound), `objective` and `labels`.
    """
    pair = training_audit(f, y, taus), training_audit(g, y, taus)
    for mine, partner in zip(*pair, strict=True):
        about = {"protocol": "exact", "labels": "true"}
        yield about | {"objective": "dcl"} | mine | transfer(mine, partner)
        yield about | {"objective": "nscl"} | partner
    nulls = [("dcl", "shuffled", f, shuffled)]
    if walk is not None:
        nulls.append(("walk", "true", walk, y))
    for objective, labels, z, of in nulls:
        about = {"protocol": "control", "objective": objective, "labels": labels}
        yield from (about | row for row in null_audit(z, of, taus))


def training_audit(z: Tensor, y: Tensor, taus: Sequence[float]) -> list[Row]:
    """`gap_audit` with the floor of NSCL, the mean centred bound, and losses per negative.

    Args:
        z: Embeddings (N, K, d).
        y: Labels (N,).
        taus: Temperatures.

    Returns:
        A row per temperature: `COLUMNS` but for those of `transfer`.
    """
    found = evaluated(z, y, taus)
    K, N, counts = z.shape[1], len(z), found.counts
    others = np.log(K * (N - counts)) @ counts / N
    rows = []
    for tau in found.losses:
        row, floor = gap_row(found, tau), nscl_floor(counts.tolist(), K, tau)
        rows.append(
            row
            | {
                "floor": floor,
                "violation_floor": floor - row["loss_nscl"],
                "level_dcl": row["loss_dcl"] - np.log(K * (N - 1)),
                "level_nscl": row["loss_nscl"] - others,
                "bound_centred": _centred(found, tau),
            }
        )
    return rows


def null_audit(z: Tensor, y: Tensor, taus: Sequence[float]) -> list[Row]:
    """Only the two losses, their gap and what it is compared with: a row per temperature."""
    found = evaluated(z, y, taus)
    equal = theory.equal_similarity_gap(found.counts)
    return [
        {
            "tau": tau,
            "loss_dcl": losses.mean_dcl,
            "loss_nscl": losses.mean_nscl,
            "gap": losses.mean_gap,
            "r": float(effective_ratio(losses.mean_gap, equal)),
            "bound_n_max": float(theory.published_bound_any_counts(found.counts, tau)),
            "bound_centred": _centred(found, tau),
        }
        for tau, losses in found.losses.items()
    ]


def transfer(f: Mapping[str, float], g: Mapping[str, float]) -> Row:
    """Differences of the losses of two encoders on one set, and the identity that ties them.

    Args:
        f: Row of `training_audit` of the CL-trained encoder.
        g: That of the NSCL-trained one, at the same temperature.

    Returns:
        `difference_dcl`, `difference_nscl`, `gap_partner` and `error_transfer`.
    """
    difference = f["loss_nscl"] - g["loss_nscl"]
    identity = nscl_excess(f["loss_dcl"], g["loss_dcl"], f["gap"], g["gap"])
    return {
        "difference_dcl": f["loss_dcl"] - g["loss_dcl"],
        "difference_nscl": difference,
        "gap_partner": g["gap"],
        "error_transfer": abs(difference - float(identity)),
    }


def matched_walk(z: Tensor, before: Tensor, after: Tensor, noise: Tensor) -> Tensor:
    """One step of a random walk that moves as far as training did, but learns nothing.

    The views of a sample move along geodesics towards the same random direction, by the mean angle
    between the same views `before` and `after` a stretch of training.

    Args:
        z: Where the walk is, (N, K, d) unit rows.
        before: Embeddings before the stretch, (N, K, d) unit rows.
        after: Embeddings after it.
        noise: Standard normal numbers (N, d).

    Returns:
        Where the walk goes, (N, K, d) float64 unit rows.

    Raises:
        ValueError: If the shapes do not fit.
    """
    if not z.shape == before.shape == after.shape or noise.shape != z[:, 0].shape:
        raise ValueError(
            f"the shapes {tuple(z.shape)}, {tuple(before.shape)}, {tuple(after.shape)} must "
            f"be the same (N, K, d), and that of the noise (N, d): {tuple(noise.shape)}."
        )
    chord = torch.linalg.vector_norm(after.double() - before.double(), dim=-1)
    angle = (2 * torch.asin((chord / 2).clamp(max=1.0))).mean(1)[:, None, None]
    z, noise = z.double(), noise.double()[:, None]
    tangent = normalize(noise - (noise * z).sum(-1, keepdim=True) * z, dim=-1)
    return normalize(angle.cos() * z + angle.sin() * tangent, dim=-1)


def _centred(found: Evaluated, tau: float) -> float:
    """Mean over anchors of the label-free bound; NaN if the classes are not balanced."""
    if not found.balanced:
        return np.nan
    C, n = len(found.counts), found.counts[0]
    return float(theory.balanced_anchor_bound(found.alignment, C, n, tau).mean())
