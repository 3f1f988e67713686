"""Trained weights as one file of safetensors, the recipe that made them in its header."""

import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor, nn

from supcon_theory.encoders.networks import network_of
from supcon_theory.encoders.recipe import VERSION, Recipe
from supcon_theory.encoders.train import checkpoint_name, from_bytes
from supcon_theory.runs import store
from supcon_theory.runs.exits import Refused

BACKBONE = "backbone."  # how the names of its weights begin


def stored(folder: Path) -> tuple[Recipe, store.Entry]:
    """A trained encoder of a results folder.

    Args:
        folder: `<out>/encoders/<key>`.

    Returns:
        its recipe and its entry of the store, which is whole.

    Raises:
        Refused: in one sentence, for anything else.

    """
    try:
        manifest = store.read_json(folder / "manifest.json")
        recipe = Recipe(**({"data": "", **manifest["recipe"]}))
        entry = store.Entry(folder, {"recipe": manifest["recipe"], "version": VERSION})
        entry.finished()
    except (store.Damaged, OSError, KeyError, TypeError, ValueError) as error:
        raise Refused(
            f"{folder} is no trained encoder ({error}): name a folder in results/encoders"
        ) from None
    return recipe, entry


def header(recipe: Recipe, step: int, channels: int) -> dict[str, str]:
    """What the file says of itself: strings by name."""
    about = {"recipe": store.plain(recipe), "step": step, "channels": channels, "version": VERSION}
    return {"format": "pt"} | {name: json.dumps(value) for name, value in about.items()}


def write(
    recipe: Recipe, entry: store.Entry, step: int, path: Path, backbone: bool = False
) -> dict[str, Tensor]:
    """Export the weights after `step` updates.

    Args:
        recipe: of the encoder.
        entry: where it is kept.
        step: a checkpoint.
        path: the file; whatever is there gives way.
        backbone: only what gives h, under the names that its library gives them.

    Returns:
        the weights written.

    Raises:
        Refused: there is no such checkpoint, or it is damaged.

    """
    if step not in recipe.checkpoints:
        kept = ", ".join(map(str, recipe.checkpoints))
        raise Refused(f"step is {step} but must be a checkpoint: {kept}")
    name = checkpoint_name(step)
    try:
        weights = from_bytes(entry.read(name), entry.folder / name)
    except store.Damaged as error:
        raise Refused(f"{error}: run its experiment again") from None
    first = next(w for n, w in weights.items() if n.startswith(BACKBONE) and w.ndim > 1)
    channels = int(first.shape[1]) if first.ndim == 4 else int(first.shape[1]) // recipe.size**2
    if backbone:
        inner = (name for name in weights if name.startswith(BACKBONE))
        weights = {name.removeprefix(BACKBONE): weights[name] for name in inner}
    whole = {name: value.contiguous() for name, value in weights.items()}
    store.write(path, safetensors.torch.save(whole, header(recipe, step, channels)))
    return whole


def read(path: Path) -> tuple[nn.Module, Recipe, int]:
    """The encoder in a file that `write` made.

    Args:
        path: the file.

    Returns:
        the network in evaluation mode, its recipe, the number of updates.

    Raises:
        Refused: the file is no such one.

    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            about: Mapping[str, str] = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}
        recipe = Recipe(**({"data": "", **json.loads(about["recipe"])}))
        step, channels = json.loads(about["step"]), json.loads(about["channels"])
        network = network_of(recipe, channels)
        network.load_state_dict(weights)
    except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise Refused(f"{path} is no exported encoder ({type(error).__name__}: {error})") from None
    except RuntimeError:  # a backbone alone, say
        raise Refused(f"{path} holds other weights than those of a whole encoder") from None
    return network.eval(), recipe, step
