"""Intervals over seeds, slopes, paired differences. The unit of resampling is always the seed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats


class Interval(NamedTuple):
    """A mean with its two-sided confidence interval and the number of values behind it."""

    mean: float
    low: float
    high: float
    n: int


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Student's t interval of the mean of independent values.

    Fewer than two values, or a value that is not finite, give an interval of NaN: no spread can be
    told from one seed.
    """
    values = np.asarray(values, dtype=np.float64)
    n = len(values)
    if n == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    mean = float(values.mean())
    if n < 2 or not np.isfinite(values).all():
        return Interval(mean, np.nan, np.nan, n)
    half = stats.t.ppf(0.5 + level / 2, n - 1) * values.std(ddof=1) / np.sqrt(n)
    return Interval(mean, float(mean - half), float(mean + half), n)


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Least-squares slope of y on x; NaN with fewer than two different x or a non-finite value."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(np.unique(x)) < 2 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return np.nan
    centred = x - x.mean()
    return float(centred @ y / (centred @ centred))


def slope_by_seed(table: pd.DataFrame, x: pd.Series, y: pd.Series) -> pd.Series:
    """One slope of y on x per seed; `x` and `y` are aligned with the rows of `table`."""
    seeds = table["seed"]
    return pd.Series(
        {seed: slope(x[seeds == seed], y[seeds == seed]) for seed in sorted(seeds.unique())},
        dtype=np.float64,
    )


def paired_difference(a: pd.Series, b: pd.Series, level: float = 0.95) -> Interval:
    """Interval of the mean of a - b over the seeds that index both."""
    shared = a.index.intersection(b.index)
    return mean_interval((a.loc[shared] - b.loc[shared]).to_numpy(), level)
