"""What tests are told of `universality`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import gap
from tests.cases.rows import SEEDS, drawn_rows, judged_rows, with_gap

REFUSED = [
    ("--encoders plain resnet", "resnet plain, vit"),
    ("--objectives simclr", "simclr nt_xent"),
    ("--classes 10", "10 multiple of 4"),
    ("--classes 4", "4 8 or a higher"),
    ("--n 1", "n is 1 at least 2"),
    ("--datasets nowhere", "nowhere glyphs"),
    ("--dimensions 1", "is 1 at least 2"),
    ("--views 1", "is 1 at least 2"),
    ("--temperatures 0", "is 0 above 0"),
    ("--nuisances 1", "stripes is 1"),
]
OWN = "--seeds 1"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    points = pd.DataFrame(
        [
            ("base", "CL", "base"),
            ("objective", "untrained", "objective=untrained"),
            ("d", "8", "d=8"),
        ],
        columns=["factor", "value", "level"],
    )
    table = drawn_rows(
        (columns.GAP, columns.FLOORS),
        rng,
        level=list(points["level"]),
        seed=[0, 1],
        tau=[1.0, 0.1],
        labels=["true", "coarse", "random", "kmeans", "kmeans_equal"],
    )
    return {"table": table.drop(columns=["factor", "value"]).merge(points, on="level")}


R = {"true": 1.4, "coarse": 1.2, "random": 0.99, "kmeans": 1.9, "kmeans_equal": 1.8}


def grid() -> pd.DataFrame:
    both = columns.Table("grid", 1, (*columns.GAP.columns, *columns.FLOORS.columns))
    level = ["base", "objective=untrained", "objective=nscl", "encoder=vit"]
    found = judged_rows(both, C=32, level=level, seed=SEEDS, tau=[1.0, 0.5, 0.1], labels=list(R))
    found = with_gap(found, found["labels"].map(R) + 0.002 * found["seed"])
    found["step"] = np.where(found["level"] == "objective=untrained", 0, 100)
    found["objective"] = np.where(found["level"] == "objective=nscl", "nscl", "dcl")
    balanced_only = [
        *("violation_centred", "violation_ceiling", "bound_ceiling", "ceiling_proved"),
        *("violation_relaxed", "bound_relaxed"),
        *("nscl_above_floor", "violation_nscl_floor", "violation_nscl_coupled_floor"),
    ]
    found.loc[found["labels"] == "kmeans", balanced_only] = np.nan
    return found


JUDGED = {
    "grid": (gap.grid((1.0, 0.5, 0.1), 1.0, 3), grid()),
}
