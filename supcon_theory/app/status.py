"""What is in a results folder: its runs with their verdicts, and what is stored beside them."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import pandas as pd

from supcon_theory.runs import store, terminal
from supcon_theory.runs.exits import Refused


def arguments(parser: ArgumentParser) -> None:
    """The results folder."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path("results"), help="of results")


def main(given: Namespace) -> int:
    """Say what is in the folder."""
    status(given.folder)
    return 0


def status(out: Path) -> None:
    """Print a line for every run under a results folder, and what else the store holds there.

    Args:
        out: the `--out` of the runs.

    Raises:
        Refused: there is no such folder.

    """
    if not out.is_dir():
        raise Refused(f"There is no results folder {out}: name the --out of a run.")
    if rows := [_run(found.parent) for found in sorted(out.glob("*/[!.]*/claims.csv"))]:
        terminal.show(pd.DataFrame(rows))
    for name, pattern in (("encoders", "encoders/*"), ("cells", "*/cells/*")):
        folders = [path for path in out.glob(pattern) if path.is_dir()]
        used = [path for path in folders if ".damaged" not in path.name]
        finished = sum((path / "manifest.json").exists() for path in used)
        begun, aside = len(used) - finished, len(folders) - len(used)
        print(f"{name}: {finished} finished, {begun} begun, {aside} set aside")


def _run(folder: Path) -> dict[str, object]:
    try:
        manifest = store.read_json(folder / "manifest.json")
        verdicts = pd.read_csv(folder / "claims.csv")["verdict"].value_counts()
        cells, early = len(manifest["cells"]), len(manifest["failed"])
    except (store.Damaged, OSError, KeyError, TypeError, ValueError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else error
        return {"run": f"{folder.parent.name}/{folder.name}", "verdicts": f"unreadable: {why}"}
    return {
        "run": f"{folder.parent.name}/{folder.name}",
        "verdicts": ", ".join(f"{count} {word}" for word, count in verdicts.items()) or "none",
        "cells": cells,
        "ended early": early,
        "time": str(manifest.get("time", "")),
    }
