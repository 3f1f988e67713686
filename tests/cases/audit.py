"""What tests are told of `audit`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from tests.cases.rows import drawn_rows


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    at = dict(C=[4], tau=[1.0, 0.1])
    return {
        "per_class": drawn_rows((columns.PER_CLASS,), rng, **at, **{"class": ["a", "b", "c", "d"]}),
        "pairs": drawn_rows((columns.PAIRS,), rng, class_i=["a", "b"], class_j=["c", "d"]),
        "spectrum": drawn_rows((columns.SPECTRUM,), rng, rank=[1, 2, 3, 4]),
        "held_out": drawn_rows(
            (columns.HELD_OUT,), rng, probe=["nearest centre", "linear"], ways=[2, 4], m=[1, 2, 5]
        ),
    }
