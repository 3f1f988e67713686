"""DCL and NSCL loss along training, and what minimising the one does to the other (arXiv
2506.04411).

Exact losses of CL- (`dcl`) and NSCL-trained encoders at every checkpoint, on the training images
and on held-out images of the same classes, at tau = 1 and at the training temperature; every bound
on their gap; the floor of NSCL; the transfer inequality and the identity behind it. Beside them
what a correlation of 1.00 is worth: the same under shuffled labels, and for a random walk in
feature space that moves as far as training did. Then means over mini-batches, which is what was
published, and the bounds of earlier theory (arXiv 1902.09229, 2102.06866, 2110.02501) for every
number of negatives.

    python experiments/loss_tracking.py          laptop: C = 10 and 100, 3 seeds
    python experiments/loss_tracking.py smoke    a minute: small, every code path

Encoders are those of `deep`, trained once and shared. The data's nuisance is of the same kind as
the augmentation, which helps both objectives alike.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch
from scipy.special import ndtri

from supcon_theory import data
from supcon_theory.audits.batch_means import batch_means
from supcon_theory.audits.earlier_bounds import surrogate_audit
from supcon_theory.audits.loss_curves import curves, trained_pairs
from supcon_theory.audits.matched_walk import matched_walk
from supcon_theory.audits.training import bare, followed, transfer
from supcon_theory.claims import Claim
from supcon_theory.claims.training import dynamics_claims
from supcon_theory.data import random
from supcon_theory.encoders.embed import embed, evaluation_views, trained_encoders
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.encoders.train import held_out_rows, training_rows
from supcon_theory.runs import flags as command
from supcon_theory.runs.cells import Cell, Context
from supcon_theory.runs.experiment import run

NAME = "loss_tracking"
OBJECTIVES = ("dcl", "nscl")


@dataclass(frozen=True)
class Config(command.Deep):
    """The two losses along training."""

    batches: tuple[int, ...] = (32, 128, 512, 2048)
    """Sizes of mini-batches in which the losses are estimated; only those up to half of a set."""
    negatives: tuple[int, ...] = (1, 4, 16, 64, 256, 1024, 4096)
    """Numbers of negatives at which earlier theory is evaluated."""
    anchors: int = 64
    """Anchors of the held-out set at which earlier theory is evaluated."""

    def check(self) -> None:
        super().check()
        command.at_least(self, anchors=1)
        if min(self.batches, default=8) < 8:
            raise ValueError(
                f"batches has {min(self.batches)} but each must be at least 8: in a "
                "smaller one an anchor may well have no negative of another class"
            )
        if not self.negatives or min(self.negatives) < 1:
            raise ValueError(
                f"negatives are {' '.join(map(str, self.negatives)) or 'none'} but each "
                "must be at least 1"
            )


PRESETS = {
    "smoke": Config(
        classes=(4,),
        n=12,
        seeds=2,
        steps=6,
        batch=24,
        batches=(8, 16, 64),
        anchors=8,
        negatives=(1, 4, 64),
    ),
    "laptop": Config(),
    "full": Config(seeds=5),
    "paper": Config(
        data="data/cifar100",
        classes=(100,),
        n=500,
        seeds=5,
        steps=14_400,
        batch=1024,
        encoder="resnet50",
        d=128,
        optimiser="lars",
        lr=2.4,
        weight_decay=1e-6,
        device="cuda",
        batches=(128, 512, 1024, 2048),
    ),
}


def cells(config: Config) -> list[Cell]:
    """One cell per number of classes and seed: both encoders are compared in it."""
    found = []
    for seed in range(config.seeds):
        for C in config.classes:
            recipe = config.recipe(C, seed, "dcl")
            content = {
                "measure": NAME,
                "version": 1,
                "recipe": asdict(recipe),
                "taus": config.taus,
                "batches": config.batches,
                "negatives": config.negatives,
                "anchors": config.anchors,
            }
            found.append(Cell(content, f"C={C} seed={seed}", cost=C))
    return found


def measure(cell: Mapping, context: Context) -> pd.DataFrame:
    """Train both encoders (or find them trained) and follow them over their checkpoints."""
    common = Recipe(**cell["recipe"])
    encoder = trained_encoders(common, OBJECTIVES, context, share=0.6)
    dataset = data.load(common.data)
    sets = {
        "train": (dataset.train, *training_rows(common, dataset)),
        "test": (dataset.test, *held_out_rows(common, dataset)),
    }
    found = []
    for at, (split, (images, rows, y)) in enumerate(sets.items()):
        seen = evaluation_views(dataset, images, rows)
        about = {
            "data": common.data,
            "C": common.C,
            "n": len(y) // common.C,
            "K": 2,
            "d": common.d,
            "seed": common.seed,
            "tau_train": common.tau,
            "split": split,
            "layer": "z",
        }
        before = walk = None
        for step in common.checkpoints:
            z = {name: embed(encoder(name, step), seen, context.device)[1] for name in OBJECTIVES}
            if split == "test":
                walk = (
                    z["dcl"]
                    if walk is None
                    else matched_walk(
                        walk, before, z["dcl"], normal(common.seed, step, *z["dcl"].shape[::2])
                    )
                )
                before = z["dcl"]
            epoch = step / max(common.C * common.n // common.batch, 1)
            here = about | {"step": step, "epoch": epoch}
            found += [here | row for row in rows_at(z, walk, y, step, split, cell)]
            context.report(
                0.6 + 0.2 * (at + (common.checkpoints.index(step) + 1) / len(common.checkpoints))
            )
    return pd.DataFrame(found)


def rows_at(
    z: Mapping, walk, y: torch.Tensor, step: int, split: str, cell: Mapping
) -> Iterator[dict]:
    """All rows of one checkpoint on one set of images."""
    taus, recipe = cell["taus"], cell["recipe"]
    exact = {name: followed(of, y, taus) for name, of in z.items()}
    for f, g in zip(exact["dcl"], exact["nscl"], strict=True):
        f |= transfer(f, g)
    for name, rows in exact.items():
        yield from (
            {"protocol": "exact", "objective": name, "labels": "true"} | row for row in rows
        )
    order = torch.as_tensor(random.permutation(recipe["seed"], "shuffled labels", 0, len(y)))
    nulls = [("dcl", "shuffled", z["dcl"], y[order])]
    if split == "test":
        nulls.append(("walk", "true", walk, y))
    for objective, labels, of, of_labels in nulls:
        yield from (
            {"protocol": "control", "objective": objective, "labels": labels} | row
            for row in bare(of, of_labels, taus)
        )
    about = {"objective": "dcl", "labels": "true"}
    if step == recipe["steps"]:
        for size in (b for b in cell["batches"] if b <= len(y) / 2):
            epoch = random.permutation(recipe["seed"], "evaluation batches", size, len(y))
            means = batch_means(z["dcl"], y, taus, size, epoch)
            for row, f in zip(means, exact["dcl"], strict=True):
                bias = {
                    "bias_dcl": row["level_dcl"] - f["level_dcl"],
                    "bias_nscl": row["level_nscl"] - f["level_nscl"],
                    "bias_gap": row["gap"] - f["gap"],
                }
                yield {"protocol": "batch"} | about | row | bias
    if split == "test" and len(y.bincount().unique()) == 1:  # earlier theory: equally many each
        for tau in taus:
            yield from (
                {"protocol": "surrogate"} | about | row
                for row in surrogate_audit(z["dcl"], y, tau, cell["negatives"], cell["anchors"])
            )


def normal(seed: int, step: int, N: int, d: int) -> torch.Tensor:
    """(N, d) standard normal numbers of the walk's step."""
    uniform = random.uniform(seed, "random walk", step, 0, np.arange(N), d)
    return torch.from_numpy(ndtri(np.maximum(uniform, 2.0**-54)))


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Losses at the end and how often the premise of A9 holds; all correlations over training."""
    table = tables["table"]
    pairs = trained_pairs(table)
    keys = ["C", "split", "tau"]
    ends = pairs[pairs["step"] == pairs["step"].max()]
    found = ends.groupby(keys)[
        ["loss_dcl", "loss_nscl", "gap", "bound_ceiling", "bound_published", "floor", "excess_nscl"]
    ].mean()
    found["premise_holds"] = (pairs["excess_dcl"] <= 0).groupby([pairs[k] for k in keys]).mean()
    shown = (
        curves(table)
        .groupby(["C", "split", "objective", "labels", "tau"])[
            ["pearson", "forced", "slope", "pearson_gap", "range_nscl", "range_gap", "bound"]
        ]
        .mean()
    )
    return {"summary": found.reset_index(), "correlations": shown.reset_index()}


def claims(config: Config) -> list[Claim]:
    published = min(config.taus, key=lambda tau: abs(tau - 1))
    return dynamics_claims(config.tau, published, config.classes)


if __name__ == "__main__":
    run(NAME, PRESETS, cells, measure, claims, summary)
