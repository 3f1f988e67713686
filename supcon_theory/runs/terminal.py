"""What a run says when it is done: a table, the verdicts, and last what was found."""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from rich.console import Console
from rich.markup import escape

from supcon_theory.audits import columns
from supcon_theory.claims.claim import MUST_HOLD
from supcon_theory.claims.evaluate import basis
from supcon_theory.runs.summary import Summary, number, titled

STYLE = {
    "PASS": "green",
    "PASS (loose)": "green",
    "FAIL": "bold red",
    "INCONCLUSIVE": "yellow",
    "VACUOUS": "cyan",
    "NOT ASKED": "dim",
}
INDENT = " " * 6
ROWS = 20  # a table with its heading fits on a screen
WORDS = {"INCONCLUSIVE": "undecided", "NOT ASKED": "not asked"}
VACUOUS = (
    "VACUOUS: it holds but says nothing: the bound is above all that could be measured, or a "
    "null that knows nothing shows the same trend."
)
SILENT = (
    "Where a bound says nothing, it is above all that could be measured there (a gap: the loss "
    "of a constant encoder less its minimum; an error: chance)."
)


def show(found: Summary | pd.DataFrame, n: str = "", audits: Iterable[columns.Table] = ()) -> str:
    """Print a table under its title, as many of its columns and rows as a screen holds.

    No word is cut: where there is no room, headings and words are broken at spaces.

    Args:
        found: The table; one without a title is printed whole.
        n: How many seeds it is about, in words.
        audits: Declarations of its columns.

    Returns:
        What is not shown, in words: "" if all is.
    """
    width = Console().width
    summary = titled("", found)
    table, text = summary.table, summary.table.map(number)
    heads = [_head(summary.heading(name, audits)) for name in table]
    widths = [_least([head, *text[name]]) for head, name in zip(heads, text, strict=True)]
    shown, rows = len(heads), len(text)
    if summary.title:
        print("\n".join(["", *textwrap.wrap(f"{summary.title} ({summary.n or n})", width)]))
        rows = min(rows, ROWS)
        while shown > 1 and sum(widths[:shown]) + 2 * (shown - 1) > width:
            shown -= 1
    spare = max(width - sum(widths[:shown]) - 2 * (shown - 1), 0)
    right = [pd.api.types.is_numeric_dtype(table[name]) for name in table][:shown]
    for k in sorted(range(shown), key=lambda k: right[k]):  # words first
        natural = max(map(len, [*([] if right[k] else [heads[k]]), *text.iloc[:rows, k]]))
        more = min(spare, max(natural - widths[k], 0))
        widths[k], spare = widths[k] + more, spare - more
    for line in [heads, *text.head(rows).itertuples(index=False)]:
        print(_line([str(value) for value in line[:shown]], widths, right, bottom=line is heads))
    print()
    left = [str(name) for name in table.columns[shown:]]
    words = [f"columns {', '.join(left)}" if left else ""]
    words += [f"{len(text) - rows} more rows" if rows < len(text) else ""]
    return "; ".join(filter(None, words))


def _head(column: columns.Column) -> str:
    unit = f" ({column.unit})" if column.unit not in ("", "1") else ""
    return column.meaning + unit


def _least(texts: Iterable[str]) -> int:
    """The least width at which no word is broken."""
    return max((len(word) for text in texts for word in str(text).split()), default=0)


def _line(
    cells: Sequence[str], widths: Sequence[int], right: Sequence[bool], *, bottom: bool
) -> str:
    """A row of a table, of several lines where a cell has to be wrapped."""
    wrapped = [
        textwrap.wrap(cell, max(width, 1), break_on_hyphens=False)
        for cell, width in zip(cells, widths, strict=False)  # as many as are shown
    ]
    high = max(map(len, wrapped), default=0)
    filled = [
        [""] * (high - len(of)) + of if bottom else of + [""] * (high - len(of)) for of in wrapped
    ]
    rows = []
    for line in zip(*filled, strict=True):
        cells = [
            f"{c:>{w}}" if r else f"{c:<{w}}" for c, w, r in zip(line, widths, right, strict=False)
        ]
        rows.append("  ".join(cells).rstrip())
    return "\n".join(rows)


