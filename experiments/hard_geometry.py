"""Do hard negatives still lead to collapsed classes, and how hard may they be?

Free embeddings, in float64. Every hardened loss is at least its plain form, anchor by anchor. SCL
and HSCL have the simplex ETF for a minimum at any hardness, on the sphere and in the ball (arXiv
2311.05139). With class-level positives and gradients through the tilting weights, HUCL leaves the
ETF above a critical tilt that has a closed form (ours); with the weights held constant it does not,
but slows down exponentially.

    python experiments/hard_geometry.py            laptop: 3 minutes of one core; 5 starts, no data
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, hard_geometry
from supcon_theory.runs.experiment import Cell, Context, Tables, experiment
from supcon_theory.runs.flags import Common

AUDITS = (columns.HARD_GEOMETRY,)
SHOWN = ("C", "d", "tau", "tilt")


@dataclass(frozen=True)
class Config(Common):
    """Hard negatives and free embeddings."""

    shapes: tuple[tuple[int, float], ...] = ((3, 1.0), (5, 1.0), (10, 0.5))
    """Numbers of classes and temperatures: C tau, as often as wanted."""
    n: int = 2
    """Samples in each class."""
    ratios: tuple[float, ...] = (0.5, 0.9, 1.1, 1.5, 2.0, 4.0)
    """Tilts of full-gradient HUCL, in units of the critical one."""
    tilts: tuple[float, ...] = (0.0, 5.0, 30.0)
    """Tilts at which SCL is minimised and orders are measured."""
    held: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)
    """Tilts of HUCL with weights held constant, of the second shape."""
    steps: int = 4000
    """Steps of Adam with weights held constant."""

    def check(self) -> None:
        """Refuse shapes that no simplex has and tilts that are none."""
        super().check()
        self.at_least(n=2, steps=1)
        for C, tau in self.shapes:
            if C < 3 or tau < 0.05:
                raise ValueError(f"shape is {C} {tau:g} but needs C >= 3 and tau >= 0.05")
        for name in ("ratios", "tilts", "held"):
            tilts = getattr(self, name)
            if not tilts or min(tilts) < 0:
                raise ValueError(f"{name} are {tilts} but must be at least 0: give some")


PRESETS = {
    "smoke": Config(
        *(), seeds=2, shapes=((3, 1.0),), ratios=(0.5, 2.0), tilts=(0.0, 5.0), held=(1.0, 10.0),
        steps=30,
    ),
    "laptop": Config(),
    "full": Config(
        seeds=20, shapes=((3, 1.0), (5, 1.0), (5, 0.5), (10, 0.5), (20, 0.5)), n=4, steps=12_000
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One study at one setting; `starts` Gaussian starts, or seeds of drawn embeddings."""

    part: str
    C: int
    n: int
    d: int
    tau: float
    tilts: tuple[float, ...]
    starts: int
    objective: str = "ucl_ball"
    surface: str = "sphere"
    steps: int = 0


def parts(config: Config) -> Iterator[tuple[Part, float]]:
    """Every study with its cost in seconds."""
    n, starts = config.n, config.seeds
    for C, tau in config.shapes:
        size, tilted = C * n / 10, tuple(t for t in config.tilts if t > 0) or (1.0,)
        yield Part("order", C, n, C, tau, tilted, starts), 0.1 * starts
        yield Part("slope", C, n, C, tau, config.tilts, starts), 0.5
        for tilt in config.tilts:
            for objective, surface in (("scl_ball", "sphere"), ("scl_ball", "ball"), ("hscl", "")):
                at = (surface or "sphere",)
                work = Part("minimum", C, n, C - 1, tau, (tilt,), starts, objective, *at)
                yield work, 2 * size
        for surface in ("sphere", "ball"):
            work = Part("minimum", C, n, C - 1, tau, (0.0,), starts, "ucl_ball", surface)
            yield work, 2 * size
        for d in (C - 1, C):
            work = Part("threshold", C, n, d, tau, config.ratios, starts)
            yield work, size * len(config.ratios)
    C, tau = config.shapes[min(1, len(config.shapes) - 1)]
    for tilt in config.held:
        work = Part("held", C, n, C - 1, tau, (tilt,), starts, steps=config.steps)
        yield work, 0.01 * config.steps


def cells(config: Config) -> Iterator[Cell]:
    """One cell per study and setting."""
    for part, cost in parts(config):
        name = f"{part.part} {part.objective} {part.surface} C={part.C} d={part.d} tau={part.tau:g}"
        tilt = f" tilt={part.tilts[0]:g}" if len(part.tilts) == 1 else ""
        yield Cell(part, name + tilt, cost)


def measure(cell: Part, context: Context) -> Tables:
    """The rows of one study; of minimisers also the spectrum of the class means."""
    from supcon_theory.audits import hard_geometry as audit

    of, spectra = (cell.C, cell.n, cell.d, cell.tau), []
    if cell.part == "order":
        rows = [
            row | {"seed": seed}
            for seed in range(cell.starts)
            for row in audit.order_audit(*of, cell.tilts, seed)
        ]
    elif cell.part == "slope":
        rows = audit.slope_audit(cell.C, cell.tau, cell.tilts)
    elif cell.part == "minimum":
        rows = audit.minimum_audit(cell.objective, *of, cell.tilts[0], cell.surface, cell.starts)
    elif cell.part == "threshold":
        rows, spectra = audit.threshold_audit(*of, cell.tilts, cell.starts)
    else:
        rows, spectra = audit.held_audit(*of, cell.tilts[0], cell.starts, cell.steps)
    about = {"C": cell.C, "n": cell.n, "K": 1, "d": cell.d, "tau": cell.tau}
    tables = {"table": pd.DataFrame(rows).assign(**about)}
    if spectra:
        tables["spectrum"] = pd.DataFrame(spectra).assign(**about)
    return tables


def summary(tables: Tables) -> Tables:
    """Where full gradients and held weights end: the best start of each setting."""
    table = tables["table"]
    ends = table[table["part"].isin(["threshold", "held"])].sort_values("loss")
    best = ends.groupby(["weights", *SHOWN], as_index=False).first()
    kept = ["weights", *SHOWN, "critical_tilt", "cosine", "spread", "rho", "excess"]
    return {"ends": best[kept]}


def claims(config: Config) -> list[Claim]:
    """Orders, minima, and both sides of the critical tilt."""
    return hard_geometry.claims(config.ratios, config.held)


EXPERIMENT = experiment(
    globals(), "Do hard negatives still collapse classes, and how hard may they be?"
)

if __name__ == "__main__":
    EXPERIMENT.main()
