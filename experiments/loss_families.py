"""What do other contrastive losses do differently from CL, NSCL and SupCon?

Free embeddings, in float64: minima of DHEL and KCL (arXiv 2405.18045), of the sigmoid loss with
temperature and bias fixed (ours) or learned (2509.18552), SupCon of rows without a negative entry
over all samples and over fixed batches (2306.07960), SupCon with prototypes (2403.18699). Means
over all batches of a size, exactly. Debiased CL (2007.00224) beside NSCL and CL, anchor by anchor.
Then encoders trained in small and large batches.

    python experiments/loss_families.py            laptop: 5 seeds, 100 steps
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

import pandas as pd
from tyro.conf import OmitArgPrefixes

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, loss_families
from supcon_theory.encoders.flags import Trained
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.experiment import Cell, Context, Tables, experiment

AUDITS = (columns.LOSS_FAMILIES,)
TRAINED = ("nt_xent", "dhel", "kcl")


@dataclass(frozen=True)
class Config(Trained):
    """Other contrastive losses: free embeddings, batches, encoders."""

    recipe: OmitArgPrefixes[Recipe] = Recipe()
    samples: Annotated[tuple[int, ...], Between(3, 40)] = (5, 8)
    """Numbers of samples of free embeddings at a simplex."""
    dimensions: Annotated[tuple[int, ...], Between(2, 20)] = (3, 4)
    """Dimensions of a cross-polytope, with twice as many samples; and of learned biases."""
    biases: Annotated[tuple[float, ...], Between(-100, 100)] = (
        -8.0,
        -4.0,
        -2.0,
        -1.0,
        0.0,
        1.0,
        2.0,
    )
    """Biases of the sigmoid loss."""
    sizes: Annotated[tuple[int, ...], Between(1, 100)] = (1, 4, 16)
    """Ratios of class sizes of rows without a negative entry."""
    penalties: Annotated[tuple[float, ...], Between(0, 1e6)] = (0.0, 0.1, 1.0, 10.0, 100.0)
    """Weights of the pull to prototypes."""
    spreads: Annotated[tuple[float, ...], Between(1e-6, 1e6)] = (0.1, 0.3, 1.0, 3.0)
    """Of samples about the centre of their class, for the debiased loss."""
    batches: Annotated[tuple[int, ...], Between(2, 1_000_000)] = (16, 128)
    """Batch sizes that encoders are trained with."""
    free_tau: Annotated[float, Between(0.05, 100)] = 0.3
    """Temperature of free embeddings."""

    def check(self) -> None:
        """Refuse numbers that give no configuration."""
        super().check()
        for name in ("samples", "dimensions", "biases", "sizes", "penalties", "spreads", "batches"):
            if not getattr(self, name):
                raise ValueError(f"{name} are none: give some")


PRESETS = {
    "smoke": Config(
        classes=(4,), recipe=Recipe(n=16, steps=4, batch=32, d=16), seeds=2, samples=(4,),
        dimensions=(3,), biases=(-8.0, 0.0), sizes=(1, 4), penalties=(0.0, 1.0),
        spreads=(0.1, 1.0), batches=(8, 32),
    ),
    "laptop": Config(),
    "full": Config(
        recipe=Recipe(steps=400), seeds=10, samples=(5, 8, 12, 20), dimensions=(3, 4, 6),
        sizes=(1, 4, 16, 64), batches=(16, 32, 64, 128, 256),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One study of free embeddings and what it is called with."""

    study: str
    options: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Training:
    """Encoders trained side by side in batches of one size."""

    recipe: Recipe


