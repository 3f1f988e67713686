"""What tests are told of `orthogonal_frames`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import orthogonal_frames
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--d 3", "d is 3 but 4 orthonormal prototypes"),
    ("--rates 0", "at least"),
    ("--batches 1", "batches has 1 at least 2"),
    ("--shares 1.5", "at most 1"),
    ("--ratios 0.5", "at least 1"),
]
FEWER = "--seeds 1 --rates 0.002 --batches 8 --shares 0 --ratios 1"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    at = dict(C=[4], seed=[0, 1], pull=[0.0, 1.0], lr=[0.002, 0.03], batch=[32, 128])
    of = dict(study=["rate", "batch", "labels", "rectified"], named=[0.0, 0.1, 1.0])
    more = dict(surface=["sphere", "positive"], trained_imbalance=[1.0, 10.0])
    return {"table": drawn_rows((columns.ORTHOGONAL_FRAMES,), rng, **at, **of, **more)}


def framed() -> pd.DataFrame:
    """Prototypes that steady training, and rows without a negative entry that imbalance spares."""
    table, one = columns.ORTHOGONAL_FRAMES, {"seed": SEEDS, "trained_imbalance": 1.0, "named": 1.0}
    parts = [
        judged_rows(table, study="rate", pull=[0.0, 1.0], lr=[0.002, 0.03], batch=128, **one),
        judged_rows(table, study="batch", pull=[0.0, 1.0], lr=0.002, batch=[32, 256], **one),
        judged_rows(table, study="labels", **one | {"named": [0.0, 0.1, 1.0]}),
        judged_rows(table, study="rectified", surface=["sphere", "positive"],
             **one | {"trained_imbalance": [1.0, 10.0]}),
    ]  # fmt: skip
    found = pd.concat(parts, ignore_index=True).assign(violation_frame=-0.1)
    noise, pulled = 0.001 * found["seed"], found["pull"] > 0
    hard = (found["lr"] > 0.01) | (found["batch"] < 100)
    found["error"] = 0.3 + hard * np.where(pulled, 0.05, 0.3) - 0.1 * (found["named"] > 0) * noise
    found.loc[found["study"] == "labels", "error"] = 0.5 - 0.2 * (found["named"] > 0) + noise
    found["means_rank"] = 8 + pulled + noise
    unequal = (found["trained_imbalance"] > 1) & (found["surface"] == "sphere")
    found["spread"] = 0.2 + 0.4 * unequal + noise
    found["equal_products"] = 0.1 + 0.3 * unequal + noise * unequal
    found["frame_distance"] = 0.05
    return found


JUDGED = {
    "orthogonal frames": (
        orthogonal_frames.claims((0.002, 0.03), (32, 256), (0.0, 0.1, 1.0), True),
        framed(),
    ),
}
