"""Claims on hard negatives and free embeddings (HG): orders, minima, the critical tilt."""

from collections.abc import Sequence
from functools import partial

from supcon_theory.audits.rows import lowest
from supcon_theory.claims.checks import AtMost
from supcon_theory.claims.claim import Claim, declare
from supcon_theory.claims.minima import REACHED, ROUNDING

PAPER = "arXiv 2311.05139"
ATTAINED = 1e-6  # distance of a geometry from its simplex where the loss is within REACHED
THRESHOLD, ROOM = {"part": "threshold"}, "d >= C"
COSINE = 1e-3  # of a cosine from that of the least loss
SETTING = ["objective", "C", "d", "tau", "tilt", "surface"]
best_starts = partial(lowest, setting=SETTING)


@declare("HG1", f"{PAPER}; own proof", "theorem", scope={"part": "order"})
def order() -> AtMost:
    """No anchor's loss falls when its negatives are hardened: HSCL >= SCL, HUCL >= UCL."""
    return AtMost({"violation_order": ROUNDING})


@declare("HG2", f"{PAPER}, Theorem 2", "theorem", scope={"part": "minimum"})
def minimum() -> AtMost:
    """No start is below the minimum, whatever the hardness (SCL), on sphere and ball."""
    return AtMost({"violation_minimum": ROUNDING})


@declare("HG2-etf", f"{PAPER}, Theorem 2", "theorem", scope={"part": "minimum"})
def etf() -> AtMost:
    """The best start is at the minimum: unit class means that sum to 0, nothing within."""
    limits = {"excess": REACHED, "zero_sum": ATTAINED, "unit_norm": ATTAINED}
    limits |= {"equal_products": ATTAINED, "within_class_variance": ATTAINED}
    return AtMost(limits, derive=best_starts)


@declare("HG3", "own proof", "theorem", scope={"part": "slope"})
def slope() -> AtMost:
    """Cosines of collapsed classes fall to rho*, or with held weights to the ETF."""
    return AtMost({"violation_slope": 0.5})


@declare("HG4", "own proof", "theorem", scope=THRESHOLD, given=f"violation_etf.notna() and {ROOM}")
def leaves() -> AtMost:
    """Above b_c and with d >= C, full-gradient HUCL's best start is below the simplex ETF."""
    return AtMost({"violation_etf": -ROUNDING}, derive=best_starts)


@declare("HG4-family", "own", "conjecture", scope=THRESHOLD, where=ROOM)
def family() -> AtMost:
    """The best start of full-gradient HUCL is the best of the collapsed classes at one cosine."""
    return AtMost({"loss_error": REACHED, "rho_error": COSINE}, derive=best_starts)


@declare("HG5", f"own; {PAPER}", "conjecture", scope={"part": "held"}, where="tilt <= 5")
def held() -> AtMost:
    """With weights held constant, Adam ends at the simplex ETF up to a tilt of 5."""
    return AtMost({"rho_error": COSINE})


def claims(ratios: Sequence[float], tilts: Sequence[float]) -> list[Claim]:
    """Orders, minima, where full-gradient HUCL leaves the ETF, and where held weights end.

    Args:
        ratios: Tilts of the threshold in units of the critical one.
        tilts: Tilts of the held weights.

    Returns:
        Theorems and conjectures.
    """
    return [
        *(make() for make in (order, minimum, etf, slope)),
        leaves(asked=max(ratios) > 1),
        family(),
        held(asked=min(tilts) <= 5),
    ]
