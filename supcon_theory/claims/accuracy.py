"""Claims K6 to K9 on the accuracy of frozen features; the table is that of `audits.accuracy`.

Accuracy is that of the linear probe with all labelled images, on held-out images of the classes
trained on, unless said otherwise.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import select
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

PAPER = "arXiv 2004.11362"
MEANS = "arXiv 2605.20302"
LEFT = 0.2  # of the way from chance to the least loss: what is trained less far decides nothing
WITHOUT_LABELS = ("nt_xent", "dcl")  # SimCLR, and CL, without the positive in the denominator
ONLY = f"(NaN: over {LEFT:.0%} of training left)"
REDUNDANT = 0.01  # of error: less than that a linear probe gains over class means


def kept(positives: int) -> str:
    """What the encoder is called that keeps so many positives of each anchor."""
    return f"supcon, {positives} positives"


def far_enough(rows: pd.DataFrame, column: str = "error") -> pd.DataFrame:
    """The rows, without this measure of an encoder that is not trained far enough."""
    return rows.assign(**{column: rows[column].mask(rows["left"] > LEFT)})


def error(rows: pd.DataFrame, level: str, layer: str = "h", probe: str = "linear") -> pd.Series:
    """Per seed, the error with most labels; NaN for an encoder that is not trained far enough."""
    found = select(rows, {"level": level, "layer": layer, "probe": probe, "classes": "seen"})
    found = far_enough(found).loc[found["m"] == found["m"].max()]
    return pd.Series(found.set_index("seed")["error"])


def gain(rows: pd.DataFrame, level: str) -> pd.Series:
    """Per seed, what a linear probe gains over class means, the most over m; NaN as above."""
    found = far_enough(select(rows, {"level": level}))
    at = found.pivot_table(index=["seed", "m"], columns="probe", values="error", dropna=False)
    at = at["nearest centre"] - at["linear"]
    return pd.Series(at.groupby("seed").max(), dtype=float)


@declare("K6-floor", "own proof", "theorem", given="violation_least.notna()")
def floor() -> AtMost:
    """No encoder's training loss is below the least value of its objective."""
    return AtMost({"violation_least": ROUNDING})


WORSE = "error + @t"
SUPCON = "level == 'supcon' and layer == 'h'"


@trend("K6-forms", f"{PAPER}, Table 1", {}, Change("error", WORSE, SUPCON))
def forms() -> Within:
    """L_out gives better features than L_in."""
    return Within(
        f"error, L_in less L_out {ONLY}",
        0,
        np.inf,
        lambda r: error(r, "supcon_in") - error(r, "supcon"),
    )


@trend("K6-cross-entropy", f"{PAPER}, Table 2", {}, Change("error", WORSE, SUPCON))
def beats_cross_entropy() -> Within:
    """SupCon's features classify better than cross-entropy's network, its classifier refitted."""
    return Within(
        f"error, cross-entropy less SupCon {ONLY}",
        0,
        np.inf,
        lambda r: error(r, "cross_entropy", layer="z") - error(r, "supcon"),
    )


@trend("K6-{rival}", f"{PAPER}, Table 2", {}, Change("error", WORSE, SUPCON))
def beats_self_supervised(rival: str) -> Within:
    """SupCon gives better features than {rival}, which sees no labels."""
    return Within(
        f"error, without labels less SupCon {ONLY}",
        0,
        np.inf,
        lambda r: error(r, rival) - error(r, "supcon"),
    )


@trend(
    "K6-stages",
    f"{PAPER}, supplement",
    {"level": "cross_entropy"},
    Change("error", WORSE, "layer == 'z'"),
)
def stages() -> Within:
    """Cross-entropy is better in one stage (z) than in two (a new classifier on h)."""
    return Within(
        "error, two stages less one",
        0,
        np.inf,
        lambda r: error(r, "cross_entropy") - error(r, "cross_entropy", layer="z"),
    )


@trend("K7", f"{PAPER}, supplement", {}, Change("error", WORSE, SUPCON))
def positives(fewest: int) -> Within:
    """All positives give better features than {fewest} of each anchor."""
    return Within(
        f"error, few less all positives {ONLY}",
        0,
        np.inf,
        lambda r: error(r, kept(fewest)) - error(r, "supcon"),
    )


@trend("K8", f"{PAPER}, Section 3.1", {"level": "supcon"}, Change("error", WORSE, "layer == 'h'"))
def projector() -> Within:
    """What SupCon's projector discards classifies at least as well as what it gives."""
    return Within(
        f"error, z less h {ONLY}",
        0,
        np.inf,
        lambda r: error(r, "supcon", layer="z") - error(r, "supcon"),
    )


@trend(
    "K9-{level}-{classes}",
    MEANS,
    {"layer": "h"},
    Change("error", WORSE, "level == '{level}' and probe == 'nearest centre'"),
    null="an encoder trained without labels",
    edges="ours, 2026-11-26",
)
def redundant(level: str, classes: str, rival: str) -> Within:
    """After {level} a linear probe gains nothing over class means, at any m, {classes} classes."""
    return Within(
        f"largest gain of the linear probe {ONLY}",
        -np.inf,
        REDUNDANT,
        partial(gain, level=level),
        partial(gain, level=rival),
    )


def claims(
    classes: Sequence[int], objectives: Sequence[str], kept_positives: Sequence[int]
) -> list[Claim]:
    """All claims on accuracy.

    Args:
        classes: numbers of classes.
        objectives: what encoders are trained with; claims on others are NOT ASKED.
        kept_positives: numbers of positives kept for further encoders of SupCon.

    Returns:
        The theorem, then the trends of each C.
    """

    def all_of(*names: str) -> bool:
        return set(names) <= set(objectives)

    found = [floor()]
    for C in classes:
        at, fewest = {"C": C}, min(kept_positives, default=1)
        found += [
            forms(scope=at, asked=all_of("supcon", "supcon_in")),
            beats_cross_entropy(scope=at, asked=all_of("supcon", "cross_entropy")),
            *(
                beats_self_supervised(scope=at, asked=all_of("supcon", rival), rival=rival)
                for rival in WITHOUT_LABELS
            ),
            stages(scope=at, asked=all_of("cross_entropy")),
            positives(scope=at, asked=all_of("supcon") and bool(kept_positives), fewest=fewest),
            projector(scope=at, asked=all_of("supcon")),
        ]
        for level, of in (("supcon", "seen"), ("supcon", "unseen"), ("nscl", "seen")):
            null = next((name for name in WITHOUT_LABELS if name in objectives), "dcl")
            where, asked = at | {"classes": of}, all_of(level, null)
            found.append(redundant(scope=where, asked=asked, level=level, classes=of, rival=null))
    return found
