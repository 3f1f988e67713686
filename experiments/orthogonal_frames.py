"""Frozen prototypes and rows without a negative entry: do trained class means become a frame?

Two ways from the simplex of C - 1 dimensions to C orthogonal means. A pull to frozen orthonormal
prototypes besides SupCon (CLOP, arXiv 2403.18699): is training steadier over learning rates and
batch sizes, and how many labels does the pull need besides a loss without labels? Embeddings
without a negative entry (arXiv 2306.07960): are their class means one frame whatever the sizes of
the classes?

    python experiments/orthogonal_frames.py            laptop: C = 10, 5 seeds, 100 steps
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import pandas as pd
from tyro.conf import OmitArgPrefixes

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, orthogonal_frames
from supcon_theory.encoders.flags import Trained
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.experiment import Cell, Context, Tables, experiment

AUDITS = (columns.ORTHOGONAL_FRAMES,)
BASE, WITHOUT_LABELS = "supcon", "nt_xent"
PULL = 1.0  # of the paper


@dataclass(frozen=True)
class Config(Trained):
    """Prototypes and rows without a negative entry."""

    recipe: OmitArgPrefixes[Recipe] = Recipe()
    rates: Annotated[tuple[float, ...], Between(1e-6, 10)] = (2e-3, 8e-3, 3.2e-2)
    """Peak learning rates of SupCon with and without prototypes."""
    batches: Annotated[tuple[int, ...], Between(2, 1_000_000)] = (32, 256)
    """Batch sizes of the same."""
    shares: Annotated[tuple[float, ...], Between(0, 1)] = (0.0, 0.05, 0.2, 1.0)
    """Shares of the labels that prototypes know, besides a loss without labels; 0: no pull."""
    ratios: Annotated[tuple[float, ...], Between(1, 1000)] = (1.0, 10.0)
    """Largest class over smallest, with and without negative entries."""

    def check(self) -> None:
        """Refuse fewer dimensions than classes."""
        super().check()
        if self.recipe.d < max(self.classes):
            raise ValueError(
                f"d is {self.recipe.d} but {max(self.classes)} orthonormal prototypes need as many "
                "dimensions: raise it, or ask for fewer classes"
            )


PRESETS = {
    "smoke": Config(
        classes=(4,), recipe=Recipe(n=16, steps=4, batch=32, d=16), seeds=1, rates=(2e-3,),
        batches=(8,), shares=(0.0, 0.5), ratios=(1.0, 2.0),
    ),
    "laptop": Config(),
    "full": Config(
        recipe=Recipe(steps=400), seeds=10, rates=(5e-4, 2e-3, 8e-3, 3.2e-2, 0.128),
        batches=(16, 32, 64, 128, 256), shares=(0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
        ratios=(1.0, 3.0, 10.0, 30.0),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Framed:
    """An encoder, and the study that it is part of."""

    recipe: Recipe
    study: str


def encoders(config: Config, base: Recipe) -> Iterator[Framed]:
    """The encoders of one seed and number of classes."""
    supcon = replace(base, objective=BASE)
    for pull in (0.0, PULL):
        for lr in config.rates:
            yield Framed(replace(supcon, lr=lr, pull=pull), "rate")
        for batch in config.batches:
            yield Framed(replace(supcon, batch=batch, pull=pull), "batch")
    for share in config.shares:
        pulled = replace(base, objective=WITHOUT_LABELS, pull=PULL * (share > 0), named=share)
        yield Framed(pulled, "labels")
    for ratio in config.ratios:
        for surface in ("sphere", "positive"):
            yield Framed(replace(supcon, imbalance=ratio, surface=surface), "rectified")


def cells(config: Config) -> Iterator[Cell]:
    """One cell per encoder and study."""
    for base in config.recipes():
        for of in encoders(config, base):
            r = of.recipe
            about = f"lr={r.lr:g} batch={r.batch} pull={r.pull:g} named={r.named:g} {r.surface}"
            name = f"{of.study} {about} imbalance={r.imbalance:g} C={r.C} seed={r.seed}"
            yield Cell(of, name, 1.5, r.shared([r.objective]))


def measure(cell: Framed, context: Context) -> Tables:
    """Train the encoder or find it trained; class means and errors at the end."""
    from supcon_theory.audits import orthogonal_frames as audit
    from supcon_theory.encoders.embed import Encoders

    recipe, name = cell.recipe, cell.recipe.objective
    found = Encoders(recipe, [name], context, share=0.8)
    (seen, y, _), (new, of_new, _) = (found.images(split) for split in ("train", "test"))
    (h, z), of = (found.embed(name, recipe.steps, x) for x in (seen, new))
    about = recipe.columns(step=recipe.steps, split="test", trained_imbalance=recipe.imbalance)
    knobs = ("lr", "batch", "pull", "named", "surface")
    about |= {knob: getattr(recipe, knob) for knob in knobs} | {"study": cell.study}
    about |= audit.frame_row(z, y, recipe.tau, recipe.surface) | audit.new_row(h, y, of, of_new)
    return {"table": pd.DataFrame([about])}


def summary(tables: Tables) -> Tables:
    """Every setting, mean over the seeds."""
    setting = ["study", "lr", "batch", "pull", "named", "surface", "trained_imbalance"]
    shown = ["error", "means_rank", "rankme", "cosine", "spread", "frame_distance"]
    return {"ends": tables["table"].groupby(setting)[shown].mean().reset_index()}


def claims(config: Config) -> list[Claim]:
    """Steadiness, labels, and frames under imbalance."""
    unequal = len(set(config.ratios)) > 1
    return orthogonal_frames.claims(config.rates, config.batches, config.shares, unequal)


EXPERIMENT = experiment(
    globals(), "Do trained class means become an orthogonal frame, and is training steadier?"
)

if __name__ == "__main__":
    EXPERIMENT.main()
