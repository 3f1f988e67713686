"""What really collapses in training: variance, directional variance, geometry (arXiv 2506.04411, Theorem 2).

Encoders trained with CL, NSCL, SupCon and cross-entropy are measured at log-spaced checkpoints, on
training and held-out images (other font families), at the backbone's output h and the projected z.
Two controls: the same measures under shuffled labels, and at the instance simplex, where training CL
on free embeddings ends.

    python experiments/collapse.py            laptop: C = 10 and 100, 5 seeds, 800 steps
    python experiments/collapse.py full       3000 steps

The encoders are those of `deep`, trained once and shared with other experiments.
"""  # noqa: E501

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, collapse
from supcon_theory.encoders.flags import Deep, check_objectives
from supcon_theory.encoders.recipe import PUBLISHED, Recipe
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary

AUDITS = (columns.COLLAPSE, columns.GRAM, columns.SPECTRUM)
SHOWN = [
    *("cdnv", "directional_cdnv", "within_class_variance", "augmentation_variance"),
    *("etf_deviation", "rankme"),
]


@dataclass(frozen=True)
class Config(Deep):
    """Collapse and geometry along training."""

    objectives: tuple[str, ...] = ("dcl", "nscl", "supcon", "cross_entropy")
    """Objectives to train with."""

    def check(self) -> None:
        """Refuse what cannot be trained or measured."""
        super().check()
        check_objectives(self.objectives)


PRESETS = {
    "smoke": Config(classes=(4,), recipe=Recipe(n=16, steps=6, batch=32, d=16), seeds=2),
    "laptop": Config(),
    "full": Config(recipe=Recipe(n=160, steps=3000, d=128)),
    "paper": Config(recipe=PUBLISHED, classes=(100,), device="cuda"),
}


@dataclass(frozen=True)
class Training:
    """Encoders trained side by side with several objectives, and the temperatures to look at."""

    recipe: Recipe
    objectives: tuple[str, ...]
    taus: tuple[float, ...]


def cells(config: Config) -> Iterator[Cell]:
    """One cell per number of classes and seed."""
    for recipe in config.recipes(objective=config.objectives[0]):
        yield Cell(
            Training(recipe, config.objectives, config.taus),
            f"{config.data} C={recipe.C} seed={recipe.seed}",
            cost=len(config.objectives) * 10 * recipe.images / 4000,
            shared=recipe.shared(config.objectives),
        )


def measure(cell: Training, context: Context) -> dict[str, pd.DataFrame]:
    """Train all objectives side by side (or find them trained) and measure every checkpoint."""
    from supcon_theory.audits import collapse as audit
    from supcon_theory.encoders.embed import Encoders
    from supcon_theory.encoders.labelings import class_names

    recipe = cell.recipe
    encoders = Encoders(recipe, cell.objectives, context, share=0.6)
    splits = {split: encoders.images(split) for split in ("train", "test")}
    names = class_names(recipe, encoders.dataset)
    table, grams, spectra = [], [], []
    points = [(objective, step) for objective in cell.objectives for step in recipe.checkpoints]
    for done, (objective, step) in enumerate(points, 1):
        for split, (seen, y, shuffled) in splits.items():
            for layer, features in zip("hz", encoders.embed(objective, step, seen), strict=True):
                about = recipe.columns(step=step, objective=objective, split=split, layer=layer)
                taus = cell.taus if layer == "z" else ()
                table += [about | row for row in audit.collapse_audit(features, y, shuffled, taus)]
                if step == recipe.steps:
                    grams.append(audit.gram_table(features, y, names).assign(**about))
                    spectra.append(audit.spectrum_table(features).assign(**about))
        context.report(0.6 + 0.4 * done / len(points))
    control = audit.instance_simplex_row(recipe.C, recipe.n)
    table.append(recipe.columns(step=recipe.steps, split="train", layer="z") | control)
    return {
        "table": pd.DataFrame(table),
        "gram": pd.concat(grams),
        "spectrum": pd.concat(spectra),
    }


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """Held-out geometry of z at the end of training, mean over seeds."""
    table = tables["table"].query("labels == 'true' and layer == 'z' and split == 'test'")
    last = table[(table["step"] == table["step"].max()) & table["tau"].isna()]
    found = last.groupby(["C", "objective"])[SHOWN].mean().reset_index()
    return {"summary": Summary(found, "Geometry of z on held-out images, end of training: mean")}


def claims(config: Config) -> list[Claim]:
    """The floor of NSCL, what falls in training and what does not, the control."""
    return collapse.claims(config.classes, config.objectives)


EXPERIMENT = experiment(globals(), "What really collapses while an encoder is trained?")

if __name__ == "__main__":
    EXPERIMENT.main()
