"""The checks behind the claims on free embeddings: which rows, and what makes a verdict.

The tables are those of `training.ends`, one row per start, told apart by the column `part`.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from supcon_theory.claims import Verdict, inconclusive, select

REACHED = 1e-8  # excess of the loss over its minimum
ROUNDING = 1e-9  # of a loss of a few nats in float64, times its number of terms
COLLAPSED = {"augmentation_variance": 1e-8, "within_class_variance": 1e-8, "etf_deviation": 1e-5}
SETTING = ["objective", "C", "n", "K", "d", "tau", "labels"]


def landscape(table: pd.DataFrame) -> pd.DataFrame:
    """Starts of configurations that have a simplex ETF."""
    rows = select(table, {"part": "landscape"})
    return rows[rows["d"] >= rows["C"] - 1] if len(rows) else rows


def roomy(table: pd.DataFrame) -> pd.DataFrame:
    rows = landscape(table)
    return rows[(rows["d"] >= rows["C"] + 2) & (rows["tau"] >= 0.1)] if len(rows) else rows


def flat(table: pd.DataFrame) -> pd.DataFrame:
    """Starts in too few dimensions for a simplex ETF."""
    rows = select(table, {"part": "landscape", "objective": "nscl"})
    return rows[rows["d"] < rows["C"] - 1] if len(rows) else rows


def best(rows: pd.DataFrame) -> pd.DataFrame:
    """The start with the lowest loss of every setting, or one whose loss is NaN."""
    order = rows["loss"].fillna(-np.inf).sort_values(kind="stable").index
    return rows.loc[order].groupby(SETTING, sort=False).head(1)


def undecided(rows: pd.DataFrame) -> Verdict | None:
    """INCONCLUSIVE for no rows, NaN, or an optimiser that stopped short of its tolerance."""
    if len(rows) == 0:
        return inconclusive("no row of the table is about this claim")
    needed = rows[["loss", "excess", "within_class_variance", "etf_deviation", "gradient_norm"]]
    if needed.isna().any(axis=None):
        return inconclusive(
            f"{int(needed.isna().any(axis=1).sum())} of {len(rows)} rows are NaN", len(rows)
        )
    stalled = rows["stalled"].astype(bool)
    if stalled.any():
        worst = rows.loc[stalled, "gradient_norm"].max()
        return inconclusive(
            f"L-BFGS stalled in {int(stalled.sum())} of {len(rows)} runs, at a "
            f"gradient norm of up to {worst:.1e}",
            len(rows),
        )
    return None


def failed(reason: str, rows: pd.DataFrame, of: int, margin: float) -> Verdict:
    return Verdict("FAIL", f"{len(rows)} of {of} {reason}", margin, n=of, broken_by=rows)


def attained(table: pd.DataFrame) -> Verdict:
    """No start below L*; the best of each setting at L*, collapsed, at a simplex ETF.

    Next to d = C - 1 the best of a few starts may be a spurious minimum, which is no
    counterexample: that is INCONCLUSIVE.
    """
    rows = landscape(table)
    if len(rows) == 0:
        return inconclusive("no row of the table is about this claim")
    below = rows[rows["shortfall"] > ROUNDING]
    if len(below):
        return failed("starts end below L*", below, len(rows), ROUNDING - below["shortfall"].max())
    top = best(rows)
    if (verdict := undecided(top)) is not None:
        return verdict
    if rows["shortfall"].isna().any():
        return inconclusive("a loss is NaN", len(rows))
    missed = top[top["excess"] > REACHED]
    if (missed["d"] >= missed["C"] + 2).any():
        return failed(
            "settings with d >= C+2 have no start at L*",
            missed,
            len(top),
            REACHED - missed["excess"].max(),
        )
    there = top[top["excess"] <= REACHED]
    excess = there[list(COLLAPSED)] - pd.Series(COLLAPSED)
    excess.loc[there["K"] == 1, "augmentation_variance"] = -np.inf  # one view cannot vary
    if excess.isna().any(axis=None):
        return inconclusive("a variance is NaN", len(top))
    if (excess > 0).any(axis=None):
        broken = there[(excess > 0).any(axis=1)]
        return failed("minima are not collapsed to an ETF", broken, len(top), -excess.max().max())
    if len(missed):
        first = missed.iloc[0]
        return inconclusive(
            f"no start of {len(missed)} settings with d < C+2 reached L* (first: "
            f"{first['objective']}, C = {first['C']}, d = {first['d']}, tau = "
            f"{first['tau']}): more seeds",
            len(top),
        )
    return Verdict(
        "PASS", "", float(min(REACHED - top["excess"].max(), -excess.max().max())), n=len(top)
    )


def every_start(
    rows_of: Callable[[pd.DataFrame], pd.DataFrame],
) -> Callable[[pd.DataFrame], Verdict]:
    """Check that every selected start reached its minimum."""

    def check(table: pd.DataFrame) -> Verdict:
        rows = rows_of(table)
        missed = (
            rows[(rows["excess"] > REACHED) & ~rows["stalled"].astype(bool)] if len(rows) else rows
        )
        if len(missed):
            return failed(
                "starts end elsewhere", missed, len(rows), REACHED - missed["excess"].max()
            )
        return undecided(rows) or Verdict("PASS", "", REACHED - rows["excess"].max(), n=len(rows))

    return check


def certified(table: pd.DataFrame) -> Verdict:
    """At least two different critical points above L* with a Hessian positive but for rotations."""
    rows = select(table, {"part": "spurious"})
    if len(rows) == 0:
        return inconclusive("no start ended above the minimum")
    numbers = ["excess", "critical_gradient", "smallest_but_rotations", "rotation_residual"]
    if rows[numbers].isna().any(axis=None):
        return inconclusive("an eigenvalue is NaN", len(rows))
    strict = rows[
        (rows["excess"] > 1e-3)
        & (rows["critical_gradient"] < 1e-5)
        & (rows["smallest_but_rotations"] > 1e3 * rows["rotation_residual"].clip(lower=1e-9))
        & (rows["zero_modes"] == rows["rotations"])
    ]
    different = strict.assign(excess=strict["excess"].round(6)).drop_duplicates(
        [*SETTING, "excess"]
    )
    if len(different) < 2:
        return inconclusive(
            f"{len(different)} of {len(rows)} critical points are certified, 2 needed", len(rows)
        )
    return Verdict(
        "PASS",
        f"{len(different)} certified",
        float(strict["smallest_but_rotations"].min()),
        n=len(different),
    )


def best_of(part: str, **where: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def rows(table: pd.DataFrame) -> pd.DataFrame:
        found = select(table, {"part": part} | where)
        return best(found) if len(found) else found

    return rows


def settled(rows_of: Callable, check: Callable[[pd.DataFrame], Verdict]) -> Callable:
    """`check`, but a PASS that rests on a stalled optimiser is INCONCLUSIVE."""

    def checked(table: pd.DataFrame) -> Verdict:
        verdict = check(table)
        if verdict.verdict == "PASS" and (stop := undecided(rows_of(table))) is not None:
            return stop
        return verdict

    return checked
