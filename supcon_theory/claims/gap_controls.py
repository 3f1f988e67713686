"""Claims on what closes the gap (GC-): one thing at a time differs from `gap_vs_classes`.

Rows are those of `audits.gap`; `factor` says what differs ("base": nothing), the values of the
number of classes and of the steps that were trained stand in C and step.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import select
from supcon_theory.claims.checks import Within
from supcon_theory.claims.claim import Change, Claim, trend
from supcon_theory.claims.gap import FALL, SAME, falls_as_counting, theorems

STAYS = 0.01  # what a doubling of the steps may change r by
CL = {"objective": "dcl", "labels": "true"}
STEEPER = Change("gap", FALL, "labels == 'true' and objective == 'dcl'")
OURS = {"edges": "ours, 2026-11-26"}


@trend("GC-{factor}", "own", {"split": "train"}, STEEPER, null="shuffled labels", **OURS)
def fall(factor: str, words: str) -> Within:
    """The gap of CL-trained encoders falls as 1/(C - 1) with {words}."""
    return falls_as_counting()


@trend(
    "GC-views",
    "own",
    {"split": "train"} | CL,
    Change("r", "r * (1 + @t)", "factor == 'views'"),
    **OURS,
)
def views() -> Within:
    """Four views of half the images in a step give the same r as two."""
    return _apart(lambda rows: (_r(rows, factor="views"), _r(rows, factor="base")))


@trend(
    "GC-held-out",
    "own",
    {"factor": "base"} | CL,
    Change("r", "r * (1 + @t)", "split == 'test'"),
    **OURS,
)
def held_out() -> Within:
    """Held-out images have the same r as those trained on."""
    return _apart(lambda rows: (_r(rows, split="test"), _r(rows, split="train")))


@trend(
    "GC-nt_xent",
    "own",
    {"split": "train", "factor": "base", "labels": "true"},
    Change("r", "r * (1 + @t)", "objective == 'nt_xent'"),
    **OURS,
)
def nt_xent() -> Within:
    """NT-Xent, which people train, ends with the same r as CL."""
    return _apart(lambda rows: (_r(rows, objective="nt_xent"), _r(rows, objective="dcl")))


@trend(
    "GC-steps",
    "own",
    {"split": "train", "factor": ("base", "steps")} | CL,
    Change("r", "r * (1 + @t)", "step == step.max()"),
    **OURS,
)
def steps() -> Within:
    """The last doubling of the steps leaves r as it was."""

    def pair(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
        most = rows["step"].max()
        return _r(rows, step=most), _r(rows, step=most / 2)

    return _apart(pair, STAYS)


def _r(rows: pd.DataFrame, **where: object) -> pd.Series:
    """R of each seed and number of classes."""
    return pd.Series(select(rows, where).set_index(["seed", "C"])["r"])


def _apart(pair: Callable[[pd.DataFrame], tuple], most: float = SAME) -> Within:
    """The largest relative difference of two r over the numbers of classes that have both."""

    def statistic(rows: pd.DataFrame) -> pd.Series:
        one, other = pair(rows)
        return (one / other - 1).dropna().abs().groupby("seed").max()

    return Within("largest |r / r of the other - 1| over C", -np.inf, most, statistic)


def claims(
    taus: Sequence[float],
    tau: float,
    classes: Sequence[int],
    doublings: int,
    longer_classes: Sequence[int],
) -> list[Claim]:
    """The theorems of the gap, and what each control says.

    Args:
        taus: Temperatures evaluated at.
        tau: The published one of them, at which trends are claimed.
        classes: Numbers of classes.
        doublings: How many times training is doubled.
        longer_classes: Numbers of classes at which it is.

    Returns:
        Theorems, then trends.
    """
    at, count = {"tau": tau}, len(set(classes))
    longer = doublings > 0 and len(longer_classes) > 0
    return [
        *theorems(taus),
        fall(
            factor="subset",
            words="one encoder on subsets of its classes",
            scope=at | {"factor": "subset"},
            asked=count > 2,
        ),
        fall(
            factor="images",
            words="as many images for every C",
            scope=at | {"factor": "images"},
            asked=count > 1,
        ),
        *(make(scope=at) for make in (views, held_out, nt_xent)),
        steps(scope=at, asked=longer),
    ]
