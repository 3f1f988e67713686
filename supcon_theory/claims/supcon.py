"""Claims K1 to K5 on the two forms of SupCon (arXiv 2004.11362); the table is `audits.supcon_*`."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from supcon_theory.claims.checks import AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

PAPER = "arXiv 2004.11362"
OWN = "own proof"
ROUNDING = 1e-12  # of differences of logits in float64
DIFFERENTIATED = 1e-10  # the same, relative, through automatic differentiation
HALVED = 0.25  # of the gradient's norm, half of what the missing part has
SMOOTH = 100.0  # temperature from which |u| <= 1/25
BATCHES, ANCHOR = {"part": "batches"}, {"part": "anchor"}
SPREAD = BATCHES | {"law": ("random", "clustered")}
OUT, IN = {"objective": "supcon"}, {"objective": "supcon_in"}


@declare("K1", f"{PAPER}, Section 3.2.2; range {OWN}", "theorem", scope=BATCHES)
def forms() -> AtMost:
    """L_in <= L_out per anchor, by a gap between two sharp limits in the positives' range."""
    limits = {f"violation_form_gap_{end}": ROUNDING for end in ("low", "high")}
    return AtMost(limits, ("form_gap", "form_gap_high"))


@declare("K1-identity", OWN, "identity", scope=BATCHES)
def form_identity() -> AtMost:
    """L_out - L_in = log mean e^s - mean s over the positives: negatives have no part in it."""
    return AtMost({"form_gap_error": ROUNDING})


@declare("K1-equal", OWN, "identity", scope=BATCHES | {"law": "collapsed"})
def equal() -> AtMost:
    """Where an anchor's positives are equally similar both forms are the same loss."""
    return AtMost({"form_gap": ROUNDING})


@declare("K2", f"{PAPER}, Eq. 4 and 5", "identity", scope=BATCHES)
def gradient() -> AtMost:
    """R z is the gradient of each loss in its anchor alone, (R + R^T) z that of the batch."""
    return AtMost({"anchor_error": DIFFERENTIATED, "gradient_error": DIFFERENTIATED})


@declare(
    "K2-half",
    f"{PAPER}, Eq. 4 and 5",
    "counterexample",
    scope=BATCHES,
    mutant=Change("left_out", "left_out * (1 - @t)"),
)
def half() -> AtMost:
    """The published gradient is not the batch's: it leaves out at least a quarter of its norm."""
    return AtMost({f"{HALVED} - left_out": 0.0})


@declare("K3-out", OWN, "theorem", scope=BATCHES | OUT)
def hard_first() -> AtMost:
    """L_out weighs the positives of an anchor in falling order of similarity."""
    return AtMost({"violation_order": ROUNDING})


@declare("K3-in", OWN, "theorem", "weight = e^s (1/S_P - 1/S_A)", BATCHES | IN)
def easy_first() -> AtMost:
    """L_in weighs the positives of an anchor in rising order of similarity."""
    return AtMost({"violation_order": ROUNDING, "proportional_error": ROUNDING})


@declare(
    "K3-growth", f"{PAPER}, Section 3.2.3", "theorem", scope=ANCHOR, where="law != 'negatives'"
)
def growth() -> AtMost:
    """Every positive is pulled harder the more negatives there are, in both forms."""
    return AtMost({"violation_growth": ROUNDING})


@declare("K3-count", OWN, "identity", "n/(n + 1)", ANCHOR | {"law": "one hard"})
def count() -> AtMost:
    """The weight of a single positive that is as hard as each of n negatives."""
    return AtMost({"count_error": ROUNDING})


@declare(
    "K3-peak",
    OWN,
    "theorem",
    "c* = (sqrt(tau^2 + 4) - tau)/2",
    ANCHOR | {"law": ("spread", "negatives")},
)
def peak() -> AtMost:
    """Pulls of L_in, and all pushes, rise up to c* and fall beyond; those of L_out fall from 0."""
    return AtMost({"violation_peak": ROUNDING})


@trend(
    "K3-hard",
    f"{PAPER}, Section 3.2.3",
    SPREAD | OUT,
    Change("hard_half", "hard_half * (1 - @t)"),
    edges="ours, 2026-11-26",
)
def mines_hard() -> Within:
    """L_out gives the less similar half of an anchor's positives more than half of the pull."""
    return Within("least share of the hard half", 0.5, np.inf, lambda rows: by_seed(rows, "min"))


@trend(
    "K3-easy",
    OWN,
    SPREAD | IN,
    Change("hard_half", "hard_half + @t * (1 - hard_half)"),
    edges="ours, 2026-11-26",
)
def mines_easy() -> Within:
    """L_in gives it less than half."""
    return Within("largest share of the hard half", -np.inf, 0.5, lambda r: by_seed(r, "max"))


@declare("K4", f"{PAPER}, Section 3.2.4; own", "identity", scope={"part": "equal"})
def special() -> AtMost:
    """SimCLR, N-pairs and coupled NSCL are special cases of SupCon, anchor by anchor."""
    return AtMost({"difference": ROUNDING})


@declare(
    "K4-not",
    "own",
    "counterexample",
    scope={"part": "unequal"},
    mutant=Change("difference", "difference * (1 - @t)"),
)
def not_special() -> AtMost:
    """With three views, classes of three, or one positive kept, it is not SimCLR or N-pairs."""
    return AtMost({"0.01 - difference": 0.0})


@declare("K4-triplet", OWN, "theorem", scope={"part": "triplet"})
def triplet() -> AtMost:
    """One positive, one negative: the loss is within u^2/8 of log 2 + u/2, log 2 of max(0, u)."""
    return AtMost({"violation_small": ROUNDING, "violation_hinge": ROUNDING})


@declare(
    "K4-margin",
    f"{PAPER}, Section 3.2.4",
    "counterexample",
    scope={"part": "triplet"},
    where=f"tau >= {SMOOTH:g}",
    mutant=Change("published_off", "published_off * (1 - @t)"),
)
def margin() -> AtMost:
    """The published triplet form with margin 2 tau is no limit: it stays about 1 - log 2 off."""
    return AtMost({"0.28 - published_off": 0.0})


@declare("K5", f"{PAPER}, supplement", "identity", scope=BATCHES)
def tangent() -> AtMost:
    """Through normalised rows the gradient is (I - z z^T) g / ||w||, orthogonal to the row."""
    return AtMost({"row_error": DIFFERENTIATED, "radial_error": DIFFERENTIATED})


@declare(
    "K5-raw",
    "own",
    "counterexample",
    scope=BATCHES,
    mutant=Change("radial_raw", "radial_raw * (1 - @t)"),
)
def raw() -> AtMost:
    """Without normalisation at least a tenth of the gradient's norm is spent on rows' lengths."""
    return AtMost({"0.1 - radial_raw": 0.0})


def by_seed(rows: pd.DataFrame, of: str) -> pd.Series:
    """Per seed, the least or largest share of the pull over laws and temperatures."""
    return pd.Series(rows.groupby("seed")["hard_half"].agg(of))


def claims(taus: Sequence[float]) -> list[Claim]:
    """All claims on the forms of SupCon.

    Args:
        taus: temperatures.

    Returns:
        Theorems, identities and counterexamples, then trends.
    """
    always = (forms, form_identity, equal, gradient, half, hard_first, easy_first, growth, count)
    always += (peak, special, not_special, triplet, tangent, raw)
    return [
        *(make() for make in always),
        margin(asked=max(taus) >= SMOOTH),
        *(make() for make in (mines_hard, mines_easy)),
    ]
