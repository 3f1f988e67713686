"""What public libraries really compute, in terms of our objectives.

A row says which loss of ours, or which form written here, times which factor. Rows whose `checked`
is "by calling it" are held to the library itself by the tests (extra `bench`); the others to a loop
written from the published formula, because the library does not install beside a present PyTorch.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np

from supcon_theory.rulers.cosines import Seen
from supcon_theory.rulers.floors import FLOORS, floor_of
from supcon_theory.rulers.losses import CLASS, INSTANCE, LOSSES, NEAR, Loss, with_positive
from supcon_theory.rulers.setting import Line, Setting
from supcon_theory.theory.counts import Floats
from supcon_theory.theory.floors import ALL_POSITIVES, COUPLED, IN_VIEW, Terms

Checked = Literal["by calling it", "by a loop"]
BASE = 0.07  # SupContrast's base_temperature
CALLED: Checked = "by calling it"
LOOP: Checked = "by a loop"


class Row(NamedTuple):
    """A loss of a library."""

    function: str  # its name there
    says: str  # what it computes
    loss: Loss
    floor: Callable[[Setting], list[Line]]
    checked: Checked
    tau: float  # the default there
    options: Mapping[str, Any] = MappingProxyType({})
    factor: Callable[[float], float] = lambda tau: 1.0
    views: int | None = None  # the only number of views that it takes


# ---- losses that are none of our objectives -----------------------------------------------------
def class_pairs(seen: Seen) -> Floats:
    """log(e^{s_ap} + D) - s_ap, p in P."""
    return with_positive(seen, seen.log_sum("oth"), "P")


def all_own(seen: Seen) -> Floats:
    """log(E(own) + S + D) - s_ap: SupCon with each image its own class."""
    return seen.log_sum("rest") - seen.mean("own")


def one_way(seen: Seen) -> Floats:
    """log(e^{s_ap} + sum over the other samples, in view p) - s_ap; an anchor's own view apart."""
    return with_positive(seen, seen.log_sum("view"))


def sum_of_positives(seen: Seen) -> Floats:
    """-log(E(P) / (E(P) + D)): L_in without its mean over positives."""
    return seen.log_sum("rest") - seen.log_sum("P")


CLASS_PAIRS = Loss(
    class_pairs, ("P", "oth"), "log(1 + nK(C-1))", f"log(1 + nK(C-1) {CLASS})", True, NEAR
)
ALL_OWN = Loss(all_own, ("own", "ins"), "log(NK - 1)", f"log(K-1 + K(N-1) {INSTANCE})", random=NEAR)
ONE_WAY = Loss(one_way, ("own", "view"), "log N", f"log(1 + (N-1) {INSTANCE})", random=NEAR)
SUM_OF_POSITIVES = Loss(
    sum_of_positives,
    ("P",),
    "log((NK-1)/(nK-1))",
    f"log(1 + nK(C-1) {CLASS} / (nK-1))",
)
OF_MEAN = Terms(lambda n, N, K: np.ones_like(n), lambda n, N, K: K * (N - n) / (K * n - 1))
ONE_WAY_TERMS = Terms(COUPLED.A, IN_VIEW.B)


def _supcontrast(tau: float) -> float:
    return tau / BASE


def _ours(id: str) -> tuple[Loss, Callable[[Setting], list[Line]]]:
    return LOSSES[id], FLOORS[id]


LIBRARIES: dict[str, dict[str, Row]] = {
    "pml": {
        "nt_xent": Row(
            "NTXentLoss",
            "with a label for each image: NT-Xent",
            *(*_ours("nt_xent"), CALLED, 0.07),
        ),
        "nscl_coupled": Row(
            "NTXentLoss",
            "with class labels: positives are the class, this one and other classes in the "
            "denominator, one mean over all pairs",
            *(CLASS_PAIRS, floor_of(COUPLED), CALLED, 0.07),
        ),
        "supcon": Row("SupConLoss", "SupCon", *_ours("supcon"), CALLED, 0.1),
    },
    "lightly": {
        "nt_xent": Row("NTXentLoss", "NT-Xent", *_ours("nt_xent"), CALLED, 0.5, views=2),
        "dcl": Row(
            "DCLLoss",
            "DCL over distinct views",
            *(*_ours("dcl"), CALLED, 0.1),
            options={"pairs": "distinct"},
            views=2,
        ),
    },
    "solo-learn": {
        "nt_xent": Row(
            "simclr_loss_func", "of two views: NT-Xent", *_ours("nt_xent"), LOOP, 0.1, views=2
        ),
        "supcon_in": Row(
            "simclr_loss_func",
            "with labels: -log of the share of all positives, L_in without log |P|",
            *(SUM_OF_POSITIVES, floor_of(OF_MEAN), LOOP, 0.1),
        ),
    },
    "SupContrast": {
        "supcon": Row(
            "SupConLoss",
            "with labels: SupCon times tau / 0.07",
            *(*_ours("supcon"), LOOP, 0.07),
            factor=_supcontrast,
        ),
        "nt_xent": Row(
            "SupConLoss",
            "without labels: all own views in the denominator, times tau / 0.07",
            *(ALL_OWN, floor_of(ALL_POSITIVES), LOOP, 0.07),
            factor=_supcontrast,
        ),
    },
    "sentence-transformers": {
        "nt_xent": Row(
            "MultipleNegativesRankingLoss",
            "NT-Xent one way: each anchor against the positives of the batch, tau = 1 / scale",
            *(ONE_WAY, floor_of(ONE_WAY_TERMS), CALLED, 0.05),
            views=2,
        ),
    },
    "simclr": {
        "nt_xent": Row(
            "add_contrastive_loss",
            "the sum, not the mean, of the two views' NT-Xent: twice NT-Xent",
            *(*_ours("nt_xent"), LOOP, 0.1),
            factor=lambda tau: 2.0,
            views=2,
        ),
    },
}


def row_of(library: str, objective: str | None) -> Row:
    """The row of a library for an objective.

    Args:
        library: its name.
        objective: an id; None where the library has only one loss.

    Returns:
        The row.

    Raises:
        ValueError: there is none, or it is not clear which.
    """
    if library not in LIBRARIES:
        raise ValueError(f"library is {library!r}; it must be one of {', '.join(LIBRARIES)}.")
    rows = LIBRARIES[library]
    if objective is None and len(rows) == 1:
        return next(iter(rows.values()))
    if objective not in rows:
        asked = "no objective is given" if objective is None else f"objective is {objective!r}"
        raise ValueError(f"{asked}; of {library} the ruler knows {', '.join(rows)}.")
    return rows[objective]
