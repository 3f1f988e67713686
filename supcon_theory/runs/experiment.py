"""One experiment from command line to verdicts: the flow that every question shares.

config -> cells -> table.csv -> claims.csv, claims.json -> figures -> datapackage.json, columns.md,
manifest.json -> terminal
"""

import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
from rich.console import Console

from supcon_theory.audits.columns import Table
from supcon_theory.claims import Claim, compare, evaluate, exit_code
from supcon_theory.claims.claim import MUST_HOLD
from supcon_theory.claims.document import claims_json
from supcon_theory.claims.evaluate import HOLDS
from supcon_theory.runs import datapackage, flags, machine, store, terminal
from supcon_theory.runs.cells import Cell, Context, Measure, Tables
from supcon_theory.runs.compute import Outcome, compute
from supcon_theory.runs.exits import Refused, guard, leave
from supcon_theory.runs.figures import draw, figures
from supcon_theory.runs.progress import duration, say
from supcon_theory.runs.publish import staged
from supcon_theory.runs.published import published
from supcon_theory.runs.slurm import Launch
from supcon_theory.runs.summary import Summary, latex, seeds, titled


@dataclass(frozen=True)
class Experiment:
    """A question, and all that it takes to answer it.

    `cells(config)` lists the work, `measure(cell.config, context)` does it, `claims(config)` are
    checked on the tables, `summary(tables)` are the tables that people read first. `audits` declare
    the columns; their versions are part of every cell's key.
    """

    name: str
    question: str
    presets: Mapping[str, flags.Common]
    cells: Callable[[Any], Iterable[Cell]]
    measure: Measure
    claims: Callable[[Any], Sequence[Claim]]
    audits: tuple[Table, ...]
    summary: Callable[[Tables], Mapping[str, Summary | pd.DataFrame]]

    def main(self) -> NoReturn:
        """Run as the command line asks; ends the process with the exit code."""
        leave(self.run(sys.argv[1:]))

    def run(self, argv: Sequence[str], later: float = 0.0) -> int:
        """Run as `argv` asks and return the exit code; whatever happens, it is one of `runs.exits`.

        Args:
            argv: a preset or none, then flags.
            later: seconds that what follows will take, for the time left.

        Returns:
            the exit code.

        """
        return guard(lambda: self._run(argv, later))

    def work(self, config: flags.Common) -> list[tuple[Cell, store.Entry]]:
        """The cells of a configuration, each once, with their entries of the store."""
        found = {}
        for cell in self.cells(config):
            identity = cell.identity(self.name, self.audits)
            key = store.key(identity)
            folder = config.out / self.name / "cells" / key
            found[key] = (cell, store.Entry(folder, identity))
        return list(found.values())

    def folder(self, preset: str, config: flags.Common) -> Path:
        """Where results go: the preset's name, and what tells other configurations from it.

        Args:
            preset: its name.
            config: the preset with flags applied.

        Returns:
            <out>/NAME/<preset>, with `-<name>` or `-<hash>` for what is not the preset as it is.

        Raises:
            Refused: another configuration has the name given, or the folder is no run's.

        """
        identity = config.identity()
        short = config.name
        if not short and identity != self.presets[preset].identity():
            short = store.key(identity)[:8]
        folder = config.out / self.name / (f"{preset}-{short}" if short else preset)
        manifest = folder / "manifest.json"
        if os.path.lexists(folder) and not manifest.exists():  # it would give way to the new run
            raise Refused(f"{folder} is in the way and no run's: move it, or choose another --name")
        if config.name and manifest.exists():
            try:
                there = store.read_json(manifest).get("configuration")
            except store.Damaged as error:
                raise Refused(f"{error}: move {folder}, or choose another --name") from None
            if there != identity:
                raise Refused(
                    f"name is {config.name!r} but {folder} holds another configuration: "
                    "choose another --name"
                )
        return folder

    def _run(self, argv: Sequence[str], later: float) -> int:
        preset, config = flags.parse(self.name, self.presets, argv)
        began = time.time()
        if config.together():
            return 0
        try:
            work = self.work(config)
            folder = self.folder(preset, config)
        except ValueError as error:
            raise Refused(str(error)) from None
        if config.dry_run:
            print(f"{self.name} {preset}, into {folder}:")
            print("\n".join(config.estimate([cell for cell, _ in work])))
            if why := config.refusal():
                print(f"it cannot start here yet: {why}")
            return 0
        said = f"{self.name} {preset}: {len(work)} cells, looking for those that are stored ..."
        print(said, file=sys.stderr, flush=True)
        device, retrain = getattr(config, "device", "cpu"), getattr(config, "retrain", False)
        context = Context(config.out.resolve(), device, began if retrain else 0.0)
        force = config.force or retrain
        launch = None
        if config.where == "slurm":
            launch = Launch(self.name, tuple(argv), config.sbatch)
        jobs = config.jobs if launch else config.workers
        outcome = compute(work, self.measure, context, jobs, force, later, launch)
        config.alone()
        console = Console()
        for sentence in outcome.damaged:
            say(console, sentence, "yellow")
        asked = self.claims(config)
        if preset == "smoke":  # far too short for trends
            asked = [claim for claim in asked if claim.kind in MUST_HOLD]
        verdicts, broken = judge(asked, outcome)
        known = published(self.name, preset, config.identity())
        verdicts["published"] = "" if known is None else compare(verdicts, known)
        summaries = self._summaries(outcome)
        about = {"experiment": self.name, "preset": preset, "configuration": config.identity()}
        manifest = about | {
            "config": store.plain(config),
            "cells": {cell.name: entry.folder.name for cell, entry in work},
            "failed": outcome.failed,
            "seconds": round(time.time() - began, 1),
            "cells_computed": outcome.computed,
            "device": machine.device_name(device),
            **machine.description(),
            "command": shlex.join(["supcon-theory", "run", self.name, *argv]),
        }
        document = claims_json(asked, verdicts, **about)
        with staged(
            folder, lambda: self.folder(preset, config)
        ) as stage:  # is the name still free?
            write_tables(stage, outcome, verdicts, broken, summaries)
            self._write_latex(stage, outcome, summaries)
            store.write_json(stage / "claims.json", document)
            store.write_json(stage / "manifest.json", manifest)
            singly = preset != "smoke"
            missing = draw(self.name, stage, folder, singly) if outcome.tables else ""
            self._describe(stage, outcome, verdicts, summaries)
        terminal.show_summaries(summaries, seeds(outcome.tables), self.audits)
        terminal.show_verdicts(console, verdicts)
        for name, reason in outcome.failed.items():
            say(console, f"{name} ended early: {reason}", "bold red")
        took = duration(time.time() - began)
        console.print(f"{outcome.computed} of {len(work)} cells computed in {took}", markup=False)
        terminal.show_end(console, verdicts, figures(folder), folder)
        if missing:
            print(missing, file=sys.stderr)
        if config.strict and known is None:
            print("No run with these flags and data is published: --strict compares with nothing.")
        code = exit_code(verdicts, config.strict)
        return code or (3 if outcome.failed else 4 if missing else 0)

    def _write_latex(
        self, folder: Path, outcome: Outcome, summaries: Mapping[str, Summary]
    ) -> None:
        """The summaries for a paper, beside their CSV."""
        n = seeds(outcome.tables)
        for name, summary in summaries.items():
            text = latex(summary, f"{self.name}-{name}", n, self.audits)
            store.write(folder / f"{name}.tex", text.encode())

    def _describe(
        self,
        folder: Path,
        outcome: Outcome,
        verdicts: pd.DataFrame,
        summaries: Mapping[str, Summary],
    ) -> None:
        """What the columns of all tables mean: for programs and for people."""
        tables = outcome.tables | {name: of.table for name, of in summaries.items()}
        drawn = {
            Path(of["file"]).stem: pd.read_csv(Path(of["file"]).with_suffix(".csv"))
            for of in figures(folder)
        }
        document = datapackage.package(
            self.name, self.question, tables | {"claims": verdicts}, self.audits, summaries, drawn
        )
        store.write_json(folder / "datapackage.json", document)
        store.write(folder / "columns.md", datapackage.page(document).encode())

    def _summaries(self, outcome: Outcome) -> dict[str, Summary]:
        try:
            found = self.summary(outcome.tables) if outcome.tables else {}
            return {name: titled(name, of) for name, of in found.items()}
        except Exception:
            if not outcome.failed:
                raise
            return {}  # what it needs was in the cells that ended early


