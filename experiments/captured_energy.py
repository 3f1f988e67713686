"""What embeddings capture of a label, and what of that can be known without labels (arXiv 2609.38393).

B = |E[Y F]|^2 of whitened features F bounds the few-shot error of the nearest class centre and the
cosine between the axes of two tasks. Both bounds are held against laws small enough to enumerate,
against Gaussian two-view models whose eigenfunctions are Hermite polynomials, and against encoders;
beside it the estimate of B from two views alone, with shuffled labels as null.

    python experiments/captured_energy.py         laptop: C = 10, 5 seeds, 800 steps

Encoders are those of `deep`, trained once and shared.
"""  # noqa: E501

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, captured_energy
from supcon_theory.encoders.flags import Deep, check_objectives
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.runs.experiment import Cell, Context, experiment

AUDITS = (columns.CAPTURED_ENERGY,)


@dataclass(frozen=True)
class Config(Deep):
    """Captured energy of labels, its bounds, and its estimate without labels."""

    classes: tuple[int, ...] = (10,)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    objectives: tuple[str, ...] = ("dcl", "nscl", "supcon")
    """Objectives to train with."""
    dimensions: tuple[int, ...] = (1, 2, 4, 9, 32)
    """Numbers r of whitened directions, those that views share most."""
    shots: tuple[int, ...] = (1, 5, 20, 100, 500)
    """Labelled examples m of each side of a task."""
    certified_shots: tuple[int, ...] = (5, 100)
    """m at which certificates are computed for encoders."""
    draws: int = 100
    """Support draws."""
    laws: int = 400
    """Random laws that are enumerated, of each r and m."""
    certified_laws: int = 8
    """How many of them get certificates."""

    def check(self) -> None:
        """Refuse numbers that give no error or no law."""
        super().check()
        check_objectives(self.objectives)
        self.at_least(draws=2, laws=1, certified_laws=1)
        for name in ("dimensions", "shots", "certified_shots"):
            if min(getattr(self, name), default=0) < 1:
                raise ValueError(
                    f"{name.replace('_', '-')} are {getattr(self, name)} but each must be at least "
                    "1: give some"
                )


PRESETS = {
    "smoke": Config(
        classes=(4,),
        recipe=Recipe(n=16, steps=6, batch=32, d=16),
        seeds=2,
        objectives=("dcl",),
        dimensions=(1, 3),
        shots=(1, 20),
        certified_shots=(20,),
        draws=9,
        laws=10,
        certified_laws=1,
    ),
    "laptop": Config(),
    "full": Config(
        recipe=Recipe(n=160, steps=3000, d=128), draws=500, laws=4000, certified_laws=100
    ),
}


@dataclass(frozen=True)
class Laws:
    """Laws of one seed whose captured energy is exact."""

    seed: int
    shots: tuple[int, ...]
    draws: int
    laws: int
    certified: int


@dataclass(frozen=True)
class Training:
    """Encoders trained side by side, and in which episodes they are looked at."""

    recipe: Recipe
    objectives: tuple[str, ...]
    dimensions: tuple[int, ...]
    shots: tuple[int, ...]
    certified: tuple[int, ...]
    draws: int


def cells(config: Config) -> Iterator[Cell]:
    """One cell of laws per seed, one of encoders per number of classes and seed."""
    for seed in range(config.seeds):
        laws = Laws(seed, config.shots, config.draws, config.laws, config.certified_laws)
        cost = 0.02 * config.laws + 0.3 * config.certified_laws + 0.05 * config.draws
        yield Cell(laws, f"laws seed={seed}", cost)
    for recipe in config.recipes(objective=config.objectives[0]):
        episodes = config.dimensions, config.shots, config.certified_shots, config.draws
        yield Cell(
            Training(recipe, config.objectives, *episodes),
            f"{config.data} C={recipe.C} seed={recipe.seed}",
            cost=len(config.objectives) * 10 * recipe.images / 1600,
            shared=recipe.shared(config.objectives),
        )


def measure(cell: Laws | Training, context: Context) -> pd.DataFrame:
    """Rows of the laws, or of the encoders."""
    rows = law_rows(cell, context) if isinstance(cell, Laws) else encoder_rows(cell, context)
    return pd.DataFrame(list(rows))


def law_rows(cell: Laws, context: Context) -> Iterator[dict[str, object]]:
    """Enumerated laws, laws of two tasks, Gaussian models."""
    from supcon_theory.audits import whitened_laws as audit

    about = {"seed": cell.seed, "split": "population", "objective": "none"}
    for r in (1, 2, 3, 5):
        for m in (1, 2, 3):
            yield about | audit.enumerated_row(r, m, cell.laws, cell.certified, cell.seed)
        yield about | audit.axes_row(r, cell.laws, cell.seed)
        context.report(r / 10)
    for model in audit.MODELS:
        for row in audit.gaussian_rows(
            model, (1, 2, 3, 4, 6, 8), cell.shots, 10_000, cell.draws, cell.seed
        ):
            yield about | row


def encoder_rows(cell: Training, context: Context) -> Iterator[dict[str, object]]:
    """Energy along training, with and without labels; errors and axes at its end."""
    from supcon_theory.audits import captured_energy as audit
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    encoders = Encoders(recipe, cell.objectives, context, share=0.6)
    looked_at = sorted({*recipe.checkpoints[::3], recipe.steps})
    points = [(name, step) for name in cell.objectives for step in looked_at]
    for split in ("train", "test"):
        seen, y, _ = encoders.images(split)
        for done, (objective, step) in enumerate(points, 1):
            z = encoders.embed(objective, step, seen)[1]
            x = audit.equal_classes(z, y)
            where = {"objective": objective, "split": split, "layer": "z", "n": x.shape[1]}
            about = recipe.columns(step=step, **where)
            for row in audit.energy_rows(x, recipe.seed):
                yield about | row
            if split == "test" and step == recipe.steps:
                for row in audit.task_rows(
                    x,
                    cell.dimensions,
                    cell.shots,
                    cell.certified,
                    tasks=6,
                    draws=cell.draws,
                    seed=recipe.seed,
                ):
                    yield about | row
            context.report(0.6 + (0.2 if split == "train" else 0.4) * done / len(points))


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Energy at the end of training; the worst of all laws and encoders beside each bound."""
    table = tables["table"]
    views = table[(table["protocol"] == "views") & (table["step"] == table["step"].max())]
    shown = ["B", "shared", "energy", "label_free", "label_free_error"]
    energy = views.groupby(["objective", "split", "labels"])[shown].mean().reset_index()
    worst = table[table["of_bound"].notna()].groupby(["protocol", "r"])["of_bound"].max()
    return {"summary": energy, "tightness": worst.reset_index()}


def claims(config: Config) -> list[Claim]:
    """The bounds, where they say nothing, certificates, the estimate without labels."""
    return captured_energy.claims(config.objectives)


EXPERIMENT = experiment(globals(), "What do embeddings capture of a label, known without labels?")

if __name__ == "__main__":
    EXPERIMENT.main()
