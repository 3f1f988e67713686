"""Maps in two dimensions of embeddings while they are learned (arXiv 2506.04411, Figure 1).

The same held-out images in every panel: a row for CL, NSCL, SupCon and cross-entropy each, the
columns checkpoints. One map is fitted to all panels of a seed together, after rotating each onto
the last (a rotation changes no cosine, hence no loss), so axes and positions compare across panels.
A picture proves nothing: beside each panel stand the class purity of the nearest neighbours among
the embeddings themselves and in the map, and the map's trustworthiness.

    python experiments/embeddings_map.py                  laptop: C = 10, 5 seeds, t-SNE
    python experiments/embeddings_map.py --method pca     or umap, after pip install -e '.[maps]'

Encoders are those of `deep`, trained once and shared. Images are mapped as they are, not as views.
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.audits.columns import NEAREST
from supcon_theory.claims import Claim, maps
from supcon_theory.encoders.flags import Deep, check_objectives
from supcon_theory.encoders.recipe import PAIR, PUBLISHED, Recipe
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary

AUDITS = (columns.MAPS, columns.POINTS)


@dataclass(frozen=True)
class Config(Deep):
    """Maps of embeddings over training."""

    classes: tuple[int, ...] = (10,)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    method: Literal["tsne", "pca", "umap"] = "tsne"
    """How to map; umap needs umap-learn."""
    objectives: tuple[str, ...] = (*PAIR, "supcon", "cross_entropy")
    """Objectives whose encoders are mapped, a row each."""
    columns: Annotated[int, Between(2, 1000)] = 5
    """Checkpoints shown: the first, the last, and others evenly spread over those stored."""

    def check(self) -> None:
        """Refuse what cannot be trained or mapped."""
        super().check()
        check_objectives(self.objectives)
        if self.method == "umap" and importlib.util.find_spec("umap") is None:
            raise ValueError(
                "method is umap but umap-learn is not installed: pip install umap-learn"
            )

    def look(self) -> None:
        """Refuse data with too few held-out images for a map."""
        super().look()
        fewest = self.facts().fewest_test
        if min(self.classes) * fewest <= NEAREST:
            raise ValueError(
                f"classes has {min(self.classes)} but a map needs more than {NEAREST} "
                f"held-out images, and a class of {self.data} has {fewest}: ask for more"
            )


PRESETS = {
    "smoke": Config(classes=(4,), recipe=Recipe(n=8, steps=6, batch=16), seeds=2, columns=3),
    "laptop": Config(),
    "full": Config(seeds=10, columns=6),
    "paper": Config(recipe=PUBLISHED, seeds=1, device="cuda", method="umap"),
}


@dataclass(frozen=True)
class Map:
    """Encoders from the same weights, the checkpoints shown, and how they are mapped."""

    recipe: Recipe
    objectives: tuple[str, ...]
    method: str
    shown: tuple[int, ...]


def cells(config: Config) -> Iterator[Cell]:
    """One cell per number of classes and seed: its panels share one map."""
    for recipe in config.recipes():
        at = np.linspace(0, len(recipe.checkpoints) - 1, config.columns).round().astype(int)
        shown = tuple(recipe.checkpoints[k] for k in sorted(set(at.tolist())))
        yield Cell(
            Map(recipe, config.objectives, config.method, shown),
            f"C={recipe.C} seed={recipe.seed}",
            cost=recipe.C * len(config.objectives),
            shared=recipe.shared(config.objectives),
        )


def measure(cell: Map, context: Context) -> dict[str, pd.DataFrame]:
    """All encoders at the checkpoints shown, mapped together; numbers and points."""
    from supcon_theory.audits.maps import map_audit
    from supcon_theory.data.random import shuffled_labels
    from supcon_theory.encoders.embed import Encoders
    from supcon_theory.encoders.labelings import class_names
    from supcon_theory.encoders.train import held_out_rows

    recipe = cell.recipe
    encoders = Encoders(recipe, cell.objectives, context, share=0.7)
    rows, y = held_out_rows(recipe, encoders.dataset)
    images = encoders.dataset.test.images(rows)[:, None]
    panels = {
        (name, step): encoders.embed(name, step, images)[1][:, 0].numpy()
        for name in cell.objectives
        for step in cell.shown
    }
    context.report(0.8)
    labels = y.numpy()
    shuffled = shuffled_labels(recipe.seed, y).numpy()
    found, maps_of = map_audit(panels, labels, shuffled, cell.method, recipe.seed)
    about = recipe.columns(step=0, K=1, n=len(y) / recipe.C, split="test", layer="z")
    of = {"C": recipe.C, "seed": recipe.seed, "row": rows.numpy(), "class": labels}
    names = class_names(recipe, encoders.dataset)
    of["class_name"] = [names[c] for c in labels]
    points = [
        pd.DataFrame(of | {"objective": name, "step": step, "x": low[:, 0], "y": low[:, 1]})
        for (name, step), low in maps_of.items()
    ]
    table = pd.DataFrame([about | row for row in found])
    return {"table": table.drop(columns="epoch"), "points": pd.concat(points)}


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """Purity and trustworthiness of every panel, mean over seeds."""
    panels = tables["table"].groupby(["C", "labels", "objective", "step"])
    found = panels[["purity", "purity_map", "trustworthiness"]].mean().reset_index()
    return {"summary": Summary(found, "Neighbours of the same class, in z and on the map: mean")}


def claims(config: Config) -> list[Claim]:
    """The common start, and what the neighbours show."""
    return maps.claims(config.method, config.objectives)


EXPERIMENT = experiment(globals(), "What do the embeddings look like while they are trained?")

if __name__ == "__main__":
    EXPERIMENT.main()
