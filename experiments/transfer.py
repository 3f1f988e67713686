"""Do features transfer to classes and scripts not trained on (arXiv 2004.11362, Table 4)?

Encoders trained with CL, NSCL, SupCon and cross-entropy on 10 or more classes of glyphs classify
held-out images of glyph classes and of kanji that they have not seen: by the nearest class centre
from m labelled images of each class, beside every bound on that error, and by a linear probe, from
the backbone's output h. Two are trained on kanji too, and classify glyphs.

    python experiments/transfer.py            laptop: C = 10 and 100, 5 seeds
    python experiments/transfer.py full       C = 10, 30, 100, 250, all objectives back from kanji

Encoders are those of `deep`, trained once and shared; the target classes are the same for all.
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, transfer
from supcon_theory.encoders.flags import (
    Deep,
    check_data,
    check_held_out,
    check_objectives,
    missing_data,
)
from supcon_theory.encoders.recipe import PUBLISHED, Recipe
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary

AUDITS = (columns.ACCURACY, columns.FEW_SHOT, columns.TRANSFER)
JUDGED = 1600  # training images whose loss says how far an encoder is trained


@dataclass(frozen=True)
class Config(Deep):
    """Transfer to classes and data not trained on."""

    objectives: tuple[str, ...] = ("dcl", "nscl", "supcon", "cross_entropy")
    """What encoders are trained with."""
    targets: tuple[str, ...] = ("kanji",)
    """Other data to transfer to, besides classes of --data not trained on."""
    target_classes: int = 20
    """Classes of each target to tell apart, never trained on."""
    labelled: int = 40
    """Labelled images per target class, for the linear probe."""
    shots: tuple[int, ...] = (1, 5, 20)
    """Labelled images per class for the nearest centre; fewer than all."""
    draws: int = 100
    """Support draws for the nearest centre."""
    back: tuple[str, ...] = ("supcon", "cross_entropy")
    """What encoders of the targets are trained with, which transfer to --data."""
    back_classes: tuple[int, ...] = (10,)
    """Numbers of classes that those are trained on."""
    back_n: int = 44
    """Training images per class of those."""

    def check(self) -> None:
        """Refuse what cannot be trained or probed."""
        super().check()
        check_objectives(self.objectives)
        check_objectives(self.back or self.objectives)
        self.at_least(target_classes=2, draws=2, back_n=2)
        if not all(1 <= m < self.labelled for m in self.shots or (0,)):
            raise ValueError(f"shots are {self.shots} but each must be >= 1 and below --labelled")
        if len({self.data, *self.targets}) <= len(self.targets):
            raise ValueError(f"targets are {self.targets} but each must be other data, and once")
        if min(self.back_classes, default=0) < 2:
            raise ValueError(f"back-classes are {self.back_classes} but each must be at least 2")

    def look(self) -> None:
        """Refuse data that are not there or have too little."""
        super().look()
        here = self.facts()
        for name in (self.data, *self.targets):
            if absent := missing_data(replace(self.recipe, data=name)):
                raise ValueError("; ".join(absent))
            found = self.facts(name)
            check_held_out(found)
            check_data(found, self.target_classes, 2, "target-classes")
            if self.labelled > found.fewest_train:
                raise ValueError(
                    f"labelled is {self.labelled} but a class of {found.name} has only "
                    f"{found.fewest_train} training images: use fewer"
                )
            if found.channels != here.channels:
                raise ValueError(
                    f"targets has {found.name}, images of {found.channels} channels, but must have "
                    f"{here.channels} as {here.name} does"
                )
            if name != self.data and self.back:
                check_data(found, max(self.back_classes), self.back_n, "back-classes")


PRESETS = {
    "smoke": Config(
        classes=(4,),
        recipe=Recipe(n=12, steps=6, batch=24),
        seeds=2,
        objectives=("supcon", "cross_entropy"),
        back=("supcon",),
        back_classes=(3,),
        back_n=12,
        target_classes=3,
        labelled=12,
        shots=(1, 2),
        draws=10,
    ),
    "laptop": Config(),
    "full": Config(
        classes=(10, 30, 100, 250),
        back=("dcl", "nscl", "supcon", "cross_entropy"),
        back_classes=(10, 30, 100, 250),
    ),
    "paper": Config(
        recipe=PUBLISHED,
        classes=(10, 30, 90),
        targets=("cifar10",),
        back=(),
        device="cuda",
        target_classes=10,
        labelled=400,
    ),
}


@dataclass(frozen=True)
class Probed:
    """An encoder, the classes it is asked about, and how; targets are names and fingerprints."""

    recipe: Recipe
    seen: int
    targets: tuple[tuple[str, str], ...]
    target_classes: int
    labelled: int
    shots: tuple[int, ...]
    draws: int


def cells(config: Config) -> Iterator[Cell]:
    """One cell per seed and encoder."""
    to = tuple((name, config.digest(name)) for name in (config.data, *config.targets))
    how = (config.target_classes, config.labelled, config.shots, config.draws)
    sources = [(to, config.classes, config.objectives, {"data": config.data})]
    for name in config.targets:
        of = {"data": name, "n": config.back_n}
        sources.append((to[:1], config.back_classes, config.back, of))
    for seed in range(config.seeds):
        for targets, sizes, objectives, of in sources:
            for C, name in product(sizes, objectives):
                recipe = config.recipe_for(C, seed, objective=name, **of)
                probed = Probed(recipe, min(sizes), targets, *how)
                label = f"{recipe.data} {name} C={C} seed={seed}"
                yield Cell(probed, label, cost=5, shared=recipe.shared([name]))


def measure(cell: Probed, context: Context) -> pd.DataFrame:
    """Train the encoder or find it trained; probe h on classes trained on and on targets."""
    from supcon_theory.audits.accuracy import training_row
    from supcon_theory.audits.transfer import seen_rows, target_rows
    from supcon_theory.data import load
    from supcon_theory.data.subsets import balanced, choose_classes, held_back
    from supcon_theory.encoders.embed import Encoders, evaluation_views

    recipe = cell.recipe
    seed, step = recipe.seed, recipe.steps
    trained = Encoders(recipe, [recipe.objective], context, share=0.7)

    def features(part, classes, n):
        images, y = balanced(part.labels, classes, n, seed)
        return trained.embed(recipe.objective, step, part.images(images)[:, None])[0][:, 0], y

    source = trained.dataset
    chosen = choose_classes(len(source.classes), recipe.C, seed)
    n = max(2, min(recipe.n, JUDGED // recipe.C))
    images, y = balanced(source.train.labels, chosen, n, seed)
    z = trained.embed(recipe.objective, step, evaluation_views(source, source.train, images))[1]
    about = recipe.columns(step=step, K=1, layer="h")
    about |= training_row(z, y, recipe.objective, recipe.tau, recipe.options)
    first = chosen[: cell.seen]
    sets = features(source.train, first, recipe.n), features(source.test, first, None)
    seen = about | {"classes": "seen", "target": recipe.data}
    found = [seen | row for row in seen_rows(*sets, seed)]
    for name, _ in cell.targets:
        data = load(name, recipe.data_root, recipe.size)
        classes = held_back(len(data.classes), cell.target_classes, seed)
        if name == recipe.data and {*classes} & {*chosen}:
            continue  # too few classes to leave any
        sets = features(data.train, classes, cell.labelled), features(data.test, classes, None)
        rows = target_rows(*sets, cell.shots, draws=cell.draws, seed=seed)
        found += [about | {"classes": "unseen", "target": name} | row for row in rows]
    return pd.DataFrame(found)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """Accuracy in per cent, and how far encoders are trained."""
    rows = tables["table"].query("protocol == 'labelled' and probe != 'neighbours'")
    by = ["data", "target", "classes", "C", "objective"]
    linear = rows["probe"] == "linear"
    whole = rows["m"] == rows.groupby(by[:3])["m"].transform("max")
    shown = rows["m"].map("m = {:g}".format).mask(linear, "linear")
    rows = rows.assign(shown=shown, accuracy=100 * (1 - rows["error"]))[whole == linear]
    found = rows.pivot_table(index=by, columns="shown", values="accuracy", sort=False)
    headings = tuple(columns.Column(name, "%", name) for name in found)
    found = found.assign(left=rows.groupby(by)["left"].mean()).reset_index()
    title = "Held-out accuracy in per cent by a linear probe, and by m images a class: mean"
    return {"summary": Summary(found, title, headings)}


def claims(config: Config) -> list[Claim]:
    """The few-shot bounds, source classes, SupCon against cross-entropy, source against target."""
    return transfer.claims(
        config.data,
        config.targets,
        config.classes,
        config.objectives,
        config.back,
        config.back_classes,
    )


EXPERIMENT = experiment(globals(), "Do features transfer to classes and scripts not trained on?")

if __name__ == "__main__":
    EXPERIMENT.main()
