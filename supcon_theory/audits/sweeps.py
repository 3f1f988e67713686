"""Statistics, one value per seed, of the gap over numbers of classes and over grids of settings.

The tables are those of `audits.gap`. Torch-free: claims and summaries share them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import last_step, select
from supcon_theory.statistics import slope_by_seed


def gap_slope(
    table: pd.DataFrame, where: Mapping[str, object], objective: str = "dcl"
) -> pd.Series:
    """Per seed, the slope of log(exp(gap) - 1) on log(C - 1) at the last step.

    Args:
        table: Rows with `gap`, `C`, `step`, `objective` and `seed`.
        where: Which rows, column to value.
        objective: What the encoders were trained with.

    Returns:
        Slopes indexed by seed; NaN where fewer than two C are left.
    """
    rows = last_step(select(table, {**where, "objective": objective}))
    log_C, log_gap = np.log(rows["C"] - 1), np.log(np.expm1(rows["gap"]))
    return slope_by_seed(rows, pd.Series(log_C), pd.Series(log_gap))


def furthest_from_one(table: pd.DataFrame) -> pd.Series:
    """Per seed, the largest |r - 1| over C before training; NaN for a single C."""
    rows: Any = select(table, {"labels": "true", "step": 0})
    found = (rows["r"] - 1).abs().groupby(rows["seed"]).max()
    return found.where(rows.groupby("seed")["C"].nunique() > 1)


def least_learned(table: pd.DataFrame) -> pd.Series:
    """Per seed, the least over C of r under true minus r under shuffled labels, at the end.

    Args:
        table: Rows with `r`, `C`, `labels`, `step`, `objective` and `seed`.

    Returns:
        Values indexed by seed; NaN for a single C or where one of the two is missing.
    """
    rows = last_step(select(table, {"objective": "dcl"})).set_index(["seed", "C"])
    learned = rows.loc[rows["labels"] == "true", "r"] - rows.loc[rows["labels"] == "shuffled", "r"]
    per_seed: Any = learned.groupby("seed")
    return per_seed.min(skipna=False).where(per_seed.size() > 1)


def largest_over_grid(r: pd.DataFrame) -> pd.Series:
    """Per seed the largest over the grid; NaN if a point is missing or there is one only."""
    return r.max(axis=1, skipna=False) if r.shape[1] > 1 else pd.Series(np.nan, r.index)


def smallest_over_grid(r: pd.DataFrame) -> pd.Series:
    """Per seed the smallest over the grid; NaN if a point is missing or there is one only."""
    return -largest_over_grid(-r)


def largest_over_classes(table: pd.DataFrame, column: str) -> pd.Series:
    """Per seed, the largest of a column over C at the last step; NaN for a single C."""
    rows = last_step(table)
    values = rows.pivot(index="seed", columns="C", values=column)
    return largest_over_grid(values)
