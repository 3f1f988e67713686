"""How many directions are used?"""

from collections.abc import Iterator

from supcon_theory.audits.findings import thresholds as t
from supcon_theory.audits.findings.finding import (
    BAD,
    FAIR,
    GOOD,
    PLAIN,
    Finding,
    Tables,
    percent,
    row_of,
    short,
)


def rank(tables: Tables) -> Iterator[Finding]:
    """RankMe and participation ratio against those of random directions of the same shape."""
    row = row_of(tables, "ranks")
    if row is None:
        return
    null = row_of(tables, "nulls", measure="rankme")
    most = null["isotropic"] if null is not None else min(row["d"], row["C"] * row["n"] * row["K"])
    spread = row.get("participation_ratio_corrected", row["participation_ratio"])
    spread = row["participation_ratio"] if spread != spread else spread
    if spread != spread:
        yield Finding(
            BAD,
            "All embeddings are one point.",
            "Nothing varies, so that no dimension can be counted: did training collapse, or does "
            "the encoder get the same input each time?",
        )
        return
    share = row["rankme"] / most
    numbers = (
        f"RankMe is {short(row['rankme'])} and {short(most)} for random directions "
        f"({percent(share)}); participation ratio {short(spread)}, of {row['d']:.0f} dimensions."
    )
    if share < t.LOW_RANK:
        yield Finding(FAIR, "Few of the dimensions are used: dimensional collapse.", numbers)
    elif share < t.FULL_RANK:
        yield Finding(PLAIN, "Part of the dimensions is used.", numbers)
    else:
        yield Finding(GOOD, "No dimensional collapse.", numbers)


def norms(tables: Tables) -> Iterator[Finding]:
    """Whether scaling the rows to unit norm changed what they are."""
    row = row_of(tables, "geometry")
    if row is None or row["norm_sd"] < t.UNEQUAL_NORMS * row["norm_mean"]:
        return
    yield Finding(
        PLAIN,
        "The rows were of very different lengths; all measures are of their directions.",
        f"Norms {short(row['norm_min'])} to {short(row['norm_max'])}, mean "
        f"{short(row['norm_mean'])}, standard deviation {short(row['norm_sd'])}"
        f"{'' if 'raw' in tables else '; --raw adds measures that are defined with lengths kept'}.",
    )
