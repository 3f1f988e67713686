"""What tests are told of `minimisers`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import minima
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--shapes 2 5 2", "C >= 3"),
    ("--room -2", "fewer than 2 dimensions"),
    ("--tau 0.01", "at least 0.05"),
    ("--iterations 0", "iterations is 0"),
    ("--ascents 1 2 0.5", "at least 2"),
]
FEWER = "--seeds 1 --shapes 4 2 1 --tau 1 --ascents 4 3 0.5"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    shape = dict(C=[4], n=[3], K=[2], seed=[0, 1], tau=[0.1, 1.0])
    parts = drawn_rows(
        (columns.MINIMISERS,),
        rng,
        **shape,
        d=[2, 3, 6],
        objective=["nscl", "supcon", "dcl"],
        part=["landscape", "class simplex", "ascent"],
    )
    descent = drawn_rows(
        (columns.MINIMISERS,), rng, **shape, objective=["nscl", "dcl"], iteration=[0, 1, 5]
    )
    names = [
        "nscl, d = 11",
        "dcl, d = 11",
        "nscl, C = 4, d = 3, tau = 0.1, 2.2 above L*, start 3",
    ]
    spectrum = drawn_rows(
        (columns.EIGENVALUES,),
        rng,
        **shape,
        d=[3],
        part=["class simplex", "spurious"],
        objective=["nscl", "dcl"],
        counts=["", "a", "b"],
    )
    return {
        "table": parts,
        "descent": descent,
        "spectrum": spectrum,
        "gram": drawn_rows((columns.GRAM,), rng, panel=names, i=range(4), j=range(4)),
    }


def ends() -> pd.DataFrame:
    shape = {"C": 4, "n": 5, "K": [2, 1], "tau": [0.3, 1.0], "labels": "true"}
    small = [
        *("excess", "violation_minimum", "augmentation_variance", "within_class_variance"),
        *("etf_deviation", "directional_cdnv", "distance", "critical_gradient", "gradient_norm"),
    ]
    parts = []
    for part, objective, d, values in (
        ("landscape", "nscl", [3, 6], {}),
        ("landscape", "supcon", [3, 6], {}),
        ("landscape", "nscl", 2, {"excess": 0.1, "violation_minimum": -0.1}),
        ("constructed", "nscl", [3, 6], {}),
        ("imbalance", "nscl", 6, {"above_class_simplex": -0.1}),
        ("dcl", "dcl", 19, {}),
        ("class simplex", "dcl", 6, {"smallest": -0.1, "along": -0.1}),
        ("class simplex", "nscl", 6, {"descent": -0.1}),
        ("ascent", "gap", 6, {}),
    ):
        found = judged_rows(
            columns.MINIMISERS, **shape, seed=SEEDS, part=part, objective=objective, d=d
        )
        loss = 1.0 + 0.01 * found["seed"]
        parts.append(found.assign(**dict.fromkeys(small, 1e-12) | values, loss=loss))
    one_view = parts[0]["K"] == 1
    parts[0]["augmentation_variance"] = parts[0]["augmentation_variance"].mask(one_view)
    found = judged_rows(
        columns.MINIMISERS, **shape, seed=range(2), part="spurious", objective="nscl", d=3
    )
    excess = 0.1 + 0.1 * found["seed"]
    parts.append(found.assign(excess=excess, excess_proved=excess, newton_condition=1e-9))
    return pd.concat(parts, ignore_index=True).assign(stalled=False)


JUDGED = {
    "free": (minima.free((-1, 0, 3), 20), ends()),
}
