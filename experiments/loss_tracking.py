"""DCL and NSCL loss along training, and what minimising the one does to the other (arXiv 2506.04411).

Exact losses of CL- (`dcl`) and NSCL-trained encoders at every checkpoint, on the training images
and on held-out images of the same classes, at tau = 1 and at the training temperature; every bound
on their gap; the floor of NSCL; the transfer inequality and the identity behind it. Beside them
what a correlation of 1.00 is worth: the same under shuffled labels, and for a random walk in
feature space that moves as far as training did. Then means over mini-batches, which is what was
published, and the bounds of earlier theory (arXiv 1902.09229, 2102.06866, 2110.02501) for every
number of negatives.

    python experiments/loss_tracking.py          laptop: C = 10 and 100, 5 seeds
    python experiments/loss_tracking.py smoke    seconds: small, every code path

Encoders are those of `deep`, trained once and shared. The data's nuisance is of the same kind as
the augmentation, which helps both objectives alike.
"""  # noqa: E501

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.audits.loss_curves import curves, trained_pairs
from supcon_theory.claims import Claim, training
from supcon_theory.encoders.flags import Deep
from supcon_theory.encoders.recipe import PAIR, PUBLISHED, Recipe
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary

if TYPE_CHECKING:
    from torch import Tensor

AUDITS = (columns.TRAINING, columns.BATCH_MEANS, columns.EARLIER_BOUNDS)
ENDS = [
    *("loss_dcl", "loss_nscl", "gap", "bound_ceiling", "bound_published", "floor"),
    "difference_nscl",
]
HEADINGS = (
    columns.Column("loss_dcl", "nats", "DCL loss"),
    columns.Column("loss_nscl", "nats", "NSCL loss"),
    columns.Column("bound_ceiling", "nats", "ETF ceiling"),
    columns.Column("bound_published", "nats", "published bound"),
    columns.Column("floor", "nats", "floor of NSCL"),
    columns.Column("difference_nscl", "nats", "NSCL loss, CL less NSCL"),
    columns.Column("premise_holds", "1", "premise of A9 holds"),
)
CURVES = ["pearson", "forced", "slope", "pearson_gap", "range_nscl", "range_gap", "bound"]
BATCH = {"protocol": "batch", "objective": "dcl", "labels": "true"}
SURROGATE = BATCH | {"protocol": "surrogate"}


@dataclass(frozen=True)
class Config(Deep):
    """The two losses along training."""

    batches: tuple[int, ...] = (32, 128, 512, 2048)
    """Sizes of mini-batches in which the losses are estimated; only those up to half of a set."""
    negatives: tuple[int, ...] = (1, 4, 16, 64, 256, 1024, 4096)
    """Numbers of negatives at which earlier theory is evaluated."""
    anchors: int = 64
    """Anchors of the held-out set at which earlier theory is evaluated."""

    def check(self) -> None:
        """Refuse what cannot be trained or measured."""
        super().check()
        self.at_least(anchors=1)
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
        recipe=Recipe(n=12, steps=6, batch=24),
        seeds=2,
        batches=(8, 16, 64),
        anchors=8,
        negatives=(1, 4, 64),
    ),
    "laptop": Config(),
    "full": Config(seeds=10),
    "paper": Config(
        recipe=PUBLISHED, classes=(100,), device="cuda", batches=(128, 512, 1024, 2048)
    ),
}


@dataclass(frozen=True)
class Tracking:
    """A pair of encoders, and everything their losses are compared with."""

    recipe: Recipe
    taus: tuple[float, ...]
    batches: tuple[int, ...]
    negatives: tuple[int, ...]
    anchors: int


def cells(config: Config) -> Iterator[Cell]:
    """One cell per number of classes and seed: both encoders are compared in it."""
    for recipe in config.recipes():
        yield Cell(
            Tracking(recipe, config.taus, config.batches, config.negatives, config.anchors),
            f"C={recipe.C} seed={recipe.seed}",
            cost=0.6 * recipe.C,
            shared=recipe.shared(PAIR),
        )


def measure(cell: Tracking, context: Context) -> pd.DataFrame:
    """Train both encoders (or find them trained) and follow them over their checkpoints."""
    import torch

    from supcon_theory.audits.earlier_bounds import earlier_bounds_audit
    from supcon_theory.audits.training import checkpoint_audit, matched_walk
    from supcon_theory.data.random import normal
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    encoders = Encoders(recipe, PAIR, context, share=0.6)
    found = []
    for at, split in enumerate(("train", "test")):
        seen, y, shuffled = encoders.images(split)
        before = walk = None
        for done, step in enumerate(recipe.checkpoints, 1):
            f, g = (encoders.embed(name, step, seen)[1] for name in PAIR)
            if split == "test":
                noise = normal(recipe.seed, "random walk", step, np.arange(len(y)), f.shape[-1])
                noise = torch.from_numpy(noise)
                walk = f if before is None else matched_walk(walk, before, f, noise)
                before = f
            about = recipe.columns(step=step, n=len(y) / recipe.C, split=split, layer="z")
            rows = list(checkpoint_audit(f, g, y, shuffled, cell.taus, walk))
            if step == recipe.steps:
                rows += batch_rows(f, y, rows, cell)
            if split == "test":
                of_earlier = earlier_bounds_audit(f, y, cell.taus, cell.negatives, cell.anchors)
                rows += [SURROGATE | row for row in of_earlier]
            found += [about | row for row in rows]
            context.report(0.6 + 0.2 * (at + done / len(recipe.checkpoints)))
    return pd.DataFrame(found)


def batch_rows(
    f: "Tensor", y: "Tensor", rows: list[dict[str, Any]], cell: Tracking
) -> Iterator[dict[str, Any]]:
    """Means over mini-batches beside the exact values that `rows` have."""
    from supcon_theory.audits.batch_means import batch_means
    from supcon_theory.data.random import permutation

    exact = [r for r in rows if r["protocol"] == "exact" and r["objective"] == "dcl"]
    for size in (b for b in cell.batches if b <= len(y) / 2):
        epoch = permutation(cell.recipe.seed, "evaluation batches", size, len(y))
        for row in batch_means(f, y, exact, size, epoch):
            yield BATCH | row


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """Losses at the end and how often the premise of A9 holds; all correlations over training."""
    table = tables["table"]
    pairs = trained_pairs(table)
    keys = ["C", "split", "tau"]
    found = pairs[pairs["step"] == pairs["step"].max()].groupby(keys)[ENDS].mean()
    found["premise_holds"] = (pairs["difference_dcl"] <= 0).groupby([pairs[k] for k in keys]).mean()
    shown = curves(table).groupby(["C", "split", "objective", "labels", "tau"])[CURVES].mean()
    return {
        "summary": Summary(found.reset_index(), "Losses of CL, end of training: mean", HEADINGS),
        "correlations": Summary(shown.reset_index(), "Correlations over training: mean"),
    }


def claims(config: Config) -> list[Claim]:
    """The theorems at every checkpoint, the transfer, what the correlations are worth."""
    images = max(config.classes) * max(config.recipe.n, config.facts().fewest_test)
    in_batches = min(config.batches, default=images) <= images / 2
    return training.claims(config.recipe.tau, config.tau_published, config.classes, in_batches)


EXPERIMENT = experiment(
    globals(), "Where are both losses, their floor and every bound along training?"
)

if __name__ == "__main__":
    EXPERIMENT.main()
