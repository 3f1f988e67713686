"""Claims S1 to S6 on estimates from few samples; the table is that of `audits.estimates`."""

import numpy as np
import pandas as pd

from supcon_theory.claims.checks import AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

ROUNDING = 1e-10
FEWEST, FEW, ENOUGH = 4, 32, 100  # samples: of order-4 statistics, few, enough for intervals
CLASSES = ("cdnv", "directional_cdnv", "nc1")
PAIRS = ("participation_ratio", "cka")  # the plug-in RSA has next to no bias
OWN = "own"


@declare("S1", f"{OWN} proof: U-statistics", "identity", scope={"law": "atoms"})
def unbiased() -> AtMost:
    """Over all samples of a finite law the mean of every corrected moment is the law's own."""
    return AtMost({"unbiased_error": ROUNDING})


@declare(
    "S2",
    "own proof: self-bounding variance, Bousquet's inequality",
    "theorem",
    scope={
        "law": ("sphere classes", "two points"),
        "measure": ("cdnv", "directional_cdnv", "known-centre bound"),
    },
)
def proved() -> AtMost:
    """Bounds of n independent rows hold for their law with probability 95 %, whatever the law."""
    return AtMost({"violation_upper": 0.0}, ("truth", "upper"), "says_nothing == 1")


@declare(
    "S3", "Cauchy-Schwarz", "theorem", scope={"measure": (*PAIRS, "rsa")}, where=f"n >= {FEWEST}"
)
def in_range() -> AtMost:
    """CKA in [0, 1], debiased CKA and RSA in [-1, 1], participation ratio in [1, d]; never NaN."""
    return AtMost({"violation_range": ROUNDING})


@declare(
    "S4",
    "own, on the law that attains Cantelli's bound",
    "counterexample",
    scope={"law": "two points"},
    mutant=Change("missed", "missed * (1 - @t)"),
)
def flattering() -> AtMost:
    """A bound fed with plug-in moments is below the error in over a quarter of the samples."""
    return AtMost({"0.25 - missed": 0.0})


@trend(
    "S5-{name}",
    OWN,
    {},
    Change("bias_corrected", "bias_corrected + @t"),
    where=f"draws > 0 and 8 <= n <= {FEW}",
    edges="ours, 2026-11-26",
)
def less_biased(name: str) -> Within:
    """With 8 to 32 samples the corrected {name} has at most half of the bias of the plug-in."""
    return Within("bias, corrected over plug-in", -np.inf, 0.5, lambda rows: bias_ratio(rows, name))


@trend(
    "S6-{name}",
    OWN,
    {},
    Change("covered", "covered * (1 - @t)"),
    where=f"draws > 0 and n >= {ENOUGH}",
    edges="ours, 2026-11-26",
)
def covers(name: str) -> Within:
    """From 100 samples on jackknife intervals of 95 % hold the true {name} nearly as often."""
    return Within("coverage", 0.9, 1.0, lambda rows: coverage(rows, name))


def bias_ratio(rows: pd.DataFrame, measure: str) -> pd.Series:
    """Per seed, mean over laws and n of |bias| of the corrected value over that of the plug-in."""
    mine = rows.loc[rows["measure"] == measure]
    sums = mine[["bias_corrected", "bias_plug_in"]].abs().groupby(mine["seed"]).sum(min_count=1)
    return pd.Series(sums["bias_corrected"] / sums["bias_plug_in"])


def coverage(rows: pd.DataFrame, measure: str) -> pd.Series:
    """Per seed, the share of the intervals that hold the truth, over laws and n, by draws."""
    mine = rows.loc[(rows["measure"] == measure) & rows["covered"].notna()]
    inside, draws = mine["covered"] * mine["draws"], mine["draws"]
    return pd.Series(inside.groupby(mine["seed"]).sum() / draws.groupby(mine["seed"]).sum())


def claims(sizes: tuple[int, ...]) -> list[Claim]:
    """All claims on estimates from few samples.

    Args:
        sizes: Numbers of samples drawn.

    Returns:
        Theorems, then trends.
    """
    few, enough = any(8 <= n <= FEW for n in sizes), max(sizes) >= ENOUGH
    return [
        *(make() for make in (unbiased, proved, in_range, flattering)),
        *(less_biased(name=name, asked=few) for name in (*CLASSES, *PAIRS)),
        *(covers(name=name, asked=enough) for name in (*CLASSES, *PAIRS, "rsa")),
    ]
