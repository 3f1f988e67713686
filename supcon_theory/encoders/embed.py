"""From recipes to embeddings: trained encoders, evaluation views, weights at a checkpoint, h and z."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn

from supcon_theory import data
from supcon_theory.data.views import Policy, views
from supcon_theory.encoders.networks import build
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.encoders.train import checkpoint_name, from_bytes, train
from supcon_theory.runs import store
from supcon_theory.runs.cells import Context

CHUNK = 1024  # images at a time: bounds memory, changes no number (eval mode)


def evaluation_views(dataset: data.DataSet, split: data.Split, rows: Tensor, K: int = 2) -> Tensor:
    """(N, K, channels, 32, 32) views of the given rows: the same at every checkpoint and objective.

    They come from a stream of their own, so they are never views that were trained on.
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


def trained_encoders(
    recipe: Recipe, objectives: Iterable[str], context: Context, share: float
) -> Callable[[str, int], nn.Module]:
    """Train the recipe with each objective, or find it trained; encoder = found(objective, step).

    `share` is the part of the cell's work that training is, for the progress shown.
    """
    recipes = {objective: replace(recipe, objective=objective) for objective in objectives}
    entries = train(
        list(recipes.values()),
        context.encoders,
        context.device,
        context.retrain_before,
        lambda part: context.report(share * part),
    )
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
