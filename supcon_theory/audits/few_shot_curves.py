"""Statistics of few-shot error and its bounds over the number of shots.

The tables are those of `audits.few_shot`. Torch-free: claims and summaries share them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import select
from supcon_theory.statistics import slope

Statistic = Callable[[np.ndarray, np.ndarray, np.ndarray], float]  # of m, error and bound
POPULATION = ["protocol", "classes", "objective", "C", "split", "ways", "seed"]


def finite_m(table: pd.DataFrame) -> pd.DataFrame:
    """Rows in which a population was sampled: those that a bound is about."""
    if not {"protocol", "m"} <= set(table):
        return table.iloc[:0]
    sampled = table["protocol"].isin(["resampled", "gaussian"])
    return table.loc[sampled & np.isfinite(table["m"])]


def by_seed(table: pd.DataFrame, bound: str | None, statistic: Statistic) -> pd.Series:
    """A statistic of each seed over the m at which the bound is finite.

    Args:
        table: Rows with `protocol`, `m`, `error`, `seed` and the bound.
        bound: Column of the bound; None: the curve 1/sqrt(m) stands in for it.
        statistic: Function of the arrays m, error and bound.

    Returns:
        Values indexed by seed.
    """
    rows = finite_m(table).sort_values("m")
    values = {seed: statistic(*_curve(mine, bound)) for seed, mine in rows.groupby("seed")}
    return pd.Series(values, dtype=np.float64)


def _curve(rows: pd.DataFrame, bound: str | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    m, error = rows["m"].to_numpy(), rows["error"].to_numpy()
    curve = 1 / np.sqrt(m) if bound is None else rows[bound].to_numpy()
    kept = np.isfinite(curve)
    return m[kept], error[kept], curve[kept]


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation; NaN for fewer than three points, a constant or a value that is not finite."""
    return float(np.corrcoef(a, b)[0, 1]) if _varies(a, b) else np.nan


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation; NaN where `pearson` is."""
    return pearson(*(pd.Series(x).rank().to_numpy() for x in (a, b))) if _varies(a, b) else np.nan


def _varies(a: np.ndarray, b: np.ndarray) -> bool:
    return len(a) >= 3 and bool(np.isfinite([a, b]).all()) and np.ptp(a) > 0 and np.ptp(b) > 0


def correlation(m: np.ndarray, error: np.ndarray, bound: np.ndarray) -> float:
    """`pearson` of error and bound over m, as a statistic for `by_seed`."""
    return pearson(error, bound)


def slope_difference(m: np.ndarray, error: np.ndarray, bound: np.ndarray) -> float:
    """Slope of log bound less that of log error, both against log m; NaN if an error is 0."""
    if not (error > 0).all():
        return np.nan
    return slope(np.log(m), np.log(bound)) - slope(np.log(m), np.log(error))


def at_limit(table: pd.DataFrame, column: str) -> pd.Series:
    """The value of `column` in the row at m = inf of each seed."""
    rows: Any = select(table, {"m": np.inf})
    return rows.set_index("seed")[column]


def correlations(table: pd.DataFrame, bounds: Sequence[str]) -> pd.DataFrame:
    """Pearson, Spearman and log-log slopes over m, of every curve with every bound.

    Args:
        table: Rows of `audits.few_shot`, nearest centre, with what they are about.
        bounds: Names of bounds, without the prefix; `flat`, 1/sqrt(m), is added.

    Returns:
        A row per population, ways and bound, with the columns of `FEW_SHOT_CURVES`.
    """
    rows = []
    populations: Any = finite_m(table).sort_values("m").groupby(POPULATION, dropna=False)
    for key, mine in populations:
        for name in (*bounds, "flat"):
            m, error, curve = _curve(mine, None if name == "flat" else f"bound_{name}")
            log_m = np.log(m)
            rows.append(
                dict(zip(POPULATION, key, strict=True))
                | {
                    "bound": name,
                    "points": len(m),
                    "pearson": pearson(error, curve),
                    "spearman": spearman(error, curve),
                    "slope_error": slope(log_m, np.log(error)) if (error > 0).all() else np.nan,
                    "slope_bound": slope(log_m, np.log(curve)),
                }
            )
    return pd.DataFrame(rows)
