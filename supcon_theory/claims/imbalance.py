"""Claims on unequal classes (IM): certified optimum, merging, softness, trained encoders."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import lowest, select
from supcon_theory.claims.checks import AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend
from supcon_theory.claims.minima import ROUNDING

PROGRAMME = "arXiv 2605.11291; own proof"
MERGING = "own; arXiv 2605.11291"
SOFT = "own proof; arXiv 2605.13943"
CERTIFIED = 1e-5  # nats between the programme's value and its dual bound
POINT = 1e-4  # of a cosine or a spread: what is one point
APART = 1e-3  # of a cosine: what is not
LIMIT = 1e-3  # of a cosine at a ratio of 10,000 from its limit
FREE, THRESHOLD = {"part": "free"}, {"part": "threshold"}
SETTING = ["objective", "counts", "tau", "softness"]
best_starts = partial(lowest, setting=SETTING)
SUPERVISED = ("nscl", "supcon", "soft_supcon")
ENCODERS = {"part": "encoders", "split": "test", "layer": "z"}


@declare("IM1", PROGRAMME, "identity", scope={"part": ("programme", "limit")})
def certified() -> AtMost:
    """The programme's value is certified by a dual bound."""
    return AtMost({"gap_dual": CERTIFIED})


@declare("IM2", PROGRAMME, "theorem", scope=FREE)
def below() -> AtMost:
    """No free embedding is below the dual bound, whatever the class sizes."""
    return AtMost({"violation_dual": ROUNDING})


@declare("IM2-reached", PROGRAMME, "theorem", scope=FREE)
def reached() -> AtMost:
    """The best start of free embeddings reaches the programme's value."""
    return AtMost({"excess": CERTIFIED}, derive=best_starts)


@declare("IM2-collapsed", "own", "conjecture", scope=FREE | {"objective": SUPERVISED})
def one_point() -> AtMost:
    """At the best start every class is in one point, large or small."""
    return AtMost({"spread": POINT}, derive=best_starts)


@declare("IM3", MERGING, "theorem", scope=THRESHOLD, given="parted_above.notna()")
def merges() -> AtMost:
    """Small classes are one point just above the threshold, and apart just below it."""
    return AtMost({"parted_above": POINT, "cosine_below": 1 - APART})


@declare(
    "IM3-negatives", MERGING, "conjecture", scope=THRESHOLD, given="violation_negatives.notna()"
)
def negatives() -> AtMost:
    """More negatives do not raise the threshold."""
    return AtMost({"violation_negatives": POINT})


@declare("IM3-limit", "own", "conjecture", scope={"part": "limit"})
def limit() -> AtMost:
    """Under NSCL the cosine of small classes tends to its closed form, whatever their number."""
    return AtMost({"limit_error": LIMIT})


SOFTENED = {"part": "programme", "objective": "soft_supcon"}


@declare("IM4", SOFT, "theorem", scope=SOFTENED, where="softness >= exp(-C / ((C - 1) * tau))")
def regular() -> AtMost:
    """Soft enough, Soft SupCon ends at the regular simplex for any class sizes."""
    return AtMost({"regular_error": 1e-3})


@declare(
    "IM4-soft",
    "own",
    "counterexample",
    scope=SOFTENED,
    where="softness < 0.7 * exp(-C / ((C - 1) * tau)) and imbalance >= 8",
)
def irregular() -> AtMost:
    """With less softness it does not: small classes end closer together than large ones."""
    return AtMost({"tilt": -0.01})


@declare("IM5", "arXiv 2506.04411, Theorem 1", "theorem", scope={"part": "gaps"})
def anchors() -> AtMost:
    """Every anchor's gap is between the bounds of its own class size, large or small."""
    return AtMost({"violation_upper": ROUNDING, "violation_lower": ROUNDING})


def tilted(rows: pd.DataFrame, column: str, objective: str) -> pd.Series:
    """Per seed, small less large classes at the largest ratio, less the same with equal sizes."""
    rows = select(rows, {"objective": objective})
    at = rows.pivot_table(index=["seed", "imbalance"], columns="group", values=column)
    difference = (at["small"] - at["large"]).unstack("imbalance")
    return pd.Series(difference[difference.columns.max()] - difference[1.0], dtype=float)


LARGEST = "group == 'small' and imbalance == imbalance.max() and objective == '{objective}'"


@trend("IM6-{objective}", "own", ENCODERS, Change("error", "error - @t", LARGEST))
def harder(objective: str) -> Within:
    """Trained with {objective} on unequal classes, small ones lose few-shot accuracy to large."""
    return Within(
        "error, small less large, over its value with equal sizes",
        0,
        np.inf,
        lambda rows: tilted(rows, "error", objective),
    )


@trend("IM7-{objective}", MERGING, ENCODERS, Change("cosine", "cosine - @t", LARGEST))
def closer(objective: str) -> Within:
    """Trained with {objective} on unequal classes, the means of small ones move together."""
    return Within(
        "cosine of means, small less large, over its value with equal sizes",
        0,
        np.inf,
        lambda rows: tilted(rows, "cosine", objective),
    )


SUPCON_CLOSER = "group == 'small' and imbalance == imbalance.max() and objective == 'supcon'"


@trend("IM8", SOFT, ENCODERS, Change("cosine", "cosine - @t", SUPCON_CLOSER))
def more_regular() -> Within:
    """Soft SupCon's means are tilted less by unequal classes than SupCon's."""
    return Within(
        "tilt of the cosines, SupCon less Soft SupCon",
        0,
        np.inf,
        lambda rows: tilted(rows, "cosine", "supcon") - tilted(rows, "cosine", "soft_supcon"),
    )


def claims(
    free: bool, soft: bool, objectives: Sequence[str], ratios: Sequence[float]
) -> list[Claim]:
    """Certificate, merging, softness, free embeddings, trained encoders.

    Args:
        free: Whether free embeddings are optimised.
        soft: Whether ratios are large enough to show what little softness does.
        objectives: Trained with.
        ratios: Of the class sizes trained on.

    Returns:
        Theorems, conjectures, a counterexample and trends.
    """
    several = len(ratios) > 1 and 1 in ratios
    both = several and {"supcon", "soft_supcon"} <= {*objectives}
    return [
        certified(),
        *(make(asked=free) for make in (below, reached, one_point)),
        *(make() for make in (merges, negatives, limit, regular)),
        irregular(asked=soft),
        anchors(),
        *(make(objective=name, asked=several) for make in (harder, closer) for name in objectives),
        more_regular(asked=both),
    ]
