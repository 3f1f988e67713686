"""Claims on the gap L_DCL - L_NSCL: Theorem 1 and its relatives (A1 to A6, D1), and trends.

Trends are about a sweep over numbers of classes (A6-start, A7) or a grid of settings (U1 to U3).
Rows are those of `audits.gap`: one per checkpoint, labels and temperature.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from supcon_theory.audits import sweeps
from supcon_theory.audits.rows import select
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend
from supcon_theory.claims.minima import floors

PAPER = "arXiv 2506.04411"
THEOREM_1 = f"{PAPER}, Theorem 1"
CEILING = "gap <= log(1 + kappa e^(C/((C-1) tau))), that of classes collapsed to a simplex ETF"
RELAXED = (
    "gap <= max over S of (1 + S)/2 sp(beta - c S) + (1 - S)/2 sp(beta + c S), c = C/((C-1) tau), "
    "beta = log kappa + c, sp = softplus"
)
FALL = "log1p(expm1(gap) * (C - 1) ** @t)"  # the gap, steeper or less steep in C
SAME = 0.05  # what r may be away from another and still be called the same
BOUND_CEILING = ("gap", "bound_ceiling")
END = "step == step.max() and labels == 'true' and objective == 'dcl'"
APART = "r + @t * (1 - 2 * (r < 1))"  # from 1


@declare("A1", THEOREM_1, "identity")
def identity() -> AtMost:
    """L_DCL - L_NSCL = log(1 + S/D), anchor by anchor."""
    return AtMost({"identity_error": 1e-10, "rounding_error": 1e-5})


@declare("A2", THEOREM_1, "theorem", "log(1 + kappa e^(-+2/tau)), kappa = (n_c - 1)/(N - n_c)")
def anchors() -> AtMost:
    """Each anchor's gap lies between its two bounds."""
    return AtMost({"violation_lower": ROUNDING, "violation_upper": ROUNDING})


@declare(
    "A3",
    THEOREM_1,
    "theorem",
    "log(1 + n_max e^(2/tau)/(N - n_max)), sum_c n_c/N log(1 + (n_c - 1)/(N - n_c) e^(2/tau))",
)
def published() -> AtMost:
    """The mean gap is at most the published bound and the mean of the anchors' bounds."""
    # The span from the DCL loss log(K(N-1)) of a constant encoder to the minimum is N/((N-1) tau).
    limits = {"violation_n_max": ROUNDING, "violation_class_average": ROUNDING}
    return AtMost(limits, ("gap", "bound_n_max"), "bound_n_max >= 1 / tau")


@declare(
    "A4",
    "own proof",
    "theorem",
    "gap_i <= log(1 + kappa exp(C/((C-1) tau) (1 - <z_i, mean z>)))",
    given="bound_ceiling.notna()",
)
def centred() -> AtMost:
    """Balanced classes: each anchor's gap is at most the label-free centred bound."""
    return AtMost({"violation_centred": ROUNDING})


@declare("A5", "own proof", "theorem", CEILING, given="bound_ceiling.notna()")
def ceiling() -> AtMost:
    """Balanced classes: the mean gap is at most the ceiling."""
    return AtMost({"violation_ceiling": ROUNDING}, BOUND_CEILING)


@declare("A5-relaxed", "own proof", "theorem", RELAXED, given="bound_relaxed.notna()")
def relaxed() -> AtMost:
    """Balanced classes: the mean gap is at most the relaxed ceiling, at every temperature."""
    return AtMost({"violation_relaxed": ROUNDING}, ("gap", "bound_relaxed"))


@declare("A6", "own proof", "theorem", "|log r| <= delta/tau")
def interval() -> AtMost:
    """An anchor's r is within exp(+-delta/tau), delta the range of its cosines to the others."""
    return AtMost({"violation_interval": ROUNDING})


@declare("D1", "arXiv 2510.08852", "identity")
def distance() -> AtMost:
    """|p_CL - p_NSCL|_1 = 2 (1 - exp(-gap)), anchor by anchor."""
    return AtMost({"distance_error": 1e-10})


@trend(
    "A6-start",
    PAPER,
    {},
    Change("r", APART, "step == 0 and labels == 'true'"),
    edges="ours, 2026-11-22",
)
def start() -> Within:
    """Similarities are nearly equal at initialisation."""
    return Within("largest |r - 1| over C", -np.inf, SAME, sweeps.furthest_from_one)


@trend(
    "A6-published",
    f"{PAPER}, Figure 3",
    {},
    Change("gap", "gap * (1 + @t * (1 - 2 * (r < 1)))", "step == 0 and labels == 'true'"),
    edges="ours, 2026-11-26",
)
def published_start() -> Within:
    """At initialisation the gap is that of the published encoders before training."""
    name = "largest |gap / published - 1| over C"
    return Within(name, -np.inf, SAME, sweeps.furthest_from_published)


