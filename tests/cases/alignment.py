"""What tests are told of `alignment`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import alignment
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--rivals dcl", "rivals has 'dcl'"),
    ("--rivals foo", "'foo' supcon"),
    ("--sweep-taus 0", "sweep-taus above 0"),
    ("--sweep-classes 1", "sweep-classes at least 2"),
    ("--sweep-batches 1", "sweep-batches at least 2"),
    ("--sweep-at 999", "999 only 300"),
    ("--sweep-n 161", "161 160"),
    ("--surrogate-steps 0", "surrogate_steps is 0"),
]
FEWER = "--seeds 1 --rivals --sweep-taus --sweep-classes --sweep-batches"
OWN = "--seeds 1 --sweep-n 12 --sweep-at 8 --sweep-classes 8 --sweep-batches"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    others = ["nscl", "supcon", "cross_entropy", "order", "seed", "start"]
    about = dict(seed=[0, 1], layer=["h"], split=["test"])
    pairs = drawn_rows(
        (columns.ALIGNMENT,), rng, protocol=["pair"], other=others, step=[0, 5, 50], **about
    )
    swept = drawn_rows(
        (columns.ALIGNMENT,),
        rng,
        protocol=["sweep"],
        factor=["C", "tau", "batch"],
        rule=["B", "base"],
        C=[4, 10],
        tau_train=[0.5, 1.0],
        batch=[64, 128],
        **about,
    )
    drifts = dict(protocol=["surrogate", "published"], tau=[1.0, 0.5], C=[4, 10])
    drift = drawn_rows((columns.ALIGNMENT,), rng, **drifts, rate=[1.0, 10.0], seed=[0, 1])
    table = pd.concat([pairs, swept, drift], ignore_index=True)
    return {"table": table.assign(epoch=table["step"] / 4, weight=np.nan)}


def alike() -> pd.DataFrame:
    """NSCL is the nearest to CL, and the nearer the more classes; nothing is beyond its bounds."""
    of, at = columns.ALIGNMENT, {"seed": SEEDS}
    others = {"nscl": 0.9, "supcon": 0.5, "order": 0.8, "seed": 0.6}
    axes = {"other": list(others), "step": [0, 400, 800], "layer": ["h", "z"], "split": "test"}
    pairs = judged_rows(of, protocol="pair", **axes, **at)
    near = pairs["other"].map(others) + 0.001 * pairs["seed"]
    gap = pairs["step"] / 1000 + 0.001 * pairs["seed"]
    pairs = pairs.assign(cka=near, rsa=near, weight_gap=gap, weight=np.nan)
    exact = [judged_rows(of, protocol=p, tau=[1.0, 0.5], **at) for p in ("surrogate", "anchors")]
    made = [judged_rows(of, protocol=p, **at) for p in ("pairs", "constructed")]
    sweeps = [
        judged_rows(of, protocol="sweep", factor="C", C=[4, 8, 64], **at),
        judged_rows(of, protocol="sweep", factor="tau", tau_train=[0.1, 0.5, 1.0], **at),
        judged_rows(
            of, protocol="sweep", factor="batch", batch=[64, 128], rule=[*alignment.RULES], **at
        ),
    ]
    swept = pd.concat(sweeps, ignore_index=True).assign(layer="h", other="nscl")
    varied = {"C": swept["C"], "tau": swept["tau_train"], "batch": swept["batch"]}
    x = sum(np.log(v.fillna(1).astype(float)) * (swept["factor"] == k) for k, v in varied.items())
    sign = np.where(swept["rule"] == "B", -1, 1)
    swept["cka_debiased"] = 0.5 + (0.05 + 0.001 * swept["seed"]) * sign * x
    found = pd.concat([pairs, *exact, *made, swept], ignore_index=True)
    opposed = found["protocol"] == "constructed"
    found["rsa"] = found["rsa"].where(~opposed, -0.8)
    found = found.assign(pairs_apart=np.where(opposed, 2.0, 0.5), kernels_apart=0.5)
    found = found.assign(published_rsa=-0.3, log_cap=9.0, log_drift=1.0, log_bound_drift=3.0)
    return found.assign(log_bound_composition=2.0, log_bound_gaps=1.5)


JUDGED = {
    "alignment": (
        alignment.claims(
            ("supcon",), (1.0, 0.5), classes=True, temperatures=True, rules=tuple(alignment.RULES)
        ),
        alike(),
    ),
}
