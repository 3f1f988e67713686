"""Paired training: several objectives on identical initial weights, batches and views.

Every draw is a function of the recipe's seed, so an encoder trained alone, beside others, or after
an interruption has the same bits (same machine type, versions, one thread). Views are made once a
step and shared by all objectives.
"""

import io
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from supcon_theory import data
from supcon_theory.data.kept import keep
from supcon_theory.data.mixing import masks
from supcon_theory.data.policy import policy_of
from supcon_theory.data.random import permutation, uniform
from supcon_theory.data.stripes import striped
from supcon_theory.data.subsets import balanced, choose_classes, geometric
from supcon_theory.data.views import views
from supcon_theory.encoders import ranks
from supcon_theory.encoders.learner import Learner
from supcon_theory.encoders.recipe import VERSION, Recipe
from supcon_theory.encoders.repeatable import repeatable
from supcon_theory.measures import global_losses
from supcon_theory.objectives.shares import one_hot
from supcon_theory.processes import shared_over_processes
from supcon_theory.runs import machine, store
from supcon_theory.runs.exits import Refused


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
        return striped(data.load(recipe.data, recipe.data_root, recipe.size), recipe.stripes)
    except ValueError as error:
        raise Refused(str(error)) from None


def training_rows(recipe: Recipe, dataset: data.DataSet) -> tuple[Tensor, Tensor]:
    """Rows of the training split that the recipe uses, sorted by class, and their labels 0..C-1."""
    chosen = choose_classes(len(dataset.classes), recipe.C, recipe.seed)
    rows, y = balanced(dataset.train.labels, chosen, recipe.n, recipe.seed)
    kept = geometric(y, recipe.imbalance)
    return rows[kept], y[kept]


def labels_trained_on(recipe: Recipe, y: Tensor, index: Tensor) -> Tensor:
    """The labels y, of which `recipe.wrong` are another class, each as likely.

    Args:
        recipe: with the share and the seed; a larger share keeps the wrong labels of a smaller.
        y: (N,) classes 0 .. C-1.
        index: (N,) keys of the images.

    Returns:
        (N,) classes.

    """
    drawn = torch.from_numpy(uniform(recipe.seed, "wrong labels", 0, 0, index.numpy(), 2))
    step = 1 + (drawn[:, 1] * (recipe.C - 1)).long()  # 1 .. C-1: never back to the same
    return torch.where(drawn[:, 0] < recipe.wrong, (y + step) % recipe.C, y)


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
            with repeatable(device):
                _train(missing, entries, device, report, say)
    return entries


def _train(recipes: Sequence[Recipe], entries, device: str, report, say) -> None:
    """On one process, or as the first of several, which alone reads and writes the store."""
    ranks.ask([store.plain(recipe) for recipe in recipes])
    states = _resume(recipes, entries, say)
    ranks.tell(to_bytes({"states": states}))

    def add(learner: Learner, step: int) -> None:
        weights, state = learner.state(step)
        entry = entries[learner.recipe.objective]
        entry.add(checkpoint_name(step), to_bytes(weights))
        if 0 < step < learner.recipe.steps:
            entry.add("resume.pt", to_bytes(state))

    for learner in _steps(recipes, states, ranks.start(device), add, report):
        if learner.skipped:
            say(
                f"{learner.skipped} of {learner.recipe.steps} updates of the "
                f"{learner.recipe.objective} encoder were left out: gradients beyond float16"
            )
        entry = entries[learner.recipe.objective]
        entry.remove("resume.pt")
        trained_on = {"devices": learner.devices}
        entry.finish(machine.description() | ranks.description() | trained_on)


def ask_for_losses(z: Tensor, y: Tensor, taus: Sequence[float]) -> None:
    """Rank 0: have the others compute their part of `global_losses`."""
    ranks.ask({"taus": taus})
    ranks.tell(to_bytes({"z": z.cpu().clone(), "y": y.cpu().clone()}))  # not what they are part of


