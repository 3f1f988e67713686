"""The gap of each anchor beside its bounds from the range and four moments of its cosines."""

import numpy as np

from supcon_theory.audits.columns import FOUR_MOMENTS
from supcon_theory.audits.gap import Evaluated
from supcon_theory.measures.cosines import cosine_shapes
from supcon_theory.theory.cosine_quadrature import Shape, four_moment_gap_bounds
from supcon_theory.theory.counts import anchor_kappa

COLUMNS, VERSION = FOUR_MOMENTS.columns, FOUR_MOMENTS.version


def four_moment_rows(found: Evaluated) -> list[dict[str, float]]:
    """Bounds on the gap that know the range and four moments of the cosines of each anchor.

    Args:
        found: Embeddings in float64 with their losses.

    Returns:
        A row of `COLUMNS` per temperature; NaN where a class has one sample.
    """
    if found.counts.min() < 2:
        return [dict.fromkeys(FOUR_MOMENTS.names, np.nan) for _ in found.losses]
    own, others = (Shape(*shape) for shape in cosine_shapes(found.z, found.y))
    ratio, rows = anchor_kappa(found.own[:, None], len(found.z)), []
    for tau, losses in found.losses.items():
        low, high = four_moment_gap_bounds(own, others, ratio, tau)
        rows.append(
            {
                "bound_four": float(high.mean()),
                "bound_four_low": float(low.mean()),
                "violation_four": float((losses.gap - high).max()),
                "violation_four_low": float((low - losses.gap).max()),
            }
        )
    return rows
