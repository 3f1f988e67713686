"""What tests are told of `supcon_accuracy`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import accuracy
from tests.cases.rows import SEEDS, TWO, drawn_rows, judged_rows

REFUSED = [
    ("--objectives dcl foo", "objectives has 'foo'"),
    ("--shots 0", "each must be >= 1"),
    ("--supcon-tau 0", "temperature of SupCon is 0"),
    ("--temperatures 0.1 -1", "temperature of SupCon is -1"),
    ("--positives 0", "each must be >= 1"),
    ("--inverse-l2 0", "inverse-l2 is 0"),
    ("--draws 1", "draws is 1 at least 2"),
]
OWN = "--seeds 1"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    levels = ["supcon", "supcon_in", "nt_xent", "nscl", "cross_entropy", "supcon, 2 positives"]
    axes = dict(layer=["h", "z"], probe=["linear", "nearest centre", "neighbours"])
    more = dict(classes=["seen", "unseen"], m=[1, 160], level=levels)
    return {"table": drawn_rows((columns.ACCURACY,), rng, **TWO, **axes, **more)}


def probed() -> pd.DataFrame:
    """SupCon's features are the best, and class means as good a classifier of them as any."""
    rivals = {"supcon_in": 1.0, "nt_xent": 2.0, "dcl": 2.5, "nscl": 0.5, "cross_entropy": 1.5}
    worse = {"supcon": 0.0, **rivals, accuracy.kept(2): 0.8}
    axes = {"layer": ["h", "z"], "probe": ["linear", "nearest centre"], "m": [1, 160]}
    both = {"classes": ["seen", "unseen"], "C": [10], "seed": SEEDS}
    found = judged_rows(columns.ACCURACY, level=list(worse), **axes, **both)
    in_z = np.where(found["level"] == "cross_entropy", -1.0, 1.0) * (found["layer"] == "z")
    means = (found["probe"] == "nearest centre") * np.where(found["level"] == "nt_xent", 5, 0.1)
    points = 3 + found["level"].map(worse) + 0.3 * in_z + means
    noise = 1e-3 * np.where(found["level"] == "supcon", found["seed"], 0)
    return found.assign(error=points / 100 + noise, left=0.05)


JUDGED = {
    "accuracy": (
        accuracy.claims(
            (10,), ("supcon", "supcon_in", "nt_xent", "dcl", "nscl", "cross_entropy"), (2,)
        ),
        probed(),
    ),
}
