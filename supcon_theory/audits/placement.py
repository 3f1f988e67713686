"""Where a measured gap or error lies between what is trivial and what is proved; torch-free.

Rows are those of `audits.gap` and `audits.few_shot`; `placed` and `sharpened` add `PLACEMENT`. The
statistics are one value for each seed: the worst over all pairs of a model and data.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from supcon_theory.audits.columns import BOUNDS, CERTIFICATES, PLACEMENT
from supcon_theory.audits.rows import select

COLUMNS, VERSION = PLACEMENT.columns, PLACEMENT.version
PAIR = ["encoder", "data"]
VALID = [f"bound_{name}" for name in BOUNDS | CERTIFICATES if name != "older"]


def placed(row: Mapping[str, float]) -> dict[str, float]:
    """A row of `audits.gap` with its place.

        position = (gap - equal) / (ceiling - equal)

    0 where all similarities are equal (counting), 1 where classes have collapsed to a simplex ETF.
    The NSCL loss of no embedding differs by more than N / ((N - 1) tau) from that of a constant
    one, so a bound on the gap of 1 / tau or more says nothing about it.

    Args:
        row: One row, with `tau`.

    Returns:
        The row with `position` (NaN for classes of unequal size), `of_bound` and `of_span`.
    """
    way = row["bound_ceiling"] - row["bound_equal"]
    return {
        **row,
        "position": (row["gap"] - row["bound_equal"]) / way,
        "of_bound": row["gap"] / row["bound_n_max"],
        "of_span": row["bound_n_max"] * row["tau"],
    }


def sharpened(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `audits.few_shot` with the smallest of its valid bounds, and that over the error.

    Args:
        row: One row; that of m = inf has no such bounds.

    Returns:
        The row with `sharpest` and `times_error`.
    """
    bounds = [row[name] for name in VALID if name in row and not np.isnan(row[name])]
    if not bounds:
        return dict(row)
    least = min(1.0, *bounds)
    ratio = least / row["error"] if row["error"] > 0 else np.inf
    return {**row, "sharpest": least, "times_error": ratio}


def least_learned(table: pd.DataFrame) -> pd.Series:
    """Per seed, the least over models and data of r under true less r under shuffled labels."""
    return _difference(table, "true", "shuffled")


def least_lost(table: pd.DataFrame) -> pd.Series:
    """Per seed, the least over models and data of r under fine labels less r under coarse ones."""
    return _difference(table, "true", "coarse")


def furthest(table: pd.DataFrame) -> pd.Series:
    """Per seed, the largest position over models and data."""
    return -_least(-_by_seed(table, "position"))


def nearest_bound(table: pd.DataFrame) -> pd.Series:
    """Per seed, the least over models and data of log2 of the sharpest bound over the error."""
    return _least(_by_seed(table, "times_error").map(np.log2))


def _difference(table: pd.DataFrame, labels: str, others: str) -> pd.Series:
    found, less = (_by_seed(select(table, {"labels": name}), "r") for name in (labels, others))
    both = found.columns.intersection(less.columns)  # not all data have labels on several levels
    return _least(found[both] - less[both])


def _least(values: Any) -> pd.Series:
    return values.min(axis=1, skipna=False)


def _by_seed(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A row for each seed, a column for each pair of a model and data."""
    return table.pivot(index="seed", columns=PAIR, values=column)
