"""The checks: frozen dataclasses that hold a threshold, decide on rows, and print their statement.

Limits and conditions are expressions in the columns of a table ("bound_older - error").
"""

import ast
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from supcon_theory.statistics import detectable, mean_interval, p_of_side, seeds_needed

Word = Literal["PASS", "PASS (loose)", "FAIL", "INCONCLUSIVE", "VACUOUS", "NOT ASKED"]
FEWEST = 5  # seeds behind the interval of a trend
ROUNDING = 1e-9  # of float64 sums over up to 1e5 terms of a few nats, of rows normalised in float64


@dataclass(frozen=True)
class Verdict:
    """What a check found. `margin` is the distance to the edge of the claim, negative if broken."""

    verdict: Word
    reason: str = ""
    margin: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    n: int = 0
    tightness: float = np.nan
    level: float = np.nan  # of the interval
    p: float = 1.0  # of a trend's decision, before Holm
    needs: float = np.nan  # seeds that would decide
    broken_by: pd.DataFrame | None = field(default=None, compare=False, repr=False)


@functools.cache
def names(expression: str) -> frozenset[str]:
    """The columns in an expression of pandas' `query` and `eval`."""
    nodes = list(ast.walk(ast.parse(expression.replace("@t", "0") or "0")))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    return frozenset(n.id for n in nodes if isinstance(n, ast.Name) and id(n) not in called)


def value(rows: pd.DataFrame, expression: str) -> pd.Series:
    """An expression in the columns, row by row; pandas is slow with columns it need not see."""
    return rows[sorted(names(expression))].eval(expression)


def inconclusive(reason: str, n: int = 0) -> Verdict:
    """A verdict that is none, with the reason."""
    return Verdict("INCONCLUSIVE", reason, n=n)


def stalled(rows: pd.DataFrame) -> Verdict | None:
    """INCONCLUSIVE if an optimiser stopped short of its tolerance; None if none did."""
    short = rows["stalled"].to_numpy(bool)
    if not short.any():
        return None
    worst = rows["gradient_norm"].to_numpy()[short].max()
    return inconclusive(
        f"L-BFGS stalled in {short.sum()} of {len(rows)} runs, at a gradient norm of up to "
        f"{worst:.1e}",
        len(rows),
    )


