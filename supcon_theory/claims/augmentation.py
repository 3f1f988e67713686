"""Claims AU0 to AU6 on augmentation; the table is that of `audits.augmentation`.

Accuracy is that of a linear probe on h with all labelled images, on held-out images of the classes
trained on; gap and geometry are those of z, of held-out images in views of strength 1, whatever
views were trained on. How far an encoder is trained is judged on views like those trained on.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import select
from supcon_theory.claims import gap
from supcon_theory.claims.accuracy import ONLY, far_enough, floor
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

PAPER = "arXiv 2004.11362"
SEED = "ours, after arXiv 2004.11362"
MIXED = "arXiv 1710.09412, 1905.04899"
SELF = "dcl"  # what sees no labels
SUPERVISED = ("supcon", "nscl", "cross_entropy")
PROBED = {"layer": "h", "probe": "linear"}
HERE = "objective == '{objective}' and level == '{level}'"
Statistic = Callable[[pd.DataFrame], pd.Series]


def strong(strength: float) -> str:
    """What the encoders are called that are trained with all operations of this strength."""
    return f"strength {strength:g}"


def lacking(operation: str) -> str:
    """What the encoders are called that are trained without an operation."""
    return f"without {operation}"


NONE, OURS = strong(0), strong(1)


def measured(rows: pd.DataFrame, column: str, objective: str, level: str) -> pd.Series:
    """Per seed, a measure of an encoder; NaN for one that is not trained far enough.

    Args:
        rows: One of each encoder.
        column: The measure.
        objective: That the encoder is trained with.
        level: How its views are augmented, as it is called.

    Returns:
        The measure by seed.
    """
    found = select(far_enough(rows, column), {"objective": objective, "level": level})
    return pd.Series(found.set_index("seed")[column], dtype=float)


def lost(rows: pd.DataFrame, objective: str, level: str) -> pd.Series:
    """Per seed, how much more an encoder errs than with our augmentation; NaN as above."""
    error = partial(measured, rows, "error", objective)
    return error(level) - error(OURS)


def log_ratio(rows: pd.DataFrame, column: str, objective: str) -> pd.Series:
    """Per seed, log of a measure without augmentation over that with ours; NaN as above."""
    of = partial(measured, rows, column, objective)
    return pd.Series(np.log(of(NONE) / of(OURS)), dtype=float)


@declare("AU0", "own", "identity", given="strength == 0")
def still() -> AtMost:
    """Without augmentation both views of an image are that image: they do not vary."""
    return AtMost({"own_variance": ROUNDING})


@trend(
    "AU1-{objective}-{short}",
    SEED,
    PROBED,
    Change("error", "error + @t", HERE),
)
def depends_less(objective: str, level: str, short: str) -> Within:
    """{objective}'s features lose less accuracy with {level} than those of CL, without labels."""
    return Within(
        f"error above that of strength 1, CL less {objective} {ONLY}",
        0,
        np.inf,
        lambda r: lost(r, SELF, level) - lost(r, objective, level),
    )


@trend(
    "AU2-{objective}",
    "own",
    {"layer": "z"},
    Change("augmentation_variance", "augmentation_variance * exp(-@t)", HERE),
)
def invariant(objective: str, level: str) -> Within:
    """Views of strength 1 vary less after {objective} on views than after it on images."""
    statistic = partial(log_ratio, column="augmentation_variance", objective=objective)
    return Within(f"log of the variance of views, {NONE} over {OURS} {ONLY}", 0, np.inf, statistic)


@trend("AU3", "own", {"layer": "z"}, Change("r", "r * exp(@t)", HERE))
def closer(objective: str, level: str) -> Within:
    """Augmentation brings images of a class together: r of CL is higher with it than without."""
    statistic = partial(log_ratio, column="r", objective=objective)
    return Within(f"log of r, {NONE} over {OURS}", -np.inf, 0, statistic)


@trend("AU4-{objective}", SEED, {"layer": "z"}, Change("cdnv", "cdnv * exp(@t)", HERE))
def tighter(objective: str, level: str) -> Within:
    """The classes of {objective} loosen less without augmentation than those of CL."""
    return Within(
        f"log of CDNV, {NONE} over {OURS}, CL less {objective} {ONLY}",
        0,
        np.inf,
        lambda r: log_ratio(r, "cdnv", SELF) - log_ratio(r, "cdnv", objective),
    )


@trend("AU5-{mix}", f"{PAPER}, Table 2", PROBED, Change("error", "error - @t", "level == '{mix}'"))
def needless(mix: str) -> Within:
    """SupCon needs no {mix}: it errs no more without than cross-entropy with it."""
    return Within(
        f"error, cross-entropy with {mix} less SupCon {ONLY}",
        0,
        np.inf,
        lambda r: measured(r, "error", "cross_entropy", mix) - measured(r, "error", "supcon", OURS),
    )


@trend("AU6-{objective}-{level}", MIXED, PROBED, Change("error", "error + @t", HERE))
def helps(objective: str, level: str) -> Within:
    """Features of {objective} err less with {level} than without."""
    statistic = partial(lost, objective=objective, level=level)
    return Within(f"error above that of strength 1 {ONLY}", -np.inf, 0, statistic)


def claims(
    classes: Sequence[int],
    objectives: Sequence[str],
    taus: Sequence[float],
    tau: float,
    strengths: Sequence[float],
    without: Sequence[str],
    mixes: Sequence[str],
) -> list[Claim]:
    """All claims on augmentation.

    Args:
        classes: Numbers of classes.
        objectives: What encoders are trained with; claims on others are NOT ASKED.
        taus: Temperatures evaluated at.
        tau: The one of them at which trends are claimed.
        strengths: Of the augmentation, besides ours, 1.
        without: Operations left out, one at a time.
        mixes: How images are mixed in pairs.

    Returns:
        The theorems of the gap, the least loss and the control, then the trends of each C.
    """
    found = [*gap.theorems(taus, {"layer": "z"}), floor(), still()]
    levels = {"none": NONE} | {f"{s:g}": strong(s) for s in sorted(strengths) if s > 0}
    levels |= {operation: lacking(operation) for operation in without}
    for C in classes:
        at, of_z = {"C": C}, {"C": C, "tau": tau}
        for short, level in levels.items():
            there = level != NONE or 0 in strengths
            for objective in SUPERVISED if level == NONE else SUPERVISED[:1]:
                asked = there and {SELF, objective} <= {*objectives}
                names = dict(objective=objective, level=level, short=short)
                found.append(depends_less(scope=at, asked=asked, **names))
        for make, names in (
            (invariant, (SELF, "supcon")),
            (closer, (SELF,)),
            (tighter, ("supcon",)),
        ):
            for name in names:
                asked = 0 in strengths and {name, SELF} <= {*objectives}
                found.append(make(scope=of_z, asked=asked, objective=name, level=NONE))
        for mix in mixes:
            both = [name for name in ("supcon", "cross_entropy") if name in objectives]
            found.append(needless(scope=at, asked=len(both) > 1, mix=mix))
            found += [helps(scope=at, objective=name, level=mix) for name in both]
    return found
