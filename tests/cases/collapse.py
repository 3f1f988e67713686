"""What tests are told of `collapse`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import collapse
from tests.cases.rows import SEEDS, SETS, TRAINED, TWO, drawn_rows, judged_rows

REFUSED = [
    ("--objectives", "objectives are none"),
    ("--objectives dcl foo", "objectives has 'foo'"),
]


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    table = drawn_rows((columns.COLLAPSE,), rng, **TWO, **TRAINED, **SETS, tau=[np.nan, 1.0])
    matrix = drawn_rows(
        (columns.GRAM,),
        rng,
        C=[4],
        seed=[0, 1],
        objective=["dcl", "hcl"],
        i=range(4),
        j=range(4),
        layer=["z"],
        split=["test"],
    )
    spectrum = drawn_rows(
        (columns.SPECTRUM,),
        rng,
        **TWO,
        objective=["dcl", "hcl"],
        rank=[1, 2, 3],
        layer=["z"],
        split=["test"],
    )
    return {
        "table": table.assign(epoch=table["step"] / 4),
        "gram": matrix,
        "spectrum": spectrum,
    }


FALLS = {"dcl": {"cdnv": 2, "directional_cdnv": 8}, "nscl": {"cdnv": 20, "directional_cdnv": 40}}
FALLS |= {"supcon": {"cdnv": 30, "directional_cdnv": 50}}


def geometry() -> pd.DataFrame:
    axes = {"step": [0, 100], "labels": ["true", "shuffled"], "objective": list(FALLS)}
    where = {"layer": "z", "split": "test", "tau": np.nan}
    found = judged_rows(columns.COLLAPSE, C=[10, 100], seed=SEEDS, **axes, **where)
    ended = (found["step"] > 0) & (found["labels"] == "true")
    for column in ("cdnv", "directional_cdnv"):
        by = found["objective"].map({o: falls[column] for o, falls in FALLS.items()})
        found[column] = 6 / (by * (1 + 0.01 * found["seed"])).where(ended, 1.0)
    for column in ("augmentation_variance", "etf_deviation"):
        found[column] = 0.5 - (0.3 + 0.001 * found["seed"]) * ended
    return found


JUDGED = {
    "collapse": (collapse.claims((10, 100), tuple(FALLS)), geometry()),
}
