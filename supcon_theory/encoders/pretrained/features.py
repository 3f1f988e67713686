"""What models give for a source, computed once and kept: `<out>/features/<key>/features.npy`.

The key is the model's files and preprocessing and the content of the inputs, never a place; a later
run with the same ones reads the features and needs neither weights nor a forward pass.
"""

import io
import time
from importlib import import_module
from pathlib import Path

import numpy as np

from supcon_theory.data import labelled
from supcon_theory.encoders.pretrained.models import MODELS
from supcon_theory.runs import machine, store
from supcon_theory.runs.cells import Context

FOLDER, FILE = "features", "features.npy"


def place(model: str, content: str) -> tuple[Path, dict[str, object]]:
    """Where features are kept under the results folder, and what they are about.

    Args:
        model: its name.
        content: of the inputs, as `labelled.content` says it.

    Returns:
        The relative path of their entry, and its identity.
    """
    identity: dict[str, object] = {"model": model, "inputs": content}
    identity["weights"] = MODELS[model].content
    return Path(FOLDER, store.key(identity)), identity


def features(model: str, source: str, folder: Path, context: Context) -> np.ndarray:
    """Features of all samples of a source by a model: found, or computed and kept.

    Args:
        model: its name.
        source: name of the source.
        folder: where its files are.
        context: of the cell.

    Returns:
        (N, K, d) float32, as the model gives them.
    """
    path, identity = place(model, labelled.content(source, folder))
    entry = store.Entry(context.out / path, identity)
    with entry.lock():
        if not entry.available(context.say):
            module = import_module(f"supcon_theory.encoders.pretrained.{model}")
            began = time.process_time()
            found = module.embed(module.load(), labelled.samples(source, folder).inputs)
            data = io.BytesIO()
            np.save(data, found.numpy(), allow_pickle=False)
            entry.add(FILE, data.getvalue())
            seconds = round(time.process_time() - began, 1)
            entry.finish({"seconds": seconds, **machine.description()})
        return np.load(io.BytesIO(entry.read(FILE)), allow_pickle=False)
