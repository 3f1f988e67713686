"""What tests are told of `embeddings_map`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import maps
from tests.cases.rows import BOTH, SEEDS, SETS, drawn_rows, judged_rows

REFUSED = [
    ("--method mds", "mds tsne"),
    ("--columns 1", "columns is 1 at least 2"),
    ("--objectives dcl foo", "objectives has 'foo'"),
]
OWN = "--seeds 1"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    at = dict(C=[4], seed=[0, 1], objective=["dcl", "nscl"], step=[0, 5])
    table = drawn_rows((columns.MAPS,), rng, **at, labels=SETS["labels"], method=["tsne"])
    return {
        "table": table,
        "points": drawn_rows((columns.POINTS,), rng, **at, row=[3, 5], **{"class": [0, 1, 12]}),
    }


def mapped() -> pd.DataFrame:
    both = {"step": [0, 100], "labels": ["true", "shuffled"]}
    axes = {"objective": (*BOTH, "supcon")} | both
    found = judged_rows(columns.MAPS, C=[4, 10], seed=SEEDS, **axes)
    learned = (found["step"] > 0) & (found["labels"] == "true")
    final = np.where(found["objective"] == "dcl", 0.5, 0.7) + 0.002 * found["seed"]
    purity = np.where(learned, final, 0.2)
    start = np.where(found["step"] == 0, 0.0, np.nan)
    return found.assign(purity=purity, purity_map=purity - 0.03, start_difference=start)


JUDGED = {
    "maps": (maps.claims("tsne", (*BOTH, "supcon")), mapped()),
}
