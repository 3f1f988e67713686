"""From recipes to embeddings: trained encoders at a checkpoint, evaluation views, h and z."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from supcon_theory import data
from supcon_theory.data.policy import policy_of
from supcon_theory.data.random import shuffled_labels
from supcon_theory.data.views import Policy, views
from supcon_theory.encoders import train as paired
from supcon_theory.encoders.networks import network_of
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.encoders.repeatable import repeatable
from supcon_theory.runs import store
from supcon_theory.runs.cells import Context

CHUNK = 1024  # images at a time: bounds memory, changes no number (eval mode)


def evaluation_views(
    dataset: data.DataSet,
    split: data.Split,
    rows: Tensor,
    K: int = 2,
    policy: Policy | None = None,
) -> Tensor:
    """Views to measure on: the same at every checkpoint and objective.

    They come from a stream of their own, so they are never views that were trained on.

    Args:
        dataset: the data, which know whether a mirrored image keeps its class.
        split: of the data.
        rows: (N,) rows of the split.
        K: views of each image.
        policy: how far they may go; ours unless given, whatever an encoder was trained with.

    Returns:
        (N, K, channels, size, size) float32 in [0, 1].

    """
    policy = policy or Policy(flips=dataset.flips)
    seen = partial(views, seed=0, epoch=0, K=K, stream="evaluation", policy=policy)
    parts = rows.split(CHUNK)
    return torch.cat([seen(split.images(part), part + split.offset) for part in parts])


class Encoders:
    """A recipe trained with each of some objectives, and the images that are measured."""

    def __init__(
        self, recipe: Recipe, objectives: Iterable[str], context: Context, share: float
    ) -> None:
        """Train them, or find them trained.

        Args:
            recipe: what all have in common.
            objectives: ids.
            context: of the cell.
            share: the part of the cell's work that training is, for the progress shown.
        """
        self.recipe, self.device = recipe, context.device
        self.recipes = {name: replace(recipe, objective=name) for name in objectives}
        self.entries = paired.train(
            list(self.recipes.values()),
            context.out / "encoders",
            context.device,
            context.retrain_before,
            lambda part: context.report(share * part),
            context.say,
        )
        context.report(share)
        self.dataset = paired.load(recipe)

    def images(self, split: str, K: int = 2, *, own: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """The recipe's images of the split "train" or "test": views, labels, labels shuffled.

        Args:
            split: of the data.
            K: views of each image; 0 for the image as it is, as its one view.
            own: views as strong as those that the recipe trains on, in place of ours.

        Returns:
            (N, K, channels, size, size) views, (N,) labels, and these shuffled.

        """
        choose = paired.training_rows if split == "train" else paired.held_out_rows
        rows, y = choose(self.recipe, self.dataset)
        part, recipe = getattr(self.dataset, split), self.recipe
        shuffled = shuffled_labels(recipe.seed, y)
        if K == 0:
            return part.images(rows)[:, None], y, shuffled
        flips = self.dataset.flips
        policy = policy_of(recipe.strength, recipe.without, flips=flips) if own else None
        return evaluation_views(self.dataset, part, rows, K, policy), y, shuffled

    def labels_trained_on(self) -> Tensor:
        """(N,) labels of the training images as training saw them, some of them wrong."""
        rows, y = paired.training_rows(self.recipe, self.dataset)
        return paired.labels_trained_on(self.recipe, y, rows + self.dataset.train.offset)

    def embed(self, objective: str, step: int, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Features and embeddings of views by the encoder after `step` updates; see `embed`.

        Args:
            objective: its id.
            step: a checkpoint.
            seen: (N, K, channels, 32, 32).

        Returns:
            h (N, K, D) and z (N, K, d).

        Raises:
            FloatingPointError: some are not finite, as after training with far too large a step.

        """
        recipe, entry = self.recipes[objective], self.entries[objective]
        network = encoder_at(recipe, entry, step, self.dataset.channels)
        h, z = embed(network, seen, self.device)
        if not (torch.isfinite(h).all() and torch.isfinite(z).all()):
            raise FloatingPointError(
                f"embeddings of the {objective} encoder are not finite after step {step}: try a "
                f"smaller lr than {recipe.lr:g}"
            )
        return h, z


def encoder_at(recipe: Recipe, entry: store.Entry, step: int, channels: int) -> nn.Module:
    """The recipe's encoder after `step` updates, in evaluation mode.

    Args:
        recipe: what was trained.
        entry: where it is kept.
        step: a checkpoint.
        channels: of the images.

    Returns:
        the network.

    Raises:
        Damaged: what is kept is not of this recipe, although its hash is right.

    """
    network = network_of(recipe, channels)
    name = paired.checkpoint_name(step)
    weights = paired.from_bytes(entry.read(name), entry.folder / name)
    try:
        network.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise store.Damaged(
            f"{entry.folder / name} holds other weights ({type(error).__name__})"
        ) from None
    return network.eval()


@torch.no_grad()
def embed(network: nn.Module, seen: Tensor, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """Features h (N, K, D) and unit embeddings z (N, K, d) of views (N, K, channels, 32, 32)."""
    network = network.to(device).eval()
    with repeatable(device):
        parts = [network(part.to(device)) for part in seen.flatten(0, 1).split(CHUNK)]
    h, z = (torch.cat(column).cpu() for column in zip(*parts, strict=True))
    return h.unflatten(0, seen.shape[:2]), z.unflatten(0, seen.shape[:2])
