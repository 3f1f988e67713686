"""What tests are told of `small_samples`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import small_samples
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--sizes 1", "at least 2"),
    ("--enumerated 3", "from 4 to 12"),
    ("--draws 1", "draws is 1"),
]
FEWER = "--seeds 1 --sizes 4"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    laws = ["isotropic", "thin", "sphere classes", "related", "independent", "sphere pairs"]
    measures = ["cdnv", "directional_cdnv", "nc1", "participation_ratio", "cka", "rsa"]
    at = dict(n=[2, 100, 10_000], draws=[10], seed=[0, 1])
    table = drawn_rows((columns.ESTIMATES,), rng, law=[*laws, "two points"], measure=measures, **at)
    return {"table": table}


SIZES = (4, 16, 1000)


def estimates() -> pd.DataFrame:
    """Corrected values with a fifth of the bias, intervals that cover, bounds that hold."""
    at = {"seed": SEEDS, "n": SIZES, "draws": 100}
    of = {
        "sphere classes": small_samples.CLASSES,
        "sphere pairs": (*small_samples.PAIRS, "rsa"),
        "two points": ["known-centre bound"],
    }
    parts = [judged_rows(columns.ESTIMATES, law=law, measure=m, **at) for law, m in of.items()]
    parts.append(
        judged_rows(columns.ESTIMATES, law="atoms", measure="variance", seed=SEEDS, n=4, draws=0)
    )
    found = pd.concat(parts, ignore_index=True)
    bias = -1 / found["n"]
    known = {"unbiased_error": 1e-15, "covered": 0.95 + 0.002 * found["seed"], "missed": 0.5}
    corrected = (0.2 + 0.01 * found["seed"]) * bias
    return found.assign(bias_plug_in=bias, bias_corrected=corrected, says_nothing=0.0, **known)


JUDGED = {
    "small samples": (small_samples.claims(SIZES), estimates()),
}