def show_summaries(
    summaries: Mapping[str, Summary], n: str, audits: Iterable[columns.Table]
) -> None:
    """Print the first table, and what the others and the rest of it are."""
    for place, (name, summary) in enumerate(summaries.items()):
        if place == 0:
            rest = show(summary, n, audits)
            said = f"{name}.csv has more: {rest}" if rest else ""
        else:
            said = f"{name}.csv: {summary.title} ({len(summary.table)} rows)"
        if said:
            print(textwrap.fill(said, Console().width, subsequent_indent="  "))


def show_verdicts(console: Console, verdicts: pd.DataFrame) -> None:
    """A line per claim; of a trend, and of what does not pass, what the verdict rests on."""
    print()
    for row in verdicts.to_dict("records"):
        said = [str(row["published"])] if row.get("published") else []
        statement = str(row["statement"])
        if row["kind"] in MUST_HOLD and row["verdict"] == "PASS":
            statement = _in_words(statement)
            where = re.findall(r"\b(?:data|C|tau) = [^,]+", str(row["scope"]))
            statement += f" ({', '.join(where)})" if where else ""
            said = [word for word in (*said, row["reason"]) if word and word != "as published"]
        else:
            said += basis(row)
        verdict, claim = row["verdict"], row["claim"]
        about = {"width": console.width, "subsequent_indent": INDENT, "break_on_hyphens": False}
        text = textwrap.fill(f"{verdict}  {claim}  {statement}", **about)
        rest = escape(text.removeprefix(f"{verdict}  {claim}"))
        start = f"[{STYLE[verdict]}]{verdict}[/]  [bold]{escape(claim)}[/]"
        console.print(start + rest, highlight=False)
        if said:
            text = textwrap.fill("; ".join(said), **about, initial_indent=INDENT)
            console.print(text, style="dim", markup=False, highlight=False)
    print()


def _in_words(statement: str) -> str:
    """A statement up to its formula and its threshold."""
    words, *rest = statement.split(": ")
    while rest and len(words.split()) < 4:  # "Balanced classes: ..."
        words = f"{words}: {rest.pop(0)}"
    return words


def count(verdicts: pd.DataFrame) -> str:
    """How many verdicts there are of each kind: "9 PASS, 3 VACUOUS, 1 undecided"."""
    found = Counter(verdicts["verdict"])
    return ", ".join(f"{found[v]} {WORDS.get(v, v)}" for v in STYLE if found[v]) or "no claims"


def show_end(
    console: Console, verdicts: pd.DataFrame, figures: Iterable[Mapping[str, str]], place: object
) -> None:
    """The last lines: what was found, in words, the number of verdicts, where all is.

    Args:
        console: Where to print.
        verdicts: The table of all verdicts.
        figures: Of each figure its `file` and its `title`.
        place: The folder of the results.
    """
    reasons = " ".join(map(str, verdicts["reason"]))
    said = [VACUOUS] if "VACUOUS" in set(verdicts["verdict"]) else []
    said += [SILENT] * ("says nothing" in reasons)
    for sentence in said:
        console.print(textwrap.fill(sentence, console.width), style="dim", highlight=False)
    for figure in figures:
        print(textwrap.fill(f"{figure['title']}.", console.width))
        print(f"  {figure['file']}")
    beside = Counter(verdicts["published"])
    differs, same = beside["differs"], "as published" if beside["as published"] else ""
    words = [count(verdicts), f"{differs} unlike the published run" if differs else same]
    console.print(", ".join(filter(None, words)), style="bold", markup=False, highlight=False)
    print(f"everything is under {place}")
