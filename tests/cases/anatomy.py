"""What tests are told of `anatomy`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import anatomy
from tests.cases.rows import BOTH, SEEDS, TRAINED, TWO, drawn_rows, judged_rows

REFUSED = [
    ("--followed 1", "followed is 1 at least 2"),
    ("--followed 999", "followed 999 only 300"),
    ("--followed-n 161", "161 160"),
    ("--objectives dcl foo", "objectives has 'foo'"),
    ("--n 1", "n is 1"),
]


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    parts = dict(protocol=["sweep", "followed", "simplex"], tau=[1.0, 0.5])
    table = drawn_rows((columns.ANATOMY, columns.COUPLED_ANATOMY), rng, **TWO, **TRAINED, **parts)
    return {"table": table.assign(n=8)}


def dissected() -> pd.DataFrame:
    protocols = ["sweep", "followed", "simplex"]
    about = {"C": [4, 8], "seed": SEEDS, "step": [0, 100], "objective": BOTH, "tau": [1.0, 0.5]}
    found = judged_rows(columns.ANATOMY, protocol=protocols, **about)
    found = found.assign(supcon_excess=1.2, supcon_anatomy_error=1e-12, supcon_share_collapse=0.8)
    found = found.assign(nt_xent_excess=1.1, nt_xent_anatomy_error=1e-12)
    found = found.assign(violation_supcon_terms=-0.1, violation_nt_xent_terms=-0.1)
    for number in ("four", "eight"):
        found[[f"bound_{number}", f"bound_{number}_low"]] = 0.51, 0.49
        found[[f"violation_{number}", f"violation_{number}_low"]] = -1e-2
    found = found.assign(excess=0.51, worth_collapse=0.52, within=0.95, bound_moments=0.6)
    return found.assign(share_collapse=0.1 + 0.001 * found["seed"])


JUDGED = {
    "anatomy": (anatomy.claims(1.0, (4, 8)), dissected()),
}
