"""Is it the number of classes that closes the gap of CL and NSCL, or what changes with it?

In `gap_vs_classes` more classes are more images, so fewer epochs, and another encoder. Here one
encoder of the most classes is evaluated on random subsets of its classes; the images are as many
for every number of classes; every view is seen on held-out images too; training is doubled until r
stays; samples have four views in steps of as many views; and NT-Xent, the loss that people train,
stands beside CL.

    python experiments/gap_controls.py       laptop: C = 4 ... 128, 100 to 400 steps, 5 seeds

The encoders of the base setting are those of `gap_vs_classes`.
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, gap_controls
from supcon_theory.encoders.flags import Trained, check_data, check_held_out
from supcon_theory.encoders.recipe import PAIR, Recipe
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary

if TYPE_CHECKING:
    from torch import Tensor

AUDITS = (columns.GAP,)
HEADINGS = (
    columns.Column("r_train", "1", "r, training images"),
    columns.Column("r_test", "1", "r, held-out images"),
    columns.Column("gap_train", "nats", "gap, training images"),
)
BASE = (*PAIR, "nt_xent")


@dataclass(frozen=True)
class Config(Trained):
    """What changes with the number of classes, one at a time."""

    classes: tuple[int, ...] = (4, 8, 32, 128)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    images: int = 640
    """Training images in all where they are as many for every C."""
    longest: Annotated[int, Between(0, 10)] = 2
    """How many times training is doubled."""
    longer_classes: tuple[int, ...] = (4, 32)
    """Numbers of classes at which training is doubled."""

    def check(self) -> None:
        """Refuse what cannot be trained or measured."""
        super().check()
        if min(self.longer_classes, default=2) < 2:
            raise ValueError(f"longer-classes are {self.longer_classes} but each must be >= 2")
        if self.images < (least := 2 * max(self.classes)):
            raise ValueError(
                f"images is {self.images} but with {max(self.classes)} classes it must be at least "
                f"{least}: a class needs 2 images to have a gap"
            )

    def look(self) -> None:
        """Refuse data with fewer classes or images than are asked for."""
        super().look()
        found, least = self.facts(), min(self.classes)
        check_held_out(found)
        check_data(found, max((least, *self.longer_classes)), self.recipe.n, "longer-classes")
        if (n := self.images // least) > found.fewest_train:
            raise ValueError(
                f"images is {self.images} but with {least} classes that are {n} of each and a "
                f"class of {found.name} has {found.fewest_train}: use --images "
                f"{least * found.fewest_train} or less"
            )


PRESETS = {
    "smoke": Config(
        classes=(2, 4),
        recipe=Recipe(n=8, steps=4, batch=16),
        seeds=2,
        images=16,
        longest=1,
        longer_classes=(2,),
    ),
    "laptop": Config(),
    "full": Config(
        classes=(8, 16, 32, 64, 128, 256),
        recipe=Recipe(steps=300),
        longest=4,
        images=1280,
        longer_classes=(8, 64, 256),
    ),
}


@dataclass(frozen=True)
class Control:
    """Encoders trained side by side, what is varied, and the classes of the subsets."""

    recipe: Recipe
    objectives: tuple[str, ...]
    factor: str
    taus: tuple[float, ...]
    subsets: tuple[int, ...] = ()


def cells(config: Config) -> Iterator[Cell]:
    """One cell per setting, number of classes and seed."""
    steps, most = config.recipe.steps, max(config.classes)
    points = tuple(sorted({0, steps // 2, steps}))  # as in `gap_vs_classes`
    for seed in range(config.seeds):
        for C in config.classes:
            base = config.recipe_for(C, seed, checkpoints=points)
            fewer = tuple(c for c in config.classes if c < C) if C == most else ()
            yield _cell(Control(base, BASE, "base", config.taus, fewer))
            batch = max(base.batch * base.K // 4, 2)
            yield _cell(Control(replace(base, K=4, batch=batch), PAIR, "views", config.taus))
            of_each = replace(base, n=config.images // C)
            yield _cell(Control(of_each, PAIR, "images", config.taus))
        for C in config.longer_classes:
            for doubled in range(1, config.longest + 1):
                longer = 2**doubled * steps
                recipe = config.recipe_for(C, seed, steps=longer, checkpoints=(0, longer))
                yield _cell(Control(recipe, PAIR, "steps", config.taus))


def _cell(control: Control) -> Cell:
    recipe = control.recipe
    name = f"{control.factor} {recipe.data} C={recipe.C} steps={recipe.steps} seed={recipe.seed}"
    cost = 0.2 + 8 * (recipe.images / 16384) ** 2
    return Cell(control, name, cost, recipe.shared(control.objectives))


def measure(cell: Control, context: Context) -> pd.DataFrame:
    """The gap at the end of training on training and held-out images, and on subsets of classes."""
    from supcon_theory.audits.gap import gap_audit
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    encoders = Encoders(recipe, cell.objectives, context, share=0.8)
    found = []
    for done, split in enumerate(("train", "test"), 1):
        seen, y, shuffled = encoders.images(split)
        for objective in cell.objectives:
            _, z = encoders.embed(objective, recipe.steps, seen)
            about = recipe.columns(step=recipe.steps, objective=objective, split=split, layer="z")
            for C, labels, places, of in evaluated(y, shuffled, cell):
                here = about | {"C": C, "labels": labels, "trained_K": recipe.K}
                here["factor"] = cell.factor if C == recipe.C else "subset"
                found += [here | row for row in gap_audit(z[places], of, cell.taus)]
        context.report(0.8 + 0.1 * done)
    return pd.DataFrame(found)


def evaluated(
    y: "Tensor", shuffled: "Tensor", cell: Control
) -> Iterator[tuple[int, str, "slice | Tensor", "Tensor"]]:
    """(C, labels, places, y there): all classes, and random subsets of them, also shuffled."""
    import torch

    from supcon_theory.data.subsets import choose_classes

    recipe = cell.recipe
    yield recipe.C, "true", slice(None), y
    yield recipe.C, "shuffled", slice(None), shuffled
    for C in cell.subsets:
        chosen = torch.from_numpy(choose_classes(recipe.C, C, recipe.seed)).to(y)
        for labels, of in (("true", y), ("shuffled", shuffled)):
            places = torch.isin(of, chosen).nonzero()[:, 0]
            yield C, labels, places, of[places]


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """R of true labels by what is varied, at the highest temperature."""
    rows = tables["table"].query("labels == 'true' and tau == tau.max()")
    by = ["factor", "objective", "C", "n", "step"]
    found = rows.pivot_table(index=by, columns="split", values=["r", "gap"], sort=False)
    found.columns = [f"{name}_{split}" for name, split in found.columns]
    shown = found[["r_train", "r_test", "gap_train"]].reset_index()
    title = "The gap where one thing at a time differs from `gap_vs_classes`: means over seeds"
    return {"summary": Summary(shown, title, HEADINGS)}


def claims(config: Config) -> list[Claim]:
    """The theorems, and whether each thing varied changes the gap."""
    return gap_controls.claims(
        config.taus, config.tau_published, config.classes, config.longest, config.longer_classes
    )


EXPERIMENT = experiment(globals(), "Is it the number of classes that closes the gap?")

if __name__ == "__main__":
    EXPERIMENT.main()
