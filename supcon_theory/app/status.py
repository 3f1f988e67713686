"""What is in a results folder: its runs with their verdicts, and what is stored beside them."""

from pathlib import Path

import pandas as pd

from supcon_theory.runs import store, terminal
from supcon_theory.runs.exits import Refused


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
        finished = sum((path / "manifest.json").exists() for path in folders)
        aside = sum(".damaged" in path.name for path in folders)
        begun = len(folders) - finished
        print(f"{name}: {finished - aside} finished, {begun} begun, {aside} set aside")


def _run(folder: Path) -> dict[str, object]:
    try:
        manifest = store.read_json(folder / "manifest.json")
        verdicts = pd.read_csv(folder / "claims.csv")["verdict"].value_counts()
    except (store.Damaged, OSError, KeyError, ValueError) as error:
        return {"run": f"{folder.parent.name}/{folder.name}", "verdicts": f"unreadable: {error}"}
    return {
        "run": f"{folder.parent.name}/{folder.name}",
        "verdicts": ", ".join(f"{count} {word}" for word, count in verdicts.items()) or "none",
        "cells": len(manifest.get("cells", ())),
        "ended early": len(manifest.get("failed", ())),
        "time": str(manifest.get("time", "")),
    }
