"""What is a supervised contrastive loss above its minimum made of, and what of it is collapse?

The excess of NSCL over its minimum L* is, exactly, the sum of four terms: alignment of views,
collapse of classes, centring, and the spread of the cosines to other classes (docs/proofs.md). They
are measured over numbers of classes and along training, beside bounds on the gap that two moments
of each anchor's cosines give without looking at pairs; and at the minimiser of CL with free
embeddings, whose excess is of the order of the gap although no class has collapsed. Range and
four moments, which do need pairs, leave almost nothing of the gap open at tau = 0.5, eight
moments little of it at 0.1. SupCon and NT-Xent have terms of the same kind, in which collapse and
alignment weigh about C times as much.

    python experiments/anatomy.py            laptop: 5 seeds, the encoders of gap_vs_classes and collapse
"""  # noqa: E501

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, anatomy
from supcon_theory.encoders.flags import Deep, Trained, check_data, check_objectives
from supcon_theory.encoders.recipe import PAIR, Recipe, log_spaced
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary

HEADINGS = tuple(
    columns.Column(f"{end}_{name}", "1", f"{end} bound from {words} / gap")
    for name, words in (
        ("two", "two moments"),
        ("four", "range and four"),
        ("eight", "range and eight"),
    )
    for end in ("upper", "lower")
)
AUDITS = (columns.ANATOMY, columns.COUPLED_ANATOMY, columns.MOMENT_BOUNDS)
TERMS = ["excess", *(f"excess_{name}" for name in anatomy.TERMS), "share_collapse", "within"]
TERMS += ["supcon_excess", "supcon_share_collapse", "supcon_most_within", "nt_xent_excess"]
SIMPLEX = 16  # samples in each class of the constructed minimiser of CL


@dataclass(frozen=True)
class Config(Trained):
    """The anatomy of the loss."""

    eval_tau: tuple[float, ...] = (1.0, 0.1)
    """Temperatures to evaluate at; the training temperature is always added."""
    classes: tuple[int, ...] = (2, 4, 8, 32, 128)
    """Numbers of classes C of the sweep; each seed has its own random subset of the classes."""
    followed: int = 10
    """The number of classes at which training is followed."""
    followed_steps: int = Deep.recipe.steps
    """Steps of the training that is followed."""
    followed_n: int = Deep.recipe.n
    """Images a class of the training that is followed."""
    objectives: tuple[str, ...] = ("dcl", "nscl", "supcon", "cross_entropy")
    """Objectives whose training is followed."""

    def check(self) -> None:
        """Refuse what cannot be trained or measured."""
        super().check()
        self.at_least(followed=2, followed_steps=1, followed_n=2)
        check_objectives(self.objectives)
        if self.recipe.n < 2:
            raise ValueError(f"n is {self.recipe.n} but a class needs 2 images to have a gap")

    def look(self) -> None:
        """Refuse data with fewer classes or images than are asked for."""
        super().look()
        check_data(self.facts(), self.followed, self.followed_n, "followed")


PRESETS = {
    "smoke": Config(
        classes=(2, 4),
        recipe=Recipe(n=8, steps=4, batch=16),
        seeds=2,
        followed=4,
        followed_steps=4,
        followed_n=8,
    ),
    "laptop": Config(),
}


@dataclass(frozen=True)
class Training:
    """Encoders trained side by side, the checkpoints to look at, and the temperatures."""

    recipe: Recipe
    objectives: tuple[str, ...]
    steps: tuple[int, ...]
    taus: tuple[float, ...]
    protocol: str


@dataclass(frozen=True)
class Minimiser:
    """Where CL ends with free embeddings: every sample its own vertex of a simplex."""

    C: int
    n: int
    taus: tuple[float, ...]


