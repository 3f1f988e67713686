"""What tests are told of `multitask`."""

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import multitask
from tests.cases.rows import SEEDS, drawn_rows, judged_rows

REFUSED = [
    ("--shots 0", "each must be at least 1"),
    ("--draws 1", "draws is 1 at least 2"),
    ("--laws 0", "laws is 0"),
]
FEWER = "--seeds 1 --shots 1 --laws 1"
OWN = "--seeds 1"


def drawn(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    parts = dict(protocol=["factors", "constructed", "axes", "few shots"], layer=["h"])
    at = dict(seed=[0, 1], step=[0, 5, 50], spread=[0.1, 0.01], m=[1, 5], C1=[2, 3])
    table = drawn_rows((columns.MULTITASK,), rng, **parts, **at, attribute=["script", "case"])
    return {"table": table.assign(C2=2, epoch=table["step"] / 4)}


ATTRIBUTES = ("script", "case")


def tasks() -> pd.DataFrame:
    """Every bound is half used but that of the pair; training turns axes and lowers errors."""
    of, at = columns.MULTITASK, {"seed": SEEDS}
    laws = [judged_rows(of, protocol=name, **at) for name in ("factors", "constructed")]
    trained = {"layer": "h", "step": [0, 800], **at}
    axes = judged_rows(of, protocol="axes", attribute=["script and case"], **trained)
    shots = judged_rows(of, protocol="few shots", attribute=list(ATTRIBUTES), m=[1, 5], **trained)
    found = pd.concat([*laws, axes, shots], ignore_index=True)
    ended = (found["step"] == 800) * (0.2 + 0.001 * found["seed"])
    made = found["protocol"] == "constructed"
    found = found.assign(cosine=0.4 - ended + 0.6 * made, of_chance=0.9 - ended)
    return found.assign(bound_all=np.where(made, 1.2, 0.8), bound_cells=0.8, bound_pair=0.1)


JUDGED = {
    "multitask": (multitask.claims(ATTRIBUTES), tasks()),
}
