"""How label-agnostic and architecture-independent the bound on the gap is (arXiv 2506.04411).

Around a base setting (CL, plain encoder, glyphs, C = 32, d = 64, tau = .5, two views) one factor at
a time is varied: the objective, the encoder, the data, the dimension, the views trained on and
evaluated, the training temperature. Every encoder is evaluated at several temperatures, under the
true labels and

    coarse        classes in the order of their names (code points), merged 4 at a time
    random        the true labels, shuffled
    kmeans        k-means clusters of z of one view, as many as classes, of whatever size
    kmeans_equal  the same, all of the same size

The theorems must hold at every point; the gap over its bounds and r are measurements.

    python experiments/universality.py              laptop: 3 seeds, 100 steps
    python experiments/universality.py full         5 seeds, 400 steps, C = 8, 32 and 64
    python experiments/universality.py --data FOLDER      your images as the base
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from supcon_theory import data
from supcon_theory.audits.above_floor import above_floor
from supcon_theory.audits.gap import gap_audit
from supcon_theory.claims import Claim
from supcon_theory.claims.universality import universality_claims
from supcon_theory.data.fingerprint import fingerprint
from supcon_theory.encoders.embed import embed, evaluation_views, trained_encoders
from supcon_theory.encoders.labelings import LABELINGS, labelings
from supcon_theory.encoders.networks import ENCODERS
from supcon_theory.encoders.recipe import Recipe, sweep
from supcon_theory.encoders.train import training_rows
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.runs import flags as command
from supcon_theory.runs.cells import Cell, Context
from supcon_theory.runs.experiment import run
from supcon_theory.theory.ceiling import etf_ceiling_is_proved

NAME = "universality"
COST = {"plain": 0.05, "residual": 0.24, "mlp": 0.02, "vit": 0.8, "resnet50": 20}  # seconds a step


@dataclass(frozen=True)
class Config(command.Trained):
    """The gap beside its bounds over encoders, data, labels, dimensions, views and objectives."""

    classes: tuple[int, ...] = (32,)
    """Numbers of classes C: the base, then others to vary it."""
    eval_tau: tuple[float, ...] = (1.0, 0.1)
    """Temperatures to evaluate at; the training temperature of the base is always added."""
    d: int = 64
    """Dimension of the embeddings."""
    objectives: tuple[str, ...] = ("nscl", "supcon", "cross_entropy")
    """Objectives to train with, besides dcl and none at all."""
    encoders: tuple[str, ...] = ("plain", "residual", "mlp", "vit")
    """Encoders, besides --encoder."""
    datasets: tuple[str, ...] = ("glyphs", "kanji")
    """Data, besides --data."""
    dimensions: tuple[int, ...] = (8, 64, 256)
    """Embedding dimensions, besides --d."""
    views: tuple[int, ...] = (2, 4)
    """Numbers of views K, in training and in evaluation, besides 2."""
    temperatures: tuple[float, ...] = (0.1, 0.5, 1.0)
    """Temperatures to train at, besides --tau."""
    coarse: int = 4
    """Classes merged into one coarse class."""

    def check(self) -> None:
        command.at_least(self, d=2, coarse=2)
        for flag, allowed in {"encoders": ENCODERS, "objectives": OBJECTIVES}.items():
            for value in getattr(self, flag):
                if value not in allowed:
                    raise ValueError(f"{flag} has {value!r} but must be among {', '.join(allowed)}")
        for flag in ("dimensions", "views"):
            if min(getattr(self, flag), default=2) < 2:
                raise ValueError(
                    f"{flag} has {min(getattr(self, flag))} but each must be at least 2"
                )
        for tau in self.temperatures:
            if not 0 < tau < np.inf:
                raise ValueError(f"temperatures has {tau:g} but each must be a number above 0")
        for C in self.classes:
            if C % self.coarse or C < 2 * self.coarse:
                raise ValueError(
                    f"classes has {C} but must be {2 * self.coarse} or a higher "
                    f"multiple of {self.coarse}, to be merged {self.coarse} at a time "
                    f"(--coarse)"
                )
        super().check()
        for name in {*self.datasets} - {self.data}:
            command.check_data(name, max(self.classes), 2)


PRESETS = {
    "smoke": Config(
        classes=(8,),
        n=16,
        seeds=2,
        steps=4,
        batch=32,
        d=16,
        dimensions=(4,),
        encoders=("plain", "mlp"),
        temperatures=(1.0,),
        objectives=("nscl",),
    ),
    "laptop": Config(),
    "full": Config(classes=(32, 8, 64), seeds=5, steps=400),
}


def cells(config: Config) -> list[Cell]:
    """One cell per training (objectives side by side) and seed."""
    found = []
    for seed in range(config.seeds):
        for recipe, points in grid(config, seed):
            content = {
                "measure": NAME,
                "version": 1,
                "recipe": asdict(recipe),
                "points": points,
                "taus": config.taus,
                "coarse": config.coarse,
            }
            objectives = len({point["objective"] for point in points})
            cost = (
                objectives * recipe.steps * COST[recipe.encoder] * recipe.K * recipe.batch / 256
                + 4 * len(points) * (recipe.C * recipe.n / 2048) ** 2
            )
            found.append(Cell(content, f"{points[0]['level']} seed={seed}", cost))
    return found


@functools.cache
def fewest_images(name: str) -> int:
    """The number of training images that every class has."""
    dataset = data.load(name)
    return dataset.fewest(dataset.train)


def grid(config: Config, seed: int) -> Iterator[tuple[Recipe, list[dict]]]:
    """Trainings, and the points of the grid that each serves: the base, and one factor changed."""

    def recipe(**changes) -> Recipe:
        fields = {"data": config.data, "C": config.classes[0], **config.recipe_fields(), **changes}
        name = fields["data"]
        return sweep(
            seed=seed,
            objective="dcl",
            n=min(config.n, fewest_images(name)),
            data_digest=fingerprint(name),
            checkpoints=(0, config.steps),
            **fields,
        )

    def point(factor: str, value: object, **changes) -> dict:
        value = f"{value:g}" if isinstance(value, float) else str(value)
        return {
            "factor": factor,
            "value": value,
            "level": f"{factor}={value}",
            "objective": "dcl",
            "step": config.steps,
            "K": 2,
            **changes,
        }

    base = recipe()
    yield (
        base,
        [
            point("base", "CL", level="base"),
            point("objective", "untrained", step=0),
            *(
                point("objective", name, objective=name)
                for name in dict.fromkeys(config.objectives)
                if name != "dcl"
            ),
            *(point("evaluated K", K, K=K) for K in dict.fromkeys(config.views) if K != 2),
        ],
    )
    varied = {
        "encoder": config.encoders,
        "data": config.datasets,
        "C": config.classes,
        "d": config.dimensions,
        "K": config.views,
        "tau": config.temperatures,
    }
    for field, values in varied.items():
        for value in dict.fromkeys(values):
            if value != getattr(base, field):
                factor = f"trained {field}" if field in ("K", "tau") else field
                yield recipe(**{field: value}), [point(factor, value)]


def measure(cell: Mapping, context: Context) -> pd.DataFrame:
    """Train (or find trained) and evaluate every point under every labelling."""
    common = Recipe(**cell["recipe"])
    objectives = dict.fromkeys(["dcl", *(point["objective"] for point in cell["points"])])
    encoder = trained_encoders(common, objectives, context, share=0.7)
    dataset = data.load(common.data)
    rows, y = training_rows(common, dataset)
    seen = {
        K: evaluation_views(dataset, dataset.train, rows, K)
        for K in {point["K"] for point in cell["points"]}
    }
    found = []
    for done, point in enumerate(cell["points"]):
        network = encoder(point["objective"], point["step"])
        _, z = embed(network, seen[point["K"]], context.device)
        try:
            labels_by_name = labelings(z, y, common, dataset, cell["coarse"])
        except ValueError as error:  # constant features, say: ends this cell only, with the reason
            raise FloatingPointError(f"no clusters at {point['level']}: {error}") from None
        for name, labels in labels_by_name.items():
            sizes = labels.bincount()
            about = point | {
                "data": common.data,
                "encoder": common.encoder,
                "d": common.d,
                "seed": common.seed,
                "trained_K": common.K,
                "tau_train": common.tau,
                "labels": name,
                "C": len(sizes),
                "n": len(labels) / len(sizes),
                "imbalance": float(sizes.max() / sizes.min()),
            }
            found += [
                about | row | above_floor(z, labels, row["tau"])
                for row in gap_audit(z, labels, cell["taus"])
            ]
        context.report(0.7 + 0.3 * (done + 1) / len(cell["points"]))
    return pd.DataFrame(found)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """R at every point (highest temperature), and how near each labelling comes to its bounds."""
    table = tables["table"].assign(
        over_bound=lambda t: t["gap"] / t["bound_class_average"],
        over_ceiling=lambda t: t["gap"] / t["bound_ceiling"],
    )
    means = table.groupby(["tau", "labels", "level"], sort=False)[
        ["r", "over_bound", "over_ceiling"]
    ].mean()
    nearest = [
        {
            "tau": tau,
            "labels": labels,
            "r_least": rows["r"].min(),
            "r_most": rows["r"].max(),
            "bound_most": rows["over_bound"].max(),
            "ceiling_mean": rows["over_ceiling"].mean(),
            "ceiling_most": rows["over_ceiling"].max(),
            "worst": rows["over_bound"].idxmax()[2],
        }
        for (tau, labels), rows in means.groupby(level=[0, 1], sort=False)
    ]
    r = means["r"].xs(table["tau"].max()).unstack("labels", sort=False).add_prefix("r_")
    return {"summary": r.reset_index(), "nearest": pd.DataFrame(nearest)}


def claims(config: Config) -> list[Claim]:
    trainings = list(grid(config, seed=0))
    open_cases = not all(
        etf_ceiling_is_proved(C, recipe.C * recipe.n // C, tau)
        for recipe, _ in trainings
        for C in (recipe.C, recipe.C // config.coarse)
        for tau in config.taus
    )
    published = min(config.taus, key=lambda tau: abs(tau - 1))
    return universality_claims(
        config.taus,
        sum(len(points) for _, points in trainings),
        len(LABELINGS),
        open_cases,
        published,
    )


if __name__ == "__main__":
    run(NAME, PRESETS, cells, measure, claims, summary)
