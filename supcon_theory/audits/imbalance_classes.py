"""Large and small classes of a trained encoder apart: geometry, few-shot error, gap; `IMBALANCE`.

The classes are numbered by falling size, so that the first half is the large one.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from supcon_theory.inputs import labels as read_labels
from supcon_theory.inputs import unit_rows
from supcon_theory.measures import cdnv, class_moments, global_losses
from supcon_theory.measures.centres import way_error
from supcon_theory.measures.few_shot import resampled_curve
from supcon_theory.theory.gap import anchor_lower_bound, anchor_upper_bound

Row = dict[str, Any]


def class_rows(
    features: Tensor,
    y: Tensor,
    sizes: np.ndarray,
    taus: tuple[float, ...],
    shots: int,
    draws: int,
    seed: int,
) -> list[Row]:
    """One row for the large half of the classes, one for the small, and their gaps.

    Args:
        features: (N, K, d), of any length; unit rows where there are temperatures.
        y: (N,) labels 0 .. C-1.
        sizes: (C,) images of each class that were trained on, falling.
        taus: Temperatures at which gaps are measured; none for features that have none.
        shots: Supports m of each class, drawn with replacement from `features`.
        draws: Support draws.
        seed: Of the draws.

    Returns:
        The rows; gaps are rows of their own, with `tau`.
    """
    half = len(sizes) // 2
    groups = {"large": slice(0, half), "small": slice(half, None)}
    moments = class_moments(features, y)
    means = moments.means.cpu().numpy()
    norms = np.linalg.norm(means, axis=1)
    cosines = means @ means.T / np.outer(norms, norms)
    variances = cdnv(moments).pairs.cpu().numpy()
    x = features[:, 0].double().cpu().numpy()
    ((_, errors),) = resampled_curve(x, y.numpy(), [shots], draws=draws, seed=seed)
    rows = []
    for group, at in groups.items():
        off = ~np.eye(len(sizes[at]), dtype=bool)
        error = way_error(errors.beaten[:, at], len(sizes)).mean()
        row = {"group": group, "part": "encoders", "m": shots, "error": float(error)}
        row |= {"norm": float(norms[at].mean()), "cosine": float(cosines[at, at][off].mean())}
        rows.append(row | {"cdnv": float(variances[at, at][off].mean())})
        rows += [
            {"group": group, "part": "gaps", "tau": tau} | _gap(features, y, at, tau)
            for tau in taus
        ]
    return rows


def _gap(z: Tensor, y: Tensor, at: slice, tau: float) -> Row:
    """The gap of the anchors of some classes beside the bounds of each."""
    y = read_labels(y, len(z))
    counts = torch.bincount(y).numpy()
    n_c = counts[y.numpy()]
    inside = np.isin(y.numpy(), np.arange(len(counts))[at])
    gap = global_losses(unit_rows(z), y, [tau])[tau].gap[inside]
    upper = anchor_upper_bound(n_c, len(y), tau)[inside, None]
    lower = anchor_lower_bound(n_c, len(y), tau)[inside, None]
    bound = float(upper.mean())
    return {
        "gap": float(gap.mean()),
        "bound_anchor": bound,
        "of_bound": float(gap.mean()) / bound,
        "violation_upper": float((gap - upper).max()),
        "violation_lower": float((lower - gap).max()),
    }
