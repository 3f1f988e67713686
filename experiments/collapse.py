"""What really collapses in training: variance, directional variance, geometry (arXiv 2506.04411, Theorem 2).

Encoders trained with CL, NSCL, SupCon and cross-entropy are measured at log-spaced checkpoints, on
training and held-out images (other font families), at the backbone's output h and the projected z.
Two controls: the same measures under shuffled labels, and at the instance simplex, where training CL
on free embeddings ends.

    python experiments/collapse.py            laptop: C = 10 and 100, 3 seeds, 800 steps

The encoders are those of the `deep` family, trained once and shared with other experiments.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from supcon_theory import data
from supcon_theory.audits.above_floor import above_floor
from supcon_theory.claims import Claim
from supcon_theory.claims.collapse import collapse_claims
from supcon_theory.data.random import permutation
from supcon_theory.encoders.embed import embed, evaluation_views, trained_encoders
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.encoders.train import held_out_rows, training_rows
from supcon_theory.measures import (
    cdnv,
    class_gram,
    class_moments,
    directional_cdnv,
    geometry,
    singular_values,
)
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.runs import flags as command
from supcon_theory.runs.cells import Cell, Context
from supcon_theory.runs.experiment import run
from supcon_theory.theory.simplex import instance_simplex

NAME = "collapse"


@dataclass(frozen=True)
class Config(command.Deep):
    """Collapse and geometry along training."""

    objectives: tuple[str, ...] = ("dcl", "nscl", "supcon", "cross_entropy")
    """Objectives to train with."""

    def check(self) -> None:
        super().check()
        command.check_objectives(self.objectives, OBJECTIVES, ("dcl", "nscl"))


PRESETS = {
    "smoke": Config(classes=(4,), n=16, seeds=2, steps=6, batch=32, d=16),
    "laptop": Config(),
    "full": Config(seeds=5, steps=3000),
}


def cells(config: Config) -> list[Cell]:
    found = []
    for seed in range(config.seeds):
        for C in config.classes:
            recipe = config.recipe(C, seed, config.objectives[0])
            content = {
                "measure": NAME,
                "version": 1,
                "recipe": asdict(recipe),
                "objectives": config.objectives,
                "taus": config.taus,
            }
            cost = len(config.objectives) * (config.steps * 0.05 + 10 * C * config.n / 4000)
            found.append(Cell(content, f"{config.data} C={C} seed={seed}", cost))
    return found


def measure(cell: Mapping, context: Context) -> dict[str, pd.DataFrame]:
    """Train all objectives side by side (or find them trained) and measure every checkpoint."""
    common = Recipe(**cell["recipe"])
    encoder = trained_encoders(common, cell["objectives"], context, share=0.6)
    dataset = data.load(common.data)
    splits = dict(views_and_labels(dataset, common))
    rows, grams, spectra = [], [], []
    points = [(objective, step) for objective in cell["objectives"] for step in common.checkpoints]
    for done, (objective, step) in enumerate(points):
        network = encoder(objective, step)
        about = {
            "data": common.data,
            "C": common.C,
            "n": common.n,
            "d": common.d,
            "K": 2,
            "objective": objective,
            "seed": common.seed,
            "tau_train": common.tau,
            "step": step,
            "epoch": step / max(common.C * common.n // common.batch, 1),
        }
        for split, (seen, y, shuffled) in splits.items():
            for layer, features in zip("hz", embed(network, seen, context.device), strict=False):
                here = about | {"split": split, "layer": layer}
                rows += measured(here, features, y, shuffled, cell["taus"])
                if step == common.steps:
                    grams.append(gram_rows(here, features, y))
                    spectra.append(spectrum_rows(here, features))
        context.report(0.6 + 0.4 * (done + 1) / len(points))
    rows += simplex_rows(common)
    return {"table": pd.DataFrame(rows), "gram": pd.concat(grams), "spectrum": pd.concat(spectra)}


def views_and_labels(dataset: data.DataSet, recipe: Recipe) -> Iterator[tuple]:
    """(split, (views, labels, shuffled labels)): the images trained on, and held-out ones."""
    for name, split, choose in (
        ("train", dataset.train, training_rows),
        ("test", dataset.test, held_out_rows),
    ):
        rows, y = choose(recipe, dataset)
        order = torch.as_tensor(permutation(recipe.seed, "shuffled labels", 0, len(y)))
        yield name, (evaluation_views(dataset, split, rows), y, y[order])


def measured(about: dict, features: Tensor, y: Tensor, shuffled: Tensor, taus) -> list[dict]:
    """All measures under the true labels; CDNV and directional CDNV under shuffled ones."""
    moments = class_moments(features, y)
    true = dict(geometry(features, y)) | {
        "cdnv_debiased": cdnv(moments, debiased=True).defined_mean,
        "directional_cdnv_debiased": directional_cdnv(moments, debiased=True).defined_mean,
    }
    if about["layer"] == "z":
        for tau in taus:
            true |= {
                f"{name}_tau{tau:g}": value for name, value in above_floor(features, y, tau).items()
            }
    mixed = class_moments(features, shuffled)
    null = {"cdnv": cdnv(mixed).mean, "directional_cdnv": directional_cdnv(mixed).mean}
    return [about | {"labels": "true"} | true, about | {"labels": "shuffled"} | null]


def gram_rows(about: dict, features: Tensor, y: Tensor) -> pd.DataFrame:
    """Cosines of the centred class means, one row per pair of classes."""
    gram = class_gram(features, y).numpy()
    i, j = np.indices(gram.shape)
    return pd.DataFrame(about | {"i": i.ravel(), "j": j.ravel(), "cosine": gram.ravel()})


def spectrum_rows(about: dict, features: Tensor) -> pd.DataFrame:
    """Singular values of the centred features over the largest."""
    values = singular_values(features, centred=True).numpy()
    return pd.DataFrame(
        about | {"rank": np.arange(1, len(values) + 1), "singular_value": values / values[0]}
    )


def simplex_rows(recipe: Recipe) -> list[dict]:
    """The control at the instance simplex: every sample apart from every other, whatever its label."""
    if recipe.C * recipe.n > 2000:
        return []  # N - 1 dimensions are needed; the values depend on n only
    z, y = instance_simplex([recipe.n] * recipe.C, 1, recipe.C * recipe.n - 1)
    moments = class_moments(torch.as_tensor(z), torch.as_tensor(y))
    return [
        {
            "data": recipe.data,
            "C": recipe.C,
            "n": recipe.n,
            "seed": recipe.seed,
            "objective": "instance simplex",
            "layer": "z",
            "split": "train",
            "labels": "true",
            "cdnv": cdnv(moments).mean,
            "directional_cdnv": directional_cdnv(moments).mean,
        }
    ]


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Held-out geometry of z at the end of training, mean over seeds."""
    table = tables["table"]
    last = table[
        (table["step"] == table["step"].max())
        & (table["labels"] == "true")
        & (table["layer"] == "z")
        & (table["split"] == "test")
    ]
    columns = [
        "cdnv",
        "directional_cdnv",
        "within_class_variance",
        "augmentation_variance",
        "etf_deviation",
        "rankme",
    ]
    return {"summary": last.groupby(["C", "objective"])[columns].mean().reset_index()}


def claims(config: Config) -> list[Claim]:
    return collapse_claims(config.classes, config.taus)


if __name__ == "__main__":
    run(NAME, PRESETS, cells, measure, claims, summary)
