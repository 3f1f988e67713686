"""What a finding is, how good or bad it is, and how its numbers are written."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

Tables = Mapping[str, pd.DataFrame]  # what `audit` returns
Row = dict[str, Any]
BAD, FAIR, PLAIN, GOOD = "bad", "fair", "plain", "good"
WORDS = {BAD: "problem", FAIR: "look here", PLAIN: "note", GOOD: "fine"}  # worst first


class Finding(NamedTuple):
    """A sentence that can be read alone, and what its numbers mean.

    level    one of `WORDS`
    says     the verdict
    means    the numbers behind it and what follows from them
    """

    level: str
    says: str
    means: str


def row_of(tables: Tables, table: str, **where: object) -> Row | None:
    """The first row of a table with these values (NaN equals nothing), or None."""
    for row in rows_of(tables, table, **where):
        return row
    return None


def rows_of(tables: Tables, table: str, **where: object) -> Iterator[Row]:
    """The rows of a table with these values, as dicts; none if there is no such table."""
    found = tables.get(table, pd.DataFrame())
    for column, value in where.items():
        found = found.loc[found[column] == value] if column in found else found.iloc[:0]
    yield from ({str(name): value for name, value in row.items()} for row in _records(found))


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.to_dict("records")


def short(value: float) -> str:
    """A number with three digits, thousands with all of theirs."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def percent(share: float) -> str:
    """A share in per cent, at most one digit after the point."""
    return f"{round(100 * share, 1) + 0.0:.1f}".removesuffix(".0") + " %"  # no -0


def listed(words: list[str], most: int = 5) -> str:
    """Words with commas, of many the first few and how many more there are."""
    rest = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + rest
