"""What tests are told of `few_shot`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import few_shot
from tests.cases.rows import BOTH, SEEDS, SETS, SHOTS, TWO, drawn_rows, judged_rows

REFUSED = [
    ("--layer q", "q z h"),
    ("--shots 0", "each must be >= 1"),
    ("--ways 1", "must be 2, which the bounds are about"),
    ("--ways 50", "must be 2, which the bounds are about"),
    ("--objectives", "objectives are none"),
    ("--objectives dcl foo", "objectives has 'foo'"),
    ("--objectives dcl dcl", "each may be there once"),
    ("--inverse-l2 -1", "inverse-l2 is -1"),
    ("--draws 1", "draws is 1 but must be at least 2"),
]
FEWER = "--seeds 1 --shots 1 --resampled-shots 1 --objectives dcl --draws 9"
OWN = "--objectives dcl cross_entropy --seeds 1 --draws 9 --certified 7"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    table = drawn_rows(
        (columns.FEW_SHOT,),
        rng,
        **TWO,
        objective=["init", "dcl", "nscl", "cross_entropy"],
        classes=["seen", "unseen", "two classes", "five classes"],
        probe=["nearest centre", "linear"],
        protocol=["labelled", "resampled"],
        split=SETS["split"],
        m=[1.0, 5.0, np.inf],
        ways=[2, 4, 5, 10],
    )
    return {"table": table}


def shots() -> pd.DataFrame:
    common = {"protocol": ["resampled", "gaussian"], "classes": "seen", "split": "test"}
    common |= {"objective": "dcl", "C": 100, "seed": SEEDS}
    found = judged_rows(columns.FEW_SHOT, **common, m=SHOTS, ways=[2, 100])
    noise = (1 + 0.01 * found["seed"]) * np.where(found["ways"] == 2, 1, 5)
    found["error"] = (0.01 + 0.1 * found["m"] ** -0.8) * noise
    for name in found.columns:
        if name.startswith(("bound_", "cut_")):
            found[name] = 3 * found["error"]
        if name.startswith("violation_pair_"):
            found[name] = found[name].where(found["ways"] == 2)
    limit = judged_rows(columns.FEW_SHOT, **common, m=np.inf, ways=2)
    limit["crossing"], limit["half_theorem_4_1"] = 20 + limit["seed"], 300.0 + limit["seed"]
    limit["directional_from_theorem_4_1"] = 200.0 + limit["seed"]
    return pd.concat([found, limit], ignore_index=True)


JUDGED = {
    "few shots": (few_shot.claims(100, BOTH, SHOTS, True), shots()),
}
