"""A claim as data: what it says, which rows it is about, the check that decides, its mutant."""

import ast
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.statistics import select

Kind = Literal["theorem", "identity", "conjecture", "trend", "counterexample"]
Word = Literal["PASS", "FAIL", "INCONCLUSIVE", "VACUOUS", "NOT ASKED"]
MUST_HOLD = ("theorem", "identity", "counterexample")
DECLARED = columns.declared(columns.TABLES.values())


class UndeclaredColumn(Exception):
    """A claim names a column that no audit declares: the program is wrong, not the mathematics."""


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


class Check(Protocol):
    """Decides on rows; str() is the formal statement with its threshold, which it alone holds."""

    broken: Word  # the verdict on rows that break it

    @property
    def columns(self) -> set[str]:
        """The columns that it reads, as far as it names them."""
        ...

    @property
    def threshold(self) -> object:
        """The threshold as JSON can hold it."""
        ...

    @property
    def estimator(self) -> str:
        """How many measurements become one decision."""
        ...

    def __call__(self, rows: pd.DataFrame, level: float) -> Verdict:
        """The verdict on the rows that the claim is about."""
        ...


@dataclass(frozen=True)
class Change:
    """A direction in which a table can be changed: column := expression in the columns and t.

    At t = 0 the expression is the column itself. `where` picks the rows, among those of the claim.
    """

    column: str
    to: str
    where: str = ""

    def __call__(self, table: pd.DataFrame, rows: pd.DataFrame, t: float) -> pd.DataFrame:
        """The table with the change applied to those of `rows` that `where` picks."""
        chosen = (rows.query(self.where) if self.where else rows).index
        new = table.loc[chosen].eval(self.to.replace("@t", repr(float(t))))
        return table.assign(
            **{
                self.column: table[self.column]
                .astype(float)
                .mask(table.index.isin(chosen), new.reindex(table.index))
            }
        )

    def __str__(self) -> str:
        """The change in words."""
        return f"{self.column} := {self.to.replace('@t', 't')}" + (
            f" where {self.where}" if self.where else ""
        )


@dataclass(frozen=True)
class Claim:
    """One falsifiable statement: where it is from, what kind it is, and the check that decides.

    Attributes:
        id: Unique for each theorem; the scope tells its instances apart.
        source: Paper and number of the theorem or equation, or "own".
        kind: See `Kind`.
        about: The statement in words; numbers stand in the check.
        check: Decides, and prints its threshold.
        scope: The rows it is about: for each column a value, or a tuple of values.
        where: The same as an expression in the columns ("d >= C + 2").
        defined: A column that is NaN where the claim says nothing (balanced classes only). Without
            any row where it is a number the claim is NOT ASKED.
        null: What the null of a trend is.
        asked: False if the configuration removed what it is about.
        mutant: The direction of its mutant; without one, a cell is put just above its limit.
        factory: The function that made it, "module.name", and with which `parameters`.
    """

    id: str
    source: str
    kind: Kind
    about: str
    check: Check
    scope: Mapping[str, object] = field(default_factory=dict)
    where: str = ""
    defined: str = ""
    null: str = ""
    asked: bool = True
    mutant: Change | None = None
    factory: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def scope_text(self) -> str:
        """The scope as it is printed: "tau = 1, d >= C + 2"."""
        parts = [f"{c} = {_text(v)}" for c, v in self.scope.items()]
        return ", ".join([*parts, *([self.where] if self.where else [])])

    @property
    def key(self) -> str:
        """A name of its own for each instance, fit for a file: "A3", or "A3 tau=1" of several."""
        return self.id + "".join(f" {c}={_text(v)}" for c, v in self.scope.items() if c in SHOWN)

    @property
    def statement(self) -> str:
        """The whole statement: words, threshold, scope."""
        return f"{self.about}: {self.check}" + (f" ({self.scope_text})" if self.scope_text else "")

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows that the claim is about, before `defined` is looked at."""
        rows = select(table, self.scope)
        return rows.query(self.where) if self.where else rows

    def verdict(self, table: pd.DataFrame, level: float = 0.95) -> Verdict:
        """The verdict on a table.

        Args:
            table: Rows of an experiment, each with an index of its own.
            level: Level of a trend's interval.

        Returns:
            The verdict. A declared column that the table lacks makes it INCONCLUSIVE.

        Raises:
            UndeclaredColumn: The claim is about a column that no audit declares.
        """
        named = {*self.scope, *names(self.where), *self.check.columns}
        if unknown := sorted({*named, *filter(None, [self.defined])} - DECLARED):
            raise UndeclaredColumn(
                f"claim {self.id} is about the column {unknown[0]!r}, which no audit declares: "
                "declare it in supcon_theory/audits/columns.py or correct its name"
            )
        if not self.asked:
            return Verdict("NOT ASKED", "the configuration leaves out what it is about")
        if len(table) == 0:
            return Verdict("INCONCLUSIVE", "the table is empty")
        if missing := sorted(named - set(table)):
            return Verdict("INCONCLUSIVE", f"the table has no column {missing[0]}")
        try:
            rows = self.rows(table)
            if self.defined and len(rows):
                rows = rows[rows[self.defined].notna()]
                if len(rows) == 0:
                    return Verdict("NOT ASKED", f"{self.defined} is defined in no row")
            if len(rows) == 0:
                return Verdict("INCONCLUSIVE", "no row of the table is about this claim")
            return self.check(rows, level)
        except KeyError as error:
            found = str(error.args[0])
            if found in DECLARED:
                return Verdict("INCONCLUSIVE", f"the table has no column {found}")
            raise UndeclaredColumn(f"claim {self.id}: no table has {found}") from error


SHOWN = ("data", "C", "tau")  # the columns of a scope that tell instances of one theorem apart


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return " or ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


@functools.cache
def names(expression: str) -> frozenset[str]:
    """The columns in an expression of pandas' `query` and `eval`."""
    tree = ast.parse(expression.replace("@t", "0") or "0")
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    return frozenset(
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called
    )


def factory(build: Callable[..., list[Claim]]) -> Callable[..., list[Claim]]:
    """Let a function of JSON-like keyword parameters note on its claims how they are made again."""

    @functools.wraps(build)
    def made(**parameters: object) -> list[Claim]:
        name = f"{build.__module__.rsplit('.', 1)[-1]}.{build.__name__}"
        return [replace(c, factory=name, parameters=parameters) for c in build(**parameters)]

    made.makes_claims = True  # pyright: ignore[reportAttributeAccessIssue]
    return made
