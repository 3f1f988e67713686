"""What tests are told of `few_shot_counterexample`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import few_shot
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--shots 0", "at least 1"),
    ("--scales -1", "positive"),
    ("--draws 0", "draws is 0"),
]
FEWER = "--seeds 1"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    return {
        "table": drawn_rows(
            (columns.COUNTEREXAMPLE,), rng, seed=[0, 1], scale=[1.0, 2.0], m=[10, 1e4]
        )
    }


def counterexample() -> pd.DataFrame:
    m = [100, 10_000, 1_000_000]
    found = judged_rows(columns.COUNTEREXAMPLE, m=m, scale=[1.0, 2.0], seed=SEEDS)
    return found.assign(error=0.2545, error_exact=0.2545, bound_older=11.31 / np.sqrt(found["m"]))


JUDGED = {
    "counterexample": (few_shot.counterexample((100, 10_000), (1.0, 2.0)), counterexample()),
}
