"""What a map of embeddings is taken to show, as claims about its numbers: neighbours share a
class.
"""

import numpy as np
import pandas as pd

from supcon_theory.claims import Claim, lies_within, obeys, select

PAPER = "arXiv 2506.04411, Figure 1"


def map_claims(method: str) -> list[Claim]:
    """The common start, and trends on the class purity of nearest neighbours among held-out images.

    That a map keeps neighbours is claimed of t-SNE and UMAP only: two principal components cannot,
    with the C - 1 directions of a simplex equally long.
    """
    first = "shuffled labels"
    found = [
        Claim(
            "F1-start",
            "both rows begin with the same embeddings: equal weights, equal images",
            "own",
            "theorem",
            obeys({"start_difference": 0.0}, {"step": 0}, {"seed": 2}),
        ),
        Claim(
            "F1-cl",
            "CL training gathers classes that it never saw named: purity rises by >= .05",
            PAPER,
            "trend",
            lies_within(
                0.05,
                np.inf,
                lambda t: rise(t, "dcl", "true"),
                null=lambda t: rise(t, "dcl", "shuffled"),
            ),
            null=first,
        ),
        Claim(
            "F1-nscl",
            "NSCL training gathers them more tightly: purity >= .02 above CL's",
            PAPER,
            "trend",
            lies_within(
                0.02, np.inf, lambda t: above(t, "true"), null=lambda t: above(t, "shuffled")
            ),
            null=first,
        ),
    ]
    if method != "pca":
        found.append(
            Claim(
                "F1-map",
                "the map shows what is there: its purity within .1 of that of the "
                "embeddings, every panel",
                "own",
                "trend",
                lies_within(-np.inf, 0.1, distortion),
            )
        )
    return found


def ends(table: pd.DataFrame, where: dict, step: str) -> pd.Series:
    """Purity at the first or the last step, indexed by (C, seed)."""
    rows = select(table, where)
    rows = rows[rows["step"] == getattr(table["step"], step)()]
    return rows.set_index(["C", "seed"])["purity"]


def worst(values: pd.Series) -> pd.Series:
    """Per seed, the least over C; NaN if one is."""
    return values.groupby("seed").apply(lambda found: found.min(skipna=False))


def rise(table: pd.DataFrame, objective: str, labels: str) -> pd.Series:
    where = {"objective": objective, "labels": labels}
    return worst(ends(table, where, "max") - ends(table, where, "min"))


def above(table: pd.DataFrame, labels: str) -> pd.Series:
    nscl, cl = ({"objective": name, "labels": labels} for name in ("nscl", "dcl"))
    return worst(ends(table, nscl, "max") - ends(table, cl, "max"))


def distortion(table: pd.DataFrame) -> pd.Series:
    """Per seed, the largest distance between both purities over all panels."""
    rows = select(table, {"labels": "true"})
    distance = np.abs(rows["purity_map"] - rows["purity"])
    return distance.groupby(rows["seed"]).apply(lambda found: found.max(skipna=False))
