"""What tests are told of `gaussianity`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import gaussianity
from tests.cases.rows import SEEDS, TWO, drawn_rows, judged_rows

REFUSED = [
    ("--objectives dcl foo", "objectives has 'foo'"),
    ("--components 16", "components is 16 below dimension"),
    ("--rows 9", "rows is 9 at least 20"),
    ("--shots 0", "each must be at least 1"),
    ("--null 1", "null is 1"),
]
FEWER = "--seeds 1 --shots 1 --objectives nscl --samples 5"
OWN = "--seeds 1"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    laws = dict(law=["gaussian", "sphere"], protocol=["features", "power", "few shots"])
    at = dict(layer=["z"], objective=["dcl", "nscl", "supcon", "cross_entropy"], m=[1.0, 5.0])
    table = drawn_rows((columns.GAUSSIANITY,), rng, **TWO, **laws, **at, step=[0, 5, 50])
    return {"table": table.assign(epoch=table["step"] / 4)}


def normal() -> pd.DataFrame:
    """CL comes nearer to a Gaussian and is one to the test; cross-entropy goes the other way."""
    of, at = columns.GAUSSIANITY, {"seed": SEEDS}
    trained = {"objective": ["dcl", "cross_entropy"], "C": [10, 100], "layer": "z", **at}
    features = judged_rows(of, protocol="features", step=[0, 800], **trained)
    shots = judged_rows(of, protocol="few shots", step=[0, 800], m=[1, 5], **trained)
    found = pd.concat(
        [judged_rows(of, protocol="power", law="gaussian", **at), features, shots],
        ignore_index=True,
    )
    ended = (found["step"] == 800) * (0.02 + 0.001 * found["seed"])
    toward = np.where(found["objective"] == "dcl", -1, 1)
    found = found.assign(distance=0.1 + toward * ended, p=0.4 + 0.01 * found["seed"])
    tilted = 0.3 + 0.01 * found["seed"]
    return found.assign(norm_ratio=1.0 + 0.01 * found["seed"], log2_ratio=tilted)


JUDGED = {
    "gaussianity": (gaussianity.claims(("dcl", "cross_entropy"), (10, 100)), normal()),
}
