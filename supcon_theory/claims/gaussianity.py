"""Claims N1 to N4 on Gaussian features; the table is that of `audits.gaussianity`."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import at_end, last_step, mean_by_seed, select
from supcon_theory.claims.checks import AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

PAPER = "arXiv 2602.24012"
LAYER = "z"  # what the loss sees
LEVEL = 0.05
NORMS = (0.8, 1.25)
FACTOR = 1.0  # log2: within a factor of 2
SEEN = {"protocol": "features", "layer": LAYER}
CONTROL = "cross_entropy"


@declare("N1", "own, affine invariance", "theorem", scope={"protocol": "power", "law": "gaussian"})
def level() -> AtMost:
    """The simulated BHEP test rejects Gaussian samples of any covariance at its level."""
    return AtMost({"violation_level": 0.0})


@trend(
    "N2-C{C}",
    PAPER,
    SEEN,
    Change("distance", "distance + @t", "step > 0"),
    null="cross-entropy encoders",
)
def nearer(C: int) -> Within:
    """Projections of CL embeddings come nearer to normal in training, C = {C}."""

    def of(objective: str) -> Callable[[pd.DataFrame], pd.Series]:
        return lambda rows: _change(select(rows, {"C": C, "objective": objective}))

    return Within(
        "distance of random projections, end less start", -np.inf, 0.0, of("dcl"), of(CONTROL)
    )


@trend(
    "N3-C{C}",
    PAPER,
    SEEN | {"objective": "dcl"},
    Change("p", "p * (1 - @t)"),
    edges="ours, 2026-11-26",
)
def accepted(C: int) -> Within:
    """The multivariate test does not tell CL embeddings from Gaussian ones, C = {C}."""
    return Within("p value at the end", LEVEL, np.inf, lambda rows: _ended(rows, C, "p"))


@trend(
    "N3-norms-C{C}",
    PAPER,
    SEEN | {"objective": "dcl"},
    Change("norm_ratio", "norm_ratio + @t"),
    edges="ours, 2026-11-26",
)
def norms(C: int) -> Within:
    """Norms of centred CL embeddings vary as those of a Gaussian do, C = {C}."""
    return Within("norm ratio at the end", *NORMS, lambda rows: _ended(rows, C, "norm_ratio"))


@trend(
    "N4-{objective}-C{C}",
    "own",
    {"protocol": "few shots", "layer": LAYER},
    Change("log2_ratio", "log2_ratio + @t"),
    edges="ours, 2026-11-26",
)
def worth(objective: str, C: int) -> Within:
    """Gaussian classes have the error of {objective} embeddings within a factor 2, C = {C}."""
    where = {"objective": objective, "C": C}
    return Within(
        "log2 of estimate over error, mean over shots",
        -FACTOR,
        FACTOR,
        lambda rows: at_end(rows, "log2_ratio", **where),
    )


def _ended(rows: pd.DataFrame, C: int, column: str) -> pd.Series:
    return at_end(rows, column, C=C)


def _change(rows: pd.DataFrame) -> pd.Series:
    return mean_by_seed(last_step(rows), "distance") - mean_by_seed(
        rows.loc[rows["step"] == 0], "distance"
    )


def claims(objectives: Sequence[str], classes: Sequence[int]) -> list[Claim]:
    """All claims on Gaussian features.

    Args:
        objectives: What encoders are trained with.
        classes: Numbers of classes.

    Returns:
        The level of the test, then trends; those on objectives that are not there are not asked.
    """
    both, cl = {"dcl", CONTROL} <= set(objectives), "dcl" in objectives
    return [
        level(),
        *(nearer(C=C, asked=both) for C in classes),
        *(accepted(C=C, asked=cl) for C in classes),
        *(norms(C=C, asked=cl) for C in classes),
        *(worth(objective=name, C=C) for name in objectives for C in classes),
    ]
