"""Claims on minima: Theorem 2 (B1, B2), its controls (B3), and the ceiling of the gap by ascent.

B1 is about the rows of `audits.training` or `audits.floors`, the others about free embeddings: one
row per start, told apart by the column `part`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from supcon_theory.claims.checks import ROUNDING, SETTING, AtMost, Certified
from supcon_theory.claims.claim import Change, Claim, declare

PAPER = "arXiv 2506.04411, Theorem 2"
SEARCHED = 5  # starts from which on a search for spurious minima says something
REACHED = 1e-8  # excess of the loss over its minimum
FLOAT32 = 1e-6  # of losses from float32 tiles
LANDSCAPE = {"part": "landscape"}
ASCENT = {"part": "ascent"}
SIMPLEX = {"part": "class simplex"}
NSCL = "log(Kn(C-1)) - C/((C-1) tau)"


@declare("B1", PAPER, "theorem", NSCL)
def nscl_floor() -> AtMost:
    """No encoder has an NSCL loss below the floor."""
    return AtMost({"violation_floor": FLOAT32}, ("floor", "loss_nscl"))


@declare(
    "B1-balanced",
    PAPER,
    "theorem",
    f"{NSCL}, log(1 + Kn(C-1) e^(-C/((C-1) tau)))",
    given="nscl_above_floor.notna()",
)
def floors() -> AtMost:
    """Balanced classes: no encoder has an NSCL or coupled NSCL loss below the floor."""
    return AtMost({"violation_nscl_floor": FLOAT32, "violation_nscl_coupled_floor": FLOAT32})


def best(rows: pd.DataFrame) -> pd.DataFrame:
    """The start with the lowest loss of every setting, or one whose loss is NaN."""
    order = np.argsort(rows["loss"].fillna(-np.inf).to_numpy(), kind="stable")
    return rows.iloc[order].groupby(SETTING, sort=False).head(1)


def best_with_views(rows: pd.DataFrame) -> pd.DataFrame:
    """`best`, the views of a sample varying by 0 where there is one only."""
    found = best(rows)
    variance = found["augmentation_variance"].mask(found["K"] == 1, 0.0)
    return found.assign(augmentation_variance=variance)


@declare("B2", PAPER, "theorem", NSCL, LANDSCAPE, where="d >= C - 1")
def below() -> AtMost:
    """No start ends below the minimum L*."""
    return AtMost({"violation_minimum": ROUNDING})


@declare("B2-reached", PAPER, "theorem", NSCL, LANDSCAPE, where="d >= C + 2")
def reached() -> AtMost:
    """The best start of every setting reaches the minimum L*."""
    return AtMost({"excess": REACHED}, derive=best, settled="required")


@declare(
    "B2-collapsed",
    PAPER,
    "theorem",
    scope=LANDSCAPE,
    where=f"d >= C - 1 and not excess > {REACHED:g}",
)
def collapsed() -> AtMost:
    """What reaches the minimum is collapsed to a simplex ETF (K = 1 too)."""
    limits = {"augmentation_variance": 1e-8, "within_class_variance": 1e-8, "etf_deviation": 1e-5}
    return AtMost(limits, derive=best_with_views, settled="required")


@declare("B2-constructed", PAPER, "identity", scope={"part": "constructed"})
def constructed() -> AtMost:
    """The constructed class simplex has the value L* exactly."""
    return AtMost({"distance": 1e-10})


@declare("B2-room", "own", "conjecture", scope=LANDSCAPE, where="d >= C + 2 and tau >= 0.1")
def all_starts() -> AtMost:
    """With room and at tau >= .1 every start reaches the minimum."""
    return AtMost({"excess": REACHED}, settled="excused")


@declare(
    "B2-supcon",
    "own; arXiv 2402.18884",
    "conjecture",
    scope=LANDSCAPE | {"objective": "supcon"},
    where="d >= C - 1",
)
def supcon() -> AtMost:
    """Supcon has no spurious minimum, down to d = C - 1."""
    return AtMost({"excess": REACHED}, settled="excused")


@declare(
    "B2-spurious",
    "own proof",
    "counterexample",
    scope={"part": "spurious"},
    mutant=Change("excess_proved", "excess_proved - @t"),
)
def spurious() -> Certified:
    """Near d = C - 1 nscl has local minima above L*: 2 g L < lambda^2 beside a computed point."""
    return Certified(2, ("newton_condition < 0.5", "excess_proved > 0"))


@declare(
    "B3-dimension", PAPER, "theorem", scope=LANDSCAPE | {"objective": "nscl"}, where="d < C - 1"
)
def dimension() -> AtMost:
    """In fewer than C - 1 dimensions every start stays above L*."""
    return AtMost({"violation_minimum": -1e-6}, settled="required")


@declare("B3-imbalance", "own proof", "theorem", scope={"part": "imbalance"})
def imbalance() -> AtMost:
    """Unequal classes: the best start collapses, not to a simplex ETF, below the class simplex."""
    limits = {"augmentation_variance": 1e-8, "within_class_variance": 1e-8, "violation_not_etf": 0}
    limits |= {"above_class_simplex": -1e-3, "violation_minimum": ROUNDING}
    return AtMost(limits, derive=best, settled="required")


@declare(
    "B3-dcl",
    "own proof",
    "theorem",
    "CDNV = (n-1)/2, directional CDNV = 0, gap = log(1 + (n-1)/(N-n)), class means an exact ETF",
    {"part": "dcl"},
)
def instances() -> AtMost:
    """The best start of dcl is an N-point simplex, whatever the (balanced) labels."""
    limits = {"excess": REACHED, "violation_minimum": ROUNDING, "cdnv_error": 1e-5}
    limits |= {"directional_cdnv": 1e-8, "gap_error": 1e-7, "etf_deviation": 1e-5}
    return AtMost(limits, derive=best, settled="required")


@declare("B3-saddle", "own", "theorem", scope=SIMPLEX | {"objective": "dcl"})
def saddle() -> AtMost:
    """The class simplex is a strict saddle of dcl, spread by views moved together."""
    return AtMost({"critical_gradient": 1e-10, "smallest": -1e-3, "along": -1e-3})


@declare("B3-minimum", PAPER, "theorem", scope=SIMPLEX | {"objective": "nscl"})
def minimum() -> AtMost:
    """The class simplex is a minimum of nscl, strict but for rotations."""
    return AtMost({"critical_gradient": 1e-10, "descent": -1e-3})


@declare("A5-ascent", "own proof", "theorem", scope=ASCENT)
def ascent() -> AtMost:
    """No ascent climbs above the ceiling of the gap."""
    return AtMost({"violation_ceiling": ROUNDING})


def free(room: Sequence[int], seeds: int) -> list[Claim]:
    """Where free embeddings end: B2, B3 and A5-ascent.

    Args:
        room: Dimensions beyond C - 1 of the landscape; claims about others are NOT ASKED.
        seeds: Starts; spurious minima are not looked for with fewer than `SEARCHED`.

    Returns:
        Theorems, conjectures and the counterexample.
    """
    most, tight = max(room), min(room) < 3 and max(room) >= 0
    return [
        *(make(asked=most >= 0) for make in (below, collapsed, constructed, supcon)),
        *(make(asked=most >= 3) for make in (reached, all_starts)),
        spurious(asked=tight and seeds >= SEARCHED),
        dimension(asked=min(room) < 0),
        *(make() for make in (imbalance, instances, saddle, minimum, ascent)),
    ]
