"""What tests are told of `hard_negatives`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import hard_negatives
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--betas -1", "betas has -1 at least 0"),
    ("--trained-betas 101", "101 at most 100"),
    ("--gap-classes 1", "gap-classes has 1 at least 2"),
    ("--betas", "betas are none"),
    ("--gap-classes 301", "gap-classes has 301 only 300"),
]
FEWER = "--seeds 1 --betas 1 --gap-classes 2"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    at = dict(C=[4, 10], seed=[0, 1], objective=["nt_xent", "hscl"], step=[0, 10])
    parts = dict(part=["order", "crossing", "encoders", "classes"], beta=[0.0, 1.0])
    return {
        "table": drawn_rows(
            (columns.HARD_NEGATIVES,), rng, **at, **parts, hardening=["exponential"]
        )
    }


def harder() -> pd.DataFrame:
    """H-UCL follows H-SCL, A* spreads; the hardened gap falls more slowly; hardness helps."""
    names = ["nt_xent", "scl_jiang", "hucl", "hscl"]
    steps = dict(step=[0, 10, 100], objective=names, seed=SEEDS, hardening="exponential")
    along = judged_rows(
        columns.HARD_NEGATIVES, part="order", split="train", beta=[0.0, 1.0], **steps
    )
    order = along["step"] + along["seed"] + along["beta"]
    along = along.assign(loss_hscl=order, loss_hucl=order + 1, loss_ucl=order * 7 % 11, over=-0.5)
    along["premise"] = 0.5 + along["step"] / 300 + 0.001 * along["seed"]
    crossing = judged_rows(columns.HARD_NEGATIVES, part="crossing", objective=names, seed=SEEDS)
    ends = judged_rows(columns.HARD_NEGATIVES, part="encoders", objective=names, seed=SEEDS)
    hard = ends["objective"].isin(["hucl", "hscl"])
    ends = ends.assign(beta=np.where(hard, 1.0, np.nan))
    ends["error"] = np.where(hard, 0.2, 0.3) + 0.001 * ends["seed"] * hard
    gaps = judged_rows(
        columns.HARD_NEGATIVES, part="classes", C=[2, 8, 32], beta=[0.0, 2.5], seed=SEEDS
    )
    power = np.where(gaps["beta"] > 0, -0.5, -1.0) - 0.01 * gaps["seed"] * (gaps["beta"] > 0)
    gaps["gap"] = np.log1p((gaps["C"] - 1) ** power)
    found = pd.concat([along, crossing, ends, gaps], ignore_index=True)
    return found.assign(violation_equivalence=0.0, violation_crossing=0.0)


JUDGED = {
    "hard negatives": (hard_negatives.claims(True, (0.0, 2.5)), harder()),
}
