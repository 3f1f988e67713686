"""What tests are told of `imbalance`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import imbalance
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--objectives dcl foo", "objectives has 'foo'"),
    ("--ratios 0", "ratios has 0 at least 1"),
    ("--ratios 2 --free 4", "free ones among them"),
    ("--each 1", "each has 1 at least 2"),
    ("--temperatures 0.01", "at least 0.05"),
    ("--trained-ratios 17", "17 32 from 1 to 16 larger --n"),
    ("--trained-ratios 0.5", "from 1 to 16"),
    ("--classes 3", "classes has 3 at least 4"),
    ("--draws 1", "draws is 1"),
    ("--data kanji:7", "kanji:7 divides the 1000"),
    ("--n 221", "221 220"),
]
FEWER = "--seeds 1 --ratios 4 --free 4 --objectives dcl --trained-ratios 2"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    at = dict(C=[4, 10], imbalance=[1.0, 100.0], tau=[0.5], group=["large", "small"])
    parts = dict(part=["programme", "free", "threshold", "encoders", "gaps"], layer=["z"])
    more = dict(objective=["nscl", "supcon"], negatives=[1, 100], seed=[0, 1], split=["test"])
    return {"table": drawn_rows((columns.IMBALANCE,), rng, **at, **parts, **more)}


def unequal() -> pd.DataFrame:
    """Programme, thresholds and encoders whose small classes lose; Soft SupCon's lose less."""
    soft = {"C": 4, "objective": "soft_supcon", "tau": 0.5, "imbalance": 16.0}
    parts = [
        judged_rows(columns.IMBALANCE, part="programme", softness=0.1, seed=0, **soft),
        judged_rows(columns.IMBALANCE, part="programme", softness=0.03, seed=0, **soft),
        judged_rows(
            columns.IMBALANCE, part=["threshold", "limit", "gaps"], seed=0, objective="nscl"
        ),
        judged_rows(
            columns.IMBALANCE, part="free", seed=[0, 1], objective="nscl", tau=0.5, counts="4 2"
        ),
    ]
    trained = dict(group=["large", "small"], imbalance=[1.0, 100.0], seed=SEEDS)
    trained |= dict(part="encoders", split="test", layer="z")
    objectives = ["nscl", "supcon", "soft_supcon"]
    parts.append(judged_rows(columns.IMBALANCE, objective=objectives, **trained))
    found = pd.concat(parts, ignore_index=True)
    exact = ("gap_dual", "excess", "spread", "parted_above", "limit_error", "regular_error")
    found = found.assign(**dict.fromkeys(exact, 1e-12), tilt=-0.3, cosine_below=0.9, loss=1.0)
    small = (found["group"] == "small") & (found["imbalance"] == 100)
    found["error"] = np.where(small, 0.3, 0.2) + 0.001 * found["seed"] * small
    least = np.where(found["objective"] == "soft_supcon", 0.1, 0.3)
    found["cosine"] = np.where(small, least, 0.0) + 0.001 * found["seed"] * small
    return found


JUDGED = {
    "imbalance": (
        imbalance.claims(True, True, ("nscl", "supcon", "soft_supcon"), (1.0, 100.0)),
        unequal(),
    ),
}
