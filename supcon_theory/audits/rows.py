"""Choosing rows of a tidy table by what they are about."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd


def select(table: pd.DataFrame, where: Mapping[str, object]) -> pd.DataFrame:
    """Rows whose columns have the values wanted.

    Args:
        table: A tidy table.
        where: Column to its value, or to a tuple of values of which any will do.

    Returns:
        Those rows; none if the table lacks one of the columns.
    """
    for column, value in where.items():
        if column not in table:
            return table.iloc[:0]
        wanted = value if isinstance(value, tuple) else (value,)
        table = table.loc[table[column].isin(wanted)]
    return table


def mean_by_seed(rows: pd.DataFrame, column: str) -> pd.Series:
    """The mean of a column for each seed."""
    return pd.Series(rows.groupby("seed")[column].mean(), dtype=float)


def at_end(rows: pd.DataFrame, column: str, **where: object) -> pd.Series:
    """The mean of a column for each seed, at the last step of the rows wanted; see `select`."""
    return mean_by_seed(last_step(select(rows, where)), column)


def last_step(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the last checkpoint that the table has."""
    return table.loc[table["step"] == table["step"].max()]


def lowest(rows: pd.DataFrame, setting: Sequence[str]) -> pd.DataFrame:
    """Of the starts of every setting that with the lowest loss, or one whose loss is NaN.

    Args:
        rows: One for each start, with its `loss`.
        setting: The columns that starts of one setting agree in; NaN is a value like others.

    Returns:
        A row for each setting.

    Raises:
        KeyError: There are rows and they lack one of the columns.
    """
    if not len(rows):
        return rows
    order = np.argsort(rows["loss"].fillna(-np.inf).to_numpy(), kind="stable")
    return rows.iloc[order].groupby(list(setting), sort=False, dropna=False).head(1)