def assist(job: Sequence[dict[str, Any]] | dict[str, Any], device: str) -> None:
    """Train or measure what another process, the first, asks for, as one of several.

    Args:
        job: the recipes, as JSON holds them; or the temperatures of losses.
        device: of this process.

    """
    sent = from_bytes(ranks.told(), Path("what the first process sent"))
    if isinstance(job, dict):
        with shared_over_processes():
            global_losses(sent["z"].to(device), sent["y"], job["taus"])
        return
    states = sent["states"]
    recipes = [Recipe(**fields) for fields in job]
    with repeatable(device):
        _steps(recipes, states, device, lambda learner, step: learner.state(step), lambda _: None)


def _steps(
    recipes: Sequence[Recipe],
    states: Sequence[dict],
    device: str,
    keep_step: Callable[[Learner, int], object],
    report: Callable[[float], None],
) -> list[Learner]:
    """All steps from where `states` are, or from the start if there are none."""
    common = recipes[0]
    dataset = load(common)
    rows, y = training_rows(common, dataset)
    images = keep(dataset.train, rows, device)
    index = rows + dataset.train.offset
    y = labels_trained_on(common, y, index).to(device)
    drawn = uniform(common.seed, "named", 0, 0, index.numpy(force=True), 1)[:, 0]
    named = torch.from_numpy(drawn < common.named).to(device)
    batch = min(common.batch, len(y))
    ranks.check(common.encoder, batch, device)
    learners = [Learner(recipe, dataset.channels, device) for recipe in recipes]
    for learner, state in zip(learners, states, strict=False):
        learner.restore(state)
    start = states[0]["step"] if states else 0
    per_epoch = len(y) // batch
    policy = policy_of(common.strength, common.without, flips=dataset.flips)
    for step in range(start, common.steps + 1):
        if step in common.checkpoints and (step > start or step == 0):
            for learner in learners:
                keep_step(learner, step)
        if step == common.steps:
            break
        epoch, position = divmod(step, per_epoch)
        order = torch.as_tensor(permutation(common.seed_of("batches"), "batches", epoch, len(y)))
        chosen = order[position * batch : (position + 1) * batch]
        key: dict[str, Any] = dict(seed=common.seed_of("views"), epoch=epoch)
        augmented = partial(views, K=common.K, policy=policy, **key)
        mine, of = ranks.part(chosen), y[chosen]
        seen = augmented(images(mine), index[mine])
        if common.mix:
            partners = chosen[permutation(common.seed_of("batches"), "partners", step, batch)]
            theirs = ranks.part(partners)
            kept = masks(common.mix, index[chosen], seen.shape[-1], **key).to(seen.device)
            share, kept = kept.mean((1, 2))[:, None], ranks.part(kept)[:, None, None]
            seen = torch.lerp(augmented(images(theirs), index[theirs]), seen, kept)
            of = torch.lerp(one_hot(y[partners], common.C), one_hot(of, common.C), share)
        for learner in learners:
            learner.step(step, epoch, seen, of, named[chosen])
        report((step + 1) / common.steps)
    return learners


def _resume(recipes: Sequence[Recipe], entries, say: Callable[[str], None]) -> list[dict]:
    """The states to go on from, if all recipes stopped at the same checkpoint; else none."""
    states = []
    for recipe in recipes:
        entry = entries[recipe.objective]
        path = entry.folder / "resume.pt"
        if not os.path.lexists(path):
            return []
        try:
            states.append(from_bytes(entry.read(path.name), path))
            if states[-1].get("recipe") != recipe.key:
                raise store.Damaged(f"{path} is of another recipe")
            for step in recipe.checkpoints:  # all before are kept: are they still whole?
                if step <= states[-1]["step"]:
                    entry.read(checkpoint_name(step))
        except store.Damaged as error:  # or killed between a file and the list of hashes
            say(f"{error}; training starts again")
            return []
    return states if len({state["step"] for state in states}) == 1 else []


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
