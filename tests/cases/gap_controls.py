"""What tests are told of `gap_controls`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import gap_controls
from tests.cases.rows import SEEDS, SETS, TWO, drawn_rows, judged_rows

REFUSED = [
    ("--images 7", "images is 7 at least 8"),
    ("--images 999", "--images 320 or less"),
    ("--longer-classes 1", "longer-classes are (1,)"),
    ("--longer-classes 999", "longer-classes has 999 only 300"),
    ("--longest 11", "longest is 11 at most 10"),
]


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    factors = dict(factor=["base", "images", "subset", "views", "steps"], tau=[1.0])
    steps = dict(step=[100, 200], objective=["dcl", "nscl", "nt_xent"])
    return {"table": drawn_rows((columns.GAP,), rng, **TWO, **SETS, **factors, **steps)}


def controlled() -> pd.DataFrame:
    """Everything but the number of classes leaves r as it is; shuffled labels fall more slowly."""
    of, at = columns.GAP, {"seed": SEEDS, "tau": [1.0, 0.5], "labels": ["true", "shuffled"]}
    sizes, both = {"C": [4, 8, 64]}, {"split": ["train", "test"]}
    three = {"objective": ["dcl", "nscl", "nt_xent"]}
    parts = [
        judged_rows(of, factor="base", step=100, **sizes, **both, **three, **at),
        judged_rows(
            of, factor=["views", "images"], step=100, objective="dcl", split="train", **sizes, **at
        ),
        judged_rows(of, factor="subset", step=100, objective="dcl", split="train", C=[4, 8], **at),
        judged_rows(
            of, factor="steps", step=[200, 400], objective="dcl", split="train", C=[4], **at
        ),
    ]
    found = pd.concat(parts, ignore_index=True)
    slope = np.where(found["labels"] == "true", 1.0, 0.5)
    gap = np.log1p(0.1 * (found["C"] - 1.0) ** -slope)
    return found.assign(gap=gap, r=1.3 + 1e-4 * found["seed"])


JUDGED = {
    "gap controls": (gap_controls.claims((1.0, 0.5), 1.0, (4, 8, 64), 2, (4,)), controlled()),
}
