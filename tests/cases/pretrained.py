"""What tests are told of `pretrained`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import placement
from tests.cases.rows import SEEDS, SHOTS, drawn_rows, judged_rows, with_gap

REFUSED = [
    ("--models resnet", "resnet minilm, wordllama"),
    ("--data wordnet", "pixels has no partner"),
    ("--data cifar", "cifar --cifar"),
    ("--data digits digits", "each may be there once"),
    ("--cifar nowhere", "nowhere unknown data set"),
    ("--classes 1", "classes is 1 at least 2"),
    ("--shots 0", "each at least 1"),
    ("--eval-tau 0", "at least 1/650"),
    ("--models wordllama --data wordnet --wordnet nowhere", "apt-get install wordnet-base"),
    ("--data emoji --emoji nowhere", "npm pack emoji-datasource-google@16.0.0"),
]
FEWER = "--seeds 1 --data digits --shots 5 --certified-shots 7"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    about = dict(encoder=["minilm", "pixels"], data=["wordnet", "digits"], seed=[0, 1])
    labels = ["true", "coarse", "shuffled"]
    exact = drawn_rows(
        (columns.GAP, columns.PLACEMENT), rng, **about, labels=labels, tau=[1.0, 0.05]
    )
    shots = drawn_rows(
        (columns.FEW_SHOT, columns.PLACEMENT), rng, **about, m=[1.0, 10.0, np.inf], ways=[2, 4]
    )
    both = (exact.assign(protocol="exact"), shots.assign(protocol="resampled"))
    return {"table": pd.concat(both, ignore_index=True)}


def frozen() -> pd.DataFrame:
    """Models that are nearer to counting than to collapse, at every level of labels."""
    about = {"encoder": "minilm", "data": ["wordnet", "hypernyms"], "seed": SEEDS, "C": 12}
    both = columns.Table("placed", 1, (*columns.GAP.columns, *columns.PLACEMENT.columns))
    axes = {"tau": [1.0, 0.05], "labels": ["true", "coarse", "shuffled"]}
    found = judged_rows(both, **about, **axes, protocol="exact")
    r = {"true": 1.5, "coarse": 1.3, "shuffled": 1.0}
    found = with_gap(found, found["labels"].map(r) + 0.002 * found["seed"])
    found = found.assign(position=0.1 + 0.001 * found["seed"])
    common = {"protocol": "resampled", "classes": "unseen", "split": "population"}
    both = columns.Table("sharpened", 1, (*columns.FEW_SHOT.columns, *columns.PLACEMENT.columns))
    few = judged_rows(both, **about, **common, m=SHOTS, ways=[2, 12])
    few["error"] = 0.1 * few["m"] ** -0.8
    for name in few.columns:
        if name.startswith(("bound_", "cut_", "sharpest")):
            few[name] = 3 * few["error"]
        if name.startswith("violation_pair_"):
            few[name] = few[name].where(few["ways"] == 2)
    few["times_error"] = 3 + 0.01 * few["seed"]
    limit = judged_rows(both, **about, **common, m=np.inf, ways=2)
    return pd.concat([found, few, limit], ignore_index=True)


JUDGED = {
    "pretrained": (placement.claims((1.0, 0.05), ("minilm",), True, SHOTS, True), frozen()),
}
