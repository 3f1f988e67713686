"""When do classes collapse, and what is kept within them?

Free embeddings, in float64. A mixture of own views (weight alpha) and class mates collapses classes
up to a threshold of alpha that has a closed form (ours), above it every class spreads to a simplex
of its own (arXiv 2503.08203); SupCon and NSCL always collapse, CL never. A linear encoder under the
spectral loss keeps of a subclass what own views weigh, and all of it where negatives are of other
classes only.

    python experiments/class_collapse.py            laptop: a minute of one core; 5 starts, no data
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, class_collapse
from supcon_theory.runs.experiment import Cell, Context, Tables, experiment
from supcon_theory.runs.flags import Common

AUDITS = (columns.CLASS_COLLAPSE,)
VIEWS = 2


@dataclass(frozen=True)
class Config(Common):
    """Class collapse of free embeddings."""

    shapes: tuple[tuple[int, int, float], ...] = ((3, 3, 0.5), (4, 4, 0.2), (2, 6, 1.0))
    """Numbers of classes, samples in each, temperatures: C n tau, as often as wanted."""
    places: tuple[float, ...] = (0.0, 0.5, 0.98, 1.02, 1.2, 1.4, 1.7, 2.0)
    """Weights of own views: 0 is none, 1 the threshold, 2 own views only."""
    strengths: tuple[tuple[float, float], ...] = ((1.0, 1.0), (1.0, 3.0), (3.0, 0.3))
    """Strengths of class and subclass in what a linear encoder sees."""

    def check(self) -> None:
        """Refuse shapes, weights and strengths that are none."""
        super().check()
        for C, n, tau in self.shapes:
            if C < 2 or n < 2 or tau < 0.05:
                raise ValueError(
                    f"shape is {C} {n} {tau:g} but needs C >= 2, n >= 2 and tau >= 0.05"
                )
        if min(self.places, default=-1) < 0 or max(self.places) > 2:
            raise ValueError(f"places are {self.places} but must be from 0 to 2: give some")
        if any(min(pair) <= 0 for pair in self.strengths):
            raise ValueError(f"strengths are {self.strengths} but must be positive")


PRESETS = {
    "smoke": Config(
        seeds=1, shapes=((2, 2, 0.5),), places=(0.5, 1.5, 2.0), strengths=((1.0, 3.0),)
    ),
    "laptop": Config(),
    "full": Config(
        seeds=20,
        shapes=((3, 3, 0.5), (4, 4, 0.2), (2, 6, 1.0), (5, 6, 0.5), (10, 4, 1.0)),
        places=(0.0, 0.25, 0.5, 0.75, 0.98, 1.02, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0),
    ),
}


@dataclass(frozen=True)
class Part:
    """The mixture at one shape, or (C = 0) the linear encoder."""

    C: int
    n: int
    tau: float
    places: tuple[float, ...]
    strengths: tuple[tuple[float, float], ...]
    starts: int


def cells(config: Config) -> Iterator[Cell]:
    """One cell per shape, and one of the linear encoder."""
    for C, n, tau in config.shapes:
        work = Part(C, n, tau, config.places, (), config.seeds)
        cost = 0.03 * len(config.places) * config.seeds * C * n
        yield Cell(work, f"mixture C={C} n={n} tau={tau:g}", cost)
    yield Cell(Part(0, 0, 0.0, (), config.strengths, config.seeds), "linear encoder", 1)


def measure(cell: Part, context: Context) -> Tables:
    """Where each start ends."""
    from supcon_theory.audits.class_collapse import features_audit, mixture_audit

    if cell.C == 0:
        return {"table": pd.DataFrame(features_audit(cell.strengths, cell.starts))}
    rows = mixture_audit(cell.C, cell.n, VIEWS, cell.tau, cell.places, cell.starts)
    about = {"C": cell.C, "n": cell.n, "K": VIEWS, "d": cell.C * cell.n, "tau": cell.tau}
    return {"table": pd.DataFrame(rows).assign(**about)}


def summary(tables: Tables) -> Tables:
    """Cosine within classes beside the closed form; what a linear encoder keeps."""
    table = tables["table"]
    best = class_collapse.best_starts(table[table["part"] != "features"])
    shown = [*class_collapse.SETTING, "threshold", "within_cosine", "within_cosine_predicted"]
    energies = ["class_energy", "subclass_energy"]
    kept = table[table["part"] == "features"].groupby(["value", "method"])[energies].mean()
    return {"ends": best[shown], "kept": kept.reset_index()}


def claims(config: Config) -> list[Claim]:
    """Minimum and threshold of the mixture, other losses, the linear encoder."""
    return class_collapse.claims()


EXPERIMENT = experiment(globals(), "When do classes collapse, and what is kept within them?")

if __name__ == "__main__":
    EXPERIMENT.main()
