"""Claims on class collapse (CC): the mixture of own views and class mates, and a linear encoder."""

from functools import partial

from supcon_theory.audits.rows import lowest
from supcon_theory.claims.checks import AtMost
from supcon_theory.claims.claim import Claim, declare
from supcon_theory.claims.minima import REACHED, ROUNDING

PAPER = "arXiv 2503.08203"
DIGITS = 1e-4  # four digits of a cosine, a variance or an energy
SETTING = ["objective", "C", "n", "tau", "alpha"]
best_starts = partial(lowest, setting=SETTING)
ENDS = {"excess": REACHED, "within_cosine_error": DIGITS, "variance_error": DIGITS}


@declare("CC1", "own proof", "theorem", scope={"part": ("mixture", "others")})
def below() -> AtMost:
    """No start ends below the closed-form minimum."""
    return AtMost({"violation_minimum": ROUNDING})


@declare("CC2", f"own proof; {PAPER}", "theorem", scope={"part": "mixture"})
def mixture() -> AtMost:
    """The best start is the simplex of simplices of cosine a*, collapsed iff alpha <= alpha_c."""
    return AtMost(ENDS, derive=best_starts)


@declare("CC3", "arXiv 2004.11362, 2506.04411", "theorem", scope={"part": "others"})
def others() -> AtMost:
    """SupCon and NSCL have classes in one point, CL each sample in its own, at the best start."""
    return AtMost(ENDS, derive=best_starts)


@declare(
    "CC4", "own proof", "theorem", "class 1, subclass the weight of own views", {"part": "features"}
)
def features() -> AtMost:
    """A linear encoder under the spectral loss keeps the energies of the closed form."""
    return AtMost({"energy_error": DIGITS})


def claims() -> list[Claim]:
    """The minimum of the mixture, its threshold, other losses, and what a linear encoder keeps."""
    return [make() for make in (below, mixture, others, features)]
