"""What a run says when it is done: tables, then verdicts."""

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

STYLE = {
    "PASS": "green",
    "FAIL": "bold red",
    "INCONCLUSIVE": "yellow",
    "VACUOUS": "cyan",
    "NOT ASKED": "dim",
}


def show(console: Console, table: pd.DataFrame) -> None:
    """A table with three digits; a narrow terminal breaks lines, never a number."""
    text = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1))
    cells = {
        name: [
            "" if pd.isna(value) else f"{value:.3g}" if isinstance(value, float) else str(value)
            for value in table[name]
        ]
        for name in table.columns
    }
    for name, values in cells.items():
        number = pd.api.types.is_numeric_dtype(table[name])
        width = max(map(len, values), default=0) if number else None
        justify = "right" if number else "left"
        text.add_column(str(name).replace("_", " "), justify=justify, min_width=width)
    for row in zip(*cells.values(), strict=True):
        text.add_row(*map(escape, row))
    console.print(text, "", soft_wrap=True)


def show_verdicts(console: Console, verdicts: pd.DataFrame) -> None:
    """A line per claim, and under it what the verdict rests on."""
    text = Table(box=None, show_header=False, pad_edge=False)
    for row in verdicts.to_dict("records"):
        basis = [str(row[name]) for name in ("published", "reason") if row.get(name)]
        if not pd.isna(row["ci_low"]):
            basis.append(f"95 % interval [{row['ci_low']:.4g}, {row['ci_high']:.4g}]")
        if not pd.isna(row["tightness"]):
            basis.append(f"value / bound {row['tightness']:.2g}")
        basis.append(f"n = {row['n']}")
        text.add_row(
            f"[{STYLE[row['verdict']]}]{row['verdict']}[/]",
            f"[bold]{escape(row['claim'])}[/]",
            f"{escape(row['statement'])}\n[dim]{escape('; '.join(basis))}[/]",
        )
    console.print(text)
