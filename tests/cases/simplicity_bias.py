"""What tests are told of `simplicity_bias`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import simplicity_bias
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--contrast 1", "1 at most 0.99"),
    ("--dimensions 1", "dimensions has 1 at least 2"),
    ("--dimensions", "dimensions are none"),
    ("--objectives", "objectives are none"),
]
FEWER = "--seeds 1 --objectives nscl --dimensions 4"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    features = dict(feature=["class", "subclass", "character", "stripes"], layer=["h", "z"])
    at = dict(seed=[0, 1], step=[0, 5, 50], d=[4, 64], contrast=[0.0, 0.5])
    objectives = dict(objective=["dcl", "nscl", "supcon", "ssem"])
    return {"table": drawn_rows((columns.KEPT,), rng, **features, **at, **objectives)}


def suppressed() -> pd.DataFrame:
    """Stripes that cost CL's characters most in few dimensions, and SupCon's least."""
    axes = dict(layer=["h", "z"], seed=SEEDS, step=[0, 50, 100], d=[4, 64], contrast=[0.0, 0.5])
    about = dict(objective=["dcl", "supcon", "ssem"], feature=["character", "stripes"])
    found = judged_rows(columns.KEPT, **axes, **about)
    cost = found["objective"].map({"dcl": 0.3, "supcon": 0.05, "ssem": 0.1})
    cost = cost.where(found["d"] == 4, cost / 3) * (found["contrast"] > 0)
    easy = found["feature"] == "stripes"
    return found.assign(
        error_linear=0.3 + cost * (1 + 0.01 * found["seed"]),
        of_chance=np.where(easy, 0.2, 0.5) + 0.001 * found["seed"],
    )


JUDGED = {
    "simplicity bias": (
        simplicity_bias.claims(("dcl", "supcon", "ssem"), True),
        suppressed(),
    ),
}
