"""All cells of an experiment: what is missing is computed, the rest read, tables put together."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.runs import store
from supcon_theory.runs.cells import Cell, Context, Measure, Tables
from supcon_theory.runs.exits import Broken
from supcon_theory.runs.slurm import Launch
from supcon_theory.runs.workers import run


@dataclass(frozen=True)
class Outcome:
    """All tables, rows in the order of the cells; why cells ended early; damage found."""

    tables: Tables
    failed: dict[str, str]
    damaged: list[str]
    computed: int


def compute(
    cells: Sequence[tuple[Cell, store.Entry]],
    measure: Measure,
    context: Context,
    jobs: int | None,
    force: bool = False,
    later: float = 0.0,
    launch: Launch | None = None,
) -> Outcome:
    """Compute what is missing, read the rest, and put the tables together.

    Args:
        cells: each with its entry of the store.
        measure: turns a cell's config into tables.
        context: places and device.
        jobs: processes at the same time; of SLURM, None for as many as it allows.
        force: compute what is there as well.
        later: seconds that what follows will take, for the time left.
        launch: what jobs of SLURM are told, if they compute the cells.

    Returns:
        the tables, with the cell's key as first column; what fails ends its own cell only.

    Raises:
        ValueError: two cells have the same name.
        Broken: what was computed is not there any more; or what `run` raises.
        RuntimeError: a cell broke in another way; the remaining ones are computed and stored.

    """
    if len({cell.name for cell, _ in cells}) < len(cells):
        raise ValueError("two cells have the same name: name each after what tells it apart")
    parts = {} if force else {cell.name: _read(entry) for cell, entry in cells}
    missing = [(cell, entry) for cell, entry in cells if parts.get(cell.name) is None]
    ended = run(missing, measure, context, jobs, force, later, launch)
    broken = [f"{name}: {end.text}" for name, end in ended.items() if end.state == "error"]
    if broken:
        raise RuntimeError("a cell broke:\n" + "\n".join(broken))
    failed = {name: end.text for name, end in ended.items() if end.state == "failed"}
    tables: dict[str, list[pd.DataFrame]] = {}
    for cell, entry in cells:
        if cell.name in failed:
            continue
        files = parts.get(cell.name)
        if files is None:
            with entry.lock():  # another command with --force may compute it just now
                files = _read(entry)
        if files is None:
            raise Broken(f"{entry.folder} was removed or altered while it was in use")
        for name, data in sorted(files.items()):
            if not name.endswith(".csv"):
                continue
            read = pd.read_csv(io.BytesIO(data), dtype=columns.WORDS)
            table = read.copy()  # its columns in one piece
            table.insert(0, "cell", entry.folder.name)
            tables.setdefault(name.removesuffix(".csv"), []).append(table)
    joined = {name: pd.concat(found, ignore_index=True) for name, found in tables.items()}
    damaged = [sentence for end in ended.values() for sentence in end.damaged]
    return Outcome(joined, failed, damaged, sum(end.state == "done" for end in ended.values()))


def _read(entry: store.Entry) -> dict[str, bytes] | None:
    """The files of a finished entry; None if it is unfinished or odd (its worker will say how)."""
    try:
        return {n: entry.read(n) for n in entry.files()} if entry.finished() else None
    except store.Damaged:
        return None
