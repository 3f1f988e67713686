"""The published runs that ship with the package: a run of the same question is compared."""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pandas as pd


class PublishedRun(NamedTuple):
    """What made a published run; all of `run.json` that is asked for."""

    cpu_seconds: float  # of all its cells together
    cells: int
    cores: int  # of the machine


def published_run(experiment: str, preset: str) -> PublishedRun | None:
    """How long the published run of a preset took; None if there is none."""
    made = _read(experiment, preset, "run.json")
    if made is None:
        return None
    return PublishedRun(made["cpu_seconds"], made["cells"], made["machine"]["cores"])


def published(experiment: str, preset: str, identity: Mapping[str, object]) -> pd.DataFrame | None:
    """The verdicts of the published run of the same preset and data, whatever its number of seeds.

    Args:
        experiment: its name.
        preset: its name; `laptop` is published beside the figures, others in a folder of theirs.
        identity: the configuration asked for.

    Returns:
        a row for each claim, as `claims.json` has them; None if no such run is published.

    """
    document = _read(experiment, preset, "claims.json")
    if document is None:
        return None
    seeds = {"seeds": identity["seeds"]}
    if document["preset"] != preset or document["configuration"] | seeds != identity:
        return None
    return pd.DataFrame(document["claims"]).rename(columns={"id": "claim"})


def _read(experiment: str, preset: str, name: str) -> dict | None:
    try:
        (root, *_) = import_module("supcon_theory.published").__path__
    except ModuleNotFoundError:
        return None
    folder = Path(root) / experiment
    path = (folder if preset == "laptop" else folder / preset) / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
