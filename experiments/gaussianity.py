"""Do contrastive features become Gaussian, and what would follow? (arXiv 2602.24012).

One-dimensional projections, norms and a multivariate test of exact level and stated power on the
held-out embeddings of CL, NSCL, SupCon and cross-entropy encoders along training. In consequence:
the few-shot error of Gaussian classes with the moments of the embeddings beside the measured one.

    python experiments/gaussianity.py        laptop: C = 10 and 100, 5 seeds, 800 steps

Encoders are those of `deep`, trained once and shared.
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, gaussianity
from supcon_theory.encoders.flags import Deep, check_objectives
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.runs.experiment import Cell, Context, experiment

AUDITS = (columns.GAUSSIANITY,)


@dataclass(frozen=True)
class Config(Deep):
    """How near to a Gaussian embeddings are."""

    objectives: tuple[str, ...] = ("dcl", "nscl", "supcon", "cross_entropy")
    """Objectives to train with."""
    rows: int = 400
    """Held-out images that the multivariate test looks at."""
    components: int = 8
    """Principal components that it looks at."""
    null: int = 199
    """Gaussian samples that give its p values."""
    samples: int = 200
    """Samples of each known law, for its power."""
    shots: tuple[int, ...] = (1, 5, 20)
    """Labelled examples m of each class."""
    draws: int = 50
    """Support draws."""

    def check(self) -> None:
        """Refuse numbers that give no test or no error."""
        super().check()
        check_objectives(self.objectives)
        self.at_least(rows=20, components=1, null=19, samples=1, draws=2)
        if not self.components < min(self.rows, self.recipe.d):
            raise ValueError(
                f"components is {self.components} but must be below rows ({self.rows}) and the "
                f"dimension d ({self.recipe.d})"
            )
        if min(self.shots, default=0) < 1:
            raise ValueError(f"shots are {self.shots} but each must be at least 1: give some")


PRESETS = {
    "smoke": Config(
        classes=(4,),
        recipe=Recipe(n=16, steps=6, batch=32, d=16),
        seeds=2,
        objectives=("dcl", "cross_entropy"),
        rows=40,
        components=2,
        null=19,
        samples=20,
        shots=(1, 5),
        draws=4,
    ),
    "laptop": Config(),
    "full": Config(
        recipe=Recipe(n=160, steps=3000, d=128), seeds=10, null=999, samples=1000, draws=200
    ),
}


@dataclass(frozen=True)
class Power:
    """One seed's samples of known laws."""

    seed: int
    rows: int
    components: int
    samples: int
    null: int


@dataclass(frozen=True)
class Features:
    """Encoders trained side by side, and how their embeddings are looked at."""

    recipe: Recipe
    objectives: tuple[str, ...]
    rows: int
    components: int
    null: int
    shots: tuple[int, ...]
    draws: int


def cells(config: Config) -> Iterator[Cell]:
    """One cell of known laws per seed, one of encoders per number of classes and seed."""
    look = config.rows, config.components
    for seed in range(config.seeds):
        cost = 4e-8 * config.rows**2 * (4 * config.samples + config.null)
        yield Cell(Power(seed, *look, config.samples, config.null), f"laws seed={seed}", cost)
    for recipe in config.recipes(objective=config.objectives[0]):
        episodes = config.null, config.shots, config.draws
        yield Cell(
            Features(recipe, config.objectives, *look, *episodes),
            f"{config.data} C={recipe.C} seed={recipe.seed}",
            cost=len(config.objectives) * (4 + 0.1 * recipe.C),
            shared=recipe.shared(config.objectives),
        )


def measure(cell: Power | Features, context: Context) -> pd.DataFrame:
    """Rows of known laws, or of encoders."""
    from supcon_theory.audits.gaussianity import power_rows

    if isinstance(cell, Features):
        return pd.DataFrame(list(feature_rows(cell, context)))
    about = {"seed": cell.seed, "objective": "none"}
    rows = power_rows(cell.rows, cell.components, cell.samples, cell.null, cell.seed)
    return pd.DataFrame([about | row for row in rows])


def feature_rows(cell: Features, context: Context) -> Iterator[dict[str, object]]:
    """Features and embeddings of held-out images along training; errors at its ends."""
    from supcon_theory.audits.gaussianity import error_rows, feature_row
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    encoders = Encoders(recipe, cell.objectives, context, share=0.3)
    seen, y, _ = encoders.images("test", K=1)
    looked_at = sorted({*recipe.checkpoints[::3], recipe.steps})
    points = [(name, step) for name in cell.objectives for step in looked_at]
    for done, (objective, step) in enumerate(points, 1):
        layers = encoders.embed(objective, step, seen)
        for layer, rows in zip("hz", layers, strict=True):
            x = rows[:, 0].double().numpy()
            about = recipe.columns(step=step, objective=objective, split="test", layer=layer, K=1)
            yield about | feature_row(x, cell.rows, cell.components, cell.null, recipe.seed)
            if layer == "z" and step in (0, recipe.steps):
                errors = error_rows(x, y.numpy(), cell.shots, cell.draws, recipe.seed)
                for row in errors:
                    yield about | row
        context.report(0.3 + 0.7 * done / len(points))


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """How near to a Gaussian at the ends, what the test sees, what the estimate is worth."""
    table = tables["table"]
    ends = table["step"].isin([0, table["step"].max()])
    features = table.loc[(table["protocol"] == "features") & ends]
    shots = table.loc[(table["protocol"] == "few shots") & ends]
    power = table.loc[table["protocol"] == "power"]
    by = ["C", "layer", "objective", "step"]
    shown = ["distance", "distance_normal", "distance_top", "kurtosis", "norm_ratio", "p"]
    return {
        "summary": features.groupby(by)[shown].mean().reset_index(),
        "power": power.groupby(["law", "n", "k"])["rejected"].mean().reset_index(),
        "errors": shots.groupby([*by, "m"])[["error", "estimate"]].mean().reset_index(),
    }


def claims(config: Config) -> list[Claim]:
    """The level of the test, what training does, what the estimate is worth."""
    return gaussianity.claims(config.objectives, config.classes)


EXPERIMENT = experiment(globals(), "Do contrastive features become Gaussian?")

if __name__ == "__main__":
    EXPERIMENT.main()
