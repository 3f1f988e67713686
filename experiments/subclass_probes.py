"""What do encoders keep of subclasses that their labels do not name (arXiv 2305.16536)?

Encoders are trained on characters whose labels are script and case alone. Along training, probes
that are told script and case read which character it is: on the features and on the embeddings of
CL, which sees no labels, NSCL, SupCon, and a mixture of own views and class mates (`ssem`).

    python experiments/subclass_probes.py            laptop: C = 7, 5 seeds, 500 steps

Whatever --data are trained on, the images looked at are characters: of those data if their classes
are coarser ones (glyphs:script, kanji:5), else of glyphs:script.
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from tyro.conf import OmitArgPrefixes

from supcon_theory.audits import columns
from supcon_theory.audits.rows import last_step, select
from supcon_theory.claims import Claim, subclass_probes
from supcon_theory.data import coarser
from supcon_theory.data.facts import ships
from supcon_theory.encoders.flags import Trained, check_objectives
from supcon_theory.encoders.recipe import Recipe, log_spaced
from supcon_theory.runs.experiment import Cell, Context, Tables, experiment

AUDITS = (columns.KEPT,)
HIERARCHY = "glyphs:script"  # looked at where the data trained on have no subclasses


@dataclass(frozen=True)
class Config(Trained):
    """Subclasses along training."""

    classes: tuple[int, ...] = (7,)
    """Numbers of coarse classes C that are trained on."""
    recipe: OmitArgPrefixes[Recipe] = Recipe(data=HIERARCHY, n=640, steps=500)
    objectives: tuple[str, ...] = ("dcl", "nscl", "supcon", "ssem")
    """What encoders are trained with."""
    characters: int = 10
    """Characters of every class that are looked at."""
    images: int = 40
    """Images of each that probes are fitted to, and as many new ones."""

    def check(self) -> None:
        """Refuse objectives that are none and numbers that give no probe."""
        super().check()
        check_objectives(self.objectives)
        self.at_least(characters=2, images=2)

    @property
    def hierarchy(self) -> str:
        """The data whose characters are looked at."""
        return self.data if ships(self.data) and ":" in self.data else HIERARCHY

    def look(self) -> None:
        """Refuse more characters than a class has."""
        super().look()
        fewest = int(np.bincount(coarser.classes(self.hierarchy).of_character).min())
        if self.characters > fewest:
            raise ValueError(
                f"characters is {self.characters} but a class of {self.hierarchy} has only "
                f"{fewest}: ask for fewer"
            )


PRESETS = {
    "smoke": Config(
        classes=(4,), recipe=Recipe(data=HIERARCHY, n=16, steps=6, batch=32, d=16), seeds=2,
        characters=3, images=6,
    ),
    "laptop": Config(),
    "full": Config(recipe=Recipe(data=HIERARCHY, n=1600, steps=5000), seeds=10, images=160),
}  # fmt: skip


@dataclass(frozen=True)
class Probed:
    """An encoder, and what is read from it along its training."""

    recipe: Recipe
    hierarchy: str
    characters: int
    images: int


def cells(config: Config) -> Iterator[Cell]:
    """One cell per encoder."""
    for recipe in config.recipes(checkpoints=log_spaced(config.recipe.steps, 6)):
        for name in config.objectives:
            of = replace(recipe, objective=name)
            work = Probed(of, config.hierarchy, config.characters, config.images)
            label = f"{name} C={of.C} seed={of.seed}"
            yield Cell(work, label, cost=12, shared=of.shared([name]))


def measure(cell: Probed, context: Context) -> Tables:
    """Train the encoder or find it trained, and read class and character from it."""
    return {"table": pd.DataFrame(list(probe_rows(cell, context)))}


def probe_rows(cell: Probed, context: Context) -> Iterator[dict[str, object]]:
    """Rows of every checkpoint, layer and feature."""
    from supcon_theory.audits.kept import Labelled, kept_row
    from supcon_theory.data.subclasses import hierarchy
    from supcon_theory.data.subsets import choose_classes
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    encoders = Encoders(recipe, [recipe.objective], context, share=0.7)
    count = len(coarser.classes(cell.hierarchy).names)
    trained_on = recipe.C if cell.hierarchy == recipe.data else count
    chosen = choose_classes(count, trained_on, recipe.seed).tolist()
    sets = hierarchy(cell.hierarchy, chosen, cell.characters, cell.images, recipe.seed)
    for step in recipe.checkpoints:
        layers = {}
        for split, of in sets.items():
            seen = of.images.expand(-1, encoders.dataset.channels, -1, -1)[:, None]
            layers[split] = encoders.embed(recipe.objective, step, seen)
        for k, layer in enumerate("hz"):
            x = {split: found[k][:, 0].double().numpy() for split, found in layers.items()}
            about = recipe.columns(step=step, split="test", layer=layer, K=1)
            for feature in ("class", "subclass"):
                labelled = []
                for split, of in sets.items():
                    names = (np.zeros_like(of.classes), of.classes, of.characters)
                    coarse, y = names[:2] if feature == "class" else names[1:]
                    labelled.append(Labelled(x[split], y, coarse))
                yield about | {"feature": feature} | kept_row(*labelled)


def summary(tables: Tables) -> Tables:
    """Errors and shares of the variance at the end of training."""
    end = last_step(tables["table"]).groupby(["objective", "feature", "layer"])
    shown = ["error_linear", "error_centre", "chance", "share_coarse", "share", "share_rest"]
    best = select(tables["table"], subclass_probes.SUBCLASS)
    best = best.groupby(["objective", "layer", "step"])[["error_linear"]].mean()
    return {"ends": end[shown].mean().reset_index(), "along": best.reset_index()}


def claims(config: Config) -> list[Claim]:
    """Who keeps subclasses, and who unlearns them."""
    return subclass_probes.claims(config.objectives)


EXPERIMENT = experiment(
    globals(), "What do encoders keep of subclasses that their labels do not name?"
)

if __name__ == "__main__":
    EXPERIMENT.main()
