"""What tests are told of `captured_energy`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import captured_energy
from tests.cases.rows import BOTH, SEEDS, SETS, TRAINED, TWO, drawn_rows, judged_rows


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    laws = ["gaussian", "enumerated", "views", "few shots", "axes"]
    at = dict(protocol=laws, classes=["one content", "a faint view"], r=[1.0, 9.0], m=[1, 20])
    table = drawn_rows((columns.CAPTURED_ENERGY,), rng, **at, **TWO, **TRAINED, **SETS)
    return {"table": table.assign(epoch=table["step"] / 4)}


def energies() -> pd.DataFrame:
    """Half of every bound is used; without labels B is .02 too high, under shuffled ones .4."""
    of, at = columns.CAPTURED_ENERGY, {"seed": SEEDS}
    laws = [judged_rows(of, protocol=name, r=2, m=3, **at) for name in captured_energy.ERRORS]
    where = {"objective": BOTH, "split": captured_energy.SPLITS, "labels": ["true", "shuffled"]}
    views = judged_rows(of, protocol="views", step=[0, 800], **where, **at)
    far = np.where(views["labels"] == "true", 0.02, 0.4) + 0.001 * views["seed"]
    found = pd.concat([*laws, judged_rows(of, protocol="axes", r=2, **at), views.assign(far=far)])
    found = found.reset_index(drop=True)
    found = found.assign(
        B=0.8, energy=0.8 + 0.001 * (found["seed"] - 3), label_free_error=found["far"]
    )
    bounds = {"bound_captured": 0.4, "bound_cosine": 0.8, "error": 0.2, "cosine": 0.4}
    return found.assign(**bounds).drop(columns="far")


JUDGED = {
    "captured energy": (captured_energy.claims(BOTH), energies()),
}
