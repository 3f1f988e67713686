"""Claims on universality: the theorems at every point of a grid of settings, and how r varies.

The table has a row per point of the grid (`level`), labelling (`labels`), temperature and seed.
"""

import functools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from supcon_theory.claims import Claim, lies_within, obeys, select
from supcon_theory.claims.gap import (
    PAPER,
    ROUNDING,
    balanced,
    gap_theorems,
    published_bound,
    unproved,
)

FLOOR_ROUNDING = 1e-6  # of losses from float32 tiles
WITHOUT_LABELS = "dcl"  # the objective of encoders trained (or only initialised) without labels


def universality_claims(
    taus: Sequence[float], levels: int, labelings: int, open_cases: bool, tau_published: float = 1.0
) -> list[Claim]:
    """Theorems, which need all `levels` to pass, and trends at the published temperature.

    open_cases: are there points where the ceiling is not proved? They get a claim of their own.
    """
    needs = {"seed": 2, "level": levels}
    every = needs | {"labels": labelings}
    found = gap_theorems(needs)
    found[2:2] = [published_bound(f"A3-{tau:g}", tau, every) for tau in taus]
    if open_cases:
        found.append(
            Claim(
                "A5-open",
                "mean gap <= collapsed-ETF ceiling, where not proved",
                "conjecture",
                "conjecture",
                obeys(
                    {"excess_ceiling": ROUNDING}, unproved, {"seed": 2}, ("gap", "bound_ceiling")
                ),
            )
        )
    found.append(
        Claim(
            "B1",
            "L_NSCL and coupled L_NSCL are never below their floors, for any balanced labels",
            f"{PAPER}, Theorem 2",
            "theorem",
            obeys(
                {"below_nscl": FLOOR_ROUNDING, "below_nscl_coupled": FLOOR_ROUNDING},
                below_floor,
                needs,
            ),
        )
    )
    at = functools.partial(r_by_seed, tau=tau_published)
    return [
        *found,
        Claim(
            "U1",
            "random labels: the gap is that of equal similarities, largest |r - 1| < .05 "
            "over the grid",
            "own",
            "trend",
            lies_within(-np.inf, 0.05, lambda t: most((at(t, "random") - 1).abs())),
        ),
        Claim(
            "U2",
            "true labels: r of trained encoders is higher than under random labels at "
            "every point of the grid",
            "own",
            "trend",
            lies_within(
                0, np.inf, lambda t: least(at(trained(t), "true") - at(trained(t), "random"))
            ),
            null="the random labels are subtracted",
        ),
        Claim(
            "U3",
            "the features' own clusters of equal size are nearer the ceiling than the true "
            "labels at every encoder that saw no labels",
            "own",
            "trend",
            lies_within(
                0,
                np.inf,
                lambda t: least(at(unsupervised(t), "kmeans_equal") - at(unsupervised(t), "true")),
            ),
        ),
    ]


def below_floor(table: pd.DataFrame) -> pd.DataFrame:
    """Balanced rows, with how far each loss is below its floor (positive is broken)."""
    rows = balanced(table)
    return rows.assign(
        **{
            f"below_{loss}": -rows[f"{loss}_above_floor"]
            for loss in ("nscl", "nscl_coupled")
            if f"{loss}_above_floor" in rows
        }
    )


def trained(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["step"] > 0]


def unsupervised(table: pd.DataFrame) -> pd.DataFrame:
    return select(table, {"objective": WITHOUT_LABELS})


def r_by_seed(table: pd.DataFrame, labels: str, tau: float) -> pd.DataFrame:
    """R under one labelling: a row per seed, a column per point of the grid."""
    rows = select(table, {"labels": labels, "tau": tau})
    return rows.set_index(["seed", "level"])["r"].unstack()


def most(r: pd.DataFrame) -> pd.Series:
    """Per seed the largest over the grid; NaN if a point is missing or there is one only."""
    return r.max(axis=1, skipna=False) if r.shape[1] > 1 else pd.Series(np.nan, r.index)


def least(r: pd.DataFrame) -> pd.Series:
    return -most(-r)
