"""C6: the older 1/m form of the few-shot bound is no bound; the others hold on the same laws."""

import numpy as np
import pandas as pd

from supcon_theory.claims import Claim, inconclusive, lies_within, obeys

VALID = ("neurips", "neurips_rounded", "tightened", "theorem_4_1", "theorem_c_2", "cantelli")
FROM = 10_000  # below m of about 1,980 the older form still holds in this family
ROUNDING = 1e-9


def counterexample_claims() -> list[Claim]:
    return [
        Claim(
            "C6",
            f"the 1/m form is below the measured error at every m >= {FROM:,} with V = sqrt(m)",
            "arXiv 2506.04411v1, Proposition 1",
            "counterexample",
            violated,
        ),
        Claim(
            "C6-valid",
            "Cantelli, Theorem 4.1, C.2 and the NeurIPS forms hold on the same laws",
            "own proof; arXiv 2603.03530; arXiv 2506.04411",
            "theorem",
            obeys(
                {f"excess_{name}": ROUNDING for name in VALID},
                needs={"m": 2},
                tightness=("error_exact", "bound_cantelli"),
            ),
        ),
    ]


def violated(table: pd.DataFrame):
    """PASS if the interval over seeds of the smallest (error - 1/m form) lies above 0."""
    if not {"m", "scale", "seed", "error", "bound_older"} <= set(table.columns):
        return inconclusive("the table lacks a column that the claim is about")
    rows = table[(table["m"] >= FROM) & (table["scale"] == 1)]
    if len(rows) == 0:
        return inconclusive(f"no row of the table has m >= {FROM} and V = sqrt(m)")
    if rows[["error", "bound_older"]].isna().any(axis=None):
        return inconclusive("an error or a bound is NaN", len(rows))
    return lies_within(0.0, np.inf, smallest_excess)(rows)


def smallest_excess(rows: pd.DataFrame) -> pd.Series:
    """Per seed, the smallest excess of the error over the 1/m form among the m."""
    return (rows["error"] - rows["bound_older"]).groupby(rows["seed"]).min()
