"""Claims on the terms of losses above their minimum, and on the gap from moments (E1 to E8).

Rows differ by `protocol`: "sweep" (over C), "followed" (along training), "simplex" (where CL ends
with free embeddings).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from supcon_theory.audits import sweeps
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

TERMS = ("alignment", "collapse", "centring", "jensen")
AT_END = {"protocol": "sweep", "objective": "dcl"}
CL = "step == step.max()"


@declare(
    "E1",
    "own proof",
    "identity",
    "A/tau + W/((C-1) tau) + C |zbar|^2/((C-1) tau) + mean J",
    given="excess.notna()",
)
def anatomy() -> AtMost:
    """Balanced classes: the excess of NSCL over L* is the sum of its four terms."""
    return AtMost({"anatomy_error": 1e-10})


@declare("E2", "own proof", "theorem", given="excess.notna()")
def terms() -> AtMost:
    """No term is larger than the excess, so each is at most it: the constants of stability."""
    return AtMost({"violation_terms": ROUNDING})


@declare("E3", "own proof", "theorem", "log(1 + kappa M/U) and log(1 + kappa U/M)")
def moments() -> AtMost:
    """Each anchor's gap lies between its two bounds from the mean and variance of its cosines."""
    limits = {"violation_moments": ROUNDING, "violation_moments_low": ROUNDING}
    return AtMost(limits, ("gap", "bound_moments"))


@declare("E3-four", "own proof", "theorem", "log(1 + kappa M/U) and log(1 + kappa U/M)")
def four_moments() -> AtMost:
    """Each anchor's gap lies between its bounds from range and four moments of its cosines."""
    limits = {"violation_four": ROUNDING, "violation_four_low": ROUNDING}
    return AtMost(limits, ("bound_four_low", "bound_four"))


@declare("E3-eight", "own proof", "theorem", "log(1 + kappa M/U) and log(1 + kappa U/M)")
def eight_moments() -> AtMost:
    """Each anchor's gap lies between its bounds from range and eight moments of its cosines."""
    limits = {"violation_eight": ROUNDING, "violation_eight_low": ROUNDING}
    return AtMost(limits, ("bound_eight_low", "bound_eight"))


@declare("E4", "own proof", "theorem", "J >= log(1 + g Var s)")
def spread() -> AtMost:
    """The Jensen term of each anchor is at least what the variance of its cosines makes of it."""
    return AtMost({"violation_jensen": ROUNDING})


@declare(
    "E5",
    "own proof",
    "counterexample",
    "excess <= 1/((C-1) tau) at W >= .9",
    {"protocol": "simplex"},
    Change("within", "within - @t"),
)
def no_collapse() -> AtMost:
    """A gap or an excess of O(1/C) implies no collapse: CL's minimiser has none."""
    return AtMost({"excess - worth_collapse": ROUNDING, "0.9 - within": 0})


@declare("E7", "own proof", "identity", given="supcon_excess.notna()")
def supcon_anatomy() -> AtMost:
    """Balanced classes: the excess of SupCon over its minimum is the sum of its four terms."""
    return AtMost({"supcon_anatomy_error": 1e-10})


@declare("E7-terms", "own proof", "theorem", given="supcon_excess.notna()")
def supcon_terms() -> AtMost:
    """Each term of SupCon is at least 0 and at most the excess, which so bounds the collapse."""
    return AtMost({"violation_supcon_terms": ROUNDING})


@declare("E7-nt_xent", "own proof", "identity", given="nt_xent_excess.notna()")
def nt_xent_anatomy() -> AtMost:
    """Two views: the excess of NT-Xent is the same sum with every sample a class of its own."""
    return AtMost({"nt_xent_anatomy_error": 1e-10})


@declare("E7-nt_xent-terms", "own proof", "theorem", given="nt_xent_excess.notna()")
def nt_xent_terms() -> AtMost:
    """Each term of NT-Xent is at least 0 and at most the excess."""
    return AtMost({"violation_nt_xent_terms": ROUNDING})


@trend(
    "E6",
    "own",
    AT_END,
    Change("share_collapse", "share_collapse + @t", CL),
    edges="ours, 2026-11-26",
)
def minor() -> Within:
    """Collapse is less than half of the excess of CL-trained encoders at every C."""

    def statistic(rows: pd.DataFrame) -> pd.Series:
        return sweeps.largest_over_classes(rows, "share_collapse")

    return Within("largest share of collapse over C", -np.inf, 0.5, statistic)


@trend(
    "E8",
    "own",
    AT_END,
    Change("supcon_share_collapse", "supcon_share_collapse - @t", CL),
    edges="ours, 2026-11-26",
)
def major() -> Within:
    """Less than half of what CL-trained encoders leave of SupCon is not collapse, at every C."""

    def statistic(rows: pd.DataFrame) -> pd.Series:
        rest = rows.assign(rest=1 - rows["supcon_share_collapse"])
        return sweeps.largest_over_classes(rest, "rest")

    return Within("largest share of the rest over C", -np.inf, 0.5, statistic)


def claims(tau: float, classes: Sequence[int]) -> list[Claim]:
    """All claims of the anatomy.

    Args:
        tau: The published temperature, at which trends are claimed.
        classes: Numbers of classes of the sweep.

    Returns:
        Identities, theorems, the counterexample, the trends.
    """
    several = len(set(classes)) > 1
    return [
        *(make() for make in (anatomy, terms, moments, four_moments, eight_moments)),
        *(make() for make in (spread, no_collapse)),
        *(make() for make in (supcon_anatomy, supcon_terms, nt_xent_anatomy, nt_xent_terms)),
        *(make(scope={"tau": tau}, asked=several) for make in (minor, major)),
    ]
