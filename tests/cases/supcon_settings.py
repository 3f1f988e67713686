"""What tests are told of `supcon_settings`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import settings
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--rivals foo", "objectives has 'foo'"),
    ("--rivals supcon", "each may be there once"),
    ("--surfaces cube", "surfaces has 'cube'"),
    ("--encoders cube", "encoders has 'cube'"),
    ("--wrong 0.9", "wrong has 0.9"),
    ("--wrong 0.2 0.2", "wrong are (0.2, 0.2)"),
    ("--images 100000", "images"),
    ("--batches 24", "24 is the base"),
    ("--margins -1", "margins has -1"),
    ("--encoder resnet18", "hidden-layers"),
]
OWN = "--seeds 1"
VARIED = [
    (settings.WRONG, "0.6"), (settings.IMAGES, "5"), (settings.BATCH, "16"),
    (settings.BATCH, "64"), (settings.LAYERS, "0"), (settings.SURFACE, "none"),
    (settings.MARGIN, "0.2"),
]  # fmt: skip
EVERY = ("supcon", "cross_entropy", "n_pairs", "triplet")


def name(factor: str, value: object) -> str:
    return settings.level(factor, value) if value else factor


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    axes = dict(layer=["h", "z"], probe=["linear", "neighbours"], objective=list(EVERY))
    labels = [settings.RIGHT, settings.GIVEN]
    parts = [
        drawn_rows(
            (columns.ACCURACY,), rng, **axes,
            C=[5], seed=[0, 1], n=[40], factor=[factor], level=[name(factor, value)], labels=labels,
        )
        for factor, value in ((settings.BASE, ""), *VARIED, (settings.ENCODER, "vit"))
    ]  # fmt: skip
    return {"table": pd.concat(parts, ignore_index=True)}


def probed() -> pd.DataFrame:
    """SupCon is better everywhere, least with wrong labels; what the paper asks for helps."""
    worse = {"supcon": 0.0, "cross_entropy": 1.0, "n_pairs": 2.0, "triplet": 3.0}
    harder = {settings.BASE: 0, settings.WRONG: 5, settings.IMAGES: 4, settings.SURFACE: 3}
    harder |= {settings.LAYERS: 2, settings.MARGIN: 0.5, settings.BATCH: 0}
    parts = []
    for factor, value in ((settings.BASE, ""), *VARIED):
        one = {"factor": [factor], "level": [name(factor, value)], "C": [5], "seed": SEEDS}
        one |= {"labels": [settings.RIGHT, settings.GIVEN], "layer": ["h"], "probe": ["linear"]}
        parts.append(judged_rows(columns.ACCURACY, objective=list(EVERY), **one))
    found = pd.concat(parts, ignore_index=True)
    points = 3 + found["objective"].map(worse) * (1 + (found["factor"] == settings.WRONG))
    points += (
        found["factor"].map(harder)
        + (found["level"] == name(settings.BATCH, 16))
        + 1e-2 * found["seed"]
    )
    return found.assign(error=points / 100, left=0.05)


JUDGED = {"settings": (settings.claims(5, EVERY, VARIED), probed())}
