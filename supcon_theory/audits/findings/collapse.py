"""Are the classes collapsed, apart, and on a simplex? Each measure against its null."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from supcon_theory.audits.findings import thresholds as t
from supcon_theory.audits.findings.finding import (
    BAD,
    FAIR,
    GOOD,
    PLAIN,
    Finding,
    Tables,
    listed,
    row_of,
    short,
)


def separation(tables: Tables) -> Iterator[Finding]:
    """CDNV, corrected for few samples where it can be, beside shuffled labels."""
    row = row_of(tables, "geometry")
    if row is None:
        return
    plain = row["cdnv"]
    value = row.get("cdnv_corrected", plain)
    value = plain if value != value else value
    if plain != plain:
        yield Finding(
            BAD,
            "At least two classes have the same mean.",
            "Measures that divide by the distance of class means are not defined then, and no "
            "few-shot theorem is about such a pair.",
        )
        return
    null = row_of(tables, "nulls", measure="cdnv")
    interval = (
        f" (interval {short(row['cdnv_low'])} to {short(row['cdnv_high'])})"
        if row.get("cdnv_low", plain) == row.get("cdnv_low", plain) and "cdnv_low" in row
        else ""
    )
    numbers = f"CDNV, spread / distance^2 of two classes, is {short(value)}{interval}"
    if null is not None and null["shuffled_mean"] == null["shuffled_mean"]:  # NaN: means coincide
        numbers += f"; shuffled labels have {short(null['shuffled_mean'])}"
        if plain >= t.NEAR_NULL * null["shuffled_low"]:
            yield Finding(
                BAD,
                "The labels explain nothing of where the embeddings lie.",
                f"{numbers}. Do labels and rows belong together, in the same order?",
            )
            return
        numbers += f", {short(null['shuffled_mean'] / plain)} times more" if plain else ""
    if value < t.COLLAPSED:
        yield Finding(GOOD, "The classes are collapsed.", f"{numbers} (0 is collapse).")
    elif value < t.SEPARATED:
        yield Finding(GOOD, "The classes are apart, not collapsed.", f"{numbers} (0 is collapse).")
    else:
        yield Finding(
            PLAIN,
            "The classes are not collapsed: each is as wide as the way to the next.",
            f"{numbers}. Few-shot errors depend on the directional part, below.",
        )


def closest_pairs(tables: Tables, most: int = 3) -> Iterator[Finding]:
    """The pairs with the largest directional CDNV, by name, and how many have no bound."""
    pairs: Any = tables.get("pairs", pd.DataFrame({"directional_cdnv": []}))
    pairs = pairs[pairs["directional_cdnv"].notna()]
    if pairs.empty:
        return
    worst = pairs.sort_values("directional_cdnv", ascending=False)
    named: dict[frozenset, str] = {}
    for row in worst.to_dict("records"):
        pair = frozenset((row["class_i"], row["class_j"]))
        if pair not in named:
            name = f"{row['class_i']} / {row['class_j']}"
            named[pair] = f"{name} ({short(row['directional_cdnv'])})"
    number = sum(value >= t.NO_GUARANTEE for value in pairs["directional_cdnv"])
    closest = f"Closest: {listed(list(named.values())[:most], most)}."
    along = "Directional CDNV, the spread along the line between two class means,"
    if number:
        yield Finding(
            FAIR,
            f"For {number} of {len(pairs)} ordered pairs of classes no few-shot guarantee is left.",
            f"{closest} {along} is {t.NO_GUARANTEE:g} or more there, where the bound with known "
            "centres, 4 V / (1 + 4 V), reaches one half.",
        )
    else:
        yield Finding(
            GOOD,
            "Every two classes are apart along the line between them.",
            f"{closest} {along} stays below {t.NO_GUARANTEE:g} everywhere.",
        )
    row = row_of(tables, "geometry") or {}
    if row.get("pairs_unresolved", 0) > 0:
        yield Finding(
            FAIR,
            f"{int(row['pairs_unresolved'])} pairs of classes may have the same mean.",
            "The distance of their means is no larger than what noise of so few samples explains.",
        )


def simplex(tables: Tables) -> Iterator[Finding]:
    """NC2, and whether it may be read at all: shuffled labels often have a smaller deviation."""
    row, null = row_of(tables, "geometry"), row_of(tables, "nulls", measure="etf_deviation")
    if row is None:
        return
    C, d, value = int(row["C"]), int(row["d"]), row["etf_deviation"]
    if d < C - 1:
        yield Finding(
            PLAIN,
            f"A simplex ETF of {C} classes needs {C - 1} dimensions and there are {d}.",
            "ETF deviation and the floors that rest on it do not apply; floors are bounds here.",
        )
    elif null is not None and value >= null["shuffled_low"]:
        yield Finding(
            PLAIN,
            "Do not read ETF deviation as quality here.",
            f"It is {short(value)} and {short(null['shuffled_mean'])} for shuffled labels, whose "
            "means are noise and so nearly orthogonal.",
        )


def within(tables: Tables) -> Iterator[Finding]:
    """NC1 against shuffled labels."""
    row, null = row_of(tables, "geometry"), row_of(tables, "nulls", measure="nc1")
    if row is None or null is None or not row["nc1"] >= t.NEAR_NULL * null["shuffled_low"]:
        return
    yield Finding(
        FAIR,
        "Within-class spread is no smaller, against that between classes, than by chance.",
        f"NC1 is {short(row['nc1'])} and {short(null['shuffled_mean'])} for shuffled labels.",
    )
