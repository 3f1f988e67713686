"""What tests are told of `transfer`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import transfer
from tests.cases.few_shot import shots
from tests.cases.rows import SEEDS, TWO, drawn_rows, judged_rows

REFUSED = [
    ("--objectives dcl foo", "objectives has 'foo'"),
    ("--back foo", "objectives has 'foo'"),
    ("--shots 12", "each must be >= 1 and below --labelled"),
    ("--labelled 45", "labelled is 45 a class of kanji has only 44"),
    ("--target-classes 301", "target-classes has 301 only 300"),
    ("--targets glyphs", "each must be other data"),
    ("--targets nowhere", "nowhere unknown data set"),
    ("--back-classes 1", "each must be at least 2"),
    ("--back-n 45", "45 has only 44 training images"),
    ("--draws 1", "draws is 1 at least 2"),
]
FEWER = "--seeds 1 --shots 1 --objectives dcl --targets --back"
OWN = "--seeds 1"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    sides = dict(data=["glyphs", "kanji"], target=["glyphs", "kanji"], layer=["h"])
    ways = dict(protocol=["labelled", "resampled"], probe=["linear", "nearest centre"])
    more = dict(classes=["seen", "unseen"], m=[1, 40], ways=[2, 3])
    trained = dict(objective=["supcon", "cross_entropy"])
    return {
        "table": drawn_rows(
            (columns.FEW_SHOT, columns.TRANSFER), rng, **TWO, **sides, **ways, **more, **trained
        )
    }


def transferred() -> pd.DataFrame:
    """Ten times the classes halve the error, objectives differ little, kanji are harder."""
    axes = {"objective": ["supcon", "cross_entropy", "nscl"], "C": [10, 100], "seed": SEEDS}
    probe = {"protocol": "labelled", "probe": "linear", "layer": "h", "m": [5, 40]}
    found = [
        judged_rows(
            columns.ACCURACY, data="glyphs", target="glyphs", classes="seen", **axes, **probe
        ),
        *(
            judged_rows(
                columns.ACCURACY, data=source, target=target, classes="unseen", **axes, **probe
            )
            for source, target in (("glyphs", "glyphs"), ("glyphs", "kanji"), ("kanji", "glyphs"))
        ),
    ]
    found = pd.concat(found, ignore_index=True)
    harder = np.where(found["target"] == "kanji", 2, 1) / np.where(found["C"] == 100, 2, 1)
    level = found["objective"].map({"supcon": 0.0, "cross_entropy": 0.002, "nscl": 0.01})
    error = 0.1 * harder + level + 1e-4 * found["seed"] * (1 + (found["C"] == 10))
    found = found.assign(error=error, left=0.05)
    bounded = shots().assign(objective="nscl", data="glyphs", target="kanji", classes="unseen")
    return pd.concat([found, bounded], ignore_index=True)


JUDGED = {
    "transfer": (
        transfer.claims(
            "glyphs",
            ("kanji",),
            (10, 100),
            ("supcon", "cross_entropy", "nscl"),
            ("supcon", "cross_entropy"),
            (10,),
        ),
        transferred(),
    ),
}
