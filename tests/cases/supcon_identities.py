"""What tests are told of `supcon_identities`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import supcon
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--taus 0", "0.0 at least 1/650"),
    ("--triplet-taus 1 inf", "inf at most"),
    ("--negatives 4 1", "rise from at least 1"),
    ("--negatives 0", "rise from at least 1"),
    ("--n 1", "n is 1 at least 2"),
    ("--draws 0", "draws is 0"),
]
FEWER = "--seeds 1 --taus 0.1 --triplet-taus 1 --negatives 3"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    forms = dict(objective=["supcon", "supcon_in"], seed=[0, 1])
    batches = drawn_rows(
        (columns.SUPCON,), rng, **forms, law=["random", "clustered"], tau=[0.1, 1.0]
    )
    sees = dict(law=["spread", "one hard", "one hard of nine"], negatives=[1, 16])
    anchor = drawn_rows(
        (columns.SUPCON,), rng, **forms, **sees, cosine=[-1.0, 0.0, 1.0], tau=[0.1, 1.0]
    )
    triplet = drawn_rows(
        (columns.SUPCON,), rng, seed=[0], tau=[0.01, 0.3, 100.0], u=[-6.0, 0.0, 6.0]
    )
    parts = {"batches": batches, "anchor": anchor, "triplet": triplet}
    table = pd.concat([of.assign(part=part) for part, of in parts.items()], ignore_index=True)
    return {"table": table}


def forms() -> pd.DataFrame:
    """The forms of SupCon: hard positives pulled by one, easy ones by the other."""
    at = {"seed": SEEDS, "tau": [0.1, 1.0], "objective": ["supcon", "supcon_in"]}
    laws = ["random", "clustered", "collapsed"]
    batches = judged_rows(columns.SUPCON, part="batches", law=laws, **at)
    share = np.where(batches["objective"] == "supcon", 0.7, 0.2) + 0.002 * batches["seed"]
    gap = np.where(batches["law"] == "collapsed", 1e-16, 0.3)
    batches = batches.assign(hard_half=share, form_gap=gap)
    laws = ["spread", "one hard", "one hard of nine", "negatives"]
    anchor = judged_rows(columns.SUPCON, part="anchor", law=laws, **at | {"seed": 0})
    special = judged_rows(columns.SUPCON, part=["equal", "unequal"], seed=SEEDS)
    special["difference"] = np.where(special["part"] == "equal", 1e-15, 0.1)
    triplet = judged_rows(columns.SUPCON, part="triplet", seed=0, tau=[0.3, 100.0])
    found = pd.concat([batches, anchor, special, triplet], ignore_index=True)
    return found.assign(published_off=0.3)


JUDGED = {
    "supcon forms": (supcon.claims((0.3, 100.0)), forms()),
}
