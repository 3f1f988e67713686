"""Claims on hard negatives in training (HN): B1 to B5 of arXiv 2209.00078, and the hardened gap."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import mean_by_seed, select
from supcon_theory.claims.checks import AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend
from supcon_theory.claims.minima import ROUNDING

PAPER = "arXiv 2209.00078"
ORDER = {"part": "order"}
EXPONENTIAL = ORDER | {"hardening": "exponential"}


@declare("HN1", f"{PAPER}; own proof", "theorem", scope=ORDER)
def equivalence() -> AtMost:
    """An anchor has H-SCL <= H-UCL iff A* holds: by exponential, threshold and top-k weights."""
    return AtMost({"violation_equivalence": 0.0})


@declare("HN2", f"{PAPER}; own proof", "theorem", scope=ORDER)
def hardened() -> AtMost:
    """No anchor's loss falls when its negatives are hardened: UCL <= H-UCL, SCL <= H-SCL."""
    return AtMost({"violation_order": ROUNDING})


@declare(
    "HN3", "own proof", "theorem", "log(1 + n_s/n_d e^(2b + 2/tau))", EXPONENTIAL,
    given="violation_gap.notna()",
)  # fmt: skip
def gap() -> AtMost:
    """The hardened gap H-UCL less H-NSCL is between its bounds, anchor by anchor."""
    limits = {"violation_gap": ROUNDING, "violation_equal_q": ROUNDING}
    return AtMost(limits, ("gap", "bound"))


@declare("HN4", f"{PAPER}; own proof", "theorem", scope={"part": "crossing"})
def crossing() -> AtMost:
    """H-SCL rises with beta, and passes UCL iff its limit, the hardest negative's, is above."""
    return AtMost({"violation_monotone": ROUNDING, "violation_crossing": 0.0})


@trend(
    "HN5",
    PAPER,
    EXPONENTIAL,
    Change("over", "over + @t", "split == 'train' and step == step.max()"),
)
def order() -> Within:
    """Mean H-SCL is below mean H-UCL at the end of training, whatever it was."""

    def worst(rows: pd.DataFrame) -> pd.Series:
        end = rows[rows["step"] == rows["step"].max()]
        return pd.Series(end.groupby("seed")["over"].max(), dtype=float)

    return Within("largest H-SCL less H-UCL", -np.inf, 0, worst)


UNTRAINED = "step == 0 and hardening == 'exponential'"


@trend("HN6", PAPER, EXPONENTIAL, Change("premise", "premise - @t", "step == step.max()"))
def premise_grows() -> Within:
    """Training raises the share of anchors at which A* holds."""

    def gained(rows: pd.DataFrame) -> pd.Series:
        ends = [rows.loc[rows["step"] == step] for step in (rows["step"].max(), rows["step"].min())]
        after, before = (mean_by_seed(end, "premise") for end in ends)
        return after - before

    return Within("share at the end less that at the start", 0, np.inf, gained)


@trend("HN7", PAPER, EXPONENTIAL, Change("loss_hucl", "loss_hucl - @t * loss_hscl"))
def controls() -> Within:
    """Along training H-UCL ranks encoders as H-SCL does, better than UCL ranks them."""

    def difference(rows: pd.DataFrame) -> pd.Series:
        def rank(of: pd.DataFrame, name: str) -> float:
            ranks = of[[name, "loss_hscl"]].rank().to_numpy(float)
            return float(np.corrcoef(ranks.T)[0, 1]) if len(of) > 2 else np.nan

        found = {s: rank(of, "loss_hucl") - rank(of, "loss_ucl") for s, of in rows.groupby("seed")}
        return pd.Series(found, dtype=float)

    return Within("rank correlation with H-SCL, of H-UCL less of UCL", 0, np.inf, difference)


@trend(
    "HN8", "own", {"part": "classes"},
    Change("gap", "gap * exp(-@t * log(C) * (beta > 0))", "beta == beta.max()"),
)  # fmt: skip
def slower() -> Within:
    """Hardening slows the fall of the gap with the number of classes."""

    def slope(rows: pd.DataFrame, beta: float) -> pd.Series:
        at = select(rows, {"beta": beta})
        return pd.Series(
            {
                seed: np.polyfit(np.log(of["C"] - 1), np.log(np.expm1(of["gap"])), 1)[0]
                for seed, of in at.groupby("seed")
            },
            dtype=float,
        )

    def statistic(rows: pd.DataFrame) -> pd.Series:
        beta = rows["beta"].to_numpy(float)
        return slope(rows, beta.max()) - slope(rows, beta.min())

    name = "slope of log(exp(gap) - 1) on log(C - 1), hardest less plain"
    return Within(name, 0, np.inf, statistic)


@trend(
    "HN9-{rival}", PAPER, {"part": "encoders"},
    Change("error", "error + @t", "objective == '{hard}'"),
)  # fmt: skip
def accuracy(hard: str, rival: str) -> Within:
    """Trained with {hard} an encoder classifies better than with {rival}."""

    def difference(rows: pd.DataFrame) -> pd.Series:
        ours, plain = (
            mean_by_seed(select(rows, {"objective": name}), "error") for name in (hard, rival)
        )
        return plain - ours  # the best beta, chosen by these errors, would look better than it is

    return Within(
        "error, plain less hardened, mean over the betas trained with", 0, np.inf, difference
    )


def claims(several_classes: bool, betas: Sequence[float]) -> list[Claim]:
    """B1 to B5 and the hardened gap.

    Args:
        several_classes: Whether the gap is measured at two numbers of classes or more.
        betas: Hardnesses that are evaluated; with one only there is no slope to compare.

    Returns:
        Theorems and trends.
    """
    return [
        *(make() for make in (equivalence, hardened, gap, crossing, order, premise_grows)),
        controls(),
        slower(asked=several_classes and len(set(betas)) > 1),
        accuracy(hard="hscl", rival="scl_jiang"),
        accuracy(hard="hucl", rival="nt_xent"),
    ]
