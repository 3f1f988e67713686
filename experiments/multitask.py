"""Axes of independent tasks in one representation (arXiv 2603.03530, Proposition 4.2).

The cosine of the axes between class means of two independent labelings is bounded by the variance
along them. Held against random laws with independent labelings, a law on which the bound fails if
the variance is averaged over the two classes of a pair only, and CL encoders of characters, whose
script, case and weight of the stroke are balanced against each other by design.

    python experiments/multitask.py          laptop: C = 100, 5 seeds, 800 steps

Encoders are those of `deep`, trained once and shared; whatever --data they are trained on, the
images looked at are characters, whose attributes are known.
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, multitask
from supcon_theory.encoders.flags import Deep
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.runs.experiment import Cell, Context, experiment

AUDITS = (columns.MULTITASK,)
ATTRIBUTES = ("script", "case", "weight")
LABELINGS = ((2, 2), (2, 3), (3, 3), (4, 2))  # numbers of classes of two random labelings
SPREADS = (0.3, 0.1, 0.01, 0.001)  # of the law that refutes the pair-only form


@dataclass(frozen=True)
class Config(Deep):
    """Axes of independent tasks, and the few-shot error of each."""

    classes: tuple[int, ...] = (100,)
    """Numbers of classes C trained on; the characters looked at are others too."""
    shots: tuple[int, ...] = (1, 5, 20, 100)
    """Labelled examples m of each class of an attribute."""
    draws: int = 100
    """Support draws."""
    laws: int = 60
    """Random laws of each pair of labelings and dimension."""

    def check(self) -> None:
        """Refuse numbers that give no error or no law."""
        super().check()
        self.at_least(draws=2, laws=1)
        if min(self.shots, default=0) < 1:
            raise ValueError(f"shots are {self.shots} but each must be at least 1: give some")


PRESETS = {
    "smoke": Config(
        classes=(4,),
        recipe=Recipe(n=16, steps=6, batch=32, d=16),
        seeds=2,
        shots=(5,),
        draws=4,
        laws=3,
    ),
    "laptop": Config(),
    "full": Config(recipe=Recipe(n=160, steps=3000, d=128), seeds=10, draws=500, laws=600),
}


@dataclass(frozen=True)
class Tasks:
    """One seed's random laws, or (with a recipe) its encoder."""

    seed: int
    laws: int
    shots: tuple[int, ...] = ()
    draws: int = 0
    recipe: Recipe | None = None


def cells(config: Config) -> Iterator[Cell]:
    """One cell of laws per seed, one per number of classes and seed."""
    for seed in range(config.seeds):
        yield Cell(Tasks(seed, config.laws), f"laws seed={seed}", 0.06 * config.laws)
    for recipe in config.recipes():
        work = Tasks(recipe.seed, 0, config.shots, config.draws, recipe)
        shared = recipe.shared([recipe.objective])
        yield Cell(work, f"C={recipe.C} seed={recipe.seed}", 5.0, shared)


def measure(cell: Tasks, context: Context) -> pd.DataFrame:
    """Rows of the laws, or of the encoder at each checkpoint that is looked at."""
    rows = encoder_rows(cell.recipe, cell, context) if cell.recipe else law_rows(cell)
    return pd.DataFrame(list(rows))


def law_rows(cell: Tasks) -> Iterator[dict[str, object]]:
    """Random laws, and the one that refutes the pair-only form."""
    from supcon_theory.audits.multitask import constructed_row, factor_rows

    about = {"seed": cell.seed, "objective": "none"}
    for C1, C2 in LABELINGS:
        for row in factor_rows(C1, C2, cell.laws, cell.seed):
            yield about | row
    for spread in SPREADS:
        yield about | constructed_row(spread)


def encoder_rows(recipe: Recipe, cell: Tasks, context: Context) -> Iterator[dict[str, object]]:
    """Attributes of held-out characters in a CL encoder along training."""
    from supcon_theory.audits.multitask import attribute_rows
    from supcon_theory.data.attributes import glyph_factors
    from supcon_theory.encoders.embed import Encoders

    encoders = Encoders(recipe, [recipe.objective], context, share=0.8)
    images, attributes = glyph_factors(recipe.seed)
    images = images.expand(-1, encoders.dataset.channels, -1, -1)
    for step in sorted({*recipe.checkpoints[::3], recipe.steps}):
        layers = encoders.embed(recipe.objective, step, images[:, None])
        for layer, x in zip("hz", layers, strict=True):
            about = recipe.columns(step=step, split="test", layer=layer, K=1)
            rows = x[:, 0].double().numpy()
            for row in attribute_rows(rows, attributes, cell.shots, cell.draws, recipe.seed):
                yield about | row


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Cosines beside their bounds, and the error of every attribute."""
    table = tables["table"]
    axes = table.loc[table["protocol"] == "axes"].groupby(
        ["layer", "attribute", "step"], as_index=False
    )
    shots = table.loc[table["protocol"] == "few shots"].groupby(
        ["layer", "attribute", "m", "step"], as_index=False
    )
    names = ["cosine", "bound_all", "bound_cells", "over_pair"]
    return {
        "summary": axes[names].mean(),
        "errors": shots[["error", "of_chance"]].mean(),
    }


def claims(config: Config) -> list[Claim]:
    """The bound, its sharper form, the form that is refuted, what training does."""
    return multitask.claims(ATTRIBUTES)


EXPERIMENT = experiment(globals(), "Do tasks stay out of each other's way in one representation?")

if __name__ == "__main__":
    EXPERIMENT.main()
