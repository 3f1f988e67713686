"""What tests are told of `augmentation`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import augmentation
from tests.cases.rows import SEEDS, TWO, drawn_rows, judged_rows

REFUSED = [
    ("--objectives dcl foo", "objectives has 'foo'"),
    ("--strengths -1", "strengths has -1 at least 0"),
    ("--strengths 2.1", "strengths has 2.1 at most 2"),
    ("--strengths 1", "each may be there once"),
    ("--left-out blurr", "left-out has 'blurr' one of crop"),
    ("--left-out crop crop", "each may be there once"),
    ("--left-out colour", "'colour' does nothing crop, move, light, veil, blur, erase"),
    ("--left-out mirror", "'mirror' does nothing"),
    ("--mixes cut", "mixes has 'cut' mixup, cutmix"),
    ("--mixes mixup --objectives nscl", "none that is defined dcl, nt_xent"),
    ("--strength 2", "are varied here --strengths"),
    ("--without crop", "are varied here --left-out"),
    ("--mix mixup", "are varied here --mixes"),
]
FEWER = "--seeds 1 --objectives nscl --strengths --left-out --mixes"
OWN = "--seeds 1 --strengths 0"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    levels = {"strength 0": 0.0, "strength 1": 1.0, "strength 2": 2.0}
    every = [*levels, "without crop", "mixup"]
    axes = dict(level=every, objective=["dcl", "supcon"], layer=["h", "z"], probe=["linear"])
    table = drawn_rows(
        (columns.ACCURACY, columns.GAP, columns.GEOMETRY, columns.AUGMENTATION), rng, **TWO, **axes
    )
    return {"table": table.assign(tau=1.0, strength=table["level"].map(levels).fillna(1.0))}


def augmented() -> pd.DataFrame:
    """Without augmentation CL loses most; mixing helps a little, and cross-entropy the least."""
    losses = {"dcl": 0.3, "supcon": 0.1, "nscl": 0.12, "cross_entropy": 0.15}
    worse = {"strength 0": 1.0, "strength 1": 0.0, "strength 2": 0.5, "without crop": 0.4}
    worse |= {"mixup": -0.1}
    axes = {"level": list(worse), "objective": list(losses), "C": [5], "seed": SEEDS}
    h = judged_rows(columns.ACCURACY, layer="h", probe="linear", **axes)
    z = judged_rows(columns.GAP, layer="z", tau=[1.0, 0.5], **axes)
    found = pd.concat([h, z], ignore_index=True)
    lost = found["objective"].map(losses) * found["level"].map(worse)
    apart = 1e-3 * found["seed"] * (found["objective"] == "dcl") * (found["level"] != "mixup")
    better = 0.03 * (found["objective"] == "supcon") - 1e-4 * found["seed"] * (lost < 0)
    bare = found["level"] == "strength 0"
    none = bare * (1 + 0.1 * found["seed"] * (found["objective"] == "dcl"))
    found = found.assign(
        error=0.2 + lost * (1 + apart) - better, left=0.05, strength=1 - 1.0 * bare
    )
    found = found.assign(own_variance=np.where(bare, 0.0, 0.3), r=2 - none * 0.4)
    found["augmentation_variance"] = 0.1 * np.exp(none)
    return found.assign(cdnv=0.3 * np.exp(10 * lost * (1 + 0.1 * found["seed"]) * bare))


JUDGED = {
    "augmentation": (
        augmentation.claims(
            (5,),
            ("dcl", *augmentation.SUPERVISED),
            (1.0, 0.5),
            1.0,
            (0.0, 2.0),
            ("crop",),
            ("mixup",),
        ),
        augmented(),
    ),
}
