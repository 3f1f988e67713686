"""Is SupCon more robust, better calibrated, more stable than cross-entropy (arXiv 2004.11362)?

The encoders of `deep`, with linear probes of clean training images. Held-out images are
corrupted, ten kinds at five severities (arXiv 1903.12261): errors, mCE and relative mCE beside
cross-entropy's network, calibration. Then SupCon and cross-entropy are trained with other
optimisers, learning rates and strengths of augmentation: how much does accuracy vary?

    python experiments/supcon_robustness.py          laptop: C = 10, 5 seeds
    python experiments/supcon_robustness.py full     2000 steps, a larger grid
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.audits.robustness_curves import encoder_means, grid_means
from supcon_theory.claims import Claim, robustness
from supcon_theory.data.policy import STRONGEST
from supcon_theory.data.severities import AMOUNTS, SEVERITIES
from supcon_theory.encoders.flags import LEAST_TAU, Deep, check_objectives
from supcon_theory.encoders.recipe import PUBLISHED, Recipe
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary

if TYPE_CHECKING:
    from torch import Tensor

AUDITS = (columns.ROBUSTNESS,)
COMPARED = ("supcon", "cross_entropy")  # over the grid of settings
HEADINGS = (
    columns.Column("clean", "%", "error"),
    columns.Column("corrupted", "%", "corrupted"),
    columns.Column("mCE", "%", "mCE"),
    columns.Column("relative mCE", "%", "relative mCE"),
    columns.Column("ECE", "1", "ECE"),
    columns.Column("ECE corrupted", "1", "ECE, corrupted"),
)
OF_GRID = tuple(columns.Column(name, "%", name) for name in COMPARED)


@dataclass(frozen=True)
class Config(Deep):
    """Corrupted images, calibration, and a grid of settings."""

    classes: tuple[int, ...] = (10,)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    objectives: tuple[str, ...] = ("supcon", "dcl", "nscl", "cross_entropy")
    """What encoders are trained with."""
    supcon_tau: float = 0.5
    """Temperature that SupCon is trained at (0.1 in the paper); others at --tau."""
    kinds: tuple[str, ...] = tuple(AMOUNTS)
    """Corruptions of held-out images."""
    settings: tuple[tuple[str, float], ...] = (("adamw", 5e-4), ("adamw", 8e-3), ("sgd", 0.1))
    """Optimisers and learning rates besides the template's: NAME LR, as often as wanted."""
    strengths: Annotated[tuple[float, ...], Between(0, STRONGEST)] = (0.5, 2.0)
    """Strengths of the augmentation besides the template's, with its optimiser."""

    def check(self) -> None:
        """Refuse what cannot be trained, corrupted or probed."""
        super().check()
        check_objectives(self.objectives)
        if not LEAST_TAU <= self.supcon_tau < float("inf"):
            raise ValueError(f"supcon-tau is {self.supcon_tau:g} but must be at least 1/650")
        if not self.kinds or len(set(self.kinds)) < len(self.kinds):
            raise ValueError(f"kinds are {self.kinds or 'none'} but must be some, each once")
        for kind in self.kinds:
            if kind not in AMOUNTS:
                raise ValueError(f"kinds has {kind!r} but must be among {', '.join(AMOUNTS)}")
        every = [(self.recipe.optimiser, self.recipe.lr), *self.settings]
        if len(set(every)) < len(every):
            raise ValueError(f"settings with the template's are {every} but each may be there once")
        strengths = (self.recipe.strength, *self.strengths)
        if len(set(strengths)) < len(strengths):
            raise ValueError(
                f"strengths with the template's are {strengths} but each may be there once"
            )

    @property
    def base(self) -> tuple[str, float, float]:
        """Optimiser, learning rate and strength of the augmentation of the template."""
        return self.recipe.optimiser, self.recipe.lr, self.recipe.strength

    @property
    def grid(self) -> tuple[tuple[str, float, float], ...]:
        """The same of every setting, the template's first; none if there is no other."""
        optimiser, lr, strength = self.base
        others = [(name, rate, strength) for name, rate in self.settings]
        others += [(optimiser, lr, other) for other in self.strengths]
        return (self.base, *others) if others and set(COMPARED) <= set(self.objectives) else ()


PRESETS = {
    "smoke": Config(
        classes=(4,),
        recipe=Recipe(n=12, steps=6, batch=24),
        seeds=2,
        objectives=("supcon", "cross_entropy"),
        kinds=("shot noise", "pixelate"),
        settings=(("sgd", 0.1),),
        strengths=(2.0,),
    ),
    "laptop": Config(),
    "full": Config(
        recipe=Recipe(n=160, steps=2000, d=128),
        settings=(
            *(("adamw", lr) for lr in (5e-4, 8e-3)),
            *(("sgd", lr) for lr in (0.02, 0.1, 0.5)),
        ),
        strengths=(0.0, 0.5, 2.0),
    ),
    "paper": Config(
        recipe=PUBLISHED,
        classes=(100,),
        device="cuda",
        supcon_tau=0.1,
        settings=(("lars", 0.6), ("lars", 1.2), ("sgd", 0.5)),
    ),
}


