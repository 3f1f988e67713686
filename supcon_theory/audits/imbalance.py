"""The best geometry of unequal classes: a certified programme, thresholds, free embeddings.

Rows of `IMBALANCE`. The programme is that of `theory.imbalance`; whatever finds its point, a dual
bound certifies it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize

from supcon_theory.audits.columns import IMBALANCE
from supcon_theory.free.optimise import gaussian_starts, optimise
from supcon_theory.theory.counts import Floats
from supcon_theory.theory.imbalance import (
    SELF_SUPERVISED,
    Geometry,
    collapsed,
    instance_geometry,
    lower_bound,
    value,
)
from supcon_theory.theory.merging import least_gram, limit_cosine, merging_ratio
from supcon_theory.theory.simplex import labels_of
from supcon_theory.theory.soft import regular_cosine

COLUMNS, VERSION = IMBALANCE.columns, IMBALANCE.version
Row = dict[str, Any]
STARTS = 3  # of the programme
AROUND = (0.9, 1.1)  # of a threshold: where the programme is solved on both sides of it
FAR = 10_000  # size ratio at which limits are looked at
FEW = 2  # samples of a small class


def solved(
    objective: str, counts: Sequence[int], K: int, tau: float, **options: float
) -> tuple[Geometry, float, float]:
    """Where a loss is least, its value and a certified lower bound of all embeddings.

    L-BFGS over unit class means, with every class in one point; CL's is the simplex of samples.

    Args:
        objective: One of `theory.imbalance.OBJECTIVES`.
        counts: (C,) class sizes.
        K: Views of each sample.
        tau: Temperature.
        options: Of `theory.imbalance.value`.

    Returns:
        The geometry, the loss, the bound.
    """
    C = len(counts)

    def loss(flat: Floats) -> tuple[float, Floats]:
        rows = flat.reshape(C, C)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        unit = rows / norms
        found, slope = value(objective, counts, K, tau, collapsed(unit @ unit.T), **options)
        along = 2 * slope.M @ unit
        return found, ((along - (along * unit).sum(1, keepdims=True) * unit) / norms).ravel()

    points = [instance_geometry(counts, K)] if objective == SELF_SUPERVISED else []
    if not points:
        limits = {"maxiter": 5000, "maxfun": 10_000, "ftol": 0, "gtol": 1e-13}
        # second derivatives along a row go with the weight of its class over its squared length
        lengths = np.sqrt(np.array(counts)[:, None] / (C * max(counts)))
        for seed in range(STARTS):
            start = (lengths * np.random.default_rng(seed).standard_normal((C, C))).ravel()
            x = minimize(loss, start, jac=True, method="L-BFGS-B", options=limits).x.reshape(C, C)
            unit = x / np.linalg.norm(x, axis=1, keepdims=True)
            points.append(collapsed(unit @ unit.T))
    losses = [value(objective, counts, K, tau, point, **options) for point in points]
    best = int(np.argmin([found for found, _ in losses]))
    least, slope = losses[best]
    return points[best], least, lower_bound(counts, K, points[best], least, slope)


def programme_audit(
    objective: str,
    sizes: tuple[int, int],
    each: int,
    K: int,
    tau: float,
    starts: int,
    **options: float,
) -> list[Row]:
    """The least value of `each` large and `each` small classes, and where free embeddings end.

    Args:
        objective: One of `theory.imbalance.OBJECTIVES`.
        sizes: Samples of a large and of a small class.
        each: Number of large, and of small classes.
        K: Views of each sample.
        tau: Temperature.
        starts: Gaussian starts of free embeddings; 0 for the programme alone.
        options: Of `theory.imbalance.value`.

    Returns:
        A row of the programme, and one per start.
    """
    counts = [sizes[0]] * each + [sizes[1]] * each
    (M, e, f), least, bound = solved(objective, counts, K, tau, **options)
    about = _about(objective, sizes, (each, each), K, tau) | options
    about |= {"counts": " ".join(map(str, counts)), "bound_dual": bound}
    if objective == "soft_supcon":
        about["regular_cosine"] = regular_cosine(2 * each, tau, options["softness"])
    row = {"part": "programme", "seed": 0, "loss": least, "gap_dual": least - bound}
    row |= _cosines(M, each) | {"spread": float(max(e.max(), f.max()))}
    rows = [_with_error(about | row)]
    if starts:
        y, N = torch.from_numpy(labels_of(counts)), sum(counts)
        z = gaussian_starts(starts, N, K, N, 0)
        z, found = optimise(objective, z, y, tau, 3000, **dict[str, Any](options))
        for k in range(starts):
            means = torch.stack([z[k][y == c].mean((0, 1)) for c in range(2 * each)])
            loss = float(found.value[k])
            row = {"part": "free", "seed": k, "loss": loss, "excess": loss - least}
            row |= {"violation_dual": bound - loss} | _cosines((means @ means.T).numpy(), each)
            row |= {"spread": float(1 - means.square().sum(1).min())}
            row["gradient_norm"] = float(found.gradient_norm[k])
            rows.append(_with_error(about | row | {"stalled": bool(found.stalled[k])}))
    return rows


def threshold_audit(
    objective: str, classes: tuple[int, int], K: int, tau: float, negatives: Sequence[float | None]
) -> list[Row]:
    """The size ratio at which small classes merge, and the programme's answer on both sides.

    Args:
        objective: One of `theory.imbalance.OBJECTIVES` that collapses classes.
        classes: Numbers of large and of small classes.
        K: Views of each sample.
        tau: Temperature.
        negatives: Numbers of negatives, ascending; None for all.

    Returns:
        A row per number of negatives.
    """
    rows, previous = [], np.inf
    for Q in negatives:
        options = {} if Q is None else {"negatives": float(Q)}
        ratio = merging_ratio(objective, classes, K, tau, Q)
        row = _about(objective, (1, 1), classes, K, tau) | options
        row |= {"part": "threshold", "seed": 0, "threshold": ratio}
        row["violation_negatives"] = ratio - previous if np.isfinite(ratio) else np.nan
        for name, times in zip(("cosine_below", "cosine_above"), AROUND, strict=True):
            if np.isfinite(ratio) and ratio * AROUND[0] > 1:
                counts = [round(1000 * ratio * times)] * classes[0] + [1000] * classes[1]
                (M, _, _), _, _ = solved(objective, counts, K, tau, **options)
                row[name] = _cosines(M, classes[0])["cosine_small"]
        row["parted_above"] = 1 - row.get("cosine_above", np.nan)
        previous = ratio
        rows.append(row)
    return rows


def limit_audit(large: int, small: int, K: int, tau: float) -> list[Row]:
    """The cosine of small classes under NSCL where the size ratio is huge, beside its limit."""
    counts, M = [FAR * FEW] * large + [FEW] * small, least_gram(FAR, (large, small), K, tau)
    least, slope = value("nscl", counts, K, tau, collapsed(M))
    bound = lower_bound(counts, K, collapsed(M), least, slope)
    found = _cosines(M, large)
    limit = limit_cosine(large, tau)
    row = _about("nscl", (FAR, 1), (large, small), K, tau) | {"part": "limit", "seed": 0}
    row |= found | {"loss": least, "gap_dual": least - bound, "limit_cosine": limit}
    return [row | {"limit_error": abs(found["cosine_small"] - limit)}]


def _about(
    objective: str, sizes: tuple[int, int], classes: tuple[int, int], K: int, tau: float
) -> Row:
    large, small = classes
    n = (large * sizes[0] + small * sizes[1]) / (large + small)
    about = {"objective": objective, "imbalance": sizes[0] / sizes[1], "tau": tau, "K": K}
    return about | {"C": large + small, "n": n, "large": large}


def _with_error(row: Row) -> Row:
    """With the largest distance of a cosine of two classes from that of the regular simplex."""
    if "regular_cosine" in row:
        names = ("cosine_large", "cosine_mixed", "cosine_small")
        row["regular_error"] = max(abs(row[name] - row["regular_cosine"]) for name in names)
    return row


def _cosines(gram: Floats, large: int) -> Row:
    """Mean cosine of two large, of a large and a small, and of two small classes."""
    norms = np.sqrt(gram.diagonal())
    cosines = gram / np.outer(norms, norms)

    def mean(block: Floats) -> float:
        return float((block.sum() - len(block)) / (len(block) * (len(block) - 1)))

    of_large, of_small = mean(cosines[:large, :large]), mean(cosines[large:, large:])
    mixed = float(cosines[:large, large:].mean())
    of = {"cosine_large": of_large, "cosine_mixed": mixed, "cosine_small": of_small}
    return of | {"tilt": of_large - of_small}
