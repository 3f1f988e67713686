"""A claim as data: what it says, which rows it is about, the check that decides, its mutant."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field, replace
from typing import Literal

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.audits.rows import select
from supcon_theory.claims.checks import Check, Verdict, names, value

Kind = Literal["theorem", "identity", "conjecture", "trend", "counterexample"]
MUST_HOLD = ("theorem", "identity", "counterexample")
DECLARED = columns.declared(columns.TABLES.values())


class UndeclaredColumn(Exception):
    """A claim names a column that no audit declares: the program is wrong, not the mathematics."""


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
        chosen = (rows.loc[value(rows, self.where)] if self.where else rows).index
        new = value(table.loc[chosen], self.to.replace("@t", repr(float(t))))
        old, changed = table[self.column].astype(float), table.index.isin(chosen)
        return table.assign(**{self.column: old.mask(changed, new.reindex(table.index))})

    def __str__(self) -> str:
        """The change in words."""
        where = f" where {self.where}" if self.where else ""
        return f"{self.column} := {self.to.replace('@t', 't')}{where}"


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
        given: Where the claim says anything at all, as an expression (balanced classes only, say).
            Without any such row the claim is NOT ASKED.
        null: What the null of a trend is.
        edges: Who set a trend's edges other than 0: "as published", or "ours" and since when.
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
    given: str = ""
    null: str = ""
    edges: str = ""
    asked: bool = True
    mutant: Change | None = None
    factory: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def scope_text(self) -> str:
        """The scope as it is printed: "tau = 1, d >= C + 2"."""
        parts = [f"{c} = {_text(v)}" for c, v in sorted(self.scope.items())]
        return ", ".join([*parts, *filter(None, (self.where, self.given))])

    @property
    def key(self) -> str:
        """A name of its own for each instance, fit for a file: "A3", or "A3 tau=1" of several."""
        shown = (f" {c}={_text(v)}" for c, v in sorted(self.scope.items()) if c in SHOWN)
        return self.id + "".join(shown)

    @property
    def statement(self) -> str:
        """The whole statement: words, threshold, who set it, scope."""
        about = ", ".join(filter(None, (self.edges and f"edges {self.edges}", self.scope_text)))
        return f"{self.about}: {self.check}" + (f" ({about})" if about else "")

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows that the claim is about."""
        rows = select(table, self.scope)
        for condition in filter(None, (self.where, self.given)):
            rows = rows.loc[value(rows, condition)]
        return rows

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
        named = {*self.scope, *names(self.where), *names(self.given), *self.check.columns}
        if unknown := sorted(named - DECLARED):
            raise UndeclaredColumn(
                f"claim {self.id} is about the column {unknown[0]!r}, which no audit declares: "
                "declare it in supcon_theory/audits/columns.toml or correct its name"
            )
        if not self.asked:
            return Verdict("NOT ASKED", "the configuration leaves out what it is about")
        if len(table) == 0:
            return Verdict("INCONCLUSIVE", "the table is empty")
        if missing := sorted(named - set(table)):
            return Verdict("INCONCLUSIVE", f"the table has no column {missing[0]}")
        if self.given and not value(table, self.given).any():
            return Verdict("NOT ASKED", f"no row of the table has {self.given}")
        try:
            rows = self.rows(table)
            if len(rows) == 0:
                return Verdict("INCONCLUSIVE", "no row of the table is about this claim")
            return self._graded(self.check(rows, level))
        except KeyError as error:
            found = str(error.args[0])
            if found in DECLARED:
                return Verdict("INCONCLUSIVE", f"the table has no column {found}")
            raise UndeclaredColumn(f"claim {self.id}: no table has {found}") from error

    def _graded(self, found: Verdict) -> Verdict:
        """A conjecture whose bound lies far above every value has hardly been tested."""
        loose = self.kind == "conjecture" and found.tightness < LOOSE
        return (
            replace(found, verdict="PASS (loose)") if loose and found.verdict == "PASS" else found
        )


LOOSE = 0.5  # value / bound below which a conjecture does not count as tested
SHOWN = ("data", "C", "tau")  # the columns of a scope that tell instances of one theorem apart


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return " or ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def trend(
    id: str, source: str, scope: Mapping[str, object], mutant: Change, **fields: str
) -> Callable[[Callable[..., Check]], Callable[..., Claim]]:
    """`declare` a trend, whose mutant has to be told."""
    return declare(id, source, "trend", "", scope, mutant, **fields)


def _docstring(build: Callable[..., Check]) -> str:
    """As it stands in the source where Python runs with -OO, which keeps none."""
    if build.__doc__ is None:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(build))).body
        return (isinstance(tree, ast.FunctionDef) and ast.get_docstring(tree, clean=False)) or ""
    return build.__doc__


def declare(
    id: str,
    source: str,
    kind: Kind,
    formula: str = "",
    scope: Mapping[str, object] | None = None,
    mutant: Change | None = None,
    **fields: str,
) -> Callable[[Callable[..., Check]], Callable[..., Claim]]:
    """Declare a claim by a function that makes its check; the docstring says what is claimed.

    `{name}` in any of the texts stands for the value of that parameter of the function.

    Args:
        id: See `Claim`, as for all that follow.
        source: Paper and number of the theorem.
        kind: Theorem, trend, ...
        formula: Appended to the docstring.
        scope: The rows that it is about, wherever it is declared.
        mutant: The direction of its mutant.
        fields: `where`, `given`, `null`, `edges`.

    Returns:
        A decorator. The function becomes one of `scope` (more of it), `asked` and its own keyword
        parameters that returns the claim, which knows how it was made.
    """

    def decorate(build: Callable[..., Check]) -> Callable[..., Claim]:
        about = _docstring(build).strip().removesuffix(".")
        texts = {"id": id, "source": source, "about": f"{about}: {formula}" if formula else about}
        name = f"{build.__module__.rpartition('.')[2]}.{build.__name__}"

        @functools.wraps(build)
        def made(
            *, scope: Mapping[str, object] = {}, asked: bool = True, **parameters: object
        ) -> Claim:
            return Claim(
                **{key: text.format(**parameters) for key, text in (texts | fields).items()},
                kind=kind,
                check=build(**parameters),
                scope={**always, **scope},
                asked=asked,
                mutant=mutant and Change(*(t.format(**parameters) for t in astuple(mutant))),
                factory=name,
                parameters={"scope": dict(scope), **parameters},
            )

        made.makes_a_claim = True  # pyright: ignore[reportAttributeAccessIssue]
        return made

    always = dict(scope or {})
    return decorate
