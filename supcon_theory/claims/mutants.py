"""Mutants: the smallest change of a table that violates a claim, half of which it must survive."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from supcon_theory.claims.checks import AtMost
from supcon_theory.claims.claim import Change, Claim

MOST, HALVINGS = 1e12, 8  # of t: where the search ends; then a bracket of ratio 4 is halved


class Mutant(NamedTuple):
    """What is changed, in words; the table with that change, and with half of it."""

    change: str
    whole: pd.DataFrame
    half: pd.DataFrame


def mutants(claim: Claim, table: pd.DataFrame, level: float = 0.95) -> list[Mutant]:
    """The mutants of a claim that holds on a table.

    Along the claim's own direction (`Claim.mutant`) the smallest t that breaks it is found by
    bisection, up to half a percent. Without one, for each limit of the check the cell that is
    nearest to its limit is put just above it.

    Args:
        claim: A claim that is PASS or VACUOUS on the table.
        table: Rows, each with an index of its own.
        level: Level of a trend's interval.

    Returns:
        One mutant for each direction or limit; of a direction along which nothing breaks the claim
        the table at the largest t, which does not.
    """
    rows = claim.rows(table)
    if claim.mutant:
        return [_along(claim.mutant, rows, table, lambda t: breaks(claim, t, level))]
    assert isinstance(claim.check, AtMost), f"{claim.id} declares no mutant"
    if claim.check.settled == "excused":
        rows = rows.loc[~rows["stalled"].to_numpy(bool)]
    if claim.check.derive:
        rows = claim.check.derive(rows)
    return [_above(rows, table, *pair) for pair in claim.check.limits.items()]


def breaks(claim: Claim, table: pd.DataFrame, level: float) -> bool:
    """Is the claim's verdict on this table the one of a broken claim?"""
    return claim.verdict(table, level).verdict == claim.check.broken


def _above(rows: pd.DataFrame, table: pd.DataFrame, column: str, limit: float) -> Mutant:
    values = rows[column].to_numpy(float)
    at = int(np.argmax(np.where(np.isfinite(values), values, -np.inf)))
    row, now = rows.index[at], float(values[at])
    above = float(np.nextafter(limit, np.inf))

    def put(value: float) -> pd.DataFrame:
        changed = table[column].astype(float)
        changed[row] = value
        return table.assign(**{column: changed})

    return Mutant(
        f"{column} of row {row}: {now:.4g} -> just above {limit:g}",
        put(above),
        put(now + (above - now) / 2),
    )


def _along(
    change: Change, rows: pd.DataFrame, table: pd.DataFrame, broken: Callable[[pd.DataFrame], bool]
) -> Mutant:
    high = 1.0
    while high < MOST and not broken(change(table, rows, high)):
        high *= 4
    while high > 1 / MOST and broken(change(table, rows, high / 4)):
        high /= 4
    low = high / 4
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if broken(change(table, rows, middle)) else (middle, high)
    return Mutant(
        f"{change}, t = {high:.4g}", change(table, rows, high), change(table, rows, high / 2)
    )