@dataclass(frozen=True)
class Probed:
    """Encoders of one seed, and what their held-out images are corrupted with."""

    recipes: tuple[Recipe, ...]
    kinds: tuple[str, ...] = ()
    """None in the grid of settings."""


def cells(config: Config) -> Iterator[Cell]:
    """For each number of classes and seed a cell of corruptions, and one per setting."""
    work = [("", config.objectives, config.kinds, config.base)]
    work += [(f"{setting(*at)} ", COMPARED, (), at) for at in config.grid]
    for seed, C, (name, objectives, kinds, (optimiser, lr, strength)) in itertools.product(
        range(config.seeds), config.classes, work
    ):
        recipes, shared = [], {}
        for objective in objectives:
            tau = config.supcon_tau if objective == "supcon" else config.recipe.tau
            changes = {"objective": objective, "tau": tau, "optimiser": optimiser, "lr": lr}
            recipes.append(config.recipe_for(C, seed, strength=strength, **changes))
            shared |= recipes[-1].shared([objective])
        cost = 0.1 * C * len(recipes) * (1 + SEVERITIES * len(kinds) / 20)
        of = Probed(tuple(recipes), kinds)
        yield Cell(of, f"{name}C={C} seed={seed}", cost=cost, shared=shared)


def setting(optimiser: str, lr: float, strength: float) -> str:
    """What a setting is called."""
    return f"{optimiser}, lr = {lr:g}" + (f", views x {strength:g}" if strength != 1 else "")


def measure(cell: Probed, context: Context) -> pd.DataFrame:
    """Errors and calibration of each encoder's probe on clean and on corrupted images."""
    from supcon_theory.audits.robustness import robustness_row
    from supcon_theory.data.corruptions import corrupt
    from supcon_theory.encoders.train import held_out_rows, load

    seen = [*probed(cell, context)]
    recipe = cell.recipes[0]
    dataset = load(recipe)
    rows, y = held_out_rows(recipe, dataset)
    images, index = dataset.test.images(rows), rows + dataset.test.offset
    shown = [("none", 0), *((k, s) for k in cell.kinds for s in range(1, SEVERITIES + 1))]
    clean, found = {}, []
    for done, (kind, severity) in enumerate(shown, 1):
        now = corrupt(images, index, kind, severity, recipe.seed) if severity else images
        for about, features, probes in seen:
            x = features(now)
            clean.setdefault(about["objective"], x)  # the first images are clean
            for layer, probe in probes.items():
                row = robustness_row(probe, x[layer], y, clean[about["objective"]][layer])
                here = {"layer": layer, "d": x[layer].shape[1], "corruption": kind}
                found.append(about | here | {"severity": severity} | row)
        context.report(0.9 + 0.1 * done / len(shown))
    return pd.DataFrame(found)


def probed(cell: Probed, context: Context) -> Iterator[tuple[dict, Callable, dict]]:
    """Of each encoder: what it is, images to features of its layers, and their linear probes."""
    from supcon_theory.audits.accuracy import training_row
    from supcon_theory.audits.robustness import fitted
    from supcon_theory.encoders.embed import Encoders
    from supcon_theory.encoders.train import training_rows

    count = len(cell.recipes)
    for k, recipe in enumerate(cell.recipes):
        own = replace(context, report=lambda done, k=k: context.report(0.9 * (k + done) / count))
        name, step = recipe.objective, recipe.steps
        of = Encoders(recipe, [name], own, share=1.0)
        views, y, _ = of.images("train")
        progress = training_row(of.embed(name, step, views)[1], y, name, recipe.tau, {})
        part, level = "corrupted", name
        if not cell.kinds:
            part, level = "grid", setting(recipe.optimiser, recipe.lr, recipe.strength)
        about = recipe.columns(step=step, K=1, level=level, split="test", part=part)
        about |= {"optimiser": recipe.optimiser, "lr": recipe.lr, "strength": recipe.strength}
        about |= progress

        def features(images: "Tensor", of=of, name=name, step=step) -> "dict[str, Tensor]":
            h, z = of.embed(name, step, images[:, None])
            return {"h": h[:, 0], "z": z[:, 0]} if cell.kinds else {"h": h[:, 0]}

        rows, y = training_rows(recipe, of.dataset)
        x = features(of.dataset.train.images(rows))
        yield about, features, {h: fitted(x[h], y, recipe.seed) for h in x}


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """Errors, mCE and calibration of each encoder; how accuracy varies over the grid."""
    table = tables["table"]
    robust = Summary(encoder_means(table), "Held-out images, clean and corrupted: mean", HEADINGS)
    grid = Summary(grid_means(table), "Error on clean images by setting: mean", OF_GRID)
    return {"summary": robust, "grid": grid}


def claims(config: Config) -> list[Claim]:
    """Corruption errors, calibration and stability of SupCon beside cross-entropy."""
    return robustness.claims(config.classes, config.objectives, bool(config.grid))


EXPERIMENT = experiment(globals(), "Is SupCon more robust, calibrated and stable?")

if __name__ == "__main__":
    EXPERIMENT.main()
