"""Paired training: several objectives on identical initial weights, batches and views.

Every draw is a function of the recipe's seed, so an encoder trained alone, beside others, or after
an interruption has the same bits (same machine type, versions, one thread). Views are made once a
step and shared by all objectives.
"""

import io
import math
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from supcon_theory import data
from supcon_theory.data.random import permutation
from supcon_theory.data.subsets import balanced, choose_classes, geometric
from supcon_theory.data.views import Policy, views
from supcon_theory.encoders.networks import build
from supcon_theory.encoders.optimisers import OPTIMISERS
from supcon_theory.encoders.recipe import VERSION, Recipe
from supcon_theory.objectives import OBJECTIVES, options_of
from supcon_theory.runs import machine, store
from supcon_theory.runs.exits import Refused

WARM_UP = 10  # steps of linearly rising learning rate before the cosine


def load(recipe: Recipe) -> data.DataSet:
    """The recipe's data; they were read before any work, so that a fault now is a change since.

    Args:
        recipe: names them.

    Returns:
        the data set.

    Raises:
        Refused: in one sentence, for data that cannot be read.

    """
    try:
        return data.load(recipe.data)
    except ValueError as error:
        raise Refused(str(error)) from None


def training_rows(recipe: Recipe, dataset: data.DataSet) -> tuple[Tensor, Tensor]:
    """Rows of the training split that the recipe uses, sorted by class, and their labels 0..C-1."""
    chosen = choose_classes(len(dataset.classes), recipe.C, recipe.seed)
    rows, y = balanced(dataset.train.labels, chosen, recipe.n, recipe.seed)
    kept = geometric(y, recipe.imbalance)
    return rows[kept], y[kept]


def held_out_rows(recipe: Recipe, dataset: data.DataSet) -> tuple[Tensor, Tensor]:
    """Rows of the test split from the recipe's classes, all of each, sorted; labels 0..C-1."""
    chosen = choose_classes(len(dataset.classes), recipe.C, recipe.seed)
    return balanced(dataset.test.labels, chosen, None, recipe.seed)


def train(
    recipes: Sequence[Recipe],
    folder: Path,
    device: str = "cpu",
    retrain_before: float = 0.0,
    report: Callable[[float], None] = lambda fraction: None,
    say: Callable[[str], None] = lambda sentence: None,
) -> dict[str, store.Entry]:
    """Train what is missing of recipes that differ only in their objective and its options.

    Args:
        recipes: what is wanted.
        folder: where encoders are kept, each in a folder named by its key.
        device: where to train.
        retrain_before: encoders older than this (Unix time) are trained again.
        report: told the part of the steps that is done, after each step.
        say: told in a sentence of stored encoders that are odd, which are trained again.

    Returns:
        an entry of the store for each objective.

    Raises:
        ValueError: the recipes differ in more than the objective.
        FloatingPointError: a loss or a weight is not finite (the message has the step).
        Refused: the data cannot be read any more.

    """
    if len({store.key(store.plain(replace(r, objective="dcl", options={}))) for r in recipes}) != 1:
        raise ValueError("paired training needs recipes that differ in their objective only")
    entries = {
        recipe.objective: store.Entry(
            folder / recipe.key, {"recipe": store.plain(recipe, places=False), "version": VERSION}
        )
        for recipe in recipes
    }
    with ExitStack() as locks:
        for entry in sorted(entries.values(), key=lambda entry: entry.folder):
            locks.enter_context(entry.lock())
        for entry in entries.values():
            manifest = entry.folder / "manifest.json"
            if manifest.exists() and manifest.stat().st_mtime < retrain_before:
                entry.reopen()
        missing = [recipe for recipe in recipes if not entries[recipe.objective].available(say)]
        if missing:
            _train(missing, entries, device, report, say)
    return entries


def arguments(recipe: Recipe, device: str = "cpu") -> dict[str, Any]:
    """What the recipe's objective is called with besides z, y and tau.

    Its options, and of `pairs` and `weights` (the trained (C, d) matrix of a classifier) those that
    its signature has.

    Args:
        recipe: with the objective.
        device: where it is trained.

    Returns:
        arguments by name; `weights` is a new parameter, drawn from the recipe's seed.

    """
    known = options_of(recipe.objective)
    found = dict(recipe.options)
    if "pairs" in known:
        found.setdefault("pairs", recipe.pairs)
    if "weights" in known:
        generator = torch.Generator().manual_seed(recipe.seed_of("weights"))
        weights = torch.randn(
            recipe.C, recipe.d, generator=generator, dtype=torch.float32
        ) / math.sqrt(recipe.d)
        found["weights"] = nn.Parameter(weights.to(device))
    return found


def _train(recipes: Sequence[Recipe], entries, device: str, report, say) -> None:
    common = recipes[0]
    dataset = load(common)
    rows, y = training_rows(common, dataset)
    images = dataset.train.images(rows).to(device)
    index, y = rows + dataset.train.offset, y.to(device)
    learners = [Learner(recipe, dataset.channels, device) for recipe in recipes]
    start = _resume(learners, entries, say)
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
        order = torch.as_tensor(permutation(common.seed_of("batches"), "batches", epoch, len(y)))
        chosen = order[position * batch : (position + 1) * batch]
        seen = views(
            images[chosen],
            index[chosen],
            seed=common.seed_of("views"),
            epoch=epoch,
            K=common.K,
            policy=policy,
        )
        for learner in learners:
            learner.step(step, epoch, seen, y[chosen])
        report((step + 1) / common.steps)
    for learner in learners:
        entry = entries[learner.recipe.objective]
        entry.remove("resume.pt")
        entry.finish(machine.description())


