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

    python experiments/universality.py              laptop: 5 seeds, 100 steps
    python experiments/universality.py full         400 steps, C = 8, 32 and 64
    python experiments/universality.py --data FOLDER      your images as the base
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, gap
from supcon_theory.encoders.flags import Trained, check_data, check_objectives
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary

HEADINGS = (
    columns.Column("level", "", "point of the grid"),
    *(
        columns.Column(f"r_{labels}", "1", f"r, {labels.replace('_', ' ')}")
        for labels in ("true", "coarse", "random", "kmeans", "kmeans_equal")
    ),
    columns.Column("r_least", "1", "r, least"),
    columns.Column("r_most", "1", "r, most"),
    columns.Column("bound_most", "1", "gap / bound, most"),
    columns.Column("ceiling_mean", "1", "gap / ceiling, mean"),
    columns.Column("ceiling_most", "1", "gap / ceiling, most"),
    columns.Column("worst", "", "where nearest"),
)
AUDITS = (columns.GAP, columns.FLOORS)
NAMED = {"K": "trained K", "tau": "trained tau", "stripes": "nuisance"}


@dataclass(frozen=True)
class Config(Trained):
    """The gap beside its bounds over encoders, data, labels, dimensions, views and objectives."""

    classes: tuple[int, ...] = (32,)
    """Numbers of classes C: the base, then others to vary it."""
    eval_tau: tuple[float, ...] = (1.0, 0.1)
    """Temperatures to evaluate at; the training temperature of the base is always added."""
    objectives: tuple[str, ...] = ("nscl", "supcon", "nt_xent", "cross_entropy")
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
    nuisances: tuple[float, ...] = (0.5,)
    """Contrasts of a nuisance that no augmentation undoes, besides none: stripes over every image
    at an angle of its own."""
    coarse: int = 4
    """Classes merged into one coarse class."""

    def check(self) -> None:
        """Refuse a grid with a point that cannot be trained or labelled."""
        self.at_least(coarse=2)
        if self.objectives:
            check_objectives(self.objectives)
        for C in self.classes:
            if C % self.coarse or C < 2 * self.coarse:
                raise ValueError(
                    f"classes has {C} but must be {2 * self.coarse} or a higher "
                    f"multiple of {self.coarse}, to be merged {self.coarse} at a time "
                    f"(--coarse)"
                )
        super().check()
        varied = {
            "encoder": self.encoders,
            "d": self.dimensions,
            "K": self.views,
            "tau": self.temperatures,
            "stripes": self.nuisances,
        }
        for field, values in varied.items():
            for value in values:
                replace(self.recipe, **{field: value})  # refuses what cannot be trained

    def look(self) -> None:
        """Refuse data with fewer classes than are asked for, and what a recipe cannot have."""
        super().look()
        for name in {*self.datasets} - {self.data}:
            check_data(self.facts(name), max(self.classes), 2)
        list(grid(self, seed=0))  # a recipe refuses what it cannot be trained with


PRESETS = {
    "smoke": Config(
        classes=(8,),
        recipe=Recipe(n=16, steps=4, batch=32, d=16),
        seeds=2,
        dimensions=(4,),
        encoders=("plain", "mlp"),
        temperatures=(1.0,),
        objectives=("nscl",),
    ),
    "laptop": Config(),
    "full": Config(classes=(32, 8, 64), recipe=Recipe(steps=400)),
}


@dataclass(frozen=True)
class Point:
    """A point of the grid: the factor that differs from the base, and which encoder it looks at."""

    factor: str
    value: object
    step: int
    objective: str = "dcl"
    K: int = 2

    @property
    def text(self) -> str:
        """The value as it is written."""
        return f"{self.value:g}" if isinstance(self.value, float) else str(self.value)

    @property
    def level(self) -> str:
        """The name of the point."""
        return "base" if self.factor == "base" else f"{self.factor}={self.text}"


@dataclass(frozen=True)
class Training:
    """One training, its objectives side by side, and the points that it serves."""

    recipe: Recipe
    points: tuple[Point, ...]
    taus: tuple[float, ...]
    coarse: int

    @property
    def objectives(self) -> tuple[str, ...]:
        """What is trained with, CL first."""
        return tuple(dict.fromkeys(["dcl", *(point.objective for point in self.points)]))


def cells(config: Config) -> Iterator[Cell]:
    """One cell per training and seed."""
    for seed in range(config.seeds):
        for recipe, points in grid(config, seed):
            training = Training(recipe, points, config.taus, config.coarse)
            yield Cell(
                training,
                f"{points[0].level} seed={seed}",
                cost=4 * len(points) * (recipe.images / 2048) ** 2,
                shared=recipe.shared(training.objectives),
            )