def cells(config: Config) -> Iterator[Cell]:
    """One cell per training, and one per constructed minimiser."""
    steps = config.recipe.steps
    points = tuple(sorted({0, steps // 2, steps}))
    followed = log_spaced(config.followed_steps, 9)
    for seed in range(config.seeds):
        for C in config.classes:
            recipe = config.recipe_for(C, seed, checkpoints=points)
            yield _cell(Training(recipe, PAIR, (0, steps), config.taus, "sweep"))
        recipe = config.recipe_for(
            config.followed,
            seed,
            checkpoints=followed,
            n=config.followed_n,
            steps=config.followed_steps,
            d=Deep.recipe.d,
        )
        yield _cell(Training(recipe, config.objectives, followed, config.taus, "followed"))
    for C in config.classes:
        cost = 1 + (C * SIMPLEX / 2048) ** 2
        yield Cell(Minimiser(C, SIMPLEX, config.taus), f"minimiser of CL, C={C}", cost)


def _cell(training: Training) -> Cell:
    recipe = training.recipe
    name = f"{training.protocol} {recipe.data} C={recipe.C} seed={recipe.seed}"
    cost = len(training.steps) * len(training.objectives) * (recipe.images / 4000) ** 2
    return Cell(training, name, cost, recipe.shared(training.objectives))


def measure(cell: Training | Minimiser, context: Context) -> pd.DataFrame:
    """The anatomy of every checkpoint, or of the constructed minimiser."""
    from supcon_theory.audits.anatomy import anatomy_audit

    if isinstance(cell, Minimiser):
        return minimiser(cell)
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    encoders = Encoders(recipe, cell.objectives, context, share=0.6)
    seen, y, _ = encoders.images("train")
    found = []
    for done, step in enumerate(cell.steps, 1):
        for objective in cell.objectives:
            if step > 0 or objective == cell.objectives[0]:  # all start from the same weights
                _, z = encoders.embed(objective, step, seen)
                about = recipe.columns(step=step, objective=objective, split="train", layer="z")
                about |= {"protocol": cell.protocol, "labels": "true"}
                found += [about | row for row in anatomy_audit(z, y, cell.taus)]
        context.report(0.6 + 0.4 * done / len(cell.steps))
    return pd.DataFrame(found)


def minimiser(cell: Minimiser) -> pd.DataFrame:
    """The anatomy of the instance simplex."""
    import torch

    from supcon_theory.audits.anatomy import anatomy_audit
    from supcon_theory.theory.simplex import instance_simplex

    counts = [cell.n] * cell.C
    z, y = (torch.from_numpy(x) for x in instance_simplex(counts, 1, sum(counts) - 1))
    about = {"protocol": "simplex", "objective": "dcl", "C": cell.C, "n": cell.n, "K": 1}
    about |= {"d": z.shape[2], "labels": "true", "seed": 0}
    return pd.DataFrame([about | row for row in anatomy_audit(z, y, cell.taus)])


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """The terms at the end of training, and how near the bounds from moments come to the gap."""
    table = tables["table"]
    last = table.groupby("protocol")["step"].transform("max")
    ends = table[(table["step"] == last) | (table["protocol"] == "simplex")]
    ends = ends.assign(
        **{
            f"{end}_{name}": ends[f"bound_{column}{low}"] / ends["gap"]
            for name, column in (("two", "moments"), ("four", "four"), ("eight", "eight"))
            for end, low in (("upper", ""), ("lower", "_low"))
        }
    )
    shown = [*TERMS, "gap", *(heading.name for heading in HEADINGS)]
    means = ends.groupby(["protocol", "objective", "C", "tau"])[shown].mean()
    title = "Terms of the excess of NSCL, and bounds from moments over the gap: means over seeds"
    return {"summary": Summary(means.reset_index(), title, HEADINGS)}


def claims(config: Config) -> list[Claim]:
    """The identity, what follows from it, the bounds from moments, and how much is collapse."""
    return anatomy.claims(config.tau_published, config.classes)


EXPERIMENT = experiment(
    globals(), "What is the loss above its minimum made of, and what of it is collapse?"
)

if __name__ == "__main__":
    EXPERIMENT.main()
