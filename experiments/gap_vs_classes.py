"""How the gap between CL and NSCL closes as the number of classes grows (arXiv 2506.04411, Theorem 1).

Trains CL (`dcl`) and NSCL (`nscl`) encoders on identical batches and views for each number of classes
and seed, measures both losses exactly over all views of the whole training set, and compares the gap
with its value at equal similarities, the collapsed-ETF ceiling and the published bound.

    python experiments/gap_vs_classes.py            laptop: 3 seeds, C = 2 ... 256, 150 steps
    python experiments/gap_vs_classes.py full       5 seeds, 300 steps, and kanji up to C = 1000

Controls: shuffled labels (evaluation only), the step, imbalanced subsets of the images.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import torch

from supcon_theory import data
from supcon_theory.audits.gap import gap_audit
from supcon_theory.claims import Claim
from supcon_theory.claims.gap import gap_slope, sweep_claims
from supcon_theory.data.fingerprint import fingerprint
from supcon_theory.data.random import permutation
from supcon_theory.data.subsets import geometric
from supcon_theory.encoders.embed import embed, evaluation_views, trained_encoders
from supcon_theory.encoders.recipe import Recipe, log_spaced, sweep
from supcon_theory.encoders.train import training_rows
from supcon_theory.runs import flags as command
from supcon_theory.runs.cells import Cell, Context
from supcon_theory.runs.experiment import run
from supcon_theory.statistics import mean_interval

NAME = "gap_vs_classes"
OBJECTIVES = ("dcl", "nscl")
CIFAR100 = "data/cifar100"


@dataclass(frozen=True)
class Config(command.Trained):
    """The gap against the number of classes."""

    classes: tuple[int, ...] = (2, 4, 8, 16, 32, 64, 128, 256)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    steps: int = 150
    """Training steps, the same for every C."""
    d: int = 64
    """Dimension of the embeddings."""
    checkpoints: int = 2
    """Measured checkpoints after the initialisation (log-spaced if more than two)."""
    kanji_classes: tuple[int, ...] = ()
    """Numbers of classes on the kanji, beside --data (44 training images a class)."""
    ratios: tuple[float, ...] = (1, 4, 16)
    """Imbalance n_max / n_min of the subsets of the images at --imbalanced-classes."""
    imbalanced_classes: int = 32
    """The number of classes at which imbalance is looked at."""
    imbalanced_training: bool = False
    """Train on the imbalanced subsets as well."""

    def check(self) -> None:
        if self.data == CIFAR100 and not Path(CIFAR100).exists():
            command.check_device(self.device)
            raise ValueError(
                f"CIFAR-100 is not at {CIFAR100}: get it from "
                "https://www.cs.toronto.edu/~kriz/cifar.html and put its images at "
                f"{CIFAR100}/train/<class>/*.png and {CIFAR100}/test/<class>/*.png"
            )
        super().check()
        for ratio in self.ratios:
            if not 1 <= ratio <= self.n / 2:
                raise ValueError(
                    f"ratios has {ratio:g} but with n = {self.n} images a class each must "
                    f"be from 1 to {self.n / 2:g}, so that 2 images stay in every class"
                )
        if self.imbalanced_training:
            command.at_least(self, imbalanced_classes=2)
            command.check_data(self.data, self.imbalanced_classes, self.n, "imbalanced-classes")
        if self.kanji_classes:
            command.check_data("kanji", max(self.kanji_classes), 2)


PRESETS = {
    "smoke": Config(
        classes=(2, 4, 8),
        n=16,
        seeds=2,
        steps=6,
        batch=32,
        ratios=(1, 4),
        imbalanced_classes=8,
        imbalanced_training=True,
    ),
    "laptop": Config(),
    "full": Config(
        seeds=5, steps=300, checkpoints=4, kanji_classes=(32, 250, 1000), imbalanced_training=True
    ),
    "paper": Config(
        data=CIFAR100,
        classes=(5, 10, 20, 40, 60, 80, 100),
        n=500,
        seeds=5,
        steps=14_400,
        checkpoints=5,
        batch=1024,
        encoder="resnet50",
        d=128,
        optimiser="lars",
        lr=2.4,
        weight_decay=1e-6,
        device="cuda",
        imbalanced_classes=100,
    ),
}


def cells(config: Config) -> list[Cell]:
    """One cell per data set, number of classes, seed (and imbalance trained on)."""
    points = tuple(sorted({0, config.steps // 2, config.steps}))
    if config.checkpoints != 2:
        points = log_spaced(config.steps, config.checkpoints)
    work = [(config.data, C, config.n, 1.0) for C in config.classes]
    work += [("kanji", C, min(config.n, 44), 1.0) for C in config.kanji_classes]
    if config.imbalanced_training:
        work += [
            (config.data, config.imbalanced_classes, config.n, ratio)
            for ratio in config.ratios
            if ratio > 1
        ]
    found = []
    for seed in range(config.seeds):
        for name, C, n, imbalance in work:
            recipe = sweep(
                name,
                C,
                seed,
                "dcl",
                n=n,
                imbalance=imbalance,
                checkpoints=points,
                data_digest=fingerprint(name),
                **config.recipe_fields(),
            )
            ratios = config.ratios if C == config.imbalanced_classes and imbalance == 1 else ()
            content = {
                "measure": NAME,
                "version": 1,
                "recipe": asdict(recipe),
                "taus": config.taus,
                "ratios": ratios,
            }
            cost = config.steps * 0.09 * config.batch / 128 + len(points) * 4 * (C * n / 16384) ** 2
            label = f"{name} C={C} seed={seed}" + (f" ratio={imbalance:g}" if imbalance > 1 else "")
            found.append(Cell(content, label, cost))
    return found


def measure(cell: Mapping, context: Context) -> pd.DataFrame:
    """Train both encoders (or find them trained) and measure every checkpoint."""
    common = Recipe(**cell["recipe"])
    encoder = trained_encoders(common, OBJECTIVES, context, share=0.7)
    dataset = data.load(common.data)
    rows, y = training_rows(common, dataset)
    seen = evaluation_views(dataset, dataset.train, rows)
    found = []
    for step in common.checkpoints:
        for objective in OBJECTIVES:
            if step > 0 or objective == OBJECTIVES[0]:  # both start from the same weights
                _, z = embed(encoder(objective, step), seen, context.device)
                audits = [
                    {"labels": labels, "imbalance": ratio} | row
                    for labels, ratio, places, of_places in subsets(y, cell, step)
                    for row in gap_audit(z[places], of_places, cell["taus"])
                ]
            found += [about(common, objective, step, len(y)) | audit for audit in audits]
        context.report(0.7 + 0.3 * (common.checkpoints.index(step) + 1) / len(common.checkpoints))
    return pd.DataFrame(found)


def about(recipe: Recipe, objective: str, step: int, images: int) -> dict[str, object]:
    return {
        "data": recipe.data,
        "C": recipe.C,
        "n": recipe.n,
        "K": 2,
        "d": recipe.d,
        "objective": objective,
        "seed": recipe.seed,
        "tau_train": recipe.tau,
        "trained_imbalance": recipe.imbalance,
        "step": step,
        "epoch": step / max(images // recipe.batch, 1),
        "split": "train",
        "layer": "z",
    }


def subsets(y: torch.Tensor, cell: Mapping, step: int) -> Iterator[tuple]:
    """(labels, imbalance, places, y there): all images, and at the last step the controls."""
    recipe = cell["recipe"]
    everything = torch.arange(len(y))
    yield "true", recipe["imbalance"], everything, y
    if step == recipe["steps"]:
        order = torch.as_tensor(permutation(recipe["seed"], "shuffled labels", 0, len(y)))
        yield "shuffled", recipe["imbalance"], everything, y[order]
        for ratio in cell["ratios"]:
            if ratio > 1:
                places = geometric(y, ratio)
                yield "true", ratio, places, y[places]


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The gap at the end of training beside the ruler, and how fast everything falls with C."""
    table = tables["table"]
    last = table[
        (table["step"] == table["step"].max())
        & (table["trained_imbalance"] == 1)
        & (table["imbalance"] == 1)
    ]
    true = last[(last["labels"] == "true") & (last["tau"] == last["tau"].max())]
    names = {"bound_equal": "equal", "bound_ceiling": "ceiling", "bound_published": "published"}
    ends = true.groupby(["data", "C"])[["epoch", *names]].mean().rename(columns=names)
    for place, objective in enumerate(OBJECTIVES):
        of = true[true["objective"] == objective].groupby(["data", "C"])
        ends.insert(1 + 2 * place, f"gap_{objective}", of["gap"].mean())
        ends.insert(2 + 2 * place, f"r_{objective}", of["r"].mean())
    slopes = []
    for (name, tau), rows in last.groupby(["data", "tau"]):
        for labels, objective in (("true", "dcl"), ("true", "nscl"), ("shuffled", "dcl")):
            interval = mean_interval(gap_slope(rows, {"labels": labels}, objective))
            slopes.append(
                {
                    "data": name,
                    "tau": tau,
                    "slope_of": f"{objective}, {labels} labels",
                    **interval._asdict(),
                }
            )
        for bound in names:
            values = gap_slope(rows.assign(gap=rows[bound]), {"labels": "true"})
            slopes.append({"data": name, "tau": tau, "slope_of": bound, "mean": values.mean()})
    return {"summary": ends.reset_index(), "slopes": pd.DataFrame(slopes)}


def claims(config: Config) -> list[Claim]:
    published = min(config.taus, key=lambda tau: abs(tau - 1))
    return sweep_claims(config.tau, published, config.classes, config.n, config.data)


if __name__ == "__main__":
    run(NAME, PRESETS, cells, measure, claims, summary)
