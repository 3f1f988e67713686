"""Where do unequal classes end, and when do small ones merge?

Half of the classes are large, half small. The least value of CL, NSCL, SupCon and Soft SupCon for
any class sizes is a convex programme in the Gram matrix of the class means, certified by a dual
bound; free embeddings, in float64, end there too. Small classes merge into one point at a ratio of
the sizes that depends on the loss and on the number of negatives. Encoders are then trained on
groups of kanji whose sizes fall geometrically, and measured on held-out images.

    python experiments/imbalance.py            laptop: ratios to 100, 5 seeds, 200 steps
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
from supcon_theory.claims import Claim, imbalance
from supcon_theory.encoders.flags import Trained, check_objectives
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.experiment import Cell, Context, Tables, experiment

AUDITS = (columns.IMBALANCE,)
OBJECTIVES = ("dcl", "nscl", "supcon", "soft_supcon")
VIEWS, FEW = 2, 2  # views of a sample; samples of a small class
SOFT = (0.5, 1.5)  # softness over the least that is regular
NEGATIVES = (1, 8, 64, 1000, 100_000)


@dataclass(frozen=True)
class Config(Trained):
    """Unequal classes: programme, free embeddings, trained encoders."""

    recipe: OmitArgPrefixes[Recipe] = Recipe("kanji:5", n=220, steps=200)
    ratios: Annotated[tuple[int, ...], Between(1, 1024)] = (
        1,
        2,
        4,
        8,
        16,
        32,
        64,
        128,
        256,
        512,
        1024,
    )
    """Sizes of large classes over those of small ones, of the programme; small classes' cosines are
    found to .002 at 1,024, to .02 at ten times that: so no larger ones."""
    free: Annotated[tuple[int, ...], Between(1, 32)] = (1, 2, 4)
    """Of these the ratios at which free embeddings are optimised too."""
    each: Annotated[tuple[int, ...], Between(2, 50)] = (2, 5)
    """Numbers of large classes, and of small ones; free embeddings have the first."""
    temperatures: Annotated[tuple[float, ...], Between(0.05, 100)] = (0.2, 0.5, 1.0)
    """Temperatures of the programme; free embeddings have those of at least .5."""
    objectives: tuple[str, ...] = OBJECTIVES
    """Objectives to train with."""
    trained_ratios: tuple[float, ...] = (1.0, 10.0, 100.0)
    """Largest over smallest class trained on."""
    shots: Annotated[int, Between(1, 1000)] = 5
    """Labelled images of each class."""
    draws: Annotated[int, Between(2, 100_000)] = 100
    """Support draws."""

    def check(self) -> None:
        """Refuse ratios, numbers of classes and temperatures that are none."""
        super().check()
        check_objectives(self.objectives)
        for name in ("ratios", "each", "temperatures", "trained_ratios"):
            if not getattr(self, name):
                raise ValueError(f"{name.replace('_', '-')} are none: give some")
        if any(ratio not in self.ratios for ratio in self.free):
            raise ValueError(
                f"ratios are {self.ratios}, free ones {self.free}: give free ones among them"
            )
        if min(self.classes) < 4:
            raise ValueError(f"classes has {min(self.classes)} but two halves need at least 4")
        for ratio in self.trained_ratios:
            if not 1 <= ratio <= self.recipe.n / 2:
                raise ValueError(
                    f"trained-ratios has {ratio:g} but with {self.recipe.n} images in the largest "
                    f"class it must be from 1 to {self.recipe.n / 2:g}: smaller, or a larger --n"
                )


PRESETS = {
    "smoke": Config(
        classes=(4,), recipe=Recipe("kanji:5", n=32, steps=6, batch=32, d=16), seeds=2,
        ratios=(1, 8), free=(1,), each=(2,), temperatures=(0.5,), trained_ratios=(1.0, 4.0),
        draws=9,
    ),
    "laptop": Config(),
    "full": Config(
        recipe=Recipe("kanji:5", n=220, steps=800), seeds=10, free=(1, 2, 4, 8),
        each=(2, 3, 5, 10), temperatures=(0.1, 0.2, 0.5, 1.0, 2.0),
        trained_ratios=(1.0, 3.0, 10.0, 30.0, 100.0), draws=400,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One loss at one setting of the programme, or (no objective) the thresholds there."""

    objective: str
    ratios: tuple[int, ...]
    free: tuple[int, ...]
    each: int
    tau: float
    starts: int


@dataclass(frozen=True)
class Training:
    """Encoders trained side by side, and how they are looked at."""

    recipe: Recipe
    objectives: tuple[str, ...]
    taus: tuple[float, ...]
    shots: int
    draws: int


