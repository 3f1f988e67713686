"""The published runs that ship with the package: a run of the same question is compared."""

import json
from importlib import import_module
from pathlib import Path

import pandas as pd


def published(experiment: str, preset: str, identity: dict[str, object]) -> pd.DataFrame | None:
    """The verdicts of the published run of the same preset and data, whatever its number of seeds.

    Args:
        experiment: its name.
        preset: its name; `laptop` is published beside the figures, others in a folder of theirs.
        identity: the configuration asked for.

    Returns:
        the columns claim, scope and verdict; None if no such run is published.

    """
    try:
        (root, *_) = import_module("supcon_theory.published").__path__
    except ModuleNotFoundError:
        return None
    folder = Path(root) / experiment
    path = (folder if preset == "laptop" else folder / preset) / "claims.json"
    if not path.exists():
        return None
    document = json.loads(path.read_text(encoding="utf-8"))
    seeds = {"seeds": identity["seeds"]}
    if document["preset"] != preset or document["configuration"] | seeds != identity:
        return None
    return pd.DataFrame(document["claims"]).rename(columns={"id": "claim"})