@trend(
    "A7",
    PAPER,
    {},
    Change("gap", FALL, END),
    null="shuffled labels: the fall is counting, not learning",
    edges="ours, 2026-11-22",
)
def fall() -> Within:
    """The gap of CL-trained encoders falls as 1/(C - 1)."""
    return falls_as_counting()


def falls_as_counting() -> Within:
    """The slope of the gap on the number of classes is -1 within .1, and more than a null shows."""
    true, null = (partial(sweeps.gap_slope, where={"labels": x}) for x in ("true", "shuffled"))
    return Within("slope of log(exp(gap) - 1) on log(C - 1)", -1.1, -0.9, true, null)


@trend(
    "A7-learned", "own", {}, Change("r", "r - @t", END), null="the shuffled labels are subtracted"
)
def learned() -> Within:
    """What is learned: r of CL-trained encoders is higher than under shuffled labels."""
    return Within("smallest difference over C", 0, np.inf, sweeps.least_learned)


@trend("U1", "own", {}, Change("r", APART, "labels == 'random'"), edges="ours, 2026-11-22")
def random_labels() -> Within:
    """Random labels: the gap is that of equal similarities."""

    def statistic(rows: pd.DataFrame) -> pd.Series:
        return sweeps.largest_over_grid((r(rows, "random") - 1).abs())

    return Within("largest |r - 1| over the grid", -np.inf, SAME, statistic)


@trend(
    "U2",
    "own",
    {"labels": ("true", "random")},
    Change("r", "r - @t", "labels == 'true'"),
    where="step > 0",
    null="the random labels are subtracted",
)
def true_labels() -> Within:
    """True labels: r of trained encoders is higher than under random labels."""
    return smallest_difference("true", "random")


@trend("U3", "own", {"objective": "dcl"}, Change("r", "r - @t", "labels == 'kmeans_equal'"))
def clusters() -> Within:
    """Encoders that saw no labels: their equal clusters have a higher r than true labels."""
    return smallest_difference("kmeans_equal", "true")


def smallest_difference(labels: str, others: str) -> Within:
    """At every point of the grid r is larger under `labels` than under `others`."""

    def statistic(rows: pd.DataFrame) -> pd.Series:
        return sweeps.smallest_over_grid(r(rows, labels) - r(rows, others))

    return Within("smallest difference over the grid", 0, np.inf, statistic)


def r(rows: pd.DataFrame, labels: str) -> pd.DataFrame:
    """R under one labelling: a row per seed, a column per point of the grid."""
    return select(rows, {"labels": labels}).pivot(index="seed", columns="level", values="r")


def theorems(taus: Sequence[float], scope: Mapping[str, object] | None = None) -> list[Claim]:
    """What holds for every encoder, anchor, labelling and temperature; A3 at each temperature.

    Args:
        taus: Temperatures; one given twice is one.
        scope: The rows, column to value.

    Returns:
        A1 to A6 and D1.
    """
    at = dict(scope or {})
    makers = (identity, anchors, centred, ceiling, relaxed, interval, distance)
    every = [make(scope=at) for make in makers]
    return every[:2] + [published(scope=at | {"tau": t}) for t in dict.fromkeys(taus)] + every[2:]


def sweep(tau_train: float, tau: float, classes: Sequence[int], data: str) -> list[Claim]:
    """All claims of a sweep over numbers of classes, one encoder pair per class count and seed.

    Args:
        tau_train: Temperature trained at.
        tau: The published temperature, at which trends are claimed.
        classes: Numbers of classes.
        data: Name of the data set that the trends are about.

    Returns:
        Theorems, then trends.
    """
    at = {"data": data, "tau": tau, "trained_imbalance": 1.0, "imbalance": 1.0}
    several = len(set(classes)) > 1
    return [
        *theorems((tau, tau_train)),
        *([published_start(scope=at)] if data in sweeps.FIGURE_3 else []),
        *(trend(scope=at, asked=several) for trend in (start, fall, learned)),
    ]


def grid(taus: Sequence[float], tau: float, trained_levels: int) -> list[Claim]:
    """All claims of a grid of settings and labelings.

    Args:
        taus: Temperatures evaluated at.
        tau: The published one of them, at which trends are claimed.
        trained_levels: Points of the grid with a trained encoder; U2 needs two.

    Returns:
        Theorems, then trends.
    """
    return [
        *theorems(taus),
        floors(),
        random_labels(scope={"tau": tau}),
        true_labels(scope={"tau": tau}, asked=trained_levels > 1),
        clusters(scope={"tau": tau}),
    ]
