"""What tests are told of `gap_vs_classes`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import gap
from tests.cases.rows import BOTH, SEEDS, SETS, TRAINED, TWO, drawn_rows, judged_rows, with_gap

OWN = "--ratios 1 2 --imbalanced-classes 8 --imbalanced-training"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    table = drawn_rows(
        (columns.GAP,),
        rng,
        **TWO,
        **TRAINED,
        tau=[1.0, 0.5],
        labels=SETS["labels"],
        imbalance=[1.0, 4.0],
    )
    return {"table": table.assign(tau_train=0.5, trained_imbalance=1.0)}


def sweep(data: str = "glyphs", C: tuple[int, ...] = (4, 8, 64)) -> pd.DataFrame:
    one = {"data": data, "imbalance": 1.0, "trained_imbalance": 1.0}
    both = {"tau": [1.0, 0.5], "labels": ["true", "shuffled"], "objective": BOTH}
    found = judged_rows(columns.GAP, C=C, seed=SEEDS, step=[0, 100], **one, **both)
    trained = (found["step"] > 0) & (found["labels"] == "true")
    found = with_gap(found, 1.0 + (0.3 + 0.002 * found["seed"]) * trained)
    return found


JUDGED = {
    "sweep": (gap.sweep(0.5, 1.0, (4, 8, 64), "glyphs"), sweep()),
    "published sweep": (gap.sweep(0.5, 1.0, (2, 10), "cifar10"), sweep("cifar10", (2, 10))),
}