def cells(config: Config) -> Iterator[Cell]:
    """One cell per loss, number of classes and temperature; one per ratio and seed trained."""
    for each in config.each:
        for tau in config.temperatures:
            free = config.free if each == config.each[0] and tau >= 0.5 else ()
            at = f"C={2 * each} tau={tau:g}"
            for objective in OBJECTIVES:
                work = Part(objective, config.ratios, free, each, tau, config.seeds)
                cost = 0.2 * len(config.ratios) + 0.5 * config.seeds * len(free)
                yield Cell(work, f"{objective} {at}", cost)
            yield Cell(Part("", (), (), each, tau, 0), f"thresholds {at}", 8)
    for recipe in config.recipes(objective=config.objectives[0]):
        for ratio in config.trained_ratios:
            unequal = replace(recipe, imbalance=float(ratio))
            yield Cell(
                Training(
                    unequal, config.objectives, config.taus, config.shots,
                    config.draws,
                ),
                f"{config.data} C={recipe.C} ratio={ratio:g} seed={recipe.seed}",
                cost=len(config.objectives) * 2,
                shared=unequal.shared(config.objectives),
            )  # fmt: skip


def measure(cell: Part | Training, context: Context) -> Tables:
    """Rows of the programme, of thresholds, or of encoders."""
    if isinstance(cell, Training):
        return {"table": pd.DataFrame(list(encoder_rows(cell, context)))}
    from supcon_theory.audits import imbalance as audit
    from supcon_theory.theory.soft import least_softness

    rows, each = [], cell.each
    if not cell.objective:
        for objective, negatives in (
            ("nscl", (None,)), ("supcon", (None,)), ("nscl_coupled", NEGATIVES),
        ):  # fmt: skip
            rows += audit.threshold_audit(objective, (each, each), VIEWS, cell.tau, negatives)
        rows += audit.limit_audit(each, each, VIEWS, cell.tau)
    for ratio in cell.ratios:
        starts = cell.starts if ratio in cell.free else 0
        options = [{}]
        if cell.objective == "soft_supcon":
            options = [{"softness": min(1.0, s * least_softness(2 * each, cell.tau))} for s in SOFT]
        for of in options:
            sizes = (ratio * FEW, FEW)
            rows += audit.programme_audit(
                cell.objective, sizes, each, VIEWS, cell.tau, starts, **of
            )
    return {"table": pd.DataFrame(rows)}


def encoder_rows(cell: Training, context: Context) -> Iterator[dict[str, object]]:
    """Large and small classes apart, on training and held-out images, at h and z."""
    from supcon_theory.audits.imbalance_classes import class_rows
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    encoders = Encoders(recipe, cell.objectives, context, share=0.8)
    trained_on = np.bincount(encoders.images("train")[1].numpy())
    for split in ("train", "test"):
        seen, y, _ = encoders.images(split)
        for objective in cell.objectives:
            for layer, features in zip(
                "hz", encoders.embed(objective, recipe.steps, seen), strict=True
            ):
                taus = cell.taus if layer == "z" and split == "train" else ()
                about = recipe.columns(
                    step=recipe.steps, objective=objective, split=split, layer=layer
                ) | {"imbalance": recipe.imbalance}
                of = (cell.shots, cell.draws, recipe.seed)
                for row in class_rows(features, y, trained_on, taus, *of):
                    yield about | row


def summary(tables: Tables) -> Tables:
    """Cosines of class means at the least value; thresholds; large and small classes trained."""
    table = tables["table"]
    shown = ["objective", "C", "tau", "imbalance", "cosine_large", "cosine_mixed", "cosine_small"]
    merging = ["objective", "C", "tau", "negatives", "threshold"]
    encoders = table[(table["part"] == "encoders") & (table["split"] == "test")]
    encoders = encoders[encoders["layer"] == "z"]
    of = encoders.groupby(["objective", "imbalance", "group"])[["norm", "cosine", "cdnv", "error"]]
    return {
        "encoders": of.mean().reset_index(),
        "thresholds": table.loc[table["part"] == "threshold", merging],
        "cosines": table.loc[table["part"] == "programme", [*shown, "gap_dual"]],
    }


def claims(config: Config) -> list[Claim]:
    """The certificate, merging, softness, free embeddings, encoders."""
    ratios = config.trained_ratios
    return imbalance.claims(
        bool(config.free) and max(config.temperatures) >= 0.5,
        max(config.ratios) >= 8,
        config.objectives,
        ratios,
    )


EXPERIMENT = experiment(globals(), "Where do unequal classes end, and when do small ones merge?")

if __name__ == "__main__":
    EXPERIMENT.main()
