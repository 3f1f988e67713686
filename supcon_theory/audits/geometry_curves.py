"""Statistics, one value per seed, of geometry over training: what falls, what gathers.

The tables are those of `audits.collapse` and `audits.maps`. Torch-free.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import select


def at_ends(
    table: pd.DataFrame, where: Mapping[str, object], objective: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of geometry (those without a temperature) at the first and the last step, by seed."""
    rows = select(table, {**where, "objective": objective})
    rows = rows.loc[rows["tau"].isna()] if "tau" in rows else rows
    first, last = (
        rows.loc[rows["step"] == step].set_index("seed")
        for step in (rows["step"].min(), rows["step"].max())
    )
    return first, last


def fall(
    table: pd.DataFrame, where: Mapping[str, object], objective: str, column: str
) -> pd.Series:
    """Per seed, log(end / start) of a measure over training."""
    start, end = at_ends(table, where, objective)
    return pd.Series(np.log(end[column] / start[column]))


def final_ratio(
    table: pd.DataFrame, where: Mapping[str, object], objectives: tuple[str, str], column: str
) -> pd.Series:
    """Per seed, log of a measure of the first objective's encoder over the second's, at the end."""
    ends = [at_ends(table, where, name)[1][column] for name in objectives]
    return pd.Series(np.log(ends[0] / ends[1]))


def shuffled_ratio(table: pd.DataFrame, where: Mapping[str, object]) -> pd.Series:
    """Per seed, log of CL's directional CDNV under shuffled over true labels, at the end."""
    _, true = at_ends(table, where, "dcl")
    _, shuffled = at_ends(table, {**where, "labels": "shuffled"}, "dcl")
    return pd.Series(np.log(shuffled["directional_cdnv"] / true["directional_cdnv"]))


def purity_rise(table: pd.DataFrame, objective: str, labels: str) -> pd.Series:
    """Per seed, purity at the last less at the first step, the least over C; NaN if one is."""
    where = {"objective": objective, "labels": labels}
    return _least(_purity(table, where, "max") - _purity(table, where, "min"))


def purity_above(table: pd.DataFrame, objective: str, labels: str) -> pd.Series:
    """Per seed, final purity of an objective less that of CL, the least over C; NaN if one is."""
    other, cl = ({"objective": name, "labels": labels} for name in (objective, "dcl"))
    return _least(_purity(table, other, "max") - _purity(table, cl, "max"))


def map_distortion(table: pd.DataFrame) -> pd.Series:
    """Per seed, the largest distance between the purity of a map and of what it maps."""
    rows: Any = select(table, {"labels": "true"})
    distance = (rows["purity_map"] - rows["purity"]).abs()
    return distance.groupby(rows["seed"]).max(skipna=False)


def _purity(table: pd.DataFrame, where: Mapping[str, object], step: str) -> pd.Series:
    rows: Any = select(table, where)
    rows = rows.loc[rows["step"] == getattr(table["step"], step)()]
    return rows.set_index(["C", "seed"])["purity"]


def _least(values: pd.Series) -> pd.Series:
    per_seed: Any = values.groupby("seed")
    return per_seed.min(skipna=False)
