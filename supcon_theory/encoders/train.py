"""Paired training: several objectives on identical initial weights, batches and views.

Every draw is a function of the recipe's seed, so an encoder trained alone, beside others, or after
an interruption has the same bits (same machine type, versions, one thread). Views are made once a
step and shared by all objectives.
"""

import io
import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from supcon_theory import data
from supcon_theory.data.random import permutation
from supcon_theory.data.subsets import balanced, choose_classes, geometric
from supcon_theory.data.views import Policy, views
from supcon_theory.encoders.networks import build
from supcon_theory.encoders.optimisers import OPTIMISERS
from supcon_theory.encoders.recipe import VERSION, Recipe
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.runs import machine, store

WARM_UP = 10  # steps of linearly rising learning rate before the cosine


def training_rows(recipe: Recipe, dataset: data.DataSet) -> tuple[Tensor, Tensor]:
    """Rows of the training split that the recipe uses, sorted by class, and their labels 0..C-1."""
    chosen = choose_classes(len(dataset.classes), recipe.C, recipe.seed)
    rows, y = balanced(dataset.train.labels, chosen, recipe.n, recipe.seed)
    if recipe.imbalance > 1:
        kept = geometric(y, recipe.imbalance)
        rows, y = rows[kept], y[kept]
    return rows, y


def held_out_rows(recipe: Recipe, dataset: data.DataSet) -> tuple[Tensor, Tensor]:
    """Rows of the test split from the recipe's classes, equally many of each, sorted; labels 0..C-1."""
    chosen = choose_classes(len(dataset.classes), recipe.C, recipe.seed)
    return balanced(dataset.test.labels, chosen, None, recipe.seed)


def train(
    recipes: Sequence[Recipe],
    encoders: Path,
    device: str = "cpu",
    retrain_before: float = 0.0,
    report: Callable[[float], None] = lambda fraction: None,
) -> dict[str, store.Entry]:
    """Train what is missing of recipes that differ only in their objective; an entry for each.

    Raises:
        ValueError: the recipes differ in more than the objective.
        FloatingPointError: a loss is not finite (the message has the epoch and the step).

    """
    if len({replace(recipe, objective="dcl") for recipe in recipes}) != 1:
        raise ValueError("paired training needs recipes that differ in their objective only")
    entries = {recipe.objective: store.Entry(encoders / recipe.key) for recipe in recipes}
    with ExitStack() as locks:
        for entry in sorted(entries.values(), key=lambda entry: entry.folder):
            locks.enter_context(entry.lock())
        missing = []
        for recipe in recipes:
            entry = entries[recipe.objective]
            manifest = entry.folder / "manifest.json"
            if manifest.exists() and manifest.stat().st_mtime < retrain_before:
                entry.reopen()
            try:
                finished = entry.finished()
            except store.Damaged:
                finished = False  # set aside under its own name; trained again
            if not finished:
                missing.append(recipe)
        if missing:
            _train(missing, entries, device, report)
    return entries


def _train(recipes: Sequence[Recipe], entries, device: str, report) -> None:
    common = recipes[0]
    dataset = data.load(common.data)
    rows, y = training_rows(common, dataset)
    images = dataset.train.images(rows).to(device)
    index, y = rows + dataset.train.offset, y.to(device)
    learners = [Learner(recipe, dataset.channels, device) for recipe in recipes]
    start = _resume(learners, entries)
    batch = min(common.batch, len(y))
    per_epoch = len(y) // batch
    policy = Policy(flips=dataset.flips)
    for step in range(start, common.steps + 1):
        if step in common.checkpoints and (step > start or step == 0):
            for learner in learners:
                learner.checkpoint(step, entries[learner.recipe.objective])
        if step == common.steps:
            break
        epoch, position = divmod(step, per_epoch)
        order = torch.as_tensor(permutation(common.seed, "batches", epoch, len(y)))
        chosen = order[position * batch : (position + 1) * batch]
        seen = views(
            images[chosen], index[chosen], seed=common.seed, epoch=epoch, K=common.K, policy=policy
        )
        for learner in learners:
            learner.step(step, epoch, seen, y[chosen])
        report((step + 1) / common.steps)
    for learner in learners:
        entry = entries[learner.recipe.objective]
        entry.remove("resume.pt")
        entry.finish(
            {"recipe": asdict(learner.recipe), "version": VERSION, **machine.description()}
        )


