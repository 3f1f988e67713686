"""Claims on what collapses in training: B4 (trends of the geometry), C8 (its control), B1."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from supcon_theory.audits.geometry_curves import fall, final_ratio, shuffled_ratio
from supcon_theory.claims.checks import Within
from supcon_theory.claims.claim import Change, Claim, trend
from supcon_theory.claims.minima import floors

PAPER = "arXiv 2506.04411, Section 5"
FALLS = ("augmentation_variance", "cdnv", "etf_deviation")
END = "step == step.max() and labels == 'true' and objective == "


def drop(rows: pd.DataFrame, labels: str, column: str) -> pd.Series:
    """Per seed, log(start / end) of a measure of CL-trained encoders."""
    return -fall(rows, {"labels": labels}, "dcl", column)


@trend("B4-{column}", PAPER, {}, Change("{column}", "{column} * exp(@t)", f"{END}'nscl'"))
def falls(column: str) -> Within:
    """NSCL training lowers {column}."""
    statistic = partial(fall, where={"labels": "true"}, objective="nscl", column=column)
    return Within("log(end / start)", -np.inf, 0, statistic)


@trend(
    "B4-directional",
    PAPER,
    {},
    Change("directional_cdnv", "directional_cdnv * exp(@t)", f"{END}'dcl'"),
    null="shuffled labels",
    edges="ours, 2026-11-22",
)
def directional() -> Within:
    """CL training lowers directional CDNV at least 5 times."""
    true, null = (partial(drop, labels=x, column="directional_cdnv") for x in ("true", "shuffled"))
    return Within("log(start / end)", np.log(5), np.inf, true, null)


@trend(
    "B4-modest",
    PAPER,
    {},
    Change("cdnv", "cdnv * exp(-@t)", f"{END}'dcl'"),
    edges="ours, 2026-11-22",
)
def modest() -> Within:
    """CL training lowers CDNV less than 5 times."""
    statistic = partial(drop, labels="true", column="cdnv")
    return Within("log(start / end)", -np.inf, np.log(5), statistic)


@trend(
    "C8",
    "own",
    {},
    Change("directional_cdnv", "directional_cdnv * exp(@t)", f"{END}'dcl'"),
    edges="ours, 2026-11-22",
)
def control() -> Within:
    """Control: directional CDNV of CL is at least twice as large under shuffled labels."""
    statistic = partial(shuffled_ratio, where={"labels": "true"})
    return Within("log(shuffled / true)", np.log(2), np.inf, statistic)


@trend("B4-tighter", "own", {}, Change("cdnv", "cdnv * exp(@t)", f"{END}'supcon'"))
def tighter() -> Within:
    """SupCon's classes end tighter than CL's: lower CDNV."""
    statistic = partial(
        final_ratio, where={"labels": "true"}, objectives=("supcon", "dcl"), column="cdnv"
    )
    return Within("log(CDNV of SupCon / of CL)", -np.inf, 0, statistic)


def claims(classes: Sequence[int], objectives: Sequence[str]) -> list[Claim]:
    """B1 for all encoders, and for each number of classes what CL and NSCL do to the geometry.

    Args:
        classes: Numbers of classes.
        objectives: What encoders are trained with; claims on others are NOT ASKED.

    Returns:
        The theorem, then the trends of each C: held-out images, embeddings z.
    """
    found = [floors(scope={"layer": "z", "labels": "true"})]
    nscl, cl = ("nscl" in objectives, "dcl" in objectives)
    for C in classes:
        at = {"C": C, "layer": "z", "split": "test"}
        found += [falls(scope=at, asked=nscl, column=column) for column in FALLS]
        found += [trend(scope=at, asked=cl) for trend in (directional, modest, control)]
        found.append(tighter(scope=at, asked=cl and "supcon" in objectives))
    return found
