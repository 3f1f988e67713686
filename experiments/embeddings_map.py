"""Maps in two dimensions of CL and NSCL embeddings while they are learned (arXiv 2506.04411,
Figure 1).

The same held-out images of the same classes in every panel: rows CL- (`dcl`) and NSCL-trained,
columns checkpoints. One map is fitted to all panels of a seed together, after rotating each onto
the last (a rotation changes no cosine, hence no loss), so axes and positions compare across panels.
A picture proves nothing: beside each panel stand the class purity of the nearest neighbours among
the embeddings themselves and in the map, and the map's trustworthiness.

    python experiments/embeddings_map.py                  laptop: C = 10, 3 seeds, t-SNE
    python experiments/embeddings_map.py --method pca     or umap, after pip install -e '.[maps]'

Encoders are those of `deep`, trained once and shared. Images are mapped as they are, not as views.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from supcon_theory import data
from supcon_theory.claims import Claim
from supcon_theory.claims.maps import map_claims
from supcon_theory.data.random import permutation
from supcon_theory.encoders.embed import embed, trained_encoders
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.encoders.train import held_out_rows
from supcon_theory.measures.maps import METHODS, joint_map, umap_class
from supcon_theory.measures.neighbours import purity, trustworthiness
from supcon_theory.runs import flags as command
from supcon_theory.runs.cells import Cell, Context
from supcon_theory.runs.experiment import run

NAME = "embeddings_map"
OBJECTIVES = ("dcl", "nscl")
NEIGHBOURS = 10


@dataclass(frozen=True)
class Config(command.Deep):
    """Maps of embeddings over training."""

    classes: tuple[int, ...] = (10,)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    method: str = "tsne"
    """tsne, pca, or umap (which needs umap-learn)."""
    columns: int = 5
    """Checkpoints shown: the first, the last, and others evenly spread over those stored."""

    def check(self) -> None:
        super().check()
        command.at_least(self, columns=2)
        if self.method not in METHODS:
            raise ValueError(f"method is {self.method!r} but must be one of {', '.join(METHODS)}")
        if self.method == "umap":
            umap_class()
        dataset = data.load(self.data)
        fewest = dataset.fewest(dataset.test)
        if min(self.classes) * fewest <= NEIGHBOURS:
            raise ValueError(
                f"classes has {min(self.classes)} but a map needs more than {NEIGHBOURS} "
                f"held-out images, and a class of {self.data} has {fewest}: ask for more"
            )


PRESETS = {
    "smoke": Config(classes=(4,), n=12, seeds=2, steps=6, batch=24, columns=3),
    "laptop": Config(),
    "full": Config(seeds=5, columns=6),
    "paper": Config(
        data="data/cifar100",
        classes=(10,),
        n=500,
        seeds=1,
        steps=14_400,
        batch=1024,
        encoder="resnet50",
        d=128,
        optimiser="lars",
        lr=2.4,
        weight_decay=1e-6,
        device="cuda",
        method="umap",
    ),
}


def cells(config: Config) -> list[Cell]:
    """One cell per number of classes and seed: its panels share one map."""
    found = []
    for seed in range(config.seeds):
        for C in config.classes:
            recipe = config.recipe(C, seed, "dcl")
            at = np.linspace(0, len(recipe.checkpoints) - 1, config.columns).round().astype(int)
            content = {
                "measure": NAME,
                "version": 1,
                "recipe": asdict(recipe),
                "method": config.method,
                "shown": [recipe.checkpoints[k] for k in sorted(set(at.tolist()))],
            }
            found.append(Cell(content, f"C={C} seed={seed}", cost=C))
    return found


def measure(cell: Mapping, context: Context) -> dict[str, pd.DataFrame]:
    """Both encoders at the checkpoints shown, mapped together; numbers and points."""
    common = Recipe(**cell["recipe"])
    encoder = trained_encoders(common, OBJECTIVES, context, share=0.7)
    dataset = data.load(common.data)
    rows, y = held_out_rows(common, dataset)
    images, y = dataset.test.images(rows)[:, None], y.numpy()
    keys = [(name, step) for name in OBJECTIVES for step in cell["shown"]]
    features = np.stack(
        [embed(encoder(name, step), images, context.device)[1][:, 0].numpy() for name, step in keys]
    )
    context.report(0.8)
    maps = joint_map(features, cell["method"], common.seed)
    first = [z for (_, step), z in zip(keys, features, strict=True) if step == 0]
    difference = float(np.abs(first[0] - first[1]).max())
    order = permutation(common.seed, "shuffled labels", 0, len(y))
    found, points = [], []
    for (name, step), z, low in zip(keys, features, maps, strict=True):
        about = {
            "data": common.data,
            "C": common.C,
            "n": len(y) // common.C,
            "d": common.d,
            "objective": name,
            "seed": common.seed,
            "tau_train": common.tau,
            "step": step,
            "split": "test",
            "layer": "z",
            "method": cell["method"],
        }
        shared = {
            "neighbours": NEIGHBOURS,
            "trustworthiness": trustworthiness(z, low),
            "start_difference": difference if step == 0 else np.nan,
        }
        for labels, of in (("true", y), ("shuffled", y[order])):
            found.append(
                about
                | {
                    "labels": labels,
                    "purity": purity(z, of, NEIGHBOURS),
                    "purity_map": purity(low, of, NEIGHBOURS),
                }
                | shared
            )
        points.append(
            pd.DataFrame(
                {
                    "C": common.C,
                    "seed": common.seed,
                    "objective": name,
                    "step": step,
                    "row": rows.numpy(),
                    "class": y,
                    "x": low[:, 0],
                    "y": low[:, 1],
                }
            )
        )
    return {"table": pd.DataFrame(found), "points": pd.concat(points)}


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Purity and trustworthiness of every panel, mean over seeds."""
    found = tables["table"].groupby(["C", "labels", "objective", "step"])
    return {"summary": found[["purity", "purity_map", "trustworthiness"]].mean().reset_index()}


def claims(config: Config) -> list[Claim]:
    return map_claims(config.method)


if __name__ == "__main__":
    run(NAME, PRESETS, cells, measure, claims, summary)
