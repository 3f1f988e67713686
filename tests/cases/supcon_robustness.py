"""What tests are told of `supcon_robustness`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import robustness
from tests.cases.rows import SEEDS, TWO, drawn_rows, judged_rows

REFUSED = [
    ("--objectives supcon foo", "objectives has 'foo'"),
    ("--kinds", "kinds are none"),
    ("--kinds fog", "kinds has 'fog' shot noise"),
    ("--kinds contrast contrast", "each once"),
    ("--supcon-tau 0", "supcon-tau is 0"),
    ("--settings adam 0.1", "optimiser is 'adam' adamw, sgd, lars"),
    ("--settings sgd 0", "lr is 0.0 above 0"),
    ("--settings adamw 2e-3", "each may be there once"),
    ("--strengths 0.5 1", "each may be there once"),
    ("--strengths 0.5 0.5", "each may be there once"),
    ("--strengths 9", "strengths"),
    ("--strength 2", "are (2.0, 2.0) but each"),
]
FEWER = "--seeds 1 --kinds contrast --settings --strengths"
OWN = "--seeds 1 --kinds contrast"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    levels = dict(level=["supcon", "dcl", "nscl", "cross_entropy"], layer=["h", "z"])
    kinds = dict(corruption=["shot noise", "pixelate"], severity=[0, 1, 5])
    worse = drawn_rows((columns.ROBUSTNESS,), rng, **TWO, **levels, **kinds, part=["corrupted"])
    worse = worse[(worse["severity"] > 0) | (worse["corruption"] == "pixelate")]
    settings = ["adamw, lr = 0.002", "sgd, lr = 0.1", "adamw, lr = 0.002, views x 2"]
    at = dict(level=settings, layer=["h"], part=["grid"])
    grid = drawn_rows(
        (columns.ROBUSTNESS,), rng, **TWO, **at, objective=["supcon", "cross_entropy"]
    )
    return {"table": pd.concat([worse, grid.assign(severity=0)], ignore_index=True)}


def corrupted() -> pd.DataFrame:
    """SupCon and NSCL lose less than cross-entropy, are calibrated better, vary less."""
    kinds = {"corruption": ["blur", "noise"], "severity": [1, 2]}
    at = {"C": [10], "seed": SEEDS, "layer": ["h", "z"]}
    levels = {"part": "corrupted", "level": ["supcon", "nscl", "cross_entropy"]}
    worse = judged_rows(columns.ROBUSTNESS, **levels, **kinds, **at)
    clean = judged_rows(columns.ROBUSTNESS, **levels, corruption="none", severity=0, **at)
    found = pd.concat([clean, worse], ignore_index=True)
    rival = 1 + 0.5 * (found["level"] == "cross_entropy") + 0.01 * found["seed"]
    error, ece = 0.03 + 0.05 * found["severity"] * rival, 0.02 * rival
    lrs = {"lr": [0.1, 0.4], "strength": [1.0, 2.0], "objective": ["supcon", "cross_entropy"]}
    grid = judged_rows(columns.ROBUSTNESS, part="grid", severity=0, **lrs, **at | {"layer": "h"})
    grid["optimiser"] = np.where(grid["lr"] == 0.4, "sgd", "adamw")
    spread = np.where(grid["objective"] == "supcon", 0.1, 0.2) + 0.001 * grid["seed"]
    spread = spread * grid["lr"] * grid["strength"]
    parts = found.assign(error=error, ece=ece), grid.assign(error=spread)
    return pd.concat(parts, ignore_index=True).assign(left=0.05)


JUDGED = {
    "robustness": (
        robustness.claims((10,), ("supcon", "nscl", "cross_entropy"), grid=True),
        corrupted(),
    ),
}
