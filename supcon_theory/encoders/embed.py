"""From recipes to embeddings: trained encoders at a checkpoint, evaluation views, h and z."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from supcon_theory import data
from supcon_theory.data.views import Policy, views
from supcon_theory.encoders.networks import build
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.encoders.train import checkpoint_name, from_bytes, train
from supcon_theory.runs import store

CHUNK = 1024  # images at a time: bounds memory, changes no number (eval mode)


def evaluation_views(dataset: data.DataSet, split: data.Split, rows: Tensor, K: int = 2) -> Tensor:
    """Views to measure on: the same at every checkpoint and objective.

    They come from a stream of their own, so they are never views that were trained on.

    Args:
        dataset: the data, which know whether a mirrored image keeps its class.
        split: of the data.
        rows: (N,) rows of the split.
        K: views of each image.

    Returns:
        (N, K, channels, 32, 32) float32 in [0, 1].

    """
    return torch.cat(
        [
            views(
                split.images(part),
                part + split.offset,
                seed=0,
                epoch=0,
                K=K,
                stream="evaluation",
                policy=Policy(flips=dataset.flips),
            )
            for part in rows.split(CHUNK)
        ]
    )


class Workplace(Protocol):
    """Where encoders are kept and trained, and who is told about it."""

    @property
    def out(self) -> Path:
        """The results folder; encoders are in its `encoders`."""
        ...

    @property
    def device(self) -> str:
        """Where to train."""
        ...

    @property
    def retrain_before(self) -> float:
        """Encoders older than this (Unix time) are trained again."""
        ...

    def report(self, fraction: float, /) -> None:
        """How much of the work is done."""

    def say(self, sentence: str, /) -> None:
        """Something that a person should know."""


def trained_encoders(
    recipe: Recipe, objectives: Iterable[str], place: Workplace, share: float
) -> Callable[[str, int], nn.Module]:
    """Train the recipe with each objective, or find it trained.

    Args:
        recipe: what all have in common.
        objectives: ids.
        place: the context of a cell.
        share: the part of the cell's work that training is, for the progress shown.

    Returns:
        encoder(objective, step), the network after that many updates, in evaluation mode.

    """
    recipes = {objective: replace(recipe, objective=objective) for objective in objectives}
    entries = train(
        list(recipes.values()),
        place.out / "encoders",
        place.device,
        place.retrain_before,
        lambda part: place.report(share * part),
        place.say,
    )
    place.report(share)
    channels = data.load(recipe.data).channels

    def encoder(objective: str, step: int) -> nn.Module:
        return encoder_at(recipes[objective], entries[objective], step, channels)

    return encoder


def encoder_at(recipe: Recipe, entry: store.Entry, step: int, channels: int) -> nn.Module:
    """The recipe's encoder after `step` updates, in evaluation mode."""
    network = build(recipe.encoder, channels, recipe.d, seed=recipe.seed)
    network.load_state_dict(from_bytes(entry.read(checkpoint_name(step))))
    return network.eval()


@torch.no_grad()
def embed(network: nn.Module, seen: Tensor, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """Features h (N, K, D) and unit embeddings z (N, K, d) of views (N, K, channels, 32, 32)."""
    network = network.to(device).eval()
    parts = [network(part.to(device)) for part in seen.flatten(0, 1).split(CHUNK)]
    h, z = (
        torch.cat(column).cpu().unflatten(0, seen.shape[:2]) for column in zip(*parts, strict=False)
    )
    return h, z
