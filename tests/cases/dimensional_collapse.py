"""What tests are told of `dimensional_collapse`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import dimensional_collapse
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--tilts -1", "at least 0"),
    ("--tilts", "tilts are none"),
    ("--differentiated 101", "101 at most 100"),
    ("--unnormalised -1", "at least 0"),
    ("--classes 2", "at least 3"),
]
FEWER = "--seeds 1 --tilts 2 --differentiated --unnormalised"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    at = dict(C=[4], seed=[0, 1], tilt=[0.0, 5.0, 30.0], objective=["scl_ball", "ucl_ball"])
    of = dict(surface=["ball", "none"], weights=["held constant", "differentiated"])
    table = drawn_rows((columns.DIMENSIONAL_COLLAPSE,), rng, **at, **of, step=[0, 5, 50])
    spectrum = drawn_rows((columns.DIMENSIONAL_COLLAPSE,), rng, **at, **of, rank=[1, 2, 3])
    return {"table": table, "spectrum": spectrum}


def spread_out() -> pd.DataFrame:
    """Class means that hardness and normalisation keep in many dimensions, up to a tilt of 5."""
    about = dict(objective=["scl_ball", "ucl_ball"], surface=["ball", "none"], seed=SEEDS)
    about |= dict(weights=["held constant", "differentiated"], tilt=[0.0, 2.0, 5.0, 30.0])
    found = judged_rows(columns.DIMENSIONAL_COLLAPSE, **about, step=[0, 100], C=10, tau=np.nan)
    near = found["tilt"].map({0.0: 0.4, 2.0: 0.2, 5.0: 0.1, 30.0: 0.3})
    noise = 0.001 * found["seed"]
    return found.assign(
        equal_products=near + noise * (found["tilt"] == 5),
        means_rank=9 - 10 * near - (found["surface"] == "none") + noise * (found["tilt"] == 5),
        cosine=0.1 * (found["weights"] == "differentiated") * (1 + noise),
    )


JUDGED = {
    "dimensional collapse": (
        dimensional_collapse.claims((0.0, 5.0, 30.0), (5.0,), (5.0,)),
        spread_out(),
    ),
}
