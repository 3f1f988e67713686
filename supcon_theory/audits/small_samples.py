"""Few samples a class: corrected values with intervals, and bounds that hold for the law behind.

Three kinds of numbers, never mixed. *Corrected*: made of moments without bias (a ratio of them is
not unbiased). *Jackknife interval* (`_low`, `_high`): approximate. *Upper* and `bound_sampled`:
proved for independent samples, with probability 1 - delta, whatever the law.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from supcon_theory.audits.columns import FINITE_SAMPLES, SMALL_SAMPLES
from supcon_theory.measures.class_distances import cdnv, directional_cdnv
from supcon_theory.measures.corrected import (
    corrected_cdnv,
    corrected_directional_cdnv,
    corrected_nc1,
    unbiased_moments,
)
from supcon_theory.measures.moments import Moments, class_moments
from supcon_theory.measures.pair_moments import directional_scatter
from supcon_theory.measures.participation import corrected_participation_ratio
from supcon_theory.statistics import ANYWHERE, Interval, jackknife_groups, jackknife_interval
from supcon_theory.theory.few_shot.finite_samples import (
    MomentBounds,
    moment_bounds,
    sampled_error_bound,
)

COLUMNS, VERSION = SMALL_SAMPLES.columns, SMALL_SAMPLES.version
TABLE = FINITE_SAMPLES
GROUPS = 10  # of the jackknife
DELTA = 0.05  # probability that a proved bound may fail
DIMENSION = tuple(f"participation_ratio_{end}" for end in ("corrected", "low", "high"))
MEASURES = ("cdnv", "directional_cdnv", "nc1")


def small_samples_row(z: Tensor, y: Tensor, seed: int = 0) -> dict[str, float]:
    """The columns of `SMALL_SAMPLES`.

    Args:
        z: (N, K, d) unit rows.
        y: Labels (N,), 0 .. C-1.
        seed: Key of the groups of the jackknife.

    Returns:
        A number for each column; NaN where too few samples give none.
    """
    moments = unbiased_moments(z, y)
    found: dict[str, float] = {}
    for name, interval in separation_intervals(z, y, seed).items():
        found[f"{name}_corrected"] = interval.mean
        found[f"{name}_low"], found[f"{name}_high"] = interval.low, interval.high
    proved = proved_bounds(z[:, 0], y)
    for name, pairs in (("cdnv", proved.V), ("directional_cdnv", proved.V_dir)):
        found[f"{name}_upper"] = float(pairs[~np.eye(len(pairs), dtype=bool)].mean())
    off = ~torch.eye(len(moments.distances), dtype=torch.bool, device=z.device)
    found["pairs_unresolved"] = int((moments.distances[off] <= 0).sum()) // 2
    found["smallest_class"] = int(y.bincount().min())
    return found


def separation_intervals(z: Tensor, y: Tensor, seed: int = 0) -> dict[str, Interval]:
    """Corrected CDNV, directional CDNV and NC1 with their jackknife intervals.

    Args:
        z: (N, d) or (N, K, d).
        y: Labels (N,), 0 .. C-1.
        seed: Key of the groups.

    Returns:
        By the name of the measure.
    """

    def of(kept: Tensor | slice) -> tuple[float, ...]:
        if len(y[kept].unique()) < C:  # a class lost its only sample
            return (np.nan,) * len(MEASURES)
        moments = unbiased_moments(z[kept], y[kept])
        pairs = (corrected_cdnv(moments).mean, corrected_directional_cdnv(moments).mean)
        return (*pairs, corrected_nc1(moments).value)

    C = len(y.unique())
    found = jackknife(of, y.cpu().numpy(), seed)
    return dict(zip(MEASURES, found, strict=True))


def dimension_row(z: Tensor, seed: int = 0) -> dict[str, float]:
    """The corrected participation ratio of (N, K, d) with its jackknife interval, of `RANKS`."""
    return dict(zip(DIMENSION, dimension_interval(z, seed)[:3], strict=True))


def dimension_interval(z: Tensor, seed: int = 0) -> Interval:
    """The corrected participation ratio of (N, d) or (N, K, d) with its jackknife interval."""
    ends = [(1.0, float(z.shape[-1]))]

    def of(kept: Tensor | slice) -> tuple[float]:
        return (corrected_participation_ratio(z[kept]).value,)

    return jackknife(of, np.zeros(len(z), int), seed, ends)[0]


def jackknife(
    statistics: Callable[[Any], Sequence[float]],
    y: np.ndarray,
    seed: int,
    ends: Sequence[tuple[float, float]] | None = None,
) -> list[Interval]:
    """Delete-a-group jackknife intervals of several statistics of the same samples.

    Args:
        statistics: Of the samples kept, a slice or a mask (N,).
        y: (N,) classes, of which every group has its share.
        seed: Key of the groups.
        ends: Of the range of each statistic.

    Returns:
        An interval for each.
    """
    values = statistics(slice(None))
    if not np.isfinite(values).any():
        return [jackknife_interval(value, [np.nan]) for value in values]
    groups = jackknife_groups(y, GROUPS, seed)
    used = [g for g in range(GROUPS) if (groups == g).any()]
    without = np.array([statistics(torch.from_numpy(groups != g)) for g in used])
    rows = zip(values, without.T, ends or [ANYWHERE] * len(values), strict=True)
    return [jackknife_interval(value, row, ends=limits) for value, row, limits in rows]


def proved_bounds(x: Tensor, y: Tensor, delta: float = DELTA) -> MomentBounds:
    """`moment_bounds` of independent unit rows.

    Args:
        x: (N, d) unit rows, one view of each sample: views of a sample are not independent.
        y: Labels (N,), 0 .. C-1.
        delta: Probability of failure.

    Returns:
        Bounds on V and V_dir of every ordered pair; all infinite where a class has one sample.
    """
    moments = class_moments(x, y)
    C, n = len(moments.samples), moments.samples.double()
    if (n < 2).any():
        unknown = np.where(np.eye(C, dtype=bool), np.nan, np.inf)
        return MomentBounds(unknown, unknown)
    grow = n / (n - 1)
    distance = moments.square_distances.sqrt()
    along = directional_scatter(moments) * grow[:, None]
    n, v, largest, length, distance, along = (
        of.cpu().numpy()
        for of in (
            n,
            moments.variances * grow,
            _largest(moments) * grow,
            moments.means.norm(dim=1),
            distance.masked_fill(distance.isnan(), 0.0),  # of means that are one point
            along,
        )
    )
    return moment_bounds(n, v, largest, length, distance, along, delta)


def _largest(moments: Moments) -> Tensor:
    """Largest eigenvalue of the covariance (1/n) of each class."""
    rows, sizes = moments.residuals.double().flatten(0, 1), moments.counts.tolist()
    norms = [torch.linalg.matrix_norm(of, 2) ** 2 / len(of) for of in rows.split(sizes)]
    return torch.stack(norms)


def finite_sample_rows(
    x: Tensor, y: Tensor, shots: Sequence[float], ways: Sequence[int]
) -> list[dict[str, float]]:
    """The few-shot bound of plug-in moments beside the one that holds for the law: `TABLE`.

    Args:
        x: (N, d) unit rows, one view of each sample.
        y: Labels (N,), 0 .. C-1.
        shots: Numbers of supports per class; inf is known centres.
        ways: Numbers of classes in an episode.

    Returns:
        A row for each number of shots and ways.
    """
    moments = class_moments(x, y)
    unknown = torch.inf
    V, V_dir = (
        of.pairs.masked_fill(of.pairs.isnan(), unknown).fill_diagonal_(torch.nan).cpu().numpy()
        for of in (cdnv(moments, convention="single"), directional_cdnv(moments))
    )
    estimated, proved = MomentBounds(V, V_dir), proved_bounds(x, y)
    rows = []
    for m in shots:
        plug_in, sampled = (sampled_error_bound(of, m) for of in (estimated, proved))
        for w in ways:
            bound = min((w - 1) * sampled, 1.0)
            rows.append(
                {
                    "m": m,
                    "ways": w,
                    "delta": DELTA,
                    "bound_plug_in": min((w - 1) * plug_in, 1.0),
                    "bound_sampled": bound,
                    "says_nothing": float(bound >= 1 - 1 / w),
                }
            )
    return rows
