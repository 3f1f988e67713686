"""Verdicts on all claims of an experiment, with Holm's step-down over its trends; exit codes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from supcon_theory.claims.checks import Verdict
from supcon_theory.claims.claim import MUST_HOLD, Claim
from supcon_theory.statistics import holm

COLUMNS = (
    *("claim", "scope", "kind", "verdict", "margin", "ci_low", "ci_high", "level", "n", "needs"),
    *("tightness", "reason", "statement", "source", "null"),
)
HOLDS = ("PASS", "PASS (loose)", "VACUOUS")
MEANINGS = (
    "PASS: it holds in every row, or the interval over seeds, at Holm's level over the trends of "
    "the run, lies inside the claim and, against a null, that of the paired difference on one side "
    "of 0. PASS (loose): a conjecture whose bound is more than twice what was found, which hardly "
    "tests it. FAIL: a row breaks it, or the interval lies wholly outside. "
    "VACUOUS: it holds but says nothing. INCONCLUSIVE: the seeds or the rows cannot decide. "
    "NOT ASKED: the flags of the run removed what it is about."
)


def judge(claims: Sequence[Claim], table: pd.DataFrame) -> list[Verdict]:
    """The verdict on each claim, trends at their level.

    Trends of one experiment are one family: all that are asked, whether or not the table can decide
    them (p = 1 if it cannot). p is that of the decision that the mean lies on this side of the
    nearest edge (`statistics.p_of_side`), the levels are Holm's at 5 % for the family, and the
    interval of each trend is the one at its own level, so that it keeps clear of the edge exactly
    if the trend is decided.

    Args:
        claims: All claims of the experiment.
        table: Its rows, each with an index of its own.

    Returns:
        Verdicts in the order of the claims.
    """
    family = [claim for claim in claims if claim.kind == "trend" and claim.asked]
    levels = holm([claim.verdict(table).p for claim in family])
    level = {id(claim): 1 - a for claim, a in zip(family, levels, strict=True)}
    return [claim.verdict(table, level.get(id(claim), 0.95)) for claim in claims]


def evaluate(
    claims: Sequence[Claim], tables: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """All verdicts as a table, and for each failed claim the rows that broke it.

    Args:
        claims: All claims of the experiment.
        tables: Its tables by name; claims are about "table". No tables: nothing is decided.

    Returns:
        A row for each claim with `COLUMNS`; and by `Claim.key` the rows that broke it.

    Raises:
        ValueError: Two claims have the same id and scope.
    """
    keys = pd.Index([claim.key for claim in claims])
    if keys.has_duplicates:
        twice = keys[keys.duplicated()][0]
        raise ValueError(f"two claims are called {twice!r}: give each an id or a scope")
    table = tables["table"].reset_index(drop=True) if len(tables) else pd.DataFrame()
    verdicts = judge(claims, table)
    rows = [
        {name: getattr(found if hasattr(found, name) else claim, name) for name in COLUMNS[2:]}
        | {"claim": claim.id, "scope": claim.scope_text}
        for claim, found in zip(claims, verdicts, strict=True)
    ]
    found = zip(keys, (verdict.broken_by for verdict in verdicts), strict=True)
    broken = {key: breaking for key, breaking in found if breaking is not None}
    return pd.DataFrame(rows, columns=COLUMNS), broken


def basis(row: Mapping) -> list[str]:
    """What the verdict in a row of `evaluate` rests on, in words: reason, interval, ..., number."""
    found = [f"n = {row['n']}"]
    if not pd.isna(row["tightness"]):
        found.insert(0, f"value / bound {row['tightness']:.2g}")
    if not pd.isna(row["ci_low"]):
        edges = f"[{row['ci_low']:.4g}, {row['ci_high']:.4g}]"
        found.insert(0, f"{100 * row['level']:.3g} % interval {edges}")
    if row["reason"] and not pd.isna(row["reason"]):
        found.insert(0, row["reason"])
    return found


def counted(verdicts: Any) -> str:
    """How often each verdict was given, in words, such as "12 PASS, 1 FAIL"; none if there is none.

    Args:
        verdicts: A column of them, or of other words.

    Returns:
        The most frequent first.
    """
    found = verdicts.value_counts().items()
    return ", ".join(f"{count} {word}" for word, count in found) or "none"


def exit_code(verdicts: pd.DataFrame, strict: bool = False) -> int:
    """The exit code that the verdicts alone ask for.

    Args:
        verdicts: The table of `evaluate`, perhaps with the column `published` of `compare`.
        strict: Count a trend that differs from the published run.

    Returns:
        1 if a theorem, an identity or a counterexample is broken (with `strict`, or a verdict
        *differs* from the published one); 3 if one of them is undecided; else 0. Trends and
        conjectures are findings, whatever they say.
    """
    found = verdicts.loc[verdicts["kind"].isin(MUST_HOLD), "verdict"]
    differs = strict and "differs" in set(verdicts["published"] if "published" in verdicts else ())
    if "FAIL" in set(found) or differs:
        return 1
    return 3 if "INCONCLUSIVE" in set(found) else 0


def compare(verdicts: pd.DataFrame, published: pd.DataFrame) -> pd.Series:
    """Each verdict beside that of the published run of the same preset and data.

    Args:
        verdicts: The table of `evaluate`.
        published: The same of the published run.

    Returns:
        For each row "as published", "differs", "undecided with n seeds", or "" where the published
        run has no verdict on this claim and scope or the flags removed it here.
    """
    names = ["claim", "scope", "verdict"]
    theirs = {(c, s): v for c, s, v in published[names].fillna("").itertuples(index=False)}

    def word(claim: str, scope: str, verdict: str, n: int) -> str:
        known = theirs.get((claim, scope), "")
        if not known or "NOT ASKED" in (known, verdict):
            return ""
        if verdict == known:
            return "as published"
        return f"undecided with {n} seeds" if verdict == "INCONCLUSIVE" else "differs"

    rows = verdicts[[*names, "n"]].itertuples(index=False)
    return pd.Series([word(*row) for row in rows], verdicts.index, dtype=object)
