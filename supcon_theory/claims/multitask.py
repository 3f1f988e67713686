"""Claims C7 on many tasks in one representation; the table is that of `audits.multitask`."""

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import last_step, mean_by_seed, select
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

PAPER = "arXiv 2603.03530, Proposition 4.2"
LAYER = "h"  # the features that the paper measures


@declare("C7", PAPER, "theorem", scope={"protocol": ("factors", "constructed", "axes")})
def orthogonal() -> AtMost:
    """Axes of independent tasks are bounded by the variance along them, over all classes."""
    return AtMost({"violation_axes": ROUNDING}, ("cosine", "bound_all"), "bound_all >= 1")


@declare("C7-cells", "own, same proof", "theorem", scope={"protocol": ("factors", "axes")})
def sharper() -> AtMost:
    """The variance of cell means alone will do, and the bound of it is never the larger one."""
    return AtMost(
        {"violation_cells": ROUNDING, "violation_order": ROUNDING},
        ("cosine", "bound_cells"),
        "bound_cells >= 1",
    )


@declare(
    "C7-pair",
    "own, three classes on a line",
    "counterexample",
    scope={"protocol": "constructed"},
    mutant=Change("cosine", "cosine * (1 - @t)"),
)
def refuted() -> AtMost:
    """Averaged over the two classes of a pair only, the bound lies below the cosine."""
    return AtMost({"bound_pair - cosine": 0.0})


@trend(
    "C7-axes",
    PAPER,
    {"protocol": "axes", "layer": LAYER},
    Change("cosine", "cosine + @t", "step > 0"),
)
def turned() -> Within:
    """CL training turns the axes of attributes away from each other."""
    return Within(
        "median |cosine|, end less start", -np.inf, 0.0, lambda rows: _change(rows, "cosine")
    )


@trend(
    "C7-{attribute}",
    "own",
    {"protocol": "few shots", "layer": LAYER},
    Change("of_chance", "of_chance + @t", "step > 0"),
)
def learned(attribute: str) -> Within:
    """CL training lowers the few-shot error of the attribute {attribute}."""
    return Within(
        "error over chance, end less start",
        -np.inf,
        0.0,
        lambda rows: _change(select(rows, {"attribute": attribute}), "of_chance"),
    )


def _change(rows: pd.DataFrame, column: str) -> pd.Series:
    """Per seed, mean of a column at the last step less that at the first."""
    first = mean_by_seed(rows.loc[rows["step"] == 0], column)
    return mean_by_seed(last_step(rows), column) - first


def claims(attributes: tuple[str, ...]) -> list[Claim]:
    """All claims on many tasks.

    Args:
        attributes: Of the images looked at.

    Returns:
        Theorems, the counterexample, then trends.
    """
    made = (make() for make in (orthogonal, sharper, refuted, turned))
    return [*made, *(learned(attribute=name) for name in attributes)]
