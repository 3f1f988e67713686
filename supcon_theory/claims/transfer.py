"""Claims TR1 to TR3 on transfer; the table is that of `audits.transfer`, with every few-shot bound.

The error is that of a linear probe on h with all labelled images of target classes, on held-out
images, none of whose classes was trained on, unless said otherwise.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from supcon_theory.audits.few_shot_curves import spearman
from supcon_theory.audits.rows import select
from supcon_theory.claims import accuracy, few_shot
from supcon_theory.claims.accuracy import ONLY
from supcon_theory.claims.checks import Within
from supcon_theory.claims.claim import Change, Claim, trend

PAPER = "arXiv 2004.11362, Table 4"
KORNBLITH = "arXiv 1805.08974"
PAR = 0.01  # of error: closer than that two objectives transfer on par
PROBE = {"protocol": "labelled", "probe": "linear", "layer": "h"}
UNSEEN = PROBE | {"classes": "unseen"}
ENCODER = ["seed", "C", "objective"]


def errors(rows: pd.DataFrame, **about: object) -> pd.Series:
    """By seed, C and objective, the error of a linear probe with all labelled images.

    Args:
        rows: Of one source and one target.
        about: Columns and their values, among them which classes.

    Returns:
        The error of each encoder.
    """
    found = select(rows, PROBE | about)
    whole = found["m"] == found.groupby(ENCODER)["m"].transform("max")
    return pd.Series(found.loc[whole].groupby(ENCODER)["error"].mean(), dtype=float)


def judged(rows: pd.DataFrame, C: int, objective: str) -> pd.Series:
    """Per seed, the error on target classes; NaN for an encoder that is not trained far enough."""
    found = select(accuracy.far_enough(rows), UNSEEN | {"C": C, "objective": objective})
    whole = found.loc[found["m"] == found["m"].max()]
    return pd.Series(whole.set_index("seed")["error"], dtype=float)


@trend(
    "TR1-{objective}-{at}",
    "ours",
    UNSEEN,
    Change("error", "error + @t", "C == {most}"),
)
def classes(objective: str, at: str, fewest: int, most: int) -> Within:
    """{objective} trained on {most} classes transfers better to {at} than on {fewest}."""
    return Within(
        f"error, fewest less most classes {ONLY}",
        0,
        np.inf,
        lambda r: judged(r, fewest, objective) - judged(r, most, objective),
    )


@trend(
    "TR2-{source}-{at}-{C}",
    PAPER,
    UNSEEN,
    Change("error", "error + @t", "objective == 'supcon' and C == {C}"),
    edges="ours, 2026-11-26",
)
def on_par(source: str, at: str, C: int) -> Within:
    """SupCon trained on {C} classes of {source} transfers on par with cross-entropy to {at}."""
    return Within(
        f"error, SupCon less cross-entropy {ONLY}",
        -PAR,
        PAR,
        lambda r: judged(r, C, "supcon") - judged(r, C, "cross_entropy"),
    )


def rank_correlation(rows: pd.DataFrame, target: str) -> pd.Series:
    """Per seed, over all encoders of it, of the errors on source and on target classes."""
    sides = {"seen": errors(rows, classes="seen")}
    sides["unseen"] = errors(rows, classes="unseen", target=target)
    by_seed = pd.concat(sides, axis=1).groupby("seed")
    found = {seed: spearman(*of.to_numpy().T) for seed, of in by_seed}
    return pd.Series(found, dtype=float)


@trend(
    "TR3-{at}",
    KORNBLITH,
    PROBE,
    Change("error", "error * (1 - @t)", "classes == 'unseen'"),
)
def predicts(target: str, at: str) -> Within:
    """Encoders, all of them, that err less on classes that all have seen err less on {at}."""
    correlation = partial(rank_correlation, target=target)
    return Within("rank correlation over encoders", 0, np.inf, correlation)


def claims(
    data: str,
    targets: Sequence[str],
    trained: Sequence[int],
    objectives: Sequence[str],
    back: Sequence[str],
    back_classes: Sequence[int],
) -> list[Claim]:
    """All claims on transfer.

    Args:
        data: The data set of the encoders.
        targets: Other data sets they transfer to.
        trained: Numbers of classes trained on.
        objectives: What encoders are trained with; claims on others are NOT ASKED.
        back: Objectives of encoders trained on the targets, which transfer to `data`.
        back_classes: Numbers of classes that those are trained on.

    Returns:
        The floor of every loss and the bounds on the few-shot error, then trends.
    """
    found = [accuracy.floor(), *(claim for claim in few_shot.theorems(False) if claim.asked)]
    sizes, rivals = sorted(set(trained)), {"supcon", "cross_entropy"}
    for target in (data, *targets):
        at = "other classes" if target == data else Path(target).stem
        where, from_data = {"data": data, "target": target}, Path(data).stem
        ends = {"fewest": sizes[0], "most": sizes[-1], "at": at}
        found += [
            *(
                classes(scope=where, asked=len(sizes) > 1, objective=name, **ends)
                for name in objectives
            ),
            *(
                on_par(scope=where, asked=rivals <= {*objectives}, source=from_data, at=at, C=C)
                for C in sizes
            ),
            predicts(
                scope={"data": data, "target": tuple(dict.fromkeys((data, target)))},
                asked=len(objectives) * len(sizes) > 2,
                target=target,
                at=at,
            ),
        ]
    for source in targets:
        where, names = {"data": source, "target": data}, (Path(source).stem, Path(data).stem)
        found += [
            on_par(scope=where, asked=rivals <= {*back}, source=names[0], at=names[1], C=C)
            for C in sorted(set(back_classes))
        ]
    return found
