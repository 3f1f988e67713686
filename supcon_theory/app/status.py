"""`supcon-theory status [FOLDER]`: what is done, what is missing, how long it will take."""

import dataclasses
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pandas as pd

from supcon_theory.app import experiments
from supcon_theory.app.remaining import remaining
from supcon_theory.claims.evaluate import counted
from supcon_theory.runs import store, terminal
from supcon_theory.runs.exits import Refused
from supcon_theory.runs.flags import available_cores
from supcon_theory.runs.progress import duration

PRESETS = ("smoke", "laptop", "full", "paper")


def arguments(parser: ArgumentParser) -> None:
    """The results folder, the preset that is looked at, and how much to say of it."""
    parser.add_argument("folder", nargs="?", type=Path, help="the --out of runs (results)")
    parser.add_argument("--preset", default="laptop", choices=PRESETS, help="laptop unless given")
    parser.add_argument("--cells", action="store_true", help="name every cell that is missing")


def main(given: Namespace) -> int:
    """Say what is in the folder, and what of the preset is missing there.

    Args:
        given: `folder`, `preset`, `cells`.

    Returns:
        0.

    Raises:
        Refused: there is no such folder.

    """
    out = given.folder or Path("results")
    if given.folder and not out.is_dir():
        raise Refused(f"There is no results folder {out}: name the --out of a run.")
    if rows := [_run(found.parent) for found in sorted(out.glob("*/[!.]*/claims.csv"))]:
        print("Finished runs")
        terminal.show(pd.DataFrame(rows))
    left(out, given.preset, given.cells)
    for name, pattern in (("encoders", "encoders/*"), ("cells", "*/cells/*")):
        folders = [path for path in out.glob(pattern) if path.is_dir()]
        used = [path for path in folders if ".damaged" not in path.name]
        finished = sum((path / "manifest.json").exists() for path in used)
        begun, aside = len(used) - finished, len(folders) - len(used)
        print(f"{name}: {finished} finished, {begun} begun, {aside} set aside")
    return 0


def left(out: Path, preset: str, cells: bool = False) -> None:
    """Print for every experiment how many cells of a preset are done, and what the rest will take.

    Args:
        out: the results folder.
        preset: its name; experiments without it are left out.
        cells: name every cell that is missing.

    """
    rows, named, seconds = [], [], 0.0
    for name in experiments.names():
        experiment = experiments.experiment(name)
        if preset not in experiment.presets:
            continue
        config = dataclasses.replace(experiment.presets[preset], out=out)
        try:
            found = remaining(experiment, preset, config)
        except (ValueError, OSError) as error:  # data that have to be brought along
            rows.append({"experiment": name, "cells": f"unknown: {error}"})
            continue
        seconds += found.seconds
        count = f"{found.done} of {found.done + len(found.missing)}"
        time = {"time left": duration(found.seconds), "by": found.basis} if found.missing else {}
        rows.append({"experiment": name, "cells": count} | time)
        named += [f"  {name}: {cell}" for cell in found.missing]
    print(f"Cells of the preset {preset} that are done")
    terminal.show(pd.DataFrame(rows).fillna(""))
    if cells and named:
        print("Missing cells", *named, "", sep="\n")
    cores = available_cores()
    print(
        f"Left: {duration(seconds)} of one core, about {duration(seconds / cores)} on {cores}; "
        f"`supcon-theory run all {preset} --out {out}` goes on from here.\n"
        if seconds
        else f"Nothing of {preset} is left to compute.\n"
    )


def _run(folder: Path) -> dict[str, object]:
    run = f"{folder.parent.name}/{folder.name}"
    try:
        manifest = store.read_json(folder / "manifest.json")
        verdicts = counts(folder)
        cells, early = len(manifest["cells"]), len(manifest["failed"])
    except (store.Damaged, OSError, KeyError, TypeError, ValueError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else error
        return {"run": run, "verdicts": f"unreadable: {why}"}
    time = str(manifest.get("time", ""))
    return {"run": run, "verdicts": verdicts, "cells": cells, "ended early": early, "time": time}


def counts(folder: Path) -> str:
    """How often each verdict was given in a finished run, in words.

    Args:
        folder: with its `claims.csv`.

    Returns:
        such as "12 PASS, 1 FAIL".

    """
    return counted(pd.read_csv(folder / "claims.csv")["verdict"])
