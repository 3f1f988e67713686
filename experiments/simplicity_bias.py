"""Does an easy feature keep a hard one from being learnt (arXiv 2305.16536)?

Stripes of one of eight angles are laid over characters, at random: easy to see, in both views of an
image, and of no use for telling characters. CL, SupCon and their mixture (`ssem`) are trained with
and without stripes, in few dimensions and in many; probes then read character and angle.

    python experiments/simplicity_bias.py            laptop: C = 10, 5 seeds, 100 steps
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
from supcon_theory.audits.rows import last_step
from supcon_theory.claims import Claim, simplicity_bias
from supcon_theory.encoders.flags import Trained, check_objectives
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.experiment import Cell, Context, Tables, experiment

AUDITS = (columns.KEPT,)


@dataclass(frozen=True)
class Config(Trained):
    """An easy feature beside a hard one."""

    recipe: OmitArgPrefixes[Recipe] = Recipe()
    objectives: tuple[str, ...] = ("dcl", "supcon", "ssem")
    """What encoders are trained with."""
    contrast: Annotated[float, Between(0.01, 0.99)] = 0.5
    """Contrast of the stripes."""
    dimensions: Annotated[tuple[int, ...], Between(2, 65_536)] = (4, 64)
    """Dimensions d of the embeddings."""

    def check(self) -> None:
        """Refuse objectives that are none, and no dimension."""
        super().check()
        check_objectives(self.objectives)
        if not self.dimensions:
            raise ValueError("dimensions are none: give some")

    def look(self) -> None:
        """Refuse data of which a class has too few new images."""
        super().look()
        if (fewest := self.facts().fewest_test) < 1:
            raise ValueError(f"a class of {self.data} has {fewest} test images: bring at least 1")


PRESETS = {
    "smoke": Config(
        classes=(4,), recipe=Recipe(n=16, steps=4, batch=32), seeds=1, dimensions=(4, 16)
    ),
    "laptop": Config(),
    "full": Config(recipe=Recipe(n=160, steps=1000), seeds=10, dimensions=(2, 4, 8, 16, 64)),
}


@dataclass(frozen=True)
class Probed:
    """An encoder from which character and stripes are read."""

    recipe: Recipe
    contrast: float  # of the stripes that probes look for; 0 for none


def cells(config: Config) -> Iterator[Cell]:
    """One cell per encoder."""
    steps = config.recipe.steps
    for of in config.recipes(checkpoints=tuple(sorted({0, steps // 2, steps}))):
        for d in config.dimensions:
            for contrast in (0.0, config.contrast):
                for name in config.objectives:
                    recipe = replace(of, objective=name, d=d, stripes=contrast)
                    label = f"{name} d={d} contrast={contrast:g} C={of.C} seed={of.seed}"
                    yield Cell(Probed(recipe, contrast), label, 2, recipe.shared([name]))


def measure(cell: Probed, context: Context) -> Tables:
    """Train the encoder or find it trained, and read character and stripes from it."""
    return {"table": pd.DataFrame(list(probe_rows(cell, context)))}


def probe_rows(cell: Probed, context: Context) -> Iterator[dict[str, object]]:
    """Rows of every checkpoint, layer and feature."""
    from supcon_theory.audits.kept import Labelled, kept_row
    from supcon_theory.claims.simplicity_bias import EASY, HARD
    from supcon_theory.data.stripes import angles
    from supcon_theory.encoders.embed import Encoders
    from supcon_theory.encoders.train import held_out_rows, training_rows

    recipe = cell.recipe
    encoders = Encoders(recipe, [recipe.objective], context, share=0.7)
    sets = []
    for split, choose in (("train", training_rows), ("test", held_out_rows)):
        rows, y = choose(recipe, encoders.dataset)
        of = getattr(encoders.dataset, split)
        sets.append((of.images(rows)[:, None], {HARD: y.numpy(), EASY: angles(of, rows)}))
    features = (HARD, EASY) if cell.contrast else (HARD,)
    for step in recipe.checkpoints:
        found = [encoders.embed(recipe.objective, step, seen) for seen, _ in sets]
        for k, layer in enumerate("hz"):
            about = recipe.columns(step=step, split="test", layer=layer, K=1)
            about["contrast"] = cell.contrast
            for feature in features:
                labelled = []
                for x, (_, labels) in zip(found, sets, strict=True):
                    y = labels[feature]
                    labelled.append(Labelled(x[k][:, 0].double().numpy(), y, np.zeros_like(y)))
                yield about | {"feature": feature} | kept_row(*labelled)


def summary(tables: Tables) -> Tables:
    """Errors and shares of the variance at the end of training."""
    groups = ["feature", "objective", "layer", "d", "contrast"]
    shown = ["error_linear", "error_centre", "of_chance", "share"]
    return {"ends": last_step(tables["table"]).groupby(groups)[shown].mean().reset_index()}


def claims(config: Config) -> list[Claim]:
    """Suppression, and what helps against it."""
    return simplicity_bias.claims(config.objectives, len(set(config.dimensions)) > 1)


EXPERIMENT = experiment(globals(), "Does an easy feature keep a hard one from being learnt?")

if __name__ == "__main__":
    EXPERIMENT.main()