def parts(config: Config) -> Iterator[Part]:
    """Every study of free embeddings."""
    starts, tau = max(config.seeds, 3), config.free_tau

    def part(study: str, **options: Any) -> Part:
        return Part(study, tuple(options.items()))

    for N in config.samples:
        yield part("simplex", N=N, tau=tau, starts=starts)
        yield part("sigmoid", N=N, tau=tau, biases=config.biases, starts=3)
    for d in config.dimensions:
        yield part("polytope", d=d, tau=tau, starts=2 * starts)
        yield part("learned", N=4 * d, d=d, starts=starts)
    for seed in range(config.seeds):
        yield part("batches", N=8, d=5, tau=tau, seed=seed)
        yield part("debiased", C=4, n=6, d=8, tau=0.5, spreads=config.spreads, seed=seed)
    for ratio in config.sizes:
        for objective in ("supcon", "nscl"):
            for rows in ("sphere", "not negative"):
                of = dict(objective=objective, counts=(2 * ratio, 2 * ratio, 2, 2), rows_are=rows)
                yield part("frame", **of, tau=0.5, starts=3)
    for design in ("halves", "bound", "apart"):
        for rows in ("sphere", "not negative"):
            yield part("fixed batches", design=design, rows_are=rows, tau=0.5, starts=3)
    yield part("prototypes", C=5, n=3, tau=0.5, penalties=config.penalties, starts=2)


def cells(config: Config) -> Iterator[Cell]:
    """One cell per study, and one per seed and batch size."""
    for k, part in enumerate(parts(config)):
        yield Cell(part, f"free embeddings {k + 1}: {part.study}", 2)
    for recipe in config.recipes(objective=TRAINED[0]):
        for batch in config.batches:
            of = replace(recipe, batch=batch)
            name = f"{config.data} C={recipe.C} batch={batch} seed={recipe.seed}"
            yield Cell(Training(of), name, cost=2, shared=of.shared(TRAINED))


def measure(cell: Part | Training, context: Context) -> Tables:
    """Rows of one study, or of encoders."""
    if isinstance(cell, Training):
        return {"table": pd.DataFrame(list(encoder_rows(cell, context)))}
    from supcon_theory.audits import frames
    from supcon_theory.audits import loss_families as audit

    studies = {
        "simplex": audit.simplex_audit,
        "sigmoid": audit.sigmoid_audit,
        "polytope": audit.polytope_audit,
        "batches": audit.batches_audit,
        "debiased": audit.debiased_audit,
        "learned": frames.learned_audit,
        "frame": frames.frame_audit,
        "fixed batches": frames.batches_frame_audit,
        "prototypes": frames.prototypes_audit,
    }
    return {"table": pd.DataFrame(studies[cell.study](**dict(cell.options)))}


def encoder_rows(cell: Training, context: Context) -> Iterator[dict[str, object]]:
    """Rank, uniformity and error on held-out images."""
    from supcon_theory.audits.loss_families import embedding_row
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    encoders = Encoders(recipe, TRAINED, context, share=0.9)
    (train, y, _), (test, of_test, _) = (encoders.images(split) for split in ("train", "test"))
    for objective in TRAINED:
        (h, _), (queries, z) = (
            encoders.embed(objective, recipe.steps, seen) for seen in (train, test)
        )
        about = recipe.columns(step=recipe.steps, objective=objective, split="test")
        yield about | {"batch": recipe.batch} | embedding_row(h, y, queries, of_test, z)


def summary(tables: Tables) -> Tables:
    """Encoders by batch; where fixed batches and prototypes end."""
    table = tables["table"]
    encoders = table[table["part"] == "encoders"].groupby(["objective", "batch"])
    frames = table[table["part"].isin(["frame", "fixed batches"])]
    ends = frames.sort_values("loss").groupby(
        ["part", "objective", "design", "counts", "rows"], dropna=False
    )
    shown = ["excess", "frame_error", "least_cosine", "most_cosine"]
    return {
        "encoders": encoders[["error", "rankme", "uniformity_w1"]].mean().reset_index(),
        "frames": ends[shown].first().reset_index(),
    }


def claims(config: Config) -> list[Claim]:
    """Minima, batches, frames, the debiased loss, encoders."""
    return loss_families.claims(len(set(config.batches)) > 1, config.seeds)


EXPERIMENT = experiment(globals(), "What do other contrastive losses do differently?")

if __name__ == "__main__":
    EXPERIMENT.main()
