"""Claims on trained networks with hard negatives (DC): C3 to C6 of arXiv 2311.05139."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import at_end
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

PAPER = "arXiv 2311.05139"
MODERATE = 5.0  # tilt: hard, and not too hard, for the paper
HELD, THROUGH = "held constant", "differentiated"
OBJECTIVES = ("scl_ball", "ucl_ball")
BALL = {"surface": "ball", "weights": HELD}


@declare("DC1", PAPER, "theorem")
def order() -> AtMost:
    """No anchor's loss falls when its negatives are hardened, in trained embeddings."""
    return AtMost({"violation_order": ROUNDING})


@declare("DC2", f"{PAPER}, Theorem 2", "theorem", given="violation_minimum.notna()")
def minimum() -> AtMost:
    """No trained network is below the minimum of SCL and HSCL in the ball."""
    return AtMost({"violation_minimum": ROUNDING})


def less(column: str, one: dict, other: dict):
    """For each seed, a column at one setting less that at another."""
    return lambda rows: at_end(rows, column, **one) - at_end(rows, column, **other)


def tilted(column: str, sign: str, of: str) -> Change:
    """A column changed at the end of training, in the ball, at some tilt."""
    end = "step == step.max() and surface == 'ball'"
    return Change(column, f"{column} {sign} @t", f"{end} and {of}")


MIDDLE = f"weights == '{HELD}' and objective == '{{objective}}' and tilt == {MODERATE}"


@trend(
    "DC3-{objective}", PAPER, {"objective": OBJECTIVES},
    tilted("equal_products", "+", MIDDLE),
)  # fmt: skip
def closer(objective: str) -> Within:
    """Hard negatives bring the class means nearer to the ETF, {objective} in the ball."""
    of = BALL | {"objective": objective}
    found = less("equal_products", of | {"tilt": 0.0}, of | {"tilt": MODERATE})
    return Within(f"distance of cosines from the ETF's, tilt 0 less {MODERATE:g}", 0, np.inf, found)


@trend(
    "DC4-{objective}", PAPER, {"objective": OBJECTIVES},
    tilted("means_rank", "-", MIDDLE),
)  # fmt: skip
def wider(objective: str) -> Within:
    """Hard negatives spread the class means over more dimensions, {objective} in the ball."""
    of = BALL | {"objective": objective}
    found = less("means_rank", of | {"tilt": MODERATE}, of | {"tilt": 0.0})
    return Within(f"effective rank of class means, tilt {MODERATE:g} less 0", 0, np.inf, found)


@trend(
    "DC5-{objective}", PAPER, {"objective": OBJECTIVES},
    tilted("means_rank", "-", MIDDLE),
)  # fmt: skip
def normalised(objective: str) -> Within:
    """So does normalisation, hard negatives being there, {objective}."""
    of = BALL | {"objective": objective, "tilt": MODERATE}
    found = less("means_rank", of, of | {"surface": "none"})
    return Within("effective rank of class means, ball less not normalised", 0, np.inf, found)


@trend(
    "DC6", PAPER, {"objective": "ucl_ball"},
    tilted("equal_products", "-", f"weights == '{HELD}' and tilt == tilt.max()"),
)  # fmt: skip
def too_hard() -> Within:
    """Negatives can be too hard: HUCL in the ball ends farther from the ETF."""

    def excess(rows: pd.DataFrame) -> pd.Series:
        of = BALL | {"tilt": rows["tilt"].max()}
        return less("equal_products", of, BALL | {"tilt": MODERATE})(rows)

    name = f"distance of cosines from the ETF's, largest tilt less {MODERATE:g}"
    return Within(name, 0, np.inf, excess)


@trend(
    "DC7", "own", {"objective": "ucl_ball"},
    tilted("cosine", "-", f"weights == '{THROUGH}' and tilt == {MODERATE}"),
    where="surface == 'ball'",
)  # fmt: skip
def through() -> Within:
    """Above the critical tilt, full-gradient HUCL has class means of higher cosine than held."""
    of = {"surface": "ball", "tilt": MODERATE}
    found = less("cosine", of | {"weights": THROUGH}, of | {"weights": HELD})
    name = f"mean cosine of class means at tilt {MODERATE:g}, weights differentiated less held"
    return Within(name, 0, np.inf, found)


def claims(
    tilts: Sequence[float], through_at: Sequence[float], bare: Sequence[float]
) -> list[Claim]:
    """Orders and minima, then what hardness and normalisation do to trained networks.

    Args:
        tilts: Trained with in the ball, weights held constant.
        through_at: Of HUCL with gradients through the weights.
        bare: Without normalisation.

    Returns:
        Theorems, then trends.
    """
    middle, plain = MODERATE in tilts, 0.0 in tilts
    return [
        order(),
        minimum(),
        *(
            make(objective=o, asked=middle and plain)
            for make in (closer, wider)
            for o in OBJECTIVES
        ),
        *(normalised(objective=o, asked=middle and MODERATE in bare) for o in OBJECTIVES),
        too_hard(asked=middle and max(tilts) > MODERATE),
        through(asked=middle and MODERATE in through_at),
    ]
