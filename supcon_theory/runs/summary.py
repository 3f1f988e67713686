"""The tables that people read first: on the terminal, as CSV and in a paper."""

import math
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from supcon_theory.audits.columns import Column, Table, known
from supcon_theory.latex import escaped

LINE, LETTER, GAP = 397.0, 4.6, 8.0  # points: 5.5 inches, a letter in footnotesize, two \tabcolsep


@dataclass(frozen=True)
class Summary:
    """A table with what it takes to read it.

    `columns` say what its columns mean, the short ones of a table's heading; a column that an audit
    declares needs none. `n` says how many seeds it is about, where that is not what the run has.
    """

    table: pd.DataFrame
    title: str
    columns: tuple[Column, ...] = ()
    n: str = ""

    def heading(self, name: str, audits: Iterable[Table] = ()) -> Column:
        """The words above a column and their unit ("" and "1" for none)."""
        own = {column.name: column for column in self.columns}
        if name in own:
            return own[name]
        declared = known(name, audits)
        return Column(name, declared.unit if declared else "", name.replace("_", " "))


def titled(name: str, found: Summary | pd.DataFrame) -> Summary:
    """What `summary` of an experiment gave under a name; a bare table has its name as title."""
    return found if isinstance(found, Summary) else Summary(found, name.replace("_", " "))


def number(value: object) -> str:
    """A value as it stands in a table: three digits, nothing for NaN."""
    if isinstance(value, (float, np.floating)):
        return "" if math.isnan(value) else f"{value:.3g}"
    return str(value)


def latex(summary: Summary, label: str, n: str, audits: Iterable[Table] = ()) -> str:
    """A floating table in LaTeX: caption, label, booktabs rules, numbers aligned by siunitx.

    Args:
        summary: The table.
        label: Of the table, after "tab:".
        n: How many seeds it is about, in words.
        audits: Declarations of its columns.

    Returns:
        The text; it needs the packages booktabs and siunitx.
    """
    text = summary.table.map(number)
    heads = {name: _stacked(summary.heading(name, audits)) for name in text}
    widths = [max(map(len, (*heads[name], *text[name]))) * LETTER + GAP for name in text]
    shown = max(1, sum(np.cumsum(widths) <= LINE))
    left = [str(name) for name in text.columns[shown:]]
    text = text.iloc[:, :shown]
    numeric = {name: pd.api.types.is_numeric_dtype(summary.table[name]) for name in text}
    kinds = [aligned(text[name]) if numeric[name] else "l" for name in text]
    stacks = [r" \\ ".join(map(escaped, heads[name])) for name in text]
    above = [rf"{{\shortstack{{{stack}}}}}" for stack in stacks]
    rows = [
        " & ".join(v if numeric[c] and v else _braced(v) for c, v in zip(text, row, strict=True))
        for row in text.itertuples(index=False)
    ]
    lines = [
        "% needs \\usepackage{booktabs,siunitx}",
        *([f"% too wide for a line, in the CSV only: {', '.join(left)}"] if left else []),
        r"\begin{table}",
        r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{escaped(summary.title)} ({escaped(summary.n or n)}).}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{' '.join(kinds)}}}",
        r"\toprule",
        " & ".join(above) + r" \\",
        r"\midrule",
        *(row + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _stacked(column: Column) -> list[str]:
    """A heading and its unit in short lines, for a narrow column."""
    unit = [f"({column.unit})"] if column.unit not in ("", "1") else []
    return textwrap.wrap(column.meaning, 10, break_long_words=False) + unit


def aligned(texts: Iterable[str]) -> str:
    """The siunitx column that fits these numbers."""
    whole, decimals, exponent, minus = 1, 0, 0, ""
    for text in texts:
        mantissa, _, power = text.partition("e")
        left, _, right = mantissa.lstrip("-").partition(".")
        whole, decimals = max(whole, len(left)), max(decimals, len(right))
        exponent = max(exponent, len(power.lstrip("+-").lstrip("0") or "0") if power else 0)
        minus = "-" if text.startswith("-") else minus
    power = f"e-{exponent}" if exponent else ""
    return f"S[table-format={minus}{whole}.{decimals}{power}]"


def _braced(text: str) -> str:
    return f"{{{escaped(text)}}}"


def seeds(tables: Mapping[str, pd.DataFrame]) -> str:
    """How many seeds a run has, in words: the n above its tables."""
    table = tables.get("table", pd.DataFrame())
    n = table["seed"].nunique() if "seed" in table else 0
    return f"n = {n} seed{'s' * (n != 1)}"
