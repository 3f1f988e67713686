"""Rows of tables from the columns that they declare: to be drawn, and to be judged."""

import itertools

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.theory.ceiling import etf_ceiling
from supcon_theory.theory.gap import published_bound

TWO = dict(C=[4, 10], seed=[0, 1])
TRAINED = dict(objective=["dcl", "nscl"], step=[0, 5, 50], data=["glyphs"], layer=["z"])
SETS = dict(split=["train", "test"], labels=["true", "shuffled"])
SEEDS, STEPS, N = range(6), (0, 3, 20, 130, 800), 160
SHOTS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
BOTH = ("dcl", "nscl")
HARMLESS = {"violation": -1e-2, "limit": 0.0}  # by the name's beginning


def drawn_rows(
    table: tuple[columns.Table, ...], rng: np.random.Generator, **choices
) -> pd.DataFrame:
    """All combinations of the choices, a positive number in every other declared column."""
    grid = pd.MultiIndex.from_product(choices.values(), names=choices.keys()).to_frame(index=False)
    names = [name for of in (columns.IDENTITY, *table) for name in of.names if name not in grid]
    words = {c.name for of in (columns.IDENTITY, *table) for c in of.columns if not c.unit}
    values = {n: "x" if n in words else rng.uniform(0.1, 0.9, len(grid)) for n in names}
    return grid.assign(**values)


def judged_rows(table: columns.Table, **axes) -> pd.DataFrame:
    """A row for each combination of the axes, with every declared column, none of them broken."""
    levels = [v if isinstance(v, (list, tuple, range)) else [v] for v in axes.values()]
    found = pd.DataFrame(list(itertools.product(*levels)), columns=list(axes))
    rest = {}
    for name in table.names:
        if name not in axes:
            start = next((v for k, v in HARMLESS.items() if name.startswith(k)), 0.5)
            rest[name] = 1e-15 if name.endswith("_error") else start
    return found.assign(**rest)


def with_gap(found: pd.DataFrame, r) -> pd.DataFrame:
    """Gaps of a given r, and the bounds at their C and tau."""
    C, tau = found["C"].to_numpy(), found["tau"].to_numpy()
    published = [float(published_bound(c, t)) for c, t in zip(C, tau, strict=True)]
    ceiling = [float(etf_ceiling(c, N, t)) for c, t in zip(C, tau, strict=True)]
    gap = np.log1p(r * (N - 1) / (N * (C - 1)))
    return found.assign(r=r, gap=gap, bound_n_max=published, bound_ceiling=ceiling)
