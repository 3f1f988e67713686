"""Claims on frames in training (OF): frozen prototypes (CLOP) and rows without negative entry."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import mean_by_seed, select
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

CLOP, RELU = "arXiv 2403.18699", "arXiv 2306.07960"
RATE, BATCH = {"study": "rate"}, {"study": "batch"}
LABELS, RECTIFIED = {"study": "labels"}, {"study": "rectified"}


@declare("OF1", f"{RELU}, Theorem 1", "theorem", given="violation_frame.notna()")
def floor() -> AtMost:
    """No encoder without negative entries has less SupCon loss than the orthogonal frame."""
    return AtMost({"violation_frame": ROUNDING})


def column(rows: pd.DataFrame, name: str, **where: object) -> pd.Series:
    """A column of one kind of encoder, for each seed."""
    return mean_by_seed(select(rows, where), name)


@trend("OF2", CLOP, RATE, Change("means_rank", "means_rank - @t", "pull > 0 and lr == lr.max()"))
def rank() -> Within:
    """At the highest learning rate prototypes keep class means in more dimensions."""

    def kept(rows: pd.DataFrame) -> pd.Series:
        rows = rows.loc[rows["lr"] == rows["lr"].max()]
        pulled = mean_by_seed(rows.loc[rows["pull"] > 0], "means_rank")
        return pulled - column(rows, "means_rank", pull=0.0)

    return Within("effective rank of class means, with prototypes less without", 0, np.inf, kept)


def span(rows: pd.DataFrame, over: str) -> pd.Series:
    """For each seed, the worst error less the best over the values of a column."""
    at = rows.pivot_table(index="seed", columns=over, values="error")
    return at.max(axis=1) - at.min(axis=1)


def steadier(over: str):
    """By how much that span is larger without prototypes."""
    return lambda rows: (
        span(rows.loc[rows["pull"] == 0], over) - span(rows.loc[rows["pull"] > 0], over)
    )


@trend("OF3", CLOP, RATE, Change("error", "error + @t", "pull > 0 and lr == lr.max()"))
def rates() -> Within:
    """With prototypes the error depends less on the learning rate."""
    return Within("worst less best error, without prototypes less with", 0, np.inf, steadier("lr"))


@trend("OF4", CLOP, BATCH, Change("error", "error + @t", "pull > 0 and batch == batch.min()"))
def batches() -> Within:
    """With prototypes the error depends less on the batch size."""
    name = "worst less best error, without prototypes less with"
    return Within(name, 0, np.inf, steadier("batch"))


@trend("OF5", CLOP, LABELS, Change("error", "error + @t", "named > 0 and named < named.max()"))
def few_labels() -> Within:
    """The fewest labels that were tried already help self-supervised training."""

    def gain(rows: pd.DataFrame) -> pd.Series:
        some = rows.loc[rows["named"] > 0, "named"].min()
        return column(rows, "error", named=0.0) - column(rows, "error", named=some)

    return Within("error, without labels less with the fewest", 0, np.inf, gain)


@trend(
    "OF6", RELU, RECTIFIED,
    Change("spread", "spread + @t", "surface == 'positive' and trained_imbalance > 1"),
)  # fmt: skip
def equal() -> Within:
    """With unequal classes, means without negative entries are more nearly at one angle."""

    def less(rows: pd.DataFrame) -> pd.Series:
        rows = rows.loc[rows["trained_imbalance"] == rows["trained_imbalance"].max()]
        of = (column(rows, "spread", surface=name) for name in ("sphere", "positive"))
        sphere, positive = of
        return sphere - positive

    name = "largest less smallest cosine of means, sphere less without negative entries"
    return Within(name, 0, np.inf, less)


@trend(
    "OF7", RELU, RECTIFIED,
    Change("frame_distance", "frame_distance + @t",
           "surface == 'positive' and trained_imbalance == trained_imbalance.max()"),
)  # fmt: skip
def unmoved() -> Within:
    """Imbalance moves them less from their frame than it moves others from the simplex."""

    def moved(rows: pd.DataFrame, name: str, surface: str) -> pd.Series:
        of = select(rows, {"surface": surface})
        ratio = of["trained_imbalance"].to_numpy(float)
        high, low = (
            mean_by_seed(of.loc[ratio == end], name)
            for end in (
                np.fmax.reduce(ratio, initial=-np.inf),
                np.fmin.reduce(ratio, initial=np.inf),
            )
        )
        return high - low

    def less(rows: pd.DataFrame) -> pd.Series:
        others = moved(rows, "equal_products", "sphere")
        return others - moved(rows, "frame_distance", "positive")

    return Within("rise of the mean distance of cosines, sphere less those", 0, np.inf, less)


def claims(
    rates_tried: Sequence[float],
    batches_tried: Sequence[int],
    shares: Sequence[float],
    unequal: bool,
) -> list[Claim]:
    """What prototypes and rows without negative entry do in training.

    Args:
        rates_tried: Learning rates.
        batches_tried: Batch sizes.
        shares: Shares of labels that prototypes know.
        unequal: Whether classes of unequal size are trained on.

    Returns:
        The theorem, then trends.
    """
    some = len([share for share in shares if share > 0]) > 1 and 0 in shares
    return [
        floor(),
        rank(asked=len(rates_tried) > 0),
        rates(asked=len(set(rates_tried)) > 1),
        batches(asked=len(set(batches_tried)) > 1),
        few_labels(asked=some),
        equal(asked=unequal),
        unmoved(asked=unequal),
    ]
