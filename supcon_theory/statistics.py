"""Intervals over seeds, slopes, Holm's step-down; intervals of one measure by the jackknife.

The unit of resampling of a claim is always the seed, that of the jackknife the sample.

scipy.special is imported where it is used; scipy.stats would take longer than all claims to check.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

BEYOND = 5.0  # standard errors that the sampling of a mean may add to it before it refutes a bound
MANY = 10_000  # seeds; nobody runs more
ANYWHERE = (-math.inf, math.inf)


class Interval(NamedTuple):
    """A mean with its two-sided confidence interval and the number of values behind it."""

    mean: float
    low: float
    high: float
    n: int


def mean_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Student's t interval of the mean of independent values.

    Fewer than two values, or a value that is not finite, give an interval of NaN: no spread can be
    told from one seed.

    Args:
        values: One value for each seed.
        level: Confidence level.

    Returns:
        The mean, both ends and the number of values.
    """
    x = np.asarray(values, dtype=np.float64)
    if len(x) == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    mean = float(x.mean())
    if len(x) < 2 or not np.isfinite(x).all():
        return Interval(mean, np.nan, np.nan, len(x))
    from scipy.special import stdtrit

    half = stdtrit(len(x) - 1, 0.5 + level / 2) * x.std(ddof=1) / math.sqrt(len(x))
    return Interval(mean, float(mean - half), float(mean + half), len(x))


def jackknife_groups(labels: ArrayLike, groups: int, seed: int = 0) -> NDArray[np.int64]:
    """The group of each sample: of every class as many samples in each group, up to one.

    Args:
        labels: (N,) the class of each sample, 0 .. C-1; all 0 for a simple random sample.
        groups: Number of groups.
        seed: Key of the draw.

    Returns:
        (N,) numbers of groups, 0 .. groups - 1.
    """
    y = np.asarray(labels)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, len(y)))))
    found, start = np.empty(len(y), np.int64), 0
    for c in np.unique(y):
        mine = rng.permutation(np.flatnonzero(y == c))
        found[mine] = (start + np.arange(len(mine))) % groups
        start += len(mine)  # where classes are smaller than the groups, all groups lose some
    return found


def jackknife_interval(
    value: float, without: ArrayLike, level: float = 0.95, ends: tuple[float, float] = ANYWHERE
) -> Interval:
    """Delete-a-group jackknife: value +- t_(G-1) sqrt((G-1)/G sum_g (value_g - value)^2).

    Approximate: its level is reached as the samples of a group grow (Kott 2001, J. Official Stat.
    17), for statistics that are smooth in the means of independent samples. With fewer samples of a
    class than groups it is too wide. It holds at no finite N by proof.

    Args:
        value: The statistic of all samples.
        without: (G,) the statistic without each of the groups.
        level: Confidence level.
        ends: Of the statistic's range; the interval ends there.

    Returns:
        The interval, NaN where one of the values is.
    """
    x = np.asarray(without, dtype=np.float64)
    if not np.isfinite([value, *x]).all():
        return Interval(value, np.nan, np.nan, len(x))
    from scipy.special import stdtrit

    error = math.sqrt((len(x) - 1) / len(x) * np.square(x - value).sum())
    half = stdtrit(len(x) - 1, 0.5 + level / 2) * error
    low, high = max(value - half, ends[0]), min(value + half, ends[1])
    return Interval(value, float(low), float(high), len(x))


def slope(x: ArrayLike, y: ArrayLike) -> float:
    """Least-squares slope of y on x; NaN with fewer than two different x or a non-finite value."""
    at, values = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(np.unique(at)) < 2 or not (np.isfinite(at).all() and np.isfinite(values).all()):
        return np.nan
    centred = at - at.mean()
    return float(centred @ values / (centred @ centred))


def slope_by_seed(table: pd.DataFrame, x: pd.Series, y: pd.Series) -> pd.Series:
    """One slope of y on x per seed; `x` and `y` are aligned with the rows of `table`."""
    seeds = table["seed"]
    return pd.Series(
        {seed: slope(x[seeds == seed], y[seeds == seed]) for seed in sorted(seeds.unique())},
        dtype=np.float64,
    )


def distance_to_edge(mean: float, low: float, high: float) -> float:
    """Distance of a mean from the nearest edge of [low, high], positive on either side."""
    return min(mean - low, high - mean) if low <= mean <= high else max(low - mean, mean - high)


def p_of_side(values: ArrayLike, low: float, high: float) -> float:
    """P value of the decision on which side of the nearest edge of [low, high] the mean lies.

    p = 2 P(T_{n-1} > distance / (sd / sqrt n)), T Student's: the two-sided interval of the mean at
    level 1 - a keeps clear of that edge exactly if p < a.

    Args:
        values: One value for each seed.
        low: Lower edge, or -inf.
        high: Upper edge, or inf.

    Returns:
        The p value; 1 for fewer than two values or one that is not finite; of values that are all
        the same 0 (the edges belong to the inside).
    """
    x = np.asarray(values, dtype=np.float64)
    if len(x) < 2 or not np.isfinite(x).all():
        return 1.0
    distance, error = distance_to_edge(x.mean(), low, high), x.std(ddof=1) / math.sqrt(len(x))
    if np.ptp(x) == 0 or math.isinf(distance):
        return 0.0
    from scipy.special import stdtr

    return float(2 * stdtr(len(x) - 1, -distance / error))


def holm(p: Sequence[float], family: float = 0.05) -> list[float]:
    """Error level at which each of K decisions is taken, by Holm's step-down.

    The smallest p is compared with family / K, the next with family / (K - 1), ..., until one is
    not below; it and all larger ones are taken at the level of that one, and stay open. The chance
    of even one wrong decision is then at most `family`, whatever the dependence.

    Args:
        p: The p value of each decision.
        family: The chance of any wrong one.

    Returns:
        A level a for each, in the order given: decided exactly if p < a.
    """
    levels, stopped = [math.nan] * len(p), None
    for place, k in enumerate(sorted(range(len(p)), key=lambda k: p[k])):
        level = stopped or family / (len(p) - place)
        levels[k] = level
        if not p[k] < level:
            stopped = level
    return levels


def detectable(error: ArrayLike, power: float = 0.95) -> float:
    """The excess over a bound that is refuted with this chance: (BEYOND + z_power) standard errors.

    Args:
        error: Standard errors of means that are nearly normal, of which the median counts.
        power: The chance.

    Returns:
        The excess, in the units of the mean.
    """
    from scipy.special import ndtri

    return float((BEYOND + ndtri(power)) * np.nanmedian(np.asarray(error, dtype=np.float64)))


def seeds_needed(values: ArrayLike, low: float, high: float, level: float, fewest: int) -> float:
    """Seeds at which the interval would be clear of [low, high]'s edge: mean and spread as seen.

    Args:
        values: One value for each seed.
        low: Lower edge, or -inf.
        high: Upper edge, or inf.
        level: Level of the interval.
        fewest: The least that is ever enough.

    Returns:
        The smallest such number; `fewest` if fewer than two values tell no spread; inf if above
        10,000.
    """
    x = np.asarray(values, dtype=np.float64)
    if len(x) < 2 or not np.isfinite(x).all():
        return fewest
    from scipy.special import stdtrit

    distance, spread = distance_to_edge(x.mean(), low, high), x.std(ddof=1)
    n = np.arange(max(fewest, 2), MANY + 1)
    clear = distance * np.sqrt(n) > stdtrit(n - 1, 0.5 + level / 2) * spread
    return float(n[clear][0]) if clear.any() else math.inf