@dataclass(frozen=True)
class AtMost:
    """In every row each expression is at most its limit, up to rounding.

    PASS on the rows there are, however few. A row above a limit is a FAIL; NaN decides nothing.

    Attributes:
        limits: For each expression its limit; of a `violation_*` the rounding that is allowed.
        tightness: Value and bound whose median ratio is reported.
        vacuous: Condition on a row under which the bound says nothing; VACUOUS if in all.
        derive: Makes the rows that are decided on from those of the claim.
        sampled: The column of the standard error of a sampled mean that the limits allow for; what
            excess would still be seen is reported.
        settled: "" if rows are exact; "required": a PASS needs that no optimiser has stalled;
            "excused": besides, a run that has stalled breaks nothing.
    """

    limits: Mapping[str, float]
    tightness: tuple[str, str] | None = None
    vacuous: str = ""
    derive: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    settled: str = ""
    sampled: str = ""
    broken: ClassVar[Word] = "FAIL"
    estimator: ClassVar[str] = "every row"

    def __str__(self) -> str:
        """All limits, as in violation_upper <= 1e-09."""
        return " and ".join(f"{name} <= {limit:g}" for name, limit in self.limits.items())

    @property
    def columns(self) -> set[str]:
        """The columns of all expressions; none if the rows are derived from others."""
        found = {n for e in (*self.limits, self.vacuous) for n in names(e)}
        found |= {*(self.tightness or ()), *filter(None, [self.sampled])}
        return set() if self.derive else found

    @property
    def threshold(self) -> dict[str, float]:
        """The limit of each expression."""
        return dict(self.limits)

    def __call__(self, rows: pd.DataFrame, level: float = 0.95) -> Verdict:
        """The verdict on the rows; `level` is of no account."""
        rows = self.derive(rows) if self.derive else rows
        n, limits = len(rows), pd.Series(self.limits)
        if n == 0:
            return inconclusive("no row of the table is about this claim")
        found = pd.DataFrame({name: value(rows, name) for name in self.limits}).astype(np.float64)
        above = found - limits
        if self.settled == "excused":
            above[rows["stalled"].astype(bool)] = -np.inf
        broken = (above > 0).any(axis=1).to_numpy()
        margin = -np.fmax.reduce(above.to_numpy(), axis=None, initial=-np.inf)
        if broken.any():
            worst = above.max().idxmax()
            reason = f"{broken.sum()} of {n} rows exceed {worst} <= {limits[worst]:g}"
            return Verdict("FAIL", reason, margin, n=n, broken_by=rows.loc[broken])
        if found.isna().to_numpy().any():
            return inconclusive(f"{int(found.isna().any(axis=1).sum())} of {n} rows are NaN", n)
        if self.settled and (short := stalled(rows)):
            return short
        ratio = np.nan
        if self.tightness:
            of, bound = (rows[name].to_numpy(float) for name in self.tightness)
            with np.errstate(divide="ignore", invalid="ignore"):
                ratios = (of / bound)[~np.isnan(of / bound)]
            ratio = float(np.median(ratios)) if len(ratios) else np.nan
        silent = value(rows, self.vacuous).mean() if self.vacuous else 0.0
        said = [f"the bound says nothing in {silent:.0%} of the rows"] if silent else []
        if self.sampled:
            seen = detectable(rows[self.sampled])
            said.append(f"an excess of {seen:.2g} would be seen in 95% of the runs")
        reason = ", ".join(said)
        return Verdict("VACUOUS" if silent == 1 else "PASS", reason, margin, n=n, tightness=ratio)


@dataclass(frozen=True)
class Within:
    """A statistic, one value for each seed, has its mean in [low, high].

    PASS if the interval over seeds lies inside, FAIL if wholly outside; one across an edge, or of
    fewer than five seeds, is undecided, with the number of seeds that would decide. Against a null
    a PASS needs more: VACUOUS if the mean of the null lies inside as well, undecided unless the
    interval of the paired difference, seed by seed, lies on one side of 0.

    Attributes:
        name: The statistic in words.
        low: Lower edge, or -inf.
        high: Upper edge, or inf.
        statistic: Rows of the claim to one value for each seed.
        null: The same statistic where the effect cannot be.
    """

    name: str
    low: float
    high: float
    statistic: Callable[[pd.DataFrame], pd.Series] = field(repr=False)
    null: Callable[[pd.DataFrame], pd.Series] | None = field(default=None, repr=False)
    broken: ClassVar[Word] = "FAIL"
    estimator: ClassVar[str] = "mean over seeds, Student's t interval at Holm's level"

    def __str__(self) -> str:
        """The interval, as in slope in [-1.1, -0.9]."""
        if np.isinf(self.low):
            return f"{self.name} <= {self.high:.4g}"
        if np.isinf(self.high):
            return f"{self.name} >= {self.low:.4g}"
        return f"{self.name} in [{self.low:.4g}, {self.high:.4g}]"

    @property
    def columns(self) -> set[str]:
        """Only the seed is known: the statistic chooses its columns."""
        return {"seed"}

    @property
    def threshold(self) -> list[float | None]:
        """Both edges; None where there is none."""
        return [float(edge) if np.isfinite(edge) else None for edge in (self.low, self.high)]

    def __call__(self, rows: pd.DataFrame, level: float = 0.95) -> Verdict:
        """The verdict on the rows of all seeds, by an interval of this level."""
        values = self.statistic(rows)
        interval = mean_interval(values, level)
        if values.isna().any() or len(values) == 0:
            return inconclusive("NaN among the values" if len(values) else "no value", interval.n)
        low, high = self.low, self.high
        found = {
            "margin": min(interval.low - low, high - interval.high),
            "ci_low": interval.low,
            "ci_high": interval.high,
            "n": interval.n,
            "level": level,
            "p": p_of_side(values, low, high) if interval.n >= FEWEST else 1.0,
        }
        disjoint = interval.high < low or interval.low > high
        inside = low <= interval.low and interval.high <= high
        if interval.n < FEWEST or not (disjoint or inside):
            needs = seeds_needed(values, low, high, level, FEWEST)
            reason = f"undecided, needs {_seeds(needs)} seeds; mean {interval.mean:.4g}"
            return Verdict("INCONCLUSIVE", reason, needs=needs, **found)
        if disjoint:
            reason = f"mean {interval.mean:.4g} lies outside"
            return Verdict("FAIL", reason, **found, broken_by=values.rename("value").to_frame())
        if self.null is not None:
            return self._against(values, self.null(rows), found)
        return Verdict("PASS", f"mean {interval.mean:.4g}", **found)

    def _against(self, values: pd.Series, null: pd.Series, found: dict) -> Verdict:
        """The verdict on values that lie inside, beside those of the null."""
        if len(null) == 0 or null.isna().any():
            return Verdict("INCONCLUSIVE", "the null is missing or NaN", **found)
        if self.low <= null.mean() <= self.high:
            return Verdict("VACUOUS", f"the null shows the same: {null.mean():.4g}", **found)
        apart = values - null
        if apart.isna().any():
            return Verdict("INCONCLUSIVE", "the null has other seeds", **found)
        # both decisions must be right, so the larger p of the two is that of a PASS
        found["p"] = max(found["p"], p_of_side(apart, 0, np.inf))
        low, high = mean_interval(apart, found["level"])[1:3]
        beside = f"mean {values.mean():.4g}, less that of the null [{low:.4g}, {high:.4g}]"
        if low <= 0 <= high:
            needs = seeds_needed(apart, 0, np.inf, found["level"], FEWEST)
            reason = f"undecided beside the null, needs {_seeds(needs)} seeds; {beside}"
            return Verdict("INCONCLUSIVE", reason, needs=needs, **found)
        return Verdict("PASS", beside, **found)


