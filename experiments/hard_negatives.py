"""Do harder negatives give a smaller supervised loss, and better features (arXiv 2209.00078)?

Encoders are trained with UCL, SCL and their hardened forms, the same weights, batches and views;
all four losses are then measured on the same batches, with the share of anchors at which the
paper's assumption A* holds, by exponential weights, a threshold and the top tenth. Where H-SCL
passes UCL as beta grows; how hardening slows the closing of the gap between self-supervised and
supervised loss with the number of classes.

    python experiments/hard_negatives.py            laptop: C = 10, 5 seeds, 100 steps
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import pandas as pd
from tyro.conf import OmitArgPrefixes

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, hard_negatives
from supcon_theory.encoders.flags import Trained, check_data
from supcon_theory.encoders.recipe import Recipe, log_spaced
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.experiment import Cell, Context, Tables, experiment

AUDITS = (columns.HARD_NEGATIVES,)
PLAIN, HARDENED = ("nt_xent", "scl_jiang"), ("hucl", "hscl")
BATCH = 128  # samples of a batch that losses are measured on


@dataclass(frozen=True)
class Config(Trained):
    """Hard negatives along training."""

    recipe: OmitArgPrefixes[Recipe] = Recipe()
    betas: Annotated[tuple[float, ...], Between(0, 100)] = (0.0, 1.0, 2.5)
    """Hardnesses that are evaluated."""
    trained_betas: Annotated[tuple[float, ...], Between(0, 100)] = (1.0,)
    """Hardnesses that are trained with."""
    gap_classes: Annotated[tuple[int, ...], Between(2, 100_000)] = (2, 4, 8, 32)
    """Numbers of classes at which CL encoders are looked at for the hardened gap."""

    def check(self) -> None:
        """Refuse a hardness that is none."""
        super().check()
        for name in ("betas", "trained_betas", "gap_classes"):
            if not getattr(self, name):
                raise ValueError(f"{name.replace('_', '-')} are none: give some")

    def look(self) -> None:
        """Refuse data with fewer classes than the gap is measured at."""
        super().look()
        check_data(self.facts(), max(self.gap_classes), self.recipe.n, "gap-classes")


PRESETS = {
    "smoke": Config(
        classes=(4,), recipe=Recipe(n=16, steps=4, batch=32, d=16), seeds=2, betas=(0.0, 1.0),
        gap_classes=(2, 4),
    ),
    "laptop": Config(),
    "full": Config(
        recipe=Recipe(steps=400), betas=(0.0, 0.5, 1.0, 2.0, 5.0, 10.0),
        trained_betas=(0.5, 1.0, 2.0, 5.0, 10.0), gap_classes=(2, 4, 8, 16, 32, 64, 128, 256),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Training:
    """An encoder along its training, and the hardnesses it is looked at with."""

    recipe: Recipe
    betas: tuple[float, ...]


@dataclass(frozen=True)
class Gap:
    """A CL encoder at the end of its training: one of those of `gap_vs_classes` if flags agree."""

    recipe: Recipe
    betas: tuple[float, ...]
    tau: float


def cells(config: Config) -> Iterator[Cell]:
    """One cell per encoder."""
    steps = config.recipe.steps
    for recipe in config.recipes(checkpoints=log_spaced(steps, 4)):
        trained = [(name, {}) for name in PLAIN]
        trained += [(name, {"beta": b}) for name in HARDENED for b in config.trained_betas]
        for name, options in trained:
            of = replace(recipe, objective=name, options=options)
            label = " ".join(f"{key}={value:g}" for key, value in options.items())
            yield Cell(
                Training(of, config.betas),
                f"{name} {label} C={of.C} seed={of.seed}",
                cost=3,
                shared=of.shared([name]),
            )
    for seed in range(config.seeds):
        for C in config.gap_classes:
            of = config.recipe_for(C, seed, checkpoints=tuple(sorted({0, steps // 2, steps})))
            cost = 0.3 + of.images / 2000
            yield Cell(
                Gap(of, config.betas, config.tau_published),
                f"gap C={C} seed={seed}",
                cost,
                of.shared([of.objective]),
            )


def measure(cell: Training | Gap, context: Context) -> Tables:
    """Train the encoder or find it trained, and compare losses."""
    rows = gap_rows(cell, context) if isinstance(cell, Gap) else order_rows(cell, context)
    return {"table": pd.DataFrame(list(rows))}


def order_rows(cell: Training, context: Context) -> Iterator[dict[str, object]]:
    """The four losses on the same batches at every checkpoint; the crossing; the error."""
    from supcon_theory.audits import hard_negatives as audit
    from supcon_theory.data.random import permutation
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    encoders = Encoders(recipe, [recipe.objective], context, share=0.7)
    (seen, y, _), (held_out, of_held_out, _) = (encoders.images(s) for s in ("train", "test"))
    order = np.asarray(permutation(recipe.seed, "batches", 0, len(y)))
    batches = np.array_split(order, max(1, len(y) // BATCH))
    trained = {"trained_beta": recipe.options.get("beta", np.nan)}
    for step in recipe.checkpoints:
        h, z = encoders.embed(recipe.objective, step, seen)
        about = recipe.columns(step=step, split="train") | trained
        found = pd.concat(
            pd.DataFrame(audit.order_rows(z[b], y[b], recipe.tau, cell.betas)).assign(batch=k)
            for k, b in enumerate(batches)
        )
        yield from audit.over_batches(found, about)
        if step == recipe.steps:
            first = batches[0]
            yield about | audit.crossing_row(z[first], y[first], recipe.tau, cell.betas)
            queries, _ = encoders.embed(recipe.objective, step, held_out)
            row = audit.error_row(h, y, queries, of_held_out)
            yield about | {"split": "test", "beta": trained["trained_beta"]} | row


def gap_rows(cell: Gap, context: Context) -> Iterator[dict[str, object]]:
    """The hardened gap of all training images."""
    from supcon_theory.audits import hard_negatives as audit
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    encoders = Encoders(recipe, [recipe.objective], context, share=0.7)
    seen, y, _ = encoders.images("train")
    _, z = encoders.embed(recipe.objective, recipe.steps, seen)
    about = recipe.columns(step=recipe.steps, split="train")
    for row in audit.gap_rows(z, y, cell.tau, cell.betas):
        yield about | row


def summary(tables: Tables) -> Tables:
    """The four losses at the end of training; errors; the hardened gap."""
    table = tables["table"]
    end = table[(table["part"] == "order") & (table["step"] == table["step"].max())]
    end = end.groupby(["objective", "hardening", "beta"], dropna=False)
    shown = ["loss_ucl", "loss_scl", "loss_hucl", "loss_hscl", "premise"]
    errors = table[table["part"] == "encoders"].groupby(["objective", "beta"], dropna=False)
    gaps = table[table["part"] == "classes"].groupby(["C", "beta"])
    return {
        "losses": end[shown].mean().reset_index(),
        "errors": errors["error"].mean().reset_index(),
        "gaps": gaps[["gap", "bound"]].mean().reset_index(),
    }


def claims(config: Config) -> list[Claim]:
    """B1 to B5 and the hardened gap."""
    return hard_negatives.claims(len(set(config.gap_classes)) > 1, config.betas)


EXPERIMENT = experiment(globals(), "Do harder negatives give a smaller supervised loss?")

if __name__ == "__main__":
    EXPERIMENT.main()
