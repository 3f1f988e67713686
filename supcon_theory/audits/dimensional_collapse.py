"""Class means of trained embeddings beside the simplex ETF; rows of `DIMENSIONAL_COLLAPSE`."""

import math
from typing import Any

import numpy as np
from torch import Tensor

from supcon_theory.audits.columns import DIMENSIONAL_COLLAPSE
from supcon_theory.measures import (
    class_moments,
    means_geometry,
    means_spectrum,
    within_class_variance,
)
from supcon_theory.measures.probes import nearest_centre, way_error
from supcon_theory.measures.spectrum import rankme
from supcon_theory.measures.supports import draw_supports
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.minima import scl_ball_minimum
from supcon_theory.theory.tilt import critical_tilt

COLUMNS, VERSION = DIMENSIONAL_COLLAPSE.columns, DIMENSIONAL_COLLAPSE.version
Row = dict[str, Any]
KEPT = math.exp(-5)  # of the largest singular value: below it a dimension counts as lost


def loss_row(
    objective: str, z: Tensor, y: Tensor, tau: float, tilt: float, surface: str
) -> dict[str, float]:
    """The loss of a batch, what hardening does to its anchors, and how far it is from the minimum.

    Args:
        objective: `scl_ball` or `ucl_ball`.
        z: (N, K, d) embeddings.
        y: (N,) labels, balanced.
        tau: Temperature.
        tilt: b, of the cosine.
        surface: Where embeddings may lie; "none" has no minimum.

    Returns:
        Columns of `DIMENSIONAL_COLLAPSE`.
    """
    loss, z, C = OBJECTIVES[objective], z.double(), len(y.unique())
    hard, easy = (
        loss(z, y, tau=tau, beta=of * tau, reduction="none", unit=False) for of in (tilt, 0.0)
    )
    least = float(scl_ball_minimum(C, len(z) // C, z.shape[1], tau))
    bounded = objective == "scl_ball" and surface != "none"
    return {
        "loss": hard.mean().item(),
        "violation_order": (easy - hard).max().item(),
        "violation_minimum": least - hard.mean().item() if bounded else np.nan,
        "critical_tilt": float(critical_tilt(C, tau)),
    }


def geometry_row(z: Tensor, y: Tensor, queries: Tensor, of_queries: Tensor) -> Row:
    """Class means beside the ETF, their spectrum, and the error of the nearest one on new images.

    Args:
        z: (N, K, d) embeddings of training images.
        y: (N,) labels, as many of each.
        queries: (Q, K, d) embeddings of new ones, of which the first view is classified.
        of_queries: (Q,) labels.

    Returns:
        Columns of `DIMENSIONAL_COLLAPSE`.
    """
    moments = class_moments(z, y)
    spectrum = means_spectrum(moments)
    supports = draw_supports(y, int(y.bincount().min()), 1, seed=0)
    found = nearest_centre(z[:, 0], y, supports, queries[:, 0], of_queries)
    return {
        **means_geometry(moments)._asdict(),
        "within_class_variance": within_class_variance(moments).value,
        "means_rank": rankme(spectrum),
        "values_kept": int((spectrum > KEPT * spectrum[0]).sum()),
        "error": float(way_error(found.beaten, len(y.unique()))[0]),
    }
