"""Do hard negatives and normalisation keep trained class means from losing dimensions?

Small networks are trained with the class-level losses of arXiv 2311.05139 (SCL, HSCL: negatives of
other classes; UCL, HUCL: of any), embeddings in the unit ball of C - 1 dimensions or not normalised
at all, at rising hardness, tilting weights held constant in the gradient as that paper's code does,
or differentiated. Their class means are set beside the simplex ETF, which all of them would have at
the least of SCL and HSCL.

    python experiments/dimensional_collapse.py            laptop: C = 10, 5 seeds, 100 steps
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import pandas as pd
from tyro.conf import OmitArgPrefixes

from supcon_theory.audits import columns
from supcon_theory.audits.rows import last_step
from supcon_theory.claims import Claim, dimensional_collapse
from supcon_theory.claims.dimensional_collapse import HELD, OBJECTIVES, THROUGH
from supcon_theory.encoders.flags import Trained
from supcon_theory.encoders.recipe import Recipe, log_spaced
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.experiment import Cell, Context, Tables, experiment

AUDITS = (columns.DIMENSIONAL_COLLAPSE,)
BATCH = 256  # training images, equally many of each class, on which losses are measured
SHOWN = ["objective", "surface", "weights", "tilt"]


@dataclass(frozen=True)
class Config(Trained):
    """Trained networks with hard negatives; d is that of the ETF, C - 1, whatever --d says."""

    recipe: OmitArgPrefixes[Recipe] = Recipe(tau=1.0)
    tilts: Annotated[tuple[float, ...], Between(0, 100)] = (0.0, 2.0, 5.0, 10.0, 30.0)
    """Tilts b trained with in the ball, weights held constant."""
    differentiated: Annotated[tuple[float, ...], Between(0, 100)] = (2.0, 5.0)
    """Tilts of HUCL trained with gradients through the weights."""
    unnormalised: Annotated[tuple[float, ...], Between(0, 100)] = (0.0, 5.0)
    """Tilts trained with without normalisation."""

    def check(self) -> None:
        """Refuse no tilt at all, and two classes, whose ETF has one dimension."""
        super().check()
        if not self.tilts:
            raise ValueError("tilts are none: give some")
        if min(self.classes) < 3:
            raise ValueError(
                f"classes are {' '.join(map(str, self.classes))} but each must be at least 3: the "
                "means of two have one dimension"
            )


PRESETS = {
    "smoke": Config(
        classes=(4,), recipe=Recipe(tau=1.0, n=16, steps=4, batch=32), seeds=1, tilts=(0.0, 5.0),
        differentiated=(5.0,), unnormalised=(5.0,),
    ),
    "laptop": Config(),
    "full": Config(recipe=Recipe(tau=1.0, n=160, steps=2000), seeds=10),
}  # fmt: skip


@dataclass(frozen=True)
class Network:
    """A network, and the tilt that it is trained with."""

    recipe: Recipe
    tilt: float
    weights: str


def points(config: Config) -> Iterator[tuple[str, str, str, float]]:
    """Objective, surface, weights and tilt of every network of a seed."""
    for objective in OBJECTIVES:
        yield from ((objective, "ball", HELD, tilt) for tilt in config.tilts)
        yield from ((objective, "none", HELD, tilt) for tilt in config.unnormalised)
    yield from (("ucl_ball", "ball", THROUGH, tilt) for tilt in config.differentiated)


def cells(config: Config) -> Iterator[Cell]:
    """One cell per network."""
    for of in config.recipes(checkpoints=log_spaced(config.recipe.steps, 4)):
        for objective, surface, weights, tilt in points(config):
            options = {"beta": tilt * of.tau, "detach_weights": weights == HELD}
            recipe = replace(of, objective=objective, surface=surface, d=of.C - 1, options=options)
            label = f"{objective} {surface} {weights} tilt={tilt:g} C={of.C} seed={of.seed}"
            yield Cell(Network(recipe, tilt, weights), label, 1, recipe.shared([objective]))


def measure(cell: Network, context: Context) -> Tables:
    """Train the network or find it trained; class means along training, spectrum at the end."""
    from supcon_theory.audits import dimensional_collapse as audit
    from supcon_theory.encoders.embed import Encoders
    from supcon_theory.measures import means_spectrum

    recipe, rows, spectra = cell.recipe, [], []
    encoders = Encoders(recipe, [recipe.objective], context, share=0.8)
    (seen, y, _), (new, of_new, _) = (encoders.images(split) for split in ("train", "test"))
    each = max(2, BATCH // recipe.C)
    batch = np.concatenate([np.flatnonzero(y == c)[:each] for c in range(recipe.C)])
    settings = {"tilt": cell.tilt, "surface": recipe.surface, "weights": cell.weights}
    for step in recipe.checkpoints:
        z, queries = (encoders.embed(recipe.objective, step, of)[1] for of in (seen, new))
        about = recipe.columns(step=step, split="train", layer="z") | settings
        of_batch = (z[batch], y[batch], recipe.tau, cell.tilt, recipe.surface)
        rows.append(
            about
            | audit.loss_row(recipe.objective, *of_batch)
            | audit.geometry_row(z, y, queries, of_new)
        )
    values = means_spectrum(z, y)
    for k, value in enumerate(values):
        spectra.append(about | {"rank": k + 1, "singular_value": float(value / values[0])})
    return {"table": pd.DataFrame(rows), "spectrum": pd.DataFrame(spectra)}


def summary(tables: Tables) -> Tables:
    """Class means at the end of training."""
    shown = ["equal_products", "means_rank", "values_kept", "cosine", "unit_norm", "error"]
    return {"ends": last_step(tables["table"]).groupby(SHOWN)[shown].mean().reset_index()}


def claims(config: Config) -> list[Claim]:
    """C1 to C6, of trained networks."""
    return dimensional_collapse.claims(config.tilts, config.differentiated, config.unnormalised)


EXPERIMENT = experiment(
    globals(), "Do hard negatives and normalisation keep class means from losing dimensions?"
)

if __name__ == "__main__":
    EXPERIMENT.main()