def experiment(module: Mapping[str, Any], question: str) -> Experiment:
    """The experiment that a module is by its PRESETS, cells, measure, claims, AUDITS and summary.

    Args:
        module: `globals()` of experiments/NAME.py.
        question: what it asks.

    Returns:
        the experiment NAME.

    """
    parts = ("PRESETS", "cells", "measure", "claims", "AUDITS", "summary")
    return Experiment(Path(module["__file__"]).stem, question, *(module[part] for part in parts))


def judge(claims: Sequence[Claim], outcome: Outcome) -> tuple[pd.DataFrame, dict]:
    """Verdicts on what was measured; what holds is INCONCLUSIVE if a cell is missing."""
    verdicts, broken = evaluate(claims, outcome.tables)
    if outcome.failed and len(verdicts):
        holds = verdicts["verdict"].isin(HOLDS)
        verdicts.loc[holds, "reason"] = f"{len(outcome.failed)} cells ended early"
        verdicts.loc[holds, "verdict"] = "INCONCLUSIVE"
    return verdicts, broken


def write_tables(
    folder: Path,
    outcome: Outcome,
    verdicts: pd.DataFrame,
    broken: dict,
    summaries: Mapping[str, Summary],
) -> None:
    """CSV of every table, of the verdicts and of what broke a claim."""
    short = {name: summary.table for name, summary in summaries.items()}
    tables = {**outcome.tables, **short, "claims": verdicts}
    for claim, rows in broken.items():
        tables["broken/" + re.sub(r"[^\w =.+-]", "_", claim)] = rows
    for name, table in tables.items():
        store.write(folder / f"{name}.csv", table.to_csv(index=False).encode())
