"""What tests are told of `loss_families`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import loss_families
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--samples 2", "samples has 2 at least 3"),
    ("--dimensions 21", "21 at most 20"),
    ("--free-tau 0.01", "free-tau is 0.01"),
    ("--sizes 0", "sizes has 0 at least 1"),
    ("--penalties -1", "penalties has -1"),
    ("--spreads 0", "spreads has 0"),
    ("--biases", "biases are none"),
    ("--biases 101", "at most 100"),
    ("--batches 1", "batches has 1 at least 2"),
]
FEWER = "--seeds 1 --samples 3 --biases 0 --sizes 2 --batches 16"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    at = dict(n=[5, 8], seed=[0, 1], objective=["kcl", "nt_xent"], tau=[0.3])
    parts = dict(part=["batches", "sigmoid", "fixed batches", "prototypes", "encoders"])
    more = dict(batch=[16, 128], bias_option=[-2.0, 1.0], penalty=[0.0, 1.0])
    designs = dict(design=["halves", "apart", "bound"], rows=["not negative"])
    return {"table": drawn_rows((columns.LOSS_FAMILIES,), rng, **at, **parts, **more, **designs)}


def families() -> pd.DataFrame:
    """Free embeddings at their minima; encoders of which NT-Xent's lose most in small batches."""
    free = dict(seed=[0, 1], loss=0.5, rows="not negative", objective="supcon")
    parts = [
        judged_rows(columns.LOSS_FAMILIES, part=part, **free)
        for part in ("simplex", "polytope", "sigmoid", "frame", "prototypes", "debiased")
    ]
    designs = ["halves", "apart", "bound"]
    parts.append(judged_rows(columns.LOSS_FAMILIES, part="fixed batches", design=designs, **free))
    batched = dict(part="batches", objective=["kcl", "dhel"], seed=[0, 1])
    parts.append(judged_rows(columns.LOSS_FAMILIES, **batched))
    learned = dict(part="learned", seed=0, objective="sigmoid")
    parts.append(judged_rows(columns.LOSS_FAMILIES, **learned).assign(loss=1e-12, no_margin=-0.1))
    names = ["nt_xent", "dhel", "kcl"]
    trained = dict(part="encoders", objective=names, batch=[16, 128], seed=SEEDS)
    parts.append(judged_rows(columns.LOSS_FAMILIES, **trained))
    found = pd.concat(parts, ignore_index=True)
    exact = ("excess", "cosine_error", "own_error", "frame_error")
    found = found.assign(**dict.fromkeys(exact, 1e-12), bias_size=1e-14, rank_error=0.0, spread=0.1)
    found = found.assign(not_frame=-0.1, not_broken=-0.5)
    worse = (found["objective"] == "nt_xent") & (found["batch"] == 16)
    found["error"] = np.where(worse, 0.4, 0.2) + 0.001 * found["seed"] * worse
    return found.assign(rankme=np.where(worse, 5, 9) + 0.01 * found["seed"] * worse)


JUDGED = {
    "loss families": (loss_families.claims(True, 5), families()),
}
