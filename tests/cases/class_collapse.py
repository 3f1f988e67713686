"""What tests are told of `class_collapse`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import class_collapse
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--shapes 1 2 1", "C >= 2"),
    ("--shapes 2 1 1", "n >= 2"),
    ("--shapes 2 2 0", "tau >= 0.05"),
    ("--places 2.1", "from 0 to 2"),
    ("--places -1", "from 0 to 2"),
    ("--strengths 0 1", "positive"),
]
FEWER = "--seeds 1 --places 1.5 --strengths 1 1"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    at = dict(C=[3], n=[3], tau=[0.5, 1.0], seed=[0, 1])
    parts = dict(part=["mixture", "others", "features"], alpha=[0.1, 0.9])
    methods = dict(method=["supervised", "joint"], objective=["ssem"])
    return {"table": drawn_rows((columns.CLASS_COLLAPSE,), rng, **at, **parts, **methods)}


def collapsed_or_not() -> pd.DataFrame:
    """Every start at the closed form."""
    shape = {"C": 3, "n": 3, "tau": 0.5, "seed": SEEDS}
    parts = [
        judged_rows(columns.CLASS_COLLAPSE, part=part, objective=objective, alpha=alpha, **shape)
        for part, objective, alpha in (
            ("mixture", "ssem", [0.2, 0.8]),
            ("others", "supcon", np.nan),
            ("features", "", np.nan),
        )
    ]
    errors = ("excess", "within_cosine_error", "variance_error", "energy_error")
    return pd.concat(parts, ignore_index=True).assign(**dict.fromkeys(errors, 1e-12), loss=0.4)


JUDGED = {
    "class collapse": (class_collapse.claims(), collapsed_or_not()),
}