def grid(config: Config, seed: int) -> Iterator[tuple[Recipe, tuple[Point, ...]]]:
    """Trainings, and the points of the grid that each serves: the base, and one factor changed."""

    def recipe(**changes: object) -> Recipe:
        fields = {"data": config.data, "C": config.classes[0]} | changes
        n = min(config.recipe.n, config.facts(str(fields["data"])).fewest_train)
        return config.recipe_for(seed=seed, n=n, **fields)

    base, steps = recipe(), config.recipe.steps
    objectives = [name for name in dict.fromkeys(config.objectives) if name != "dcl"]
    yield (
        base,
        (
            Point("base", "CL", steps),
            Point("objective", "untrained", 0),
            *(Point("objective", name, steps, objective=name) for name in objectives),
            *(Point("evaluated K", K, steps, K=K) for K in dict.fromkeys(config.views) if K != 2),
        ),
    )
    varied = {
        "encoder": config.encoders,
        "data": config.datasets,
        "C": config.classes,
        "d": config.dimensions,
        "K": config.views,
        "tau": config.temperatures,
        "stripes": config.nuisances,
    }
    for field, values in varied.items():
        for value in dict.fromkeys(values):
            if value != getattr(base, field):
                factor = NAMED.get(field, field)
                yield recipe(**{field: value}), (Point(factor, value, steps),)


def measure(cell: Training, context: Context) -> pd.DataFrame:
    """Train (or find trained) and evaluate every point under every labelling."""
    from supcon_theory.audits.gap import labelling_audit
    from supcon_theory.encoders.embed import Encoders
    from supcon_theory.encoders.labelings import labelings

    recipe = cell.recipe
    encoders = Encoders(recipe, cell.objectives, context, share=0.7)
    images = {K: encoders.images("train", K) for K in {point.K for point in cell.points}}
    found = []
    for done, point in enumerate(cell.points, 1):
        seen, y, _ = images[point.K]
        _, z = encoders.embed(point.objective, point.step, seen)
        try:
            by_name = labelings(z, y, recipe, encoders.dataset, cell.coarse)
        except ValueError as error:  # constant features, say: ends this cell only, with the reason
            raise FloatingPointError(f"no clusters at {point.level}: {error}") from None
        about = {
            "factor": point.factor,
            "value": point.text,
            "level": point.level,
            "encoder": recipe.encoder,
            "trained_K": recipe.K,
        } | recipe.columns(step=point.step, objective=point.objective, K=point.K)
        for name, labels in by_name.items():
            sizes = labels.bincount()
            of = about | {
                "labels": name,
                "C": len(sizes),
                "n": len(labels) / len(sizes),
                "imbalance": float(sizes.max() / sizes.min()),
            }
            found += [of | row for row in labelling_audit(z, labels, cell.taus)]
        context.report(0.7 + 0.3 * done / len(cell.points))
    return pd.DataFrame(found)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """R at every point (highest temperature), and how near each labelling comes to its bounds."""
    table = tables["table"].assign(
        over_bound=lambda t: t["gap"] / t["bound_class_average"],
        over_ceiling=lambda t: t["gap"] / t["bound_ceiling"],
    )
    shown = ["r", "over_bound", "over_ceiling"]
    means = table.groupby(["tau", "labels", "level"], sort=False)[shown].mean()
    nearest = means.groupby(level=["tau", "labels"], sort=False).agg(
        r_least=("r", "min"),
        r_most=("r", "max"),
        bound_most=("over_bound", "max"),
        ceiling_mean=("over_ceiling", pd.Series.mean),
        ceiling_most=("over_ceiling", "max"),
        worst=("over_bound", lambda of: of.idxmax()[2]),
    )
    r = means["r"].xs(table["tau"].max()).unstack("labels", sort=False).add_prefix("r_")
    at = f"tau = {table['tau'].max():g}: mean"
    return {
        "summary": Summary(r.reset_index(), f"r of every labelling, {at}", HEADINGS),
        "nearest": Summary(nearest.reset_index(), "How near the gap comes to its bounds", HEADINGS),
    }


def claims(config: Config) -> list[Claim]:
    """The theorems at every point of the grid, and how r varies over it."""
    trainings = list(grid(config, seed=0))
    trained = sum(point.step > 0 for _, points in trainings for point in points)
    return gap.grid(config.taus, config.tau_published, trained)


EXPERIMENT = experiment(globals(), "Does the bound on the gap care about encoders, data, labels?")

if __name__ == "__main__":
    EXPERIMENT.main()
