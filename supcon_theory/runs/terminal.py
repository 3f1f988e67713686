"""What a run says when it is done: tables, then verdicts."""

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from supcon_theory.claims.evaluate import basis

STYLE = {
    "PASS": "green",
    "FAIL": "bold red",
    "INCONCLUSIVE": "yellow",
    "VACUOUS": "cyan",
    "NOT ASKED": "dim",
}


def show(table: pd.DataFrame) -> None:
    """A table with three digits; a narrow terminal breaks lines, never a number."""
    short = table.map(lambda v: v if not isinstance(v, float) else "" if v != v else f"{v:.3g}")
    print(short.rename(columns=lambda name: str(name).replace("_", " ")).to_string(index=False))
    print()


def show_verdicts(console: Console, verdicts: pd.DataFrame) -> None:
    """A line per claim, and under it what the verdict rests on."""
    text = Table(box=None, show_header=False, pad_edge=False)
    for row in verdicts.to_dict("records"):
        words = [str(row["published"])] if row.get("published") else []
        text.add_row(
            f"[{STYLE[row['verdict']]}]{row['verdict']}[/]",
            f"[bold]{escape(row['claim'])}[/]",
            f"{escape(row['statement'])}\n[dim]{escape('; '.join(words + basis(row)))}[/]",
        )
    console.print(text)
