"""One experiment from command line to verdicts: the flow that every script shares.

config -> cells -> table.csv -> claims.csv -> figures, manifest.json -> terminal, exit code
"""

import io
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from supcon_theory.claims import Claim, evaluate, exit_code
from supcon_theory.runs import flags as command
from supcon_theory.runs import machine, store
from supcon_theory.runs.cells import Cell, Context, Outcome, compute
from supcon_theory.runs.progress import duration

ANALYSIS = Path(__file__).parents[2] / "analysis"
STYLE = {"PASS": "green", "FAIL": "bold red", "INCONCLUSIVE": "yellow", "VACUOUS": "cyan"}


def run(
    name: str,
    presets: Mapping[str, command.Common],
    cells: Callable[[command.Common], Sequence[Cell]],
    measure: Callable,
    claims: Callable[[command.Common], Sequence[Claim]],
    summary: Callable[[dict[str, pd.DataFrame]], dict[str, pd.DataFrame]] = lambda tables: {},
) -> None:
    """Run an experiment as the command line asks; ends the process with its exit code.

    `cells(config)` lists the work, `measure(cell_config, context)` does it, `claims(config)` are
    checked on the table, `summary(tables)` are the tables that people read first. In the `smoke` preset trends
    are left out: its runs are far too short for them.
    """
    preset, config = command.parse(name, presets)
    work = list({cell.key: cell for cell in cells(config)}.values())  # the same one twice is one
    folder = config.out / name / preset
    console = Console()
    began = time.time()
    context = Context(
        config.out.resolve() / "encoders",
        getattr(config, "device", "cpu"),
        began if getattr(config, "retrain", False) else 0.0,
    )
    again = config.force or getattr(config, "retrain", False)
    try:
        outcome = compute(work, measure, folder / "cells", context, config.jobs, again)
    except KeyboardInterrupt:
        print(
            f"Stopped. Finished cells are kept under {folder}; the same command goes on from there.",
            file=sys.stderr,
        )
        sys.exit(130)
    except BrokenProcessPool:
        print(
            f"A worker process was killed, perhaps for want of memory. Finished cells are kept under "
            f"{folder}; run the same command again, with fewer --jobs.",
            file=sys.stderr,
        )
        sys.exit(3)
    except RuntimeError as error:
        print(f"{error}\nThis is a bug. Finished cells are kept under {folder}.", file=sys.stderr)
        sys.exit(4)
    for sentence in outcome.damaged:
        console.print(f"[yellow]{sentence}[/]")
    declared = [
        c for c in claims(config) if preset != "smoke" or c.kind in ("theorem", "counterexample")
    ]
    verdicts, broken = judge(declared, outcome)
    try:
        summaries = summary(outcome.tables) if outcome.tables else {}
    except KeyError:
        if not outcome.failed:
            raise
        summaries = {}  # what it needs was in the cells that ended early
    write_tables(folder, outcome, verdicts, broken, summaries)
    store.write_json(
        folder / "manifest.json",
        {
            "experiment": name,
            "preset": preset,
            "config": plain(asdict(config)),
            "cells": {cell.name: cell.key for cell in work},
            "failed": outcome.failed,
            "seconds": round(time.time() - began, 1),
            "cells_computed": outcome.computed,
            **machine.description(),
            "command": shlex.join(["python", f"experiments/{name}.py", *sys.argv[1:]]),
        },
    )
    for table in summaries.values():
        show(console, table)
    show_verdicts(console, verdicts)
    for cell, reason in outcome.failed.items():
        console.print(f"[bold red]{cell} ended early:[/] {reason}")
    drawn = not outcome.tables or draw(name, folder)
    console.print(
        f"{outcome.computed} of {len(work)} cells computed in "
        f"{duration(time.time() - began)}; everything is under {folder}"
    )
    if not drawn:
        print(
            "The figure could not be drawn (above); tables and verdicts are complete.",
            file=sys.stderr,
        )
        sys.exit(3 if outcome.failed else 4)
    sys.exit(3 if outcome.failed and exit_code(verdicts) == 0 else exit_code(verdicts))


def judge(claims: Sequence[Claim], outcome: Outcome) -> tuple[pd.DataFrame, dict]:
    """Verdicts on what was measured; what holds is INCONCLUSIVE if a cell is missing."""
    verdicts, broken = evaluate(claims, outcome.tables.get("table", pd.DataFrame()))
    if outcome.failed and len(verdicts):
        holds = verdicts["verdict"].isin(["PASS", "VACUOUS"])
        verdicts.loc[holds, "reason"] = f"{len(outcome.failed)} cells ended early"
        verdicts.loc[holds, "verdict"] = "INCONCLUSIVE"
    return verdicts, broken


def write_tables(
    folder: Path,
    outcome: Outcome,
    verdicts: pd.DataFrame,
    broken: dict,
    summaries: dict[str, pd.DataFrame],
) -> None:
    """CSV of every table, of the verdicts and of what broke a claim; the summaries as LaTeX too.

    Takes the place of all that an earlier run left here except its cells.
    """
    shutil.rmtree(folder / "broken", ignore_errors=True)
    for kind in ("csv", "tex", "pdf", "png"):
        for stale in folder.glob(f"*.{kind}"):
            stale.unlink()
    tables = {**outcome.tables, **summaries, "claims": verdicts}
    tables |= {f"broken/{claim}": rows for claim, rows in broken.items()}
    for name, table in tables.items():
        store.write(folder / f"{name}.csv", table.to_csv(index=False).encode())
    for name, table in summaries.items():
        text = io.StringIO()
        table.to_latex(text, index=False, float_format="%.4g", escape=True)
        store.write(folder / f"{name}.tex", text.getvalue().encode())


def draw(name: str, folder: Path) -> bool:
    """Draw the figures from the tables alone, in a process that never loads torch; did it work?"""
    script = ANALYSIS / f"{name}.py"
    return (
        not script.exists()
        or subprocess.run([sys.executable, str(script), str(folder)]).returncode == 0
    )


def show(console: Console, table: pd.DataFrame) -> None:
    text = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1))
    cells = {
        name: [
            "" if pd.isna(value) else f"{value:.3g}" if isinstance(value, float) else str(value)
            for value in table[name]
        ]
        for name in table.columns
    }
    for name in table.columns:
        number = pd.api.types.is_numeric_dtype(table[name])
        text.add_column(
            str(name).replace("_", " "),
            justify="right" if number else "left",
            min_width=max(map(len, cells[name]), default=0) if number else None,
        )
    for row in zip(*cells.values(), strict=True):
        text.add_row(*row)
    console.print(text, "", soft_wrap=True)  # a narrow terminal breaks lines, never a number


def show_verdicts(console: Console, verdicts: pd.DataFrame) -> None:
    """A line per claim, and under it what the verdict rests on."""
    text = Table(box=None, show_header=False, pad_edge=False)
    for row in verdicts.itertuples():
        basis = [row.reason] if row.reason else []
        if not pd.isna(row.ci_low):
            basis.append(f"95 % interval \\[{row.ci_low:.4g}, {row.ci_high:.4g}]")
        if not pd.isna(row.tightness):
            basis.append(f"value / bound {row.tightness:.2g}")
        basis.append(f"n = {row.n}")
        text.add_row(
            f"[{STYLE[row.verdict]}]{row.verdict}[/]",
            f"[bold]{row.claim}[/]",
            f"{row.statement}\n[dim]{'; '.join(basis)}[/]",
        )
    console.print(text)


def plain(value: object) -> object:
    """A configuration as JSON can hold it."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value
