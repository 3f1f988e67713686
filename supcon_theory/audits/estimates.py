"""Plug-in and corrected estimates beside the truth: bias, coverage, range, by sampling laws."""

from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from supcon_theory.audits.columns import ESTIMATES
from supcon_theory.audits.comparison import RANGES, comparison_intervals
from supcon_theory.audits.laws import LAWS, Law
from supcon_theory.audits.small_samples import (
    DELTA,
    dimension_interval,
    proved_bounds,
    separation_intervals,
)
from supcon_theory.measures.class_distances import cdnv, directional_cdnv
from supcon_theory.measures.collapse import nc1
from supcon_theory.measures.covariances import FEWEST
from supcon_theory.measures.moments import class_moments
from supcon_theory.measures.spectrum import participation_ratio, singular_values
from supcon_theory.statistics import BEYOND, Interval

COLUMNS, VERSION = ESTIMATES.columns, ESTIMATES.version
Row = dict[str, Any]


class Estimate(NamedTuple):
    """Of one sample: the plug-in, the corrected value in its interval, a proved upper bound."""

    plug_in: float
    corrected: Interval
    upper: float = np.nan
    outside: float = -np.inf  # by how much either value is outside the measure's range


def estimates_audit(name: str, n: int, draws: int, seed: int) -> list[Row]:
    """Estimates from samples of size n of a law, beside what is true of it.

    Args:
        name: Of `LAWS`.
        n: Samples, of each class where there are classes.
        draws: Independent samples of that size.
        seed: Key of the law and of the draws.

    Returns:
        A row of `ESTIMATES` for each measure whose truth is known.
    """
    law = LAWS[name](seed)
    rng = np.random.default_rng((seed, n, list(LAWS).index(name)))
    of_one = classes_estimates if "cdnv" in law.truth else pair_estimates
    found = [of_one(law, *law.draw(n, rng)) for _ in range(draws)]
    return [
        {"law": name, "measure": measure, "n": n, "draws": draws}
        | summarised(truth, [one[measure] for one in found])
        for measure, truth in law.truth.items()
        if measure in found[0]
    ]


def classes_estimates(law: Law, z: Tensor, y: Tensor) -> dict[str, Estimate]:
    """CDNV, directional CDNV and NC1 of one sample of classes."""
    moments = class_moments(z, y)
    plug_in = (cdnv(moments).mean, directional_cdnv(moments).mean, nc1(moments).value)
    upper = [np.nan] * 3
    if law.unit:
        proved, off = proved_bounds(z[:, 0], y), ~np.eye(len(moments.samples), dtype=bool)
        upper[:2] = (float(of[off].mean()) for of in proved)
    intervals = separation_intervals(z, y)
    return {
        name: Estimate(value, interval, bound)
        for (name, interval), value, bound in zip(intervals.items(), plug_in, upper, strict=True)
    }


def pair_estimates(law: Law, x: Tensor, y: Tensor) -> dict[str, Estimate]:
    """Participation ratio of x, CKA and RSA of x and y, of one sample."""
    n, d = x.shape
    ratio, interval = participation_ratio(singular_values(x, centred=True)), dimension_interval(x)
    ends = [1 - ratio, ratio - d]
    ends += [1 - interval.mean, interval.mean - d] if n >= FEWEST else []
    found = {"participation_ratio": Estimate(ratio, interval, outside=beyond(ends))}
    of = comparison_intervals(x, y)
    for name in ("cka", "rsa"):
        plug_in, corrected = of[name].mean, of[f"{name}_debiased"]
        ends = [e for which in (name, f"{name}_debiased") for e in _ends(which, of[which], n)]
        found[name] = Estimate(plug_in, corrected, outside=beyond(ends))
    return found


def _ends(name: str, interval: Interval, n: int) -> list[float]:
    """Distances below and above the range of a measure; none where n is too small for it."""
    low, high = RANGES[name]
    return [low - interval.mean, interval.mean - high] if n >= FEWEST else []


def beyond(distances: list[float]) -> float:
    """The largest distance outside; inf if one is NaN, -inf if there is none."""
    return np.inf if np.isnan(distances).any() else max(distances, default=-np.inf)


def summarised(truth: float, found: list[Estimate]) -> Row:
    """The columns of `ESTIMATES` of the estimates from several samples."""
    plug_in, corrected, low, high, upper, outside = np.array(
        [(e.plug_in, *e.corrected[:3], e.upper, e.outside) for e in found]
    ).T
    defined, interval = np.isfinite(corrected), np.isfinite(low)
    row: Row = {"truth": truth, "defined": defined.mean(), "violation_range": outside.max()}
    row["missed"] = np.mean(plug_in < truth)
    for name, values in (("plug_in", plug_in), ("corrected", corrected[defined])):
        row[name] = values.mean() if len(values) else np.nan
        row[f"bias_{name}"] = (row[name] - truth) / (truth or 1.0)
    inside = (low[interval] <= truth) & (truth <= high[interval])
    row["covered"] = inside.mean() if interval.any() else np.nan
    return row if np.isnan(upper).any() else row | summarised_upper(upper, truth)


def summarised_upper(upper: np.ndarray, truth: float, chance: float = np.inf) -> Row:
    """The columns about bounds proved at 1 - `DELTA`, one for each sample.

    Args:
        upper: (draws,) bounds.
        truth: What they bound.
        chance: From where on they say nothing.

    Returns:
        Mean, share that says nothing, and by how much the share of failures is above what 5
        standard errors of the draws allow.
    """
    allowed = DELTA + BEYOND * np.sqrt(DELTA * (1 - DELTA) / len(upper))
    return {
        "upper": upper.mean(),
        "says_nothing": np.mean(upper >= chance),
        "violation_upper": np.mean(upper < truth) - allowed,
    }
