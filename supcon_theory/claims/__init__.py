"""Claims as data, and the verdicts that code gives on them.

A claim is checked on a tidy table of measurements. The verdict is

    PASS          every row obeys it (theorem), or the interval over seeds lies inside it (trend)
    FAIL          a row breaks it, or the interval over seeds lies wholly outside
    INCONCLUSIVE  the table cannot decide: empty, NaN, too few seeds, an interval across the edge
    VACUOUS       it holds but says nothing: the bound is above all that the quantity could be, or
                  the trend's null (shuffled labels, say) shows the same trend

`obeys` and `lies_within` build the two common checks; any `table -> Verdict` will do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from supcon_theory.statistics import mean_interval

Kind = Literal["theorem", "conjecture", "trend", "counterexample"]


@dataclass(frozen=True)
class Verdict:
    """What a check found. `margin` is the distance to the edge of the claim, negative if broken."""

    verdict: Literal["PASS", "FAIL", "INCONCLUSIVE", "VACUOUS"]
    reason: str = ""
    margin: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    n: int = 0
    tightness: float = np.nan
    broken_by: pd.DataFrame | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Claim:
    """One falsifiable statement: where it is from, what kind it is, and the check that decides."""

    id: str
    statement: str
    source: str
    kind: Kind
    check: Callable[[pd.DataFrame], Verdict]
    expect: str = "PASS"
    null: str = ""


def inconclusive(reason: str, n: int = 0) -> Verdict:
    return Verdict("INCONCLUSIVE", reason, n=n)


def select(table: pd.DataFrame, where: Mapping[str, object]) -> pd.DataFrame:
    """Rows whose columns equal the given values. No rows if the table lacks one of the columns."""
    for column, value in where.items():
        if column not in table:
            return table.iloc[:0]
        table = table[table[column] == value]
    return table


def obeys(
    limits: Mapping[str, float],
    where: Mapping[str, object] | Callable[[pd.DataFrame], pd.DataFrame] = {},
    needs: Mapping[str, int] = {},
    tightness: tuple[str, str] | None = None,
    vacuous: Callable[[pd.DataFrame], pd.Series] | None = None,
) -> Callable[[pd.DataFrame], Verdict]:
    """Check that in every selected row each column of `limits` is at most its limit.

    The columns hold signed excesses over a bound, so the limit is the rounding that is allowed.
    `needs={"seed": 2}` asks for that many different values before the claim may PASS; a row that
    breaks it FAILs however few there are. `tightness=(value, bound)` reports the median ratio.
    `vacuous(rows)` marks the rows in which the bound says nothing; if it does in all, the claim is
    VACUOUS.
    """

    def check(table: pd.DataFrame) -> Verdict:
        rows = where(table) if callable(where) else select(table, where)
        n = len(rows)
        if n == 0:
            return inconclusive("no row of the table is about this claim")
        missing = [column for column in limits if column not in rows]
        if missing:
            return inconclusive(f"the table has no column {missing[0]}", n)
        excess = rows[list(limits)].astype(np.float64)
        broken = (excess > pd.Series(limits)).any(axis=1)
        margin = float((pd.Series(limits) - excess).min().min())
        if broken.any():
            worst = (excess - pd.Series(limits)).max().idxmax()
            reason = f"{int(broken.sum())} of {n} rows exceed {worst} <= {limits[worst]:g}"
            return Verdict("FAIL", reason, margin, n=n, broken_by=rows[broken])
        if excess.isna().any(axis=None):
            return inconclusive(f"{int(excess.isna().any(axis=1).sum())} of {n} rows are NaN", n)
        for column, least in needs.items():
            found = rows[column].nunique() if column in rows else 0
            if found < least:
                return inconclusive(f"needs {least} values of {column}, the table has {found}", n)
        ratio = float((rows[tightness[0]] / rows[tightness[1]]).median()) if tightness else np.nan
        if vacuous is not None:
            silent = vacuous(rows)
            if silent.all():
                return Verdict(
                    "VACUOUS",
                    "the bound is above all that is possible in every row",
                    margin,
                    n=n,
                    tightness=ratio,
                )
            reason = (
                f"the bound says nothing in {silent.mean():.0%} of the rows" if silent.any() else ""
            )
            return Verdict("PASS", reason, margin, n=n, tightness=ratio)
        return Verdict("PASS", "", margin, n=n, tightness=ratio)

    return check


def lies_within(
    low: float,
    high: float,
    by_seed: Callable[[pd.DataFrame], pd.Series],
    null: Callable[[pd.DataFrame], pd.Series] | None = None,
    level: float = 0.95,
) -> Callable[[pd.DataFrame], Verdict]:
    """Check that a statistic, one value per seed, has its interval over seeds inside [low, high].

    `null` computes the same statistic where the effect cannot be; if its mean also lies inside, the
    trend is VACUOUS, and without it the trend is not decided.
    """

    def check(table: pd.DataFrame) -> Verdict:
        if len(table) == 0:
            return inconclusive("the table is empty")
        try:
            values = by_seed(table)
            same = pd.Series(dtype=float) if null is None else null(table)
        except KeyError as error:
            return inconclusive(f"the table has no column {error}")
        interval = mean_interval(values.to_numpy(), level)
        if not np.isfinite([interval.low, interval.high]).all():
            why = "NaN among the values" if values.isna().any() else f"{interval.n} seeds, 2 needed"
            return inconclusive(why, interval.n)
        margin = min(interval.low - low, high - interval.high)
        found = dict(margin=margin, ci_low=interval.low, ci_high=interval.high, n=interval.n)
        if interval.high < low or interval.low > high:
            reason = f"mean {interval.mean:.4g} lies outside [{low:g}, {high:g}]"
            return Verdict("FAIL", reason, **found, broken_by=values.rename("value").to_frame())
        if margin < 0:
            return Verdict(
                "INCONCLUSIVE", f"the interval crosses the edge of [{low:g}, {high:g}]", **found
            )
        if null is not None:
            if len(same) == 0 or same.isna().any():
                return Verdict("INCONCLUSIVE", "the null is missing or NaN", **found)
            if low <= same.mean() <= high:
                return Verdict("VACUOUS", f"the null shows the same: {same.mean():.4g}", **found)
        return Verdict("PASS", f"mean {interval.mean:.4g}", **found)

    return check


COLUMNS = (
    "claim",
    "kind",
    "verdict",
    "expected",
    "margin",
    "ci_low",
    "ci_high",
    "n",
    "tightness",
    "reason",
    "statement",
    "source",
    "null",
)


def evaluate(claims: Sequence[Claim], table: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """All verdicts as a table, and for each failed claim the rows that broke it."""
    verdicts = {claim.id: claim.check(table) for claim in claims}
    rows = [
        {
            "claim": claim.id,
            "kind": claim.kind,
            "verdict": found.verdict,
            "expected": claim.expect,
            "margin": found.margin,
            "ci_low": found.ci_low,
            "ci_high": found.ci_high,
            "n": found.n,
            "tightness": found.tightness,
            "reason": found.reason,
            "statement": claim.statement,
            "source": claim.source,
            "null": claim.null,
        }
        for claim, found in zip(claims, verdicts.values(), strict=True)
    ]
    broken = {name: v.broken_by for name, v in verdicts.items() if v.broken_by is not None}
    return pd.DataFrame(rows, columns=COLUMNS), broken


def exit_code(verdicts: pd.DataFrame) -> int:
    """0: every claim came out as declared. 1: one failed that should hold, or held that should fail.
    3: one could not be decided.

    A theorem that is VACUOUS holds, and a PASS is more than a VACUOUS that was declared.
    """
    found, expected, kind = verdicts["verdict"], verdicts["expected"], verdicts["kind"]
    holds = found.isin(["PASS", "VACUOUS"])
    if ((found == "FAIL") & (expected != "FAIL") | holds & (expected == "FAIL")).any():
        return 1
    as_declared = (found == expected) | holds & ((expected == "VACUOUS") | (kind == "theorem"))
    return 0 if as_declared.all() else 3
