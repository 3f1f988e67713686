"""The report as Markdown, for a repository: the pictures stay where they are."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from supcon_theory.app.page.parts import number
from supcon_theory.app.report.runs import Run
from supcon_theory.claims.evaluate import MEANINGS

TITLE = "What holds, and how tightly"
LEAD = f"{MEANINGS} A statement holds the number that its source published, or the limit asked for."


def render(runs: Sequence[Run], out: Path) -> str:
    """The text.

    Args:
        runs: what it shows.
        out: the folder that it will be in, from which pictures are linked.

    Returns:
        Markdown.

    """
    lines = [f"# {TITLE}", "", LEAD, "", "## Claims", ""]
    lines += _table(pd.DataFrame([run.overview for run in runs]))
    lines += ["", *_table(every_claim(runs))]
    for run in runs:
        base = os.path.relpath(run.place, out)
        lines += ["", f"## {run.title}", "", f"**{run.question}**", ""]
        lines += [f"![{run.name}, {p.stem}]({base}/{p.name})\n" for p in run.pictures]
        lines += [run.verdict, "", *([relinked(run.text, base), ""] if run.text else [])]
        for rows in run.summaries.values():
            lines += [*_table(rows.map(_short)), ""]
        lines += _table(of_run(run))
        lines += ["", f"`{run.command}`", "", run.made]
    return "\n".join(lines) + "\n"


def every_claim(runs: Sequence[Run]) -> pd.DataFrame:
    """The claims of all runs, each with its verdict first."""
    rows = pd.concat([run.claims.assign(run=run.title) for run in runs], ignore_index=True)
    return rows.loc[:, ["verdict", "statement", "claim", "run"]]


def of_run(run: Run) -> pd.DataFrame:
    """The claims of a run as people read them; beside the published run where there is one."""
    shown = ["verdict", "statement", "found", "claim", "kind", "source"]
    if "published_run" in run.claims:
        shown[3:3] = ["published_run", "beside_it"]
    return run.claims.loc[:, shown].rename(columns={name: name.replace("_", " ") for name in shown})


def relinked(text: str, base: str | None) -> str:
    """Links of a text that is shown elsewhere.

    Args:
        text: Markdown whose links start from its own folder.
        base: the way to that folder; None where nothing but the text goes along, so that such links
            are words only.

    Returns:
        Markdown; headings one level lower.

    """
    lower = re.sub(r"^(#+ )", r"#\1", text, flags=re.MULTILINE)
    link = re.compile(r"!?\[([^\]]*)\]\((?!https?:|#)([^)]*)\)")
    return link.sub(r"\1" if base is None else rf"[\1]({base}/\2)", lower)


def _short(value: object) -> str:
    return number(value) if isinstance(value, float | int) else str(value)


def _table(rows: pd.DataFrame) -> list[str]:
    cells = [[str(v).replace("|", r"\|") for v in row] for row in [rows.columns, *rows.to_numpy()]]
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    return [lines[0], "|" + "---|" * len(rows.columns), *lines[1:]]
