"""Statistics, one value per seed, of the gap over numbers of classes and over grids of settings.

The tables are those of `audits.gap`. Torch-free: claims and summaries share them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import last_step, select
from supcon_theory.statistics import slope_by_seed

_CIFAR_10 = {
    2: (0.693, 0.73, 0.78, 0.82),
    4: (0.29, 0.34, 0.35, 0.355),
    6: (0.183, 0.217, 0.236, 0.25),
    8: (0.134, 0.157, 0.175, 0.187),
    10: (0.106, 0.122, 0.146, 0.148),
}
FIGURE_3 = {"cifar10": _CIFAR_10, "cifar10-jpeg": _CIFAR_10}
"""Gap of CL encoders on training images at tau = 1, read off Figure 3 of arXiv 2506.04411: of each
data set, C -> values at `FIGURE_3_EPOCHS`. A folder of JPEGs counts as the set it is made of."""
FIGURE_3_EPOCHS = (0, 10, 100, 300)


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


def furthest_from_published(table: pd.DataFrame) -> pd.Series:
    """Per seed, the largest |gap / published gap - 1| over C before training; see `FIGURE_3`.

    Args:
        table: Rows of one data set with `gap`, `data`, `C`, `labels`, `step` and `seed`.

    Returns:
        Values indexed by seed; NaN where none of the C was published.
    """
    rows: Any = select(table, {"labels": "true", "step": 0})
    known = [FIGURE_3.get(data, {}).get(C) for data, C in zip(rows["data"], rows["C"], strict=True)]
    start = np.array([np.nan if values is None else values[0] for values in known])
    return (rows["gap"] / start - 1).abs().groupby(rows["seed"]).max()


def beside_published(table: pd.DataFrame) -> pd.DataFrame:
    """The gap of CL encoders at every step, and the published one at its epochs; see `FIGURE_3`.

    Args:
        table: Rows with `gap`, `data`, `C`, `tau`, `labels`, `step`, `epoch`, `objective`, `seed`.

    Returns:
        A row for each published C and step at tau = 1, the gap and the epoch means over seeds;
        none if nothing was published of these data.
    """
    known = {(data, C): values for data, of in FIGURE_3.items() for C, values in of.items()}
    found: Any = select(table, {"labels": "true", "objective": "dcl", "tau": 1.0})
    found = found[(found["imbalance"] == 1) & (found["trained_imbalance"] == 1)]
    means = found.groupby(["data", "C", "step"])[["epoch", "gap"]].mean().reset_index()
    pairs = list(zip(means["data"], means["C"], strict=True))
    means = means[[pair in known for pair in pairs]]
    for place, epoch in enumerate(FIGURE_3_EPOCHS):
        means[f"published_{epoch}"] = [known[pair][place] for pair in pairs if pair in known]
    return means


def largest_over_classes(table: pd.DataFrame, column: str) -> pd.Series:
    """Per seed, the largest of a column over C at the last step; NaN for a single C."""
    rows = last_step(table)
    values = rows.pivot(index="seed", columns="C", values=column)
    return largest_over_grid(values)
