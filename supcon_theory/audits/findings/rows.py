"""Rows that may bear a wrong label, and how alike two models are."""

from collections.abc import Iterator

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
    rows_of,
    short,
)


def mislabelled(tables: Tables, most: int = 10) -> Iterator[Finding]:
    """Rows far nearer to another class's centre, by number, the clearest first."""
    if "mislabelled" not in tables:
        return
    found, geometry = tables["mislabelled"], row_of(tables, "geometry")
    if geometry is not None and geometry["cdnv"] != geometry["cdnv"]:
        return  # where class means coincide no row is nearer to another
    if found.empty:
        yield Finding(GOOD, "No row lies far inside another class.", "None may be mislabelled.")
        return
    words = [
        f"{row['row']} ({row['class']}, lies with {row['nearest']})"
        for row in rows_of(tables, "mislabelled")
    ]
    yield Finding(
        FAIR,
        f"{len(found)} row{'s' * (len(found) > 1)} may be mislabelled.",
        f"Rows (from 0): {listed(words, most)}. Their margin is more than "
        f"{short(found['threshold'].iloc[0])} spreads below the median of their class.",
    )


def likeness(tables: Tables) -> Iterator[Finding]:
    """Debiased CKA to the second model, against its rows shuffled."""
    row = row_of(tables, "comparison", measure="cka_debiased")
    if row is None:
        return
    value = row["value"]
    if value != value:
        yield Finding(PLAIN, "The two models cannot be compared by CKA.", f"{row['reason']}.")
        return
    pairs = row_of(tables, "comparison", measure="rsa")
    numbers = f"Debiased CKA {short(value)} ({short(row['low'])} to {short(row['high'])})"
    numbers += "" if pairs is None else f", RSA {short(pairs['value'])}"
    numbers += (
        f"; with the second one's rows shuffled CKA is at most {short(row['shuffled_high'])}."
    )
    if value <= row["shuffled_high"]:
        yield Finding(
            BAD,
            "The two models are no more alike than with rows shuffled.",
            f"{numbers} Are the rows of both files the same samples in the same order?",
        )
    elif value >= t.ALIKE:
        yield Finding(GOOD, "The two models hold nearly the same geometry.", numbers)
    elif value < t.UNALIKE:
        yield Finding(PLAIN, "The two models share less than half of their geometry.", numbers)
    else:
        yield Finding(PLAIN, "The two models share part of their geometry.", numbers)
