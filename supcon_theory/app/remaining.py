"""What is left of an experiment: its cells, and the time they will take, from measured times."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from supcon_theory.runs import store
from supcon_theory.runs.cells import Cell
from supcon_theory.runs.experiment import Experiment
from supcon_theory.runs.flags import Common
from supcon_theory.runs.published import published_run


class Remaining(NamedTuple):
    """The cells of one configuration: how many are done, and what is missing."""

    done: int
    missing: tuple[str, ...]
    seconds: float  # of one core, that the missing ones will take
    basis: str  # what that rests on


def remaining(experiment: Experiment, preset: str, config: Common) -> Remaining:
    """Look at the store, and at how long cells took.

    Each cell says what it may cost; what the whole run is said to cost is scaled to what was
    measured: of its own cells that are done, else of the published run, else not at all. A done
    cell that found its encoders trained makes the estimate too low, never too high.

    Args:
        experiment: which.
        preset: name of the preset.
        config: the preset with flags applied.

    Returns:
        what is left.

    """
    found, retrain = experiment.work(config), getattr(config, "retrain", False)
    seconds = {cell.name: measured(entry) for cell, entry in found}
    done = [cell for cell, _ in found if seconds[cell.name] is not None]
    missing = [cell for cell, _ in found if config.force or retrain or seconds[cell.name] is None]
    scale, basis = 1.0, "a guess"
    published = published_run(experiment.name, preset)
    if done:
        total = sum(filter(None, seconds.values()))
        scale, basis = total / max(_cost(done), 1e-9), "cells done"
    elif published is not None:
        everything = experiment.work(experiment.presets[preset])
        said = _cost(cell for cell, _ in everything) / len(everything)
        took = published.cpu_seconds / published.cells  # it may have had fewer seeds
        scale, basis = took / max(said, 1e-9), "the published run"
    return Remaining(
        len(found) - len(missing),
        tuple(cell.name for cell in missing),
        scale * _cost(missing, None if retrain else config.out),
        basis,
    )


def measured(entry: store.Entry) -> float | None:
    """Seconds of one core that a stored cell took; None if it is not finished, or odd."""
    try:
        if not entry.finished():
            return None
        return float(store.read_json(entry.folder / "manifest.json").get("seconds", 0.0))
    except store.Damaged:
        return None


def _cost(cells: Iterable[Cell], out: Path | None = None) -> float:
    """What cells say they cost together, what they share counted once, or not if it is in `out`."""
    cells = list(cells)
    shared = {path: one.seconds for cell in cells for path, one in cell.shared.items()}
    left = [
        s for path, s in shared.items() if not (out and (out / path / "manifest.json").exists())
    ]
    return sum(cell.cost for cell in cells) + sum(left)
