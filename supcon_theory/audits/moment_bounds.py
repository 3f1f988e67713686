"""The gap of each anchor beside its bounds from the range and the first moments of its cosines."""

import numpy as np

from supcon_theory.audits.columns import MOMENT_BOUNDS
from supcon_theory.audits.gap import Evaluated
from supcon_theory.measures.cosines import cosine_shapes
from supcon_theory.theory.cosine_quadrature import Shape, gap_bounds_on_range
from supcon_theory.theory.counts import anchor_kappa

COLUMNS, VERSION = MOMENT_BOUNDS.columns, MOMENT_BOUNDS.version
NUMBERS = {"four": 4, "eight": 8}  # of moments, as the columns name them


def moment_bound_rows(found: Evaluated) -> list[dict[str, float]]:
    """Bounds on the gap that know the range and some moments of the cosines of each anchor.

    Args:
        found: Embeddings in float64 with their losses.

    Returns:
        A row of `COLUMNS` per temperature; NaN where a class has one sample.
    """
    rows = [dict.fromkeys(MOMENT_BOUNDS.names, np.nan) for _ in found.losses]
    if found.counts.min() < 2:
        return rows
    shapes = cosine_shapes(found.z, found.y, max(NUMBERS.values()))
    ratio = anchor_kappa(found.own[:, None], len(found.z))
    taus = np.array(list(found.losses))[:, None, None]
    for name, number in NUMBERS.items():
        own, others = (Shape(x.low, x.high, x.moments[:number]) for x in shapes)
        bounds = zip(*gap_bounds_on_range(own, others, ratio, taus), strict=True)
        for row, losses, (low, high) in zip(rows, found.losses.values(), bounds, strict=True):
            row[f"bound_{name}"] = float(high.mean())
            row[f"bound_{name}_low"] = float(low.mean())
            row[f"violation_{name}"] = float((losses.gap - high).max())
            row[f"violation_{name}_low"] = float((low - losses.gap).max())
    return rows
