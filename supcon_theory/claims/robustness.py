"""Claims K10 to K13: robust, calibrated, stable; the table is that of `audits.robustness`.

SupCon's and NSCL's features are those of the backbone (h) under a linear probe; cross-entropy's
network is its output (z), the classifier refitted. An encoder with more of the way to its least
loss left than `accuracy.LEFT` decides nothing.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from supcon_theory.audits import robustness_curves as curves
from supcon_theory.claims.accuracy import LEFT, ONLY, floor
from supcon_theory.claims.checks import AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

PAPER = "arXiv 2004.11362"
CORRUPTED = "arXiv 1903.12261"
ROUNDING = 1e-12  # of shares and means of probabilities, in float64
SUPERVISED = ("supcon", "nscl")  # what is held against cross-entropy
OF_ENCODER = "part == 'corrupted' and level == '{level}' and layer == 'h'"


@declare(
    "K12-bins",
    "own proof",
    "theorem",
    "|accuracy - confidence| <= ECE of 5 bins <= of 15 <= mean |correct - confidence|",
)
def bins() -> AtMost:
    """The calibration error rises from one bin to 5, to 15, to one of each image."""
    return AtMost({"violation_calibration": ROUNDING})


@declare("K10-flips", "own proof", "theorem")
def flips() -> AtMost:
    """Corruption changes the error by no more than the share of images that change their class."""
    return AtMost({"violation_flips": ROUNDING})


def trained(values: pd.Series, rows: pd.DataFrame, level: str) -> pd.Series:
    """Values per seed; NaN for those of an encoder that is not trained far enough."""
    left = pd.Series(curves.of_encoder(rows, level, "h").groupby("seed")["left"].first())
    return values.mask(left.reindex(values.index) > LEFT)


def corruption(rows: pd.DataFrame, level: str, relative: bool) -> pd.Series:
    """Per seed, the mCE or relative mCE; NaN as above."""
    return trained(curves.mean_corruption_errors(rows, level, "h", relative), rows, level)


WORSE = "error + @t"
LOSSLESS = ONLY.replace(")", ", or cross-entropy loses nothing to a kind)")


@trend(
    "K10-{level}",
    f"{PAPER}, Section 4.2; {CORRUPTED}",
    {},
    Change("error", WORSE, f"{OF_ENCODER} and severity > 0"),
    edges="as published",
)
def robust(level: str) -> Within:
    """{level}'s features have a lower mean corruption error (mCE) than cross-entropy's network."""
    found = partial(corruption, level=level, relative=False)
    return Within(f"mCE over cross-entropy's {ONLY}", -np.inf, 1, found)


@trend(
    "K11-{level}",
    f"{PAPER}, Section 4.2; {CORRUPTED}",
    {},
    Change("error", WORSE, f"{OF_ENCODER} and severity > 0"),
    edges="as published",
)
def degrades_less(level: str) -> Within:
    """{level}'s features lose less to corruption (relative mCE) than cross-entropy's network."""
    found = partial(corruption, level=level, relative=True)
    return Within(f"relative mCE over cross-entropy's {LOSSLESS}", -np.inf, 1, found)


@trend(
    "K12-{level}",
    f"{PAPER}, supplement",
    {},
    Change("ece", "ece + @t", f"{OF_ENCODER} and severity == 0"),
)
def calibrated(level: str) -> Within:
    """On clean images {level}'s probe is better calibrated than cross-entropy's network."""

    def less(rows: pd.DataFrame) -> pd.Series:
        ours = curves.clean_calibration(rows, level)
        return trained(curves.clean_calibration(rows, *curves.ONE_STAGE) - ours, rows, level)

    return Within(f"calibration error, cross-entropy less {level} {ONLY}", 0, np.inf, less)


def stability(rows: pd.DataFrame) -> pd.Series:
    """Per seed, log of the ratio of variances; NaN where no setting trains SupCon far enough."""
    ratio = curves.log_variance_ratio(rows, "supcon", "cross_entropy")
    grid = rows[(rows["part"] == "grid") & (rows["objective"] == "supcon")]
    left = pd.Series(grid.groupby("seed")["left"].min())
    return ratio.mask(left.reindex(ratio.index) > LEFT)


@trend(
    "K13",
    f"{PAPER}, Section 4.3",
    {},
    Change("error", "error * (1 + @t)", "part == 'grid' and objective == 'supcon'"),
)
def stable() -> Within:
    """SupCon's accuracy varies less over training settings than cross-entropy's."""
    name = f"log of the ratio of variances {ONLY.replace('left', 'left at every setting')}"
    return Within(name, -np.inf, 0, stability)


def claims(classes: Sequence[int], objectives: Sequence[str], grid: bool) -> list[Claim]:
    """All claims on robustness, calibration and stability.

    Args:
        classes: numbers of classes.
        objectives: what encoders are trained with; claims on others are NOT ASKED.
        grid: whether SupCon and cross-entropy are trained with several settings.

    Returns:
        The theorems, then the trends of each C.
    """
    found = [floor(), bins(), flips()]
    for C in classes:
        for make in (robust, degrades_less, calibrated):
            found += [
                make(
                    scope={"C": C},
                    asked={level, "cross_entropy"} <= set(objectives),
                    level=level,
                )
                for level in SUPERVISED
            ]
        found.append(stable(scope={"C": C}, asked=grid))
    return found
