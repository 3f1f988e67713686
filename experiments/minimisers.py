"""Where NSCL ends up when the embeddings are free: its minimum, its landscape, and the controls.

L-BFGS (strong Wolfe, float64) over unit embeddings from Gaussian starts, against the closed-form
minimum of arXiv 2506.04411, Theorem 2; spurious minima certified by their Hessian; unequal classes,
too few dimensions and `dcl` as controls; the largest gap by gradient ascent, and the temperatures
at which the ceiling of the gap is proved, by interval arithmetic. No data, no network.

    python experiments/minimisers.py            laptop: 20 starts, about 2 minutes on 2 cores
    python experiments/minimisers.py full       100 starts, more shapes
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import torch

from supcon_theory.audits import critical
from supcon_theory.audits import minimisers as studies
from supcon_theory.claims import Claim
from supcon_theory.claims.minima import minimiser_claims
from supcon_theory.claims.minimiser_checks import REACHED, landscape
from supcon_theory.runs import flags as command
from supcon_theory.runs.cells import Cell, Context
from supcon_theory.runs.experiment import run
from supcon_theory.theory.ceiling import Window, open_temperatures

NAME = "minimisers"
NO_WINDOW = Window((float("nan"),) * 2, (float("nan"),) * 2)
Shape = tuple[int, int, int]
STUDIES = {
    "landscape": studies.landscape,
    "dcl": studies.instances,
    "imbalance": studies.imbalance,
    "descent": studies.descent,
    "class simplex": critical.class_simplex,
    "spurious": critical.spurious,
    "ascent": critical.ascent,
}


@dataclass(frozen=True)
class Config(command.Common):
    """Minimisers of free embeddings."""

    seeds: int = 20
    """Gaussian starts of every configuration."""
    shapes: tuple[Shape, ...] = ((4, 5, 2), (10, 4, 2), (6, 3, 3), (5, 4, 1))
    """Numbers of classes, samples per class and views: C n K, as often as wanted."""
    room: tuple[int, ...] = (-1, 0, 1, 2, 3, 9)
    """Dimensions beyond the C - 1 that a simplex ETF needs."""
    tau: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5, 1.0)
    """Temperatures."""
    ascents: tuple[tuple[int, int, float], ...] = (
        (4, 5, 0.5),
        (10, 4, 0.1),
        (20, 2, 1.0),
        (15, 2, 0.5),
        (20, 2, 0.5),
        (20, 2, 0.65),
        (40, 2, 0.3),
        (40, 2, 0.6),
        (40, 10, 0.5),
        (100, 2, 0.5),
    )
    """C, n and tau at which the largest gap is searched for."""
    windows: tuple[tuple[int, int], ...] = tuple(
        (C, n) for n in (2, 10, 1_000_000) for C in (13, 14, 15, 20, 26, 28, 40, 100, 1000)
    )
    """C and n for which the temperatures that lack a proof of the ceiling are enclosed."""
    iterations: int = 2000
    """Most iterations of L-BFGS."""

    def check(self) -> None:
        super().check()
        command.at_least(self, iterations=1)
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
        if any(C < 2 or n < 2 for C, n, *_ in (*self.ascents, *self.windows)):
            raise ValueError("C and n of ascents and windows must be at least 2")


PRESETS = {
    "smoke": Config(
        seeds=6,
        shapes=((4, 3, 2), (4, 2, 1)),
        room=(-1, 0, 3),
        tau=(0.3, 1.0),
        ascents=((4, 3, 0.5), (15, 2, 0.5)),
        windows=((13, 2), (20, 2)),
    ),
    "laptop": Config(),
    "full": Config(
        seeds=100,
        shapes=((4, 5, 2), (10, 4, 2), (6, 3, 3), (5, 4, 1), (3, 10, 2), (20, 3, 2)),
        room=(-1, 0, 1, 2, 3, 4, 6, 9),
        tau=(0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0),
    ),
}


def cells(config: Config) -> list[Cell]:
    found = []

    def add(part: str, name: str, cost: float, **fields: object) -> None:
        common = {
            "measure": NAME,
            "version": 1,
            "part": part,
            "seeds": config.seeds,
            "iterations": config.iterations,
        }
        found.append(Cell(common | fields, f"{part} {name}", cost * config.seeds / 20))

    for C, n, K in config.shapes:
        for objective in ("nscl", "nscl_coupled", "supcon"):
            if objective == "nscl_coupled" and K == 1:
                continue  # its only positive is another view
            for room in config.room:
                d = C - 1 + room
                add(
                    "landscape",
                    f"{objective} C={C} K={K} d={d}",
                    len(config.tau) * (C * n * K / 40) ** 2,
                    objective=objective,
                    C=C,
                    n=n,
                    K=K,
                    d=d,
                    taus=config.tau,
                )
    C, n, K = config.shapes[0]
    for tau in config.tau:
        add("dcl", f"C={C} tau={tau:g}", 2, C=C, n=n, K=K, d=C * n - 1, tau=tau)
        add("class simplex", f"C={C} tau={tau:g}", 1, C=C, n=n, K=K, d=C, tau=tau)
    for room in (0, 4):
        add("imbalance", f"d={3 + room}", 1, counts=(12, 4, 2, 2), K=2, d=3 + room, tau=1.0)
    for C, n, K in config.shapes:
        for room in (0, 1):
            for tau in {min(config.tau), max(config.tau)}:
                add(
                    "spurious",
                    f"C={C} K={K} d={C - 1 + room} tau={tau:g}",
                    (C * n * K / 40) ** 2 * C / 4,
                    C=C,
                    n=n,
                    K=K,
                    d=C - 1 + room,
                    tau=tau,
                )
    C, n, K = config.shapes[0]
    for objective in ("nscl", "nscl_coupled", "supcon", "dcl"):
        add("descent", objective, 8, objective=objective, C=C, n=n, K=K, d=C * n - 1, tau=0.5)
    for C, n, tau in config.ascents:
        add("ascent", f"C={C} n={n} tau={tau:g}", min((C * n / 40) ** 2, 20) * 3, C=C, n=n, tau=tau)
    add("windows", "of the ceiling", 3, pairs=config.windows)
    return found


def measure(cell: Mapping, context: Context) -> dict[str, pd.DataFrame]:
    if cell["part"] == "windows":
        return {
            "windows": pd.DataFrame(
                [
                    {
                        "C": C,
                        "n": n,
                        "outer_low": window.outer[0],
                        "inner_low": window.inner[0],
                        "inner_high": window.inner[1],
                        "outer_high": window.outer[1],
                    }
                    for C, n in cell["pairs"]
                    for window in open_temperatures(C, n) or [NO_WINDOW]
                ]
            )
        }
    torch.set_num_threads(1)
    return STUDIES[cell["part"]](cell)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Share of the starts at the minimum, the certified spurious minima, the best ascents."""
    table = tables["table"]
    setting = ["objective", "C", "n", "K", "d", "tau"]
    land = landscape(table)
    reached = (land["excess"] <= REACHED).groupby([land[name] for name in setting]).mean()
    found = {"success": reached.unstack("tau").reset_index()}
    if (table["part"] == "spurious").any():
        found["spurious"] = table.loc[
            table["part"] == "spurious",
            [
                "C",
                "n",
                "K",
                "d",
                "tau",
                "excess",
                "hits",
                "split",
                "smallest_but_rotations",
                "zero_modes",
                "rotations",
            ],
        ]
    climbs = table[table["part"] == "ascent"]
    found["ascents"] = climbs.groupby(["C", "n", "tau", "ceiling"])[
        ["bound_ceiling", "gap", "excess"]
    ].max()
    found["ascents"] = found["ascents"].reset_index()
    return found


def claims(config: Config) -> list[Claim]:
    return minimiser_claims()


if __name__ == "__main__":
    run(NAME, PRESETS, cells, measure, claims, summary)
