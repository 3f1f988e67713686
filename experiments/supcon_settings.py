"""In which settings is SupCon better than cross-entropy (arXiv 2004.11362)?

Encoders are trained with SupCon and with cross-entropy, one thing at a time different from the
base: a share of wrong labels, fewer images, smaller and larger batches, other projectors,
embeddings that are not normalised (`full`: other encoders, more of each); and in the base with
N-pairs, a triplet loss and cross-entropy with a margin. Held-out images are classified by a linear
probe of h.

    python experiments/supcon_settings.py            laptop: C = 5, 5 seeds
    python experiments/supcon_settings.py full       residual and ViT encoders, more of each
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
from tyro.conf import OmitArgPrefixes

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, settings
from supcon_theory.encoders import flags
from supcon_theory.encoders.recipe import ENCODERS, PUBLISHED, SMALL, SURFACES, Recipe
from supcon_theory.objectives import IDS
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary

AUDITS = (columns.ACCURACY,)
NAMES = {"supcon": "SupCon", "cross_entropy": "cross-entropy"}
HEADINGS = tuple(columns.Column(name, "%", NAMES.get(name, name)) for name in IDS)
FACTORS = {  # the flag that has the values, and the field of the recipe
    settings.WRONG: ("wrong", "wrong"),
    settings.IMAGES: ("images", "n"),
    settings.BATCH: ("batches", "batch"),
    settings.LAYERS: ("hidden_layers", "hidden"),
    settings.SURFACE: ("surfaces", "surface"),
    settings.ENCODER: ("encoders", "encoder"),
}


@dataclass(frozen=True)
class Config(flags.Trained):
    """One thing at a time different from the base."""

    classes: tuple[int, ...] = (5,)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    recipe: OmitArgPrefixes[Recipe] = Recipe(n=40, steps=550, d=128)
    objectives: tuple[str, ...] = ("supcon", "cross_entropy")
    """What encoders are trained with in every setting."""
    rivals: tuple[str, ...] = ("n_pairs", "triplet")
    """What they are trained with in the base besides."""
    margins: Annotated[tuple[float, ...], Between(0, 2)] = (0.2,)
    """Margins of cross-entropy, by which the cosine of the own class must be larger."""
    wrong: Annotated[tuple[float, ...], Between(0, 0.8)] = (0.2, 0.4, 0.6)
    """Shares of wrong labels."""
    images: Annotated[tuple[int, ...], Between(2, 1_000_000)] = (5, 10)
    """Other numbers of training images a class."""
    batches: Annotated[tuple[int, ...], Between(2, 1_000_000)] = (16, 64)
    """Other batches."""
    hidden_layers: Annotated[tuple[int, ...], Between(0, 3)] = (0, 2)
    """Other numbers of hidden layers of the projector."""
    surfaces: tuple[str, ...] = ("none",)
    """Where embeddings may lie other than on the sphere: ball, positive or none (anywhere)."""
    encoders: tuple[str, ...] = ()
    """Other encoders."""

    def check(self) -> None:
        """Refuse what cannot be trained or says nothing."""
        super().check()
        flags.check_objectives((*self.objectives, *self.rivals))
        flags.check_among(self.surfaces, SURFACES, "surfaces")
        flags.check_among(self.encoders, ENCODERS, "encoders")
        if self.hidden_layers and self.recipe.encoder not in SMALL:
            raise ValueError(
                f"hidden-layers are {self.hidden_layers} but {self.recipe.encoder} has the "
                f"published projector: choose --encoder from {', '.join(SMALL)}, or none of them"
            )
        usual = {flag: getattr(self.recipe, name) for flag, name in FACTORS.values()}
        for flag, own in (usual | {"margins": 0.0}).items():
            given = getattr(self, flag)
            if len({own, *given}) <= len(given):
                raise ValueError(
                    f"{flag.replace('_', '-')} are {given} but each may be there once, and {own} "
                    "is the base"
                )

    def look(self) -> None:
        """Refuse data without held-out images."""
        super().look()
        flags.check_held_out(self.facts())
        flags.check_data(
            self.facts(), max(self.classes), max((self.recipe.n, *self.images)), "images"
        )


PRESETS = {
    "smoke": Config(
        classes=(4,), recipe=Recipe(n=12, steps=6, batch=24), seeds=2, wrong=(0.2,), images=(6,),
        batches=(12,), hidden_layers=(0,), rivals=("triplet",),
    ),
    "laptop": Config(),
    "full": Config(
        images=(5, 10, 20), batches=(16, 32, 64, 200), encoders=("residual", "vit"),
        surfaces=("none", "ball"),
    ),
    "paper": Config(
        recipe=PUBLISHED, classes=(100,), device="cuda", hidden_layers=(), images=(50, 100, 250),
        batches=(256, 512, 2048),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """Encoders trained side by side in one setting."""

    recipe: Recipe
    objectives: tuple[str, ...]
    factor: str
    level: str


def others(config: Config) -> Iterator[tuple[str, str, tuple[str, ...], dict]]:
    """Factor and value of every setting but the base, its objectives, how its recipe differs."""
    for factor, (flag, name) in FACTORS.items():
        for value in getattr(config, flag):
            yield factor, str(value), config.objectives, {name: value}
    for margin in config.margins:
        options = {"options": {"margin": margin}}
        yield settings.MARGIN, str(margin), (settings.CLASSIFIER,), options


def cells(config: Config) -> Iterator[Cell]:
    """One cell per number of classes, seed and setting."""
    base = settings.BASE, "", (*config.objectives, *config.rivals), {}
    for seed in range(config.seeds):
        for C in config.classes:
            for factor, value, objectives, changes in (base, *others(config)):
                recipe = config.recipe_for(C, seed, objective=objectives[0], **changes)
                level = settings.level(factor, value) if value else factor
                of = Setting(recipe, objectives, factor, level)
                shared = recipe.shared(objectives)
                yield Cell(of, f"{level} C={C} seed={seed}", cost=0.1 * C, shared=shared)


def measure(cell: Setting, context: Context) -> pd.DataFrame:
    """Train the encoders or find them trained, and probe them."""
    from supcon_theory.audits.accuracy import accuracy_rows, training_row
    from supcon_theory.encoders.embed import Encoders

    recipe, step = cell.recipe, cell.recipe.steps
    trained = Encoders(recipe, cell.objectives, context, share=0.9)
    (seen, y, _), (new, of_new, _) = (trained.images(split, K=0) for split in ("train", "test"))
    given, about = trained.labels_trained_on(), {"factor": cell.factor, "level": cell.level}
    known = {settings.RIGHT: y} | ({settings.GIVEN: given} if recipe.wrong else {})
    found = []
    for name in cell.objectives:
        (h, z), (h_new, z_new) = (trained.embed(name, step, images) for images in (seen, new))
        here = recipe.columns(step=step, objective=name, K=1, encoder=recipe.encoder) | about
        if recipe.surface == "sphere":  # the least losses are those of unit rows
            here |= training_row(z, given, name, recipe.tau, recipe.options)
        for labels, of in known.items():
            shots = (int(of.bincount(minlength=recipe.C).min()),)
            for layer, x, queries in (("h", h, h_new), ("z", z, z_new)):
                where = here | {"labels": labels, "layer": layer, "d": x.shape[2]}
                rows = accuracy_rows(
                    x[:, 0], of, (queries[:, 0], of_new), shots, draws=1, linear_draws=1,
                    inverse_l2=columns.INVERSE_L2, seed=recipe.seed,
                )  # fmt: skip
                found += [where | row for row in rows]
    return pd.DataFrame(found)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """Error in per cent of every setting, and what training has left."""
    table = tables["table"].query("layer == 'h' and probe == 'linear'")
    told = table["level"].where(table["labels"] == settings.RIGHT, table["level"] + ", probe too")
    found = table.assign(level=told).pivot_table("error", ["C", "level"], "objective", sort=False)
    title = "Error of a linear probe of h in per cent, held-out images: mean"
    return {"summary": Summary((100 * found).reset_index(), title, HEADINGS)}


def claims(config: Config) -> list[Claim]:
    """What each setting does to SupCon, and to its lead over cross-entropy and its rivals."""
    varied = [(factor, value) for factor, value, _, _ in others(config)]
    trained = (*config.objectives, *config.rivals)
    return [c for C in config.classes for c in settings.claims(C, trained, varied)]


EXPERIMENT = experiment(globals(), "In which settings is SupCon better than cross-entropy?")

if __name__ == "__main__":
    EXPERIMENT.main()
