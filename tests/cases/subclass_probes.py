"""What tests are told of `subclass_probes`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import subclass_probes
from tests.cases.rows import SEEDS, STEPS, drawn_rows, judged_rows

REFUSED = [
    ("--characters 11", "characters is 11 glyphs:script only 10"),
    ("--characters 1", "characters is 1 at least 2"),
    ("--images 1", "images is 1 at least 2"),
    ("--objectives simclr", "objectives has 'simclr'"),
    ("--classes 8", "classes has 8 only 7"),
    ("--data glyphs:seven", "glyphs:seven script"),
]
FEWER = "--seeds 1 --objectives nscl --characters 2 --images 2"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    features = dict(feature=["class", "subclass", "character", "stripes"], layer=["h", "z"])
    at = dict(seed=[0, 1], step=[0, 5, 50], d=[4, 64], contrast=[0.0, 0.5])
    objectives = dict(objective=["dcl", "nscl", "supcon", "ssem"])
    return {"table": drawn_rows((columns.KEPT,), rng, **features, **at, **objectives)}


def forgotten() -> pd.DataFrame:
    """Subclasses that SupCon learns and unlearns, and the others go on learning."""
    axes = dict(feature=["class", "subclass"], layer=["h", "z"], seed=SEEDS, step=STEPS)
    found = judged_rows(columns.KEPT, objective=["dcl", "nscl", "supcon", "ssem"], **axes)
    supcon, end = found["objective"] == "supcon", found["step"] == max(STEPS)
    learnt = found["step"].map({step: 0.8 - 0.1 * k for k, step in enumerate(STEPS)})
    error = learnt + 0.3 * (supcon & end) + 0.001 * found["seed"] * end
    return found.assign(error_linear=np.where(supcon, error + 0.01, error))


JUDGED = {
    "subclass probes": (
        subclass_probes.claims(("dcl", "nscl", "supcon", "ssem")),
        forgotten(),
    ),
}