def _seeds(needs: float) -> str:
    return f"{needs:.0f}" if np.isfinite(needs) else "more than 10,000"


SETTING = ["objective", "C", "n", "K", "d", "tau", "labels"]  # of free embeddings


@dataclass(frozen=True)
class Certified:
    """At least `count` different local minima lie above the least value, each proved to be one.

    A search that finds fewer refutes nothing: INCONCLUSIVE.

    Attributes:
        count: Different points wanted, told apart by setting and excess.
        conditions: What makes a row certified.
    """

    count: int
    conditions: tuple[str, ...]
    broken: ClassVar[Word] = "INCONCLUSIVE"
    estimator: ClassVar[str] = "count of certified points"

    def __str__(self) -> str:
        """The conditions."""
        return f"at least {self.count} points with {' and '.join(self.conditions)}"

    @property
    def columns(self) -> set[str]:
        """What is read of every row."""
        return {*SETTING, "excess", *(n for c in self.conditions for n in names(c))}

    @property
    def threshold(self) -> dict[str, object]:
        """Count and conditions."""
        return {"count": self.count, "conditions": list(self.conditions)}

    def __call__(self, rows: pd.DataFrame, level: float = 0.95) -> Verdict:
        """The verdict on the critical points found."""
        if rows[sorted(self.columns - {*SETTING})].isna().to_numpy().any():
            return inconclusive("a condition is NaN", len(rows))
        strict = rows.loc[value(rows, " and ".join(f"({c})" for c in self.conditions))]
        different = strict.assign(excess=strict["excess"].round(6))
        n = len(different.drop_duplicates([*SETTING, "excess"]))
        if n < self.count:
            return inconclusive(f"{n} of {len(rows)} certified, {self.count} needed", len(rows))
        return Verdict("PASS", f"{n} certified", n=n)


Check = AtMost | Within | Certified