def learning_rate(recipe: Recipe, step: int) -> float:
    """Of the update after `step` others: a linear rise, then a cosine to 0."""
    warm = min(1.0, (step + 1) / min(WARM_UP, recipe.steps))
    return recipe.lr * warm * (1 + math.cos(math.pi * step / recipe.steps)) / 2


class Learner:
    """One objective's network, optimiser and schedule."""

    def __init__(self, recipe: Recipe, channels: int, device: str) -> None:
        self.recipe = recipe
        seed = recipe.seed_of("weights")
        self.network = build(recipe.encoder, channels, recipe.d, seed=seed).to(device)
        self.extra = arguments(recipe, device)
        learned = [*self.network.parameters(), *self._weights()]
        optimiser = OPTIMISERS[recipe.optimiser]
        self.optimiser = optimiser(learned, lr=recipe.lr, weight_decay=recipe.weight_decay)

    def _weights(self) -> list[nn.Parameter]:
        return [value for value in self.extra.values() if isinstance(value, nn.Parameter)]

    def step(self, step: int, epoch: int, seen: Tensor, y: Tensor) -> None:
        """One update on views `seen` (B, K, channels, 32, 32) of images with labels `y`."""
        recipe, objective = self.recipe, OBJECTIVES[self.recipe.objective]
        self.network.train()
        _, z = self.network(seen.flatten(0, 1))
        z = z.unflatten(0, seen.shape[:2])
        finite = torch.isfinite(z).all()  # objectives refuse embeddings that are not
        try:
            loss = objective(z, y, tau=recipe.tau, **self.extra) if finite else z.sum()
        except ValueError as error:  # a batch of one class, say
            raise FloatingPointError(
                f"epoch {epoch}, step {step}: {error}; or use a larger batch than {recipe.batch}"
            ) from None
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"the {recipe.objective} loss is {loss.item()} at epoch {epoch}, "
                f"step {step}: try a smaller lr than {recipe.lr:g}"
            )
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(recipe, step)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()

    def checkpoint(self, step: int, entry: store.Entry) -> None:
        """Keep the weights at this step, and all that is needed to go on from it."""
        weights = {name: value.cpu() for name, value in self.network.state_dict().items()}
        if odd := [name for name, value in weights.items() if not torch.isfinite(value).all()]:
            raise FloatingPointError(
                f"{odd[0]} of the {self.recipe.objective} encoder is not finite after step {step}: "
                f"try a smaller lr than {self.recipe.lr:g}"
            )
        entry.add(checkpoint_name(step), to_bytes(weights))
        if 0 < step < self.recipe.steps:
            state = {
                "step": step,
                "recipe": self.recipe.key,
                "network": weights,
                "optimiser": self.optimiser.state_dict(),
                "extra": [value.data for value in self._weights()],
            }
            entry.add("resume.pt", to_bytes(state))

    def restore(self, state: dict) -> None:
        """Go on from what `checkpoint` kept in resume.pt."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        for value, stored in zip(self._weights(), state["extra"], strict=True):
            value.data.copy_(stored)


def _resume(learners: Sequence[Learner], entries, say: Callable[[str], None]) -> int:
    """Restore all learners if all stopped at the same checkpoint; the step to go on from."""
    states = []
    for learner in learners:
        entry = entries[learner.recipe.objective]
        path = entry.folder / "resume.pt"
        if not os.path.lexists(path):
            return 0
        try:
            states.append(from_bytes(entry.read(path.name), path))
            if states[-1].get("recipe") != learner.recipe.key:
                raise store.Damaged(f"{path} is of another recipe")
            for step in learner.recipe.checkpoints:  # all before are kept: are they still whole?
                if step <= states[-1]["step"]:
                    entry.read(checkpoint_name(step))
        except store.Damaged as error:  # or killed between a file and the list of hashes
            say(f"{error}; training starts again")
            return 0
    if len({state["step"] for state in states}) != 1:
        return 0
    for learner, state in zip(learners, states, strict=True):
        learner.restore(state)
    return states[0]["step"]


def checkpoint_name(step: int) -> str:
    """The file that holds the weights after `step` updates."""
    return f"step-{step:06d}.pt"


def to_bytes(state: object) -> bytes:
    """What `torch.save` writes."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def from_bytes(data: bytes, path: Path) -> dict:
    """What `to_bytes` was given; a pickle of anything but tensors and numbers is refused.

    Args:
        data: the bytes.
        path: where they are from.

    Returns:
        the state.

    Raises:
        Damaged: they are nothing that `to_bytes` makes; no code in them runs.

    """
    try:
        state = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except Exception as error:  # zip, pickle and tensor formats each have their own
        raise store.Damaged(f"{path} is no checkpoint ({type(error).__name__})") from None
    if not isinstance(state, dict):
        raise store.Damaged(f"{path} is no checkpoint (it holds a {type(state).__name__})")
    return state
