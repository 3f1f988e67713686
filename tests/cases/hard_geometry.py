"""What tests are told of `hard_geometry`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import hard_geometry
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--shapes 2 1", "C >= 3"),
    ("--shapes 3 0", "tau >= 0.05"),
    ("--n 1", "n is 1"),
    ("--tilts -1", "at least 0"),
    ("--held -1", "at least 0"),
    ("--ratios -1", "at least 0"),
    ("--steps 0", "steps is 0"),
]
FEWER = "--seeds 1 --shapes 3 1 --tilts 5 --ratios 2 --held 1 --steps 9"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    at = dict(C=[3, 5], tau=[1.0], seed=[0, 1], tilt=[0.5, 2.0, 4.0], d=[4, 5])
    parts = dict(part=["order", "threshold", "held"], objective=["ucl_ball", "hscl"])
    ends = dict(weights=["differentiated", "held constant"])
    table = drawn_rows((columns.HARD_GEOMETRY,), rng, **at, **parts, **ends)
    table = table.assign(violation_etf=-table["loss"], critical_tilt=1.0, iteration=100)
    spectrum = drawn_rows((columns.HARD_GEOMETRY,), rng, **at, **ends, rank=[1, 2])
    return {"table": table, "spectrum": spectrum}


def hardened() -> pd.DataFrame:
    """Orders, minima and slopes as proved; HUCL leaves the ETF above the critical tilt."""
    at = {"C": 5, "d": 5, "tau": 1.0, "seed": SEEDS, "surface": "sphere", "tilt": [0.5, 2.0]}
    parts = [
        judged_rows(columns.HARD_GEOMETRY, part=part, objective=objective, **at)
        for part, objective in (
            *(("order", "hscl"), ("minimum", "scl_ball"), ("slope", "ucl_ball")),
            *(("threshold", "ucl_ball"), ("held", "ucl_ball")),
        )
    ]
    found = pd.concat(parts, ignore_index=True)
    exact = (
        "excess",
        "loss_error",
        "zero_sum",
        "unit_norm",
        "equal_products",
        "within_class_variance",
    )
    found = found.assign(**dict.fromkeys((*exact, "rho_error"), 1e-12), loss=0.4, stalled=False)
    above = (found["part"] == "threshold") & (found["tilt"] == 2)
    found["violation_etf"] = found["violation_etf"].where(above)
    return found


JUDGED = {
    "hard geometry": (hard_geometry.claims((0.5, 2.0), (1.0,)), hardened()),
}
