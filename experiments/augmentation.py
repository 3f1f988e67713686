"""Does SupCon depend less on augmentation than self-supervised learning does?

Encoders are trained with CL, NSCL, SupCon and cross-entropy on the same images in views of no
augmentation, ours and twice ours (`full`: each operation left out in turn too). Held-out images are
classified from the backbone's output h by a linear probe; the gap of CL and NSCL, the variance of
views and CDNV are those of the projector's output z on views of ours, for all encoders.

    python experiments/augmentation.py            laptop: C = 5, strengths 0, 1, 2, 5 seeds
    python experiments/augmentation.py full       C = 10, 100, more strengths, parts left out
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
from tyro.conf import OmitArgPrefixes

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, augmentation
from supcon_theory.data.facts import ships
from supcon_theory.data.policy import OPERATIONS, STRONGEST
from supcon_theory.encoders.flags import Trained, check_held_out, check_objectives
from supcon_theory.encoders.recipe import PUBLISHED, Recipe
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary

AUDITS = (columns.ACCURACY, columns.GAP, columns.GEOMETRY, columns.AUGMENTATION)
SHOWN = ("r", "gap", "augmentation_variance", "cdnv", "left")
HEADINGS = (
    columns.Column("error", "%", "error"),
    columns.Column("augmentation_variance", "1", "variance of views"),
)


@dataclass(frozen=True)
class Config(Trained):
    """Strength of augmentation, and what it is made of."""

    classes: tuple[int, ...] = (5,)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    recipe: OmitArgPrefixes[Recipe] = Recipe(n=40, steps=550, d=128)
    objectives: tuple[str, ...] = ("dcl", "nscl", "supcon", "cross_entropy")
    """What encoders are trained with."""
    strengths: tuple[float, ...] = (0.0, 2.0)
    """Strengths of the augmentation besides ours, 1."""
    left_out: tuple[str, ...] = ()
    """Operations left out of ours, one at a time: crop, move, mirror, light, colour, veil, blur or
    erase."""

    def check(self) -> None:
        """Refuse what cannot be trained or says nothing."""
        super().check()
        check_objectives(self.objectives)
        if (self.recipe.strength, self.recipe.without) != (1, None):
            raise ValueError(
                f"strength is {self.recipe.strength:g} and without {self.recipe.without} but both "
                "are varied here: use --strengths and --left-out"
            )
        for name, values in (("strengths", (1, *self.strengths)), ("left-out", self.left_out)):
            if len(set(values)) < len(values):
                raise ValueError(f"{name} are {values} but each may be there once, 1 always is")
        for strength in self.strengths:
            if not 0 <= strength <= STRONGEST:
                raise ValueError(
                    f"strengths has {strength:g} but each must be in [0, {STRONGEST:g}]"
                )
        for operation in self.left_out:
            if operation not in OPERATIONS:
                raise ValueError(
                    f"left-out has {operation!r} but each must be one of {', '.join(OPERATIONS)}"
                )

    def look(self) -> None:
        """Refuse data without held-out images, and operations that do nothing to these data."""
        super().look()
        found = self.facts()
        check_held_out(found)
        idle = {"colour"} if found.channels == 1 else {"veil"}
        idle |= {"mirror"} if ships(self.data) else set()
        if given := [name for name in self.left_out if name in idle]:
            raise ValueError(
                f"left-out has {given[0]!r} but that does nothing to images of {found.name}: "
                f"leave out some of {', '.join(name for name in OPERATIONS if name not in idle)}"
            )


PRESETS = {
    "smoke": Config(
        classes=(4,),
        recipe=Recipe(n=12, steps=6, batch=24),
        seeds=2,
        objectives=("dcl", "supcon", "cross_entropy"),
        left_out=("crop",),
    ),
    "laptop": Config(),
    "full": Config(
        classes=(10, 100),
        recipe=Recipe(n=160, steps=2000, d=128),
        strengths=(0.0, 0.25, 0.5, 1.5, 2.0),
        left_out=("crop", "move", "light", "veil", "blur", "erase"),
    ),
    "paper": Config(
        recipe=PUBLISHED,
        classes=(100,),
        device="cuda",
        left_out=("crop", "move", "mirror", "light", "colour", "blur", "erase"),
    ),
}


@dataclass(frozen=True)
class Augmented:
    """Encoders trained side by side on the same views, and what these are called."""

    recipe: Recipe
    objectives: tuple[str, ...]
    level: str
    taus: tuple[float, ...]


def settings(config: Config) -> Iterator[tuple[str, dict]]:
    """What each augmentation is called, and how its recipe differs from the template."""
    for strength in (1.0, *config.strengths):
        yield augmentation.strong(strength), {"strength": strength}
    for operation in config.left_out:
        yield augmentation.lacking(operation), {"without": operation}


def cells(config: Config) -> Iterator[Cell]:
    """One cell per number of classes, seed and augmentation."""
    for seed in range(config.seeds):
        for C in config.classes:
            for level, changes in settings(config):
                recipe = config.recipe_for(C, seed, objective=config.objectives[0], **changes)
                of = Augmented(recipe, config.objectives, level, config.taus)
                shared = recipe.shared(config.objectives)
                yield Cell(of, f"{level} C={C} seed={seed}", cost=0.5 * C, shared=shared)


def measure(cell: Augmented, context: Context) -> pd.DataFrame:
    """Train the encoders or find them trained; measure them on views of strength 1."""
    from supcon_theory.audits.augmentation import measured_rows, progress_row
    from supcon_theory.data.policy import policy_of
    from supcon_theory.encoders.embed import Encoders, evaluation_views
    from supcon_theory.encoders.train import held_out_rows, training_rows

    recipe, step = cell.recipe, cell.recipe.steps
    trained = Encoders(recipe, cell.objectives, context, share=0.9)
    dataset = trained.dataset
    policy = policy_of(recipe.strength, recipe.without, flips=dataset.flips)
    rows, y = training_rows(recipe, dataset)
    seen = dataset.train.images(rows)[:, None]
    own = evaluation_views(dataset, dataset.train, rows, policy=policy)
    new, of_new = held_out_rows(recipe, dataset)
    clean = dataset.test.images(new)[:, None]
    views = evaluation_views(dataset, dataset.test, new)
    about = {"level": cell.level, "strength": recipe.strength, "without": recipe.without or ""}
    found = []
    for name in cell.objectives:
        z = trained.embed(name, step, own)[1]
        here = recipe.columns(step=step, objective=name) | about
        here |= progress_row(z, y, name, recipe.tau, recipe.options)
        measured = measured_rows(
            (trained.embed(name, step, seen)[0][:, 0], y),
            (trained.embed(name, step, clean)[0][:, 0], of_new),
            (trained.embed(name, step, views)[1], of_new),
            cell.taus,
            recipe.seed,
        )
        found += [here | row for row in measured]
    return pd.DataFrame(found)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """Error in per cent, gap and geometry of every encoder."""
    table, by = tables["table"], ["C", "level", "objective"]
    error = table.query("layer == 'h' and probe == 'linear'").groupby(by, sort=False)["error"]
    z = table[(table["layer"] == "z") & (table["tau"] == table["tau"].max())]
    found = z.groupby(by, sort=False)[[*SHOWN]].mean()
    found.insert(0, "error", 100 * error.mean())
    title = "Held-out images, by the augmentation trained with: mean"
    return {"summary": Summary(found.reset_index(), title, HEADINGS)}


def claims(config: Config) -> list[Claim]:
    """The theorems of the gap, the control, and who depends on augmentation how much."""
    return augmentation.claims(
        config.classes,
        config.objectives,
        config.taus,
        config.tau_published,
        config.strengths,
        config.left_out,
    )


EXPERIMENT = experiment(globals(), "Does SupCon depend less on augmentation than CL does?")

if __name__ == "__main__":
    EXPERIMENT.main()
