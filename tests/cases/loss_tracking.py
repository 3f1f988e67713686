"""What tests are told of `loss_tracking`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import training
from supcon_theory.theory.minima import nscl_minimum
from tests.cases.rows import BOTH, SEEDS, SETS, STEPS, TWO, N, drawn_rows, judged_rows, with_gap

REFUSED = [
    ("--classes 1", "1 at least"),
    ("--n 161", "161 160"),
    ("--encoder resnet", "resnet plain"),
    ("--batches 4", "4 at least 8"),
    ("--negatives 0", "0 at least 1"),
    ("--anchors 0", "anchors is 0"),
    ("--tau 0", "tau is 0"),
    ("--data nowhere.npz", "nowhere.npz"),
]
FEWER = "--seeds 1 --batches 512"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    many = drawn_rows(
        (columns.TRAINING, columns.BATCH_MEANS, columns.EARLIER_BOUNDS),
        rng,
        **TWO,
        **SETS,
        objective=["dcl", "nscl", "walk"],
        step=[0, 5, 50],
        tau=[1.0],
        protocol=["exact", "control", "batch", "surrogate"],
        batch=[32, 64],
        negatives=[1, 16],
    )
    return {"table": many.assign(tau_train=0.5)}


def along_training() -> pd.DataFrame:
    """Losses fall together; the gap follows its centred bound only under true labels."""
    common = {"C": [10, 100], "tau": [1.0, 0.5], "split": ["train", "test"], "seed": SEEDS}
    end = {"objective": "dcl", "labels": "true", "step": STEPS[-1]}
    parts = (("exact", BOTH, "true"), ("control", "dcl", "shuffled"), ("control", "walk", "true"))
    found = pd.concat(
        [
            judged_rows(
                columns.TRAINING, **common, step=STEPS, protocol=p, objective=o, labels=labels
            )
            for p, o, labels in parts
        ],
        ignore_index=True,
    )
    found = with_gap(found, 1.0)
    at, by_nscl = found["step"].map(STEPS.index), found["objective"] == "nscl"
    equal, above = found["gap"], (found["bound_ceiling"] - found["gap"]) * at / len(STEPS)
    floor = [nscl_minimum(c, N, 2, t) for c, t in zip(found["C"], found["tau"], strict=True)]
    nscl = np.array(floor, float) + (2.5 - 0.35 * at) / found["tau"] + 0.01 * found["seed"]
    followed = equal + np.where(by_nscl, 0.6, 0.3) * above
    gaps = followed.where(found["protocol"] == "exact", equal * (1 + 1e-3 * (-1.0) ** at))
    nscl = nscl - 0.01 * (by_nscl & (at > 0))
    found = found.assign(
        bound_centred=equal + above,
        gap=gaps,
        floor=floor,
        loss_nscl=nscl,
        loss_dcl=nscl + gaps,
        error_transfer=1e-15,
        difference_dcl=-1e-2 - 1e-4 * found["seed"],
        difference_nscl=0.01 + 1e-4 * found["seed"],
    )
    batch = judged_rows(columns.BATCH_MEANS, **common, **end, batch=[32, 512], protocol="batch")
    batch["bias_gap"] = (1 + 0.01 * batch["seed"]) / batch["batch"]
    batch["bias_dcl"] = -batch["bias_gap"]
    earlier = judged_rows(
        columns.EARLIER_BOUNDS, **common, **end, protocol="surrogate", negatives=64
    )
    bounds = {f"bound_{name}": 0.9 * np.log(earlier["C"]) for name in columns.EARLIER}
    earlier = earlier.assign(chance=np.log(earlier["C"]), **bounds)
    return pd.concat([found, batch, earlier], ignore_index=True)


JUDGED = {
    "training": (training.claims(0.5, 1.0, (10, 100), True), along_training()),
}
