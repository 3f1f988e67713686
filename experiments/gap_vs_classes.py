"""How the gap between CL and NSCL closes as the number of classes grows (arXiv 2506.04411).

Trains CL (`dcl`) and NSCL (`nscl`) encoders on identical batches and views for each number of
classes and seed, measures both losses exactly over all views of the whole training set, and
compares the gap with its value at equal similarities, the collapsed-ETF ceiling and the published
bound (Theorem 1).

    python experiments/gap_vs_classes.py            laptop: 5 seeds, C = 2 ... 128, 100 steps
    python experiments/gap_vs_classes.py full       300 steps, C up to 256, and kanji up to C = 1000

Controls: shuffled labels (evaluation only), the step, imbalanced subsets of the images.
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import pandas as pd

from supcon_theory.audits import columns, sweeps
from supcon_theory.claims import Claim, gap
from supcon_theory.encoders.flags import Trained, check_data
from supcon_theory.encoders.recipe import PAIR, PUBLISHED, Recipe, log_spaced
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary
from supcon_theory.statistics import mean_interval

if TYPE_CHECKING:
    from torch import Tensor

AUDITS = (columns.GAP,)
BESIDE = "Gap of CL encoders on training images, tau = 1: ours (mean over seeds) and Figure 3"
SLOPES = "Slope of log(exp(gap) - 1) on log(C - 1), mean and 95 % interval over seeds"
HEADINGS = (
    columns.Column("gap_dcl", "nats", "gap, CL"),
    columns.Column("r_dcl", "1", "r, CL"),
    columns.Column("gap_nscl", "nats", "gap, NSCL"),
    columns.Column("r_nscl", "1", "r, NSCL"),
    columns.Column("equal", "nats", "equal similarities"),
    columns.Column("ceiling", "nats", "ETF ceiling"),
    columns.Column("published", "nats", "published bound"),
    columns.Column("published_0", "nats", "published, epoch 0"),
    columns.Column("published_10", "nats", "published, epoch 10"),
    columns.Column("published_100", "nats", "published, epoch 100"),
    columns.Column("published_300", "nats", "published, epoch 300"),
    columns.Column("slope_of", "", "slope of"),
    columns.Column("mean", "1", "mean"),
    columns.Column("low", "1", "low"),
    columns.Column("high", "1", "high"),
)
BOUNDS = {"bound_equal": "equal", "bound_ceiling": "ceiling", "bound_published": "published"}


@dataclass(frozen=True)
class Config(Trained):
    """The gap against the number of classes."""

    classes: tuple[int, ...] = (2, 4, 8, 32, 128)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    checkpoints: Annotated[int, Between(1, 1000)] = 2
    """Measured checkpoints after the initialisation (log-spaced if more than two)."""
    kanji_classes: Annotated[tuple[int, ...], Between(2, 1000)] = ()
    """Numbers of classes on the kanji, beside --data (44 training images a class)."""
    ratios: tuple[float, ...] = (1, 4, 16)
    """Imbalance n_max / n_min of the subsets of the images at --imbalanced-classes."""
    imbalanced_classes: int = 32
    """The number of classes at which imbalance is looked at."""
    imbalanced_training: bool = False
    """Train on the imbalanced subsets as well."""

    def check(self) -> None:
        """Refuse what cannot be trained or measured.

        Raises:
            ValueError: in one sentence, with what is allowed.

        """
        super().check()
        if self.imbalanced_training:
            self.at_least(imbalanced_classes=2)
        n = self.recipe.n
        for ratio in self.ratios:
            if not 1 <= ratio <= n / 2:
                raise ValueError(
                    f"ratios has {ratio:g} but with n = {n} images a class each must "
                    f"be from 1 to {n / 2:g}, so that 2 images stay in every class"
                )

    def look(self) -> None:
        """Refuse data with fewer classes than are asked for."""
        super().look()
        if self.imbalanced_training:
            check_data(self.facts(), self.imbalanced_classes, self.recipe.n, "imbalanced-classes")
        if self.kanji_classes:
            check_data(self.facts("kanji"), max(self.kanji_classes), 2)


PRESETS = {
    "smoke": Config(
        classes=(2, 4, 8),
        recipe=Recipe(n=16, steps=6, batch=32),
        seeds=2,
        ratios=(1, 4),
        imbalanced_classes=8,
        imbalanced_training=True,
    ),
    "laptop": Config(),
    "full": Config(
        classes=(2, 4, 8, 16, 32, 64, 128, 256),
        recipe=Recipe(steps=300),
        checkpoints=4,
        kanji_classes=(32, 250, 1000),
        imbalanced_training=True,
    ),
    "paper": Config(
        recipe=PUBLISHED,
        classes=(5, 10, 20, 40, 60, 80, 100),
        checkpoints=5,
        device="cuda",
        imbalanced_classes=100,
    ),
}


@dataclass(frozen=True)
class Sweep:
    """One pair of encoders, the temperatures and the imbalance at which it is looked at."""

    recipe: Recipe
    taus: tuple[float, ...]
    ratios: tuple[float, ...]


def cells(config: Config) -> Iterator[Cell]:
    """One cell per data set, number of classes, seed (and imbalance trained on)."""
    steps = config.recipe.steps
    points = tuple(sorted({0, steps // 2, steps}))
    if config.checkpoints != 2:
        points = log_spaced(steps, config.checkpoints)
    n, trained = config.recipe.n, config.ratios if config.imbalanced_training else ()
    work = [(config.data, C, n, 1.0) for C in config.classes]
    work += [("kanji", C, min(n, 44), 1.0) for C in config.kanji_classes]
    work += [(config.data, config.imbalanced_classes, n, ratio) for ratio in trained if ratio > 1]
    for seed in range(config.seeds):
        for data, C, n, ratio in work:
            recipe = config.recipe_for(C, seed, data=data, n=n, imbalance=ratio, checkpoints=points)
            ratios = config.ratios if C == config.imbalanced_classes and ratio == 1 else ()
            yield Cell(
                Sweep(recipe, config.taus, ratios),
                f"{data} C={C} seed={seed}" + (f" ratio={ratio:g}" if ratio > 1 else ""),
                cost=len(points) * 4 * (C * n / 16384) ** 2,
                shared=recipe.shared(PAIR),
            )


def measure(cell: Sweep, context: Context) -> pd.DataFrame:
    """Train both encoders (or find them trained) and measure every checkpoint."""
    from supcon_theory.audits.gap import gap_audit
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    encoders = Encoders(recipe, PAIR, context, share=0.7)
    seen, y, shuffled = encoders.images("train")
    found = []
    for done, step in enumerate(recipe.checkpoints, 1):
        for objective in PAIR:
            if step > 0 or objective == "dcl":  # both start from the same weights
                _, z = encoders.embed(objective, step, seen)
                audits = [
                    {"labels": labels, "imbalance": ratio} | row
                    for labels, ratio, places, of_places in subsets(y, shuffled, cell, step)
                    for row in gap_audit(z[places], of_places, cell.taus)
                ]
            about = recipe.columns(step=step, objective=objective, split="train", layer="z")
            found += [about | {"trained_imbalance": recipe.imbalance} | row for row in audits]
        context.report(0.7 + 0.3 * done / len(recipe.checkpoints))
    return pd.DataFrame(found)


def subsets(
    y: "Tensor", shuffled: "Tensor", cell: Sweep, step: int
) -> Iterator[tuple[str, float, "slice | Tensor", "Tensor"]]:
    """(labels, imbalance, places, y there): all images, and at the last step the controls."""
    from supcon_theory.data.subsets import geometric

    recipe, everything = cell.recipe, slice(None)
    yield "true", recipe.imbalance, everything, y
    if step == recipe.steps:
        yield "shuffled", recipe.imbalance, everything, shuffled
        for ratio in cell.ratios:
            if ratio > 1:
                places = geometric(y, ratio)
                yield "true", ratio, places, y[places]


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """The gap at the end of training beside the ruler, and how fast everything falls with C."""
    table = tables["table"]
    balanced = (table["trained_imbalance"] == 1) & (table["imbalance"] == 1)
    last = table.loc[balanced & (table["step"] == table["step"].max())]
    true = last.loc[(last["labels"] == "true") & (last["tau"] == last["tau"].max())]
    ends = true.groupby(["data", "C"])[["epoch", *BOUNDS]].mean().rename(columns=BOUNDS)
    for place, objective in enumerate(PAIR):
        of = true.loc[true["objective"] == objective].groupby(["data", "C"])
        ends.insert(1 + 2 * place, f"gap_{objective}", of["gap"].mean())
        ends.insert(2 + 2 * place, f"r_{objective}", of["r"].mean())
    slopes = []
    for (data, tau), rows in last.groupby(["data", "tau"]):
        about = {"data": data, "tau": tau}
        for labels, objective in (("true", "dcl"), ("true", "nscl"), ("shuffled", "dcl")):
            interval = mean_interval(sweeps.gap_slope(rows, {"labels": labels}, objective))
            what = {"slope_of": f"{objective}, {labels} labels"}
            slopes.append(about | what | interval._asdict())
        for bound in BOUNDS:
            values = sweeps.gap_slope(rows.assign(gap=rows[bound]), {"labels": "true"})
            slopes.append(about | {"slope_of": bound, "mean": values.mean()})
    at = f"end of training, tau = {true['tau'].max():g}: mean"
    beside = sweeps.beside_published(table)
    more = {"published": Summary(beside, BESIDE, HEADINGS)} if len(beside) else {}
    return more | {
        "summary": Summary(ends.reset_index(), f"Gap between CL and NSCL, {at}", HEADINGS),
        "slopes": Summary(pd.DataFrame(slopes), SLOPES, HEADINGS),
    }


def claims(config: Config) -> list[Claim]:
    """The theorems on the gap, and how it falls with the number of classes."""
    return gap.sweep(config.recipe.tau, config.tau_published, config.classes, config.data)


EXPERIMENT = experiment(
    globals(), "How does the gap between CL and NSCL close as the number of classes grows?"
)

if __name__ == "__main__":
    EXPERIMENT.main()