class Learner:
    """One objective's network, optimiser and schedule."""

    def __init__(self, recipe: Recipe, channels: int, device: str) -> None:
        self.recipe = recipe
        self.network = build(recipe.encoder, channels, recipe.d, seed=recipe.seed).to(device)
        self.extra = {}
        if recipe.objective == "cross_entropy":
            generator = torch.Generator().manual_seed(recipe.seed)
            weights = torch.randn(recipe.C, recipe.d, generator=generator) / math.sqrt(recipe.d)
            self.extra = {"weights": nn.Parameter(weights.to(device))}
        elif recipe.objective in ("dcl", "nscl"):
            self.extra = {"pairs": recipe.pairs}
        learned = [*self.network.parameters(), *self._weights()]
        self.optimiser = OPTIMISERS[recipe.optimiser](learned, recipe.lr, recipe.weight_decay)

    def _weights(self) -> list[nn.Parameter]:
        return [value for value in self.extra.values() if isinstance(value, nn.Parameter)]

    def step(self, step: int, epoch: int, seen: Tensor, y: Tensor) -> None:
        """One update on views `seen` (B, K, channels, 32, 32) of images with labels `y`."""
        recipe = self.recipe
        self.network.train()
        _, z = self.network(seen.flatten(0, 1))
        z = z.unflatten(0, seen.shape[:2])
        finite = torch.isfinite(z).all()  # objectives refuse embeddings that are not
        try:
            loss = (
                OBJECTIVES[recipe.objective](z, y, tau=recipe.tau, **self.extra)
                if finite
                else z.sum()
            )
        except ValueError as error:  # a batch of one class, say
            raise FloatingPointError(
                f"epoch {epoch}, step {step}: {error}; or use a larger batch than {recipe.batch}"
            ) from None
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"the {recipe.objective} loss is {loss.item()} at epoch {epoch}, "
                f"step {step}: try a smaller lr than {recipe.lr:g}"
            )
        warm = min(1.0, (step + 1) / min(WARM_UP, recipe.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.lr * warm * (1 + math.cos(math.pi * step / recipe.steps)) / 2
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()

    def checkpoint(self, step: int, entry: store.Entry) -> None:
        """Keep the weights at this step, and all that is needed to go on from it."""
        weights = {name: value.cpu() for name, value in self.network.state_dict().items()}
        entry.add(checkpoint_name(step), to_bytes(weights))
        if 0 < step < self.recipe.steps:
            entry.add(
                "resume.pt",
                to_bytes(
                    {
                        "step": step,
                        "network": weights,
                        "optimiser": self.optimiser.state_dict(),
                        "extra": [value.data for value in self._weights()],
                    }
                ),
            )

    def restore(self, state: dict) -> None:
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        for value, stored in zip(self._weights(), state["extra"], strict=True):
            value.data.copy_(stored)


def _resume(learners: Sequence[Learner], entries) -> int:
    """Restore all learners if all stopped at the same checkpoint; the step to go on from."""
    states = []
    for learner in learners:
        entry = entries[learner.recipe.objective]
        if "resume.pt" not in entry.files():
            return 0
        try:
            states.append(from_bytes(entry.read("resume.pt")))
        except store.Damaged:
            return 0
    if len({state["step"] for state in states}) != 1:
        return 0
    for learner, state in zip(learners, states, strict=True):
        learner.restore(state)
    return states[0]["step"]


def checkpoint_name(step: int) -> str:
    return f"step-{step:06d}.pt"


def to_bytes(state: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def from_bytes(data: bytes) -> dict:
    return torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
