"""Where NSCL ends up when the embeddings are free: its minimum, its landscape, and the controls.

L-BFGS (strong Wolfe, float64) over unit embeddings from Gaussian starts, against the closed-form
minimum of arXiv 2506.04411, Theorem 2; spurious minima, polished by Newton's method and proved by a
bound on the third derivative; unequal classes, too few dimensions and `dcl` as controls; the
largest gap by gradient ascent, against its ceiling.

    python experiments/minimisers.py            laptop: 20 starts, about 2 minutes on 2 cores
    python experiments/minimisers.py full       100 starts, more shapes
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator
from dataclasses import dataclass

from supcon_theory.audits import columns
from supcon_theory.audits.studies import Study
from supcon_theory.claims import Claim, minima
from supcon_theory.runs.experiment import Cell, Context, Tables, experiment
from supcon_theory.runs.flags import Common
from supcon_theory.runs.summary import Summary

AUDITS = (columns.MINIMISERS, columns.EIGENVALUES)
UNEQUAL = (12, 4, 2, 2)
SETTING = ["objective", "C", "n", "K", "d", "tau"]
SHOWN = [
    *("C", "n", "K", "d", "tau", "excess_proved", "hits", "occupancy"),
    *("newton_condition", "trap_inner", "trap_outer"),
]
CLIMBED = (
    *((4, 5, 0.5), (10, 4, 0.1), (20, 2, 1.0), (15, 2, 0.5), (20, 2, 0.5), (20, 2, 0.65)),
    *((40, 2, 0.3), (40, 2, 0.6), (40, 10, 0.5), (100, 2, 0.5), (100, 2, 0.25)),
)


@dataclass(frozen=True)
class Config(Common):
    """Minimisers of free embeddings."""

    seeds: int = 20
    """Gaussian starts of every configuration."""
    shapes: tuple[tuple[int, int, int], ...] = ((4, 5, 2), (10, 4, 2), (6, 3, 3), (5, 4, 1))
    """Numbers of classes, samples per class and views: C n K, as often as wanted."""
    room: tuple[int, ...] = (-1, 0, 1, 2, 3, 9)
    """Dimensions beyond the C - 1 that a simplex ETF needs."""
    tau: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5, 1.0)
    """Temperatures."""
    ascents: tuple[tuple[int, int, float], ...] = CLIMBED
    """C, n and tau at which the largest gap is searched for."""
    iterations: int = 2000
    """Most iterations of L-BFGS."""

    def check(self) -> None:
        """Refuse shapes and temperatures that no study can take."""
        super().check()
        self.at_least(iterations=1)
        if not self.shapes or not self.room:
            raise ValueError("shapes and room are none: give at least one of each")
        for C, n, K in self.shapes:
            if C < 3 or n < 2 or K < 1:
                raise ValueError(f"shape is {C} {n} {K} but needs C >= 3, n >= 2 and K >= 1")
            if C - 1 + min(self.room) < 2:
                raise ValueError(
                    f"room is {min(self.room)} but C = {C} then has fewer than 2 dimensions"
                )
        if not self.tau or min(self.tau) < 0.05:
            raise ValueError(
                f"tau is {min(self.tau, default=None)} but must be at least 0.05: below, "
                "the losses are flat to rounding"
            )
        if any(C < 2 or n < 2 for C, n, _ in self.ascents):
            raise ValueError("C and n of ascents must be at least 2")


PRESETS = {
    "smoke": Config(
        seeds=6,
        shapes=((4, 3, 2), (4, 2, 1)),
        room=(-1, 0, 3),
        tau=(0.3, 1.0),
        ascents=((4, 3, 0.5), (15, 2, 0.5)),
    ),
    "laptop": Config(),
    "full": Config(
        seeds=100,
        shapes=((4, 5, 2), (10, 4, 2), (6, 3, 3), (5, 4, 1), (4, 10, 2), (20, 3, 2)),
        room=(-1, 0, 1, 2, 3, 4, 6, 9),
        tau=(0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0),
    ),
}


def supervised(K: int) -> tuple[str, ...]:
    """The objectives with labels; the only positive of coupled NSCL is another view."""
    return ("nscl", "nscl_coupled", "supcon") if K > 1 else ("nscl", "supcon")


def studies(config: Config) -> Iterator[tuple[str, float, dict]]:
    """Name, cost in seconds for 20 starts, and the fields of every study."""
    for C, n, K in config.shapes:
        size = (C * n * K / 40) ** 2
        shape = {"C": C, "n": n, "K": K}
        for objective in supervised(K):
            for d in (C - 1 + room for room in config.room):
                fields = shape | {"objective": objective, "d": d, "taus": config.tau}
                name = f"landscape {objective} C={C} K={K} d={d}"
                yield name, len(config.tau) * size, {"part": "landscape"} | fields
        for d in (C - 1, C):
            for tau in {min(config.tau), max(config.tau)}:
                fields = shape | {"d": d, "taus": (tau,)}
                name = f"spurious C={C} K={K} d={d} tau={tau:g}"
                yield name, size * C / 4, {"part": "spurious"} | fields
    C, n, K = config.shapes[0]
    shape = {"C": C, "n": n, "K": K}
    for tau in config.tau:
        for part, d, cost in (("dcl", C * n - 1, 2), ("class simplex", C, 1)):
            yield f"{part} C={C} tau={tau:g}", cost, {"part": part, "d": d, "taus": (tau,)} | shape
    for d in (len(UNEQUAL) - 1, len(UNEQUAL) + 3):
        yield f"imbalance d={d}", 1, {"part": "imbalance", "counts": UNEQUAL, "d": d}
    for objective in (*supervised(K), "dcl"):
        fields = shape | {"objective": objective, "d": C * n - 1, "taus": (0.5,)}
        yield f"descent {objective}", 8, {"part": "descent"} | fields
    for C, n, tau in config.ascents:
        fields = {"part": "ascent", "C": C, "n": n, "taus": (tau,)}
        yield f"ascent C={C} n={n} tau={tau:g}", min((C * n / 40) ** 2, 20) * 3, fields


def cells(config: Config) -> Iterator[Cell]:
    """One cell per study and setting."""
    for name, cost, fields in studies(config):
        study = Study(seeds=config.seeds, iterations=config.iterations, **fields)
        yield Cell(study, name, cost * config.seeds / 20)


def measure(cell: Study, context: Context) -> Tables:
    """The tables of one study."""
    from supcon_theory.audits.minimisers import study_tables

    return study_tables(cell)


def summary(tables: Tables) -> dict[str, Summary]:
    """Share of the starts at the minimum, the certified spurious minima, the best ascents."""
    table = tables["table"]
    land = table.query("part == 'landscape' and d >= C - 1")
    reached = (land["excess"] <= minima.REACHED).groupby([land[name] for name in SETTING]).mean()
    within = (
        f"Share of the starts that end within {minima.REACHED:g} nats of the minimum, at each tau"
    )
    success = reached.unstack("tau").reset_index().rename(columns=str)
    taus = tuple(
        columns.Column(name, "1", f"tau = {name}") for name in success if name not in SETTING
    )
    n = f"n = up to {land.groupby(SETTING).size().max():g} starts"
    found = {"success": Summary(success, within, taus, n)}
    spurious = table[table["part"] == "spurious"]
    if len(spurious):
        n = f"n = {len(spurious)} points"
        found["spurious"] = Summary(
            spurious[SHOWN], "Local minima above the least value, proved", n=n
        )
    climbs = table[table["part"] == "ascent"].groupby(["C", "n", "tau"])
    highest = climbs[["bound_ceiling", "gap", "violation_ceiling"]].max()
    n = f"n = up to {climbs.size().max():g} starts"
    found["ascents"] = Summary(highest.reset_index(), "Largest gap that ascents found", n=n)
    return found


def claims(config: Config) -> list[Claim]:
    """The minimum, its geometry, the controls, the ceiling."""
    return minima.free(config.room, config.seeds)


EXPERIMENT = experiment(
    globals(), "Where does NSCL end with free embeddings, and does every start get there?"
)

if __name__ == "__main__":
    EXPERIMENT.main()
