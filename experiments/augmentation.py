"""Does SupCon depend less on augmentation than self-supervised learning does?

Encoders are trained with CL, NSCL, SupCon and cross-entropy on the same images in views of no
augmentation, ours and twice ours (`full`: each operation left out in turn; MixUp and CutMix, where
the loss is defined). Held-out images are classified from h by a linear probe; the gap of CL and
NSCL, the variance of views and CDNV are those of z on views of ours, for all encoders.

    python experiments/augmentation.py            laptop: C = 5, strengths 0, 1, 2, 5 seeds
    python experiments/augmentation.py full       more strengths, parts left out, images mixed
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
from tyro.conf import OmitArgPrefixes

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, augmentation
from supcon_theory.data.facts import ships
from supcon_theory.data.policy import MIXES, OPERATIONS, STRONGEST, check_useful
from supcon_theory.encoders.flags import Trained, check_among, check_held_out, check_objectives
from supcon_theory.encoders.recipe import PUBLISHED, Recipe
from supcon_theory.objectives.ids import OF_SHARES
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary

AUDITS = (columns.ACCURACY, columns.GAP, columns.GEOMETRY, columns.AUGMENTATION)
SHOWN = ("r", "gap", "augmentation_variance", "cdnv", "left")
OF_VIEWS = columns.Column("augmentation_variance", "1", "variance of views")
HEADINGS = (columns.Column("error", "%", "error"), OF_VIEWS)


@dataclass(frozen=True)
class Config(Trained):
    """Strength of augmentation, and what it is made of."""

    classes: tuple[int, ...] = (5,)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    recipe: OmitArgPrefixes[Recipe] = Recipe(n=40, steps=550, d=128)
    objectives: tuple[str, ...] = ("dcl", "nscl", "supcon", "cross_entropy")
    """What encoders are trained with."""
    strengths: Annotated[tuple[float, ...], Between(0, STRONGEST)] = (0.0, 2.0)
    """Strengths of the augmentation besides ours, 1."""
    left_out: tuple[str, ...] = ()
    """Operations left out of ours, one at a time: crop, move, mirror, light, colour, veil, blur or
    erase."""
    mixes: tuple[str, ...] = ()
    """Ours with images mixed in pairs, for dcl, nt_xent, supcon, cross_entropy: mixup, cutmix."""

    def check(self) -> None:
        """Refuse what cannot be trained or says nothing."""
        super().check()
        check_objectives(self.objectives)
        check_among(self.left_out, OPERATIONS, "left-out")
        check_among(self.mixes, MIXES, "mixes")
        given = self.recipe
        if (given.strength, given.without, given.mix) != (1, None, None):
            raise ValueError(
                "strength, without and mix are varied here: use --strengths, --left-out, --mixes"
            )
        if len({1, *self.strengths}) <= len(self.strengths):
            raise ValueError(f"strengths are {self.strengths} but each may be there once, 1 always")
        if self.mixes and not mixable(self.objectives):
            raise ValueError(
                f"mixes are {' '.join(self.mixes)} but objectives has none that is defined for "
                f"images of two classes: add one of {', '.join(OF_SHARES)}"
            )

    def look(self) -> None:
        """Refuse data without held-out images, and operations that do nothing to these data."""
        super().look()
        found = self.facts()
        check_held_out(found)
        check_useful(self.left_out, found.channels, flips=not ships(self.data))


PRESETS = {
    "smoke": Config(
        classes=(4,), recipe=Recipe(n=12, steps=6, batch=24), seeds=2, left_out=("crop",),
        objectives=("dcl", "supcon", "cross_entropy"), mixes=MIXES,
    ),
    "laptop": Config(),
    "full": Config(
        strengths=(0, 0.5, 1.5, 2), mixes=MIXES,
        left_out=("crop", "move", "light", "veil", "blur", "erase"),
    ),
    "paper": Config(
        recipe=PUBLISHED, classes=(100,), device="cuda", mixes=MIXES,
        left_out=("crop", "move", "mirror", "light", "colour", "blur", "erase"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Augmented:
    """Encoders trained side by side on the same views, and what these are called."""

    recipe: Recipe
    objectives: tuple[str, ...]
    level: str
    taus: tuple[float, ...]


def mixable(objectives: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the objectives that are defined for images of two classes."""
    return tuple(name for name in objectives if name in OF_SHARES)


def settings(config: Config) -> Iterator[tuple[str, tuple[str, ...], dict]]:
    """What each augmentation is called, its objectives, and what differs in the recipe."""
    for strength in (1.0, *config.strengths):
        yield augmentation.strong(strength), config.objectives, {"strength": strength}
    for operation in config.left_out:
        yield augmentation.lacking(operation), config.objectives, {"without": operation}
    for mix in config.mixes:
        yield mix, mixable(config.objectives), {"mix": mix}


def cells(config: Config) -> Iterator[Cell]:
    """One cell per number of classes, seed and augmentation."""
    for seed in range(config.seeds):
        for C in config.classes:
            for level, objectives, changes in settings(config):
                recipe = config.recipe_for(C, seed, objective=objectives[0], **changes)
                of = Augmented(recipe, objectives, level, config.taus)
                shared = recipe.shared(objectives)
                yield Cell(of, f"{level} C={C} seed={seed}", cost=0.5 * C, shared=shared)


def measure(cell: Augmented, context: Context) -> pd.DataFrame:
    """Train the encoders or find them trained; measure them on views of strength 1."""
    from supcon_theory.audits.augmentation import measured_rows, progress_row
    from supcon_theory.encoders.embed import Encoders

    recipe, step = cell.recipe, cell.recipe.steps
    trained = Encoders(recipe, cell.objectives, context, share=0.9)
    own, y, _ = trained.images("train", own=True)
    clean, views = trained.images("train", K=0)[0], trained.images("test")[0]
    new, of_new, _ = trained.images("test", K=0)
    about = {"level": cell.level, "strength": recipe.strength, "without": recipe.without or ""}
    found = []
    for name in cell.objectives:
        (h, _), (h_new, _) = (trained.embed(name, step, images) for images in (clean, new))
        z_own, z_new = (trained.embed(name, step, images)[1] for images in (own, views))
        here = recipe.columns(step=step, objective=name) | about
        here |= progress_row(z_own, y, name, recipe.tau, recipe.mix)
        sets = (h[:, 0], y), (h_new[:, 0], of_new), (z_new, of_new)
        found += [here | row for row in measured_rows(*sets, cell.taus, recipe.seed)]
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
    trained, taus = (config.classes, config.objectives), (config.taus, config.tau_published)
    varied = (config.strengths, config.left_out, config.mixes)
    return augmentation.claims(*trained, *taus, *varied)


EXPERIMENT = experiment(globals(), "Does SupCon depend less on augmentation than CL does?")

if __name__ == "__main__":
    EXPERIMENT.main()
