"""Claims on other contrastive losses (LF): minima, batches, signs, frames, trained encoders."""

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import lowest, mean_by_seed, select
from supcon_theory.claims.checks import AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend
from supcon_theory.claims.minima import REACHED, ROUNDING

KERNEL = "arXiv 2405.18045"
FRAME = "arXiv 2306.07960"
SIGMOID = "arXiv 2509.18552"
ATTAINED = 1e-5  # of a cosine from that of the minimum, where the loss is within REACHED
NEAR_0 = 1e-8  # nats: a loss whose infimum is 0 and which L-BFGS has driven there
SETTING = ["objective", "method", "n", "d", "tau", "bias_option", "counts", "rows", "design"]


def best_starts(rows: pd.DataFrame) -> pd.DataFrame:
    """The best start of every setting; of one part, a table may lack what only others vary."""
    return lowest(rows, [key for key in SETTING if key in rows])


@declare(
    "LF1", f"{KERNEL}; own proof", "theorem", scope={"part": ("simplex", "sigmoid", "frame")},
    given="violation_minimum.notna()",
)  # fmt: skip
def below() -> AtMost:
    """No start is below the closed-form minimum of its loss."""
    return AtMost({"violation_minimum": ROUNDING})


@declare("LF2", f"{KERNEL}; own proof", "theorem", scope={"part": "simplex"})
def simplex() -> AtMost:
    """DHEL, KCL and CL end at one simplex of the samples, views together, at the best start."""
    limits = {"excess": REACHED, "cosine_error": ATTAINED, "own_error": ATTAINED}
    return AtMost(limits, derive=best_starts)


@declare("LF2-polytope", f"{KERNEL}; arXiv math/0607446", "conjecture", scope={"part": "polytope"})
def polytope() -> AtMost:
    """With twice as many samples as dimensions they end at the cross-polytope."""
    limits = {"excess": REACHED, "cosine_error": ATTAINED, "own_error": ATTAINED}
    return AtMost(limits, derive=best_starts)


@declare("LF3", f"{KERNEL}; own proof", "identity", scope={"part": "batches", "objective": "kcl"})
def unbiased() -> AtMost:
    """The mean of KCL over all batches of a size is its value on all samples."""
    return AtMost({"bias_size": 1e-12})


@declare(
    "LF3-dhel", "own proof", "theorem", scope={"part": "batches"}, given="violation_batch.notna()"
)
def biased() -> AtMost:
    """DHEL less log(B - 1) has a mean over batches that rises with their size, by Jensen."""
    return AtMost({"violation_batch": ROUNDING})


@declare("LF4", "own proof", "theorem", scope={"part": "sigmoid"})
def parted() -> AtMost:
    """At a fixed temperature and bias the sigmoid loss ends with own views at its closed form."""
    return AtMost({"excess": REACHED, "own_error": ATTAINED}, derive=best_starts)


LEARNED = {"part": "learned"}
EVERY_START = Change("loss", "loss + @t")  # of one start alone, another would be the best


@declare("LF5", f"{SIGMOID}; own proof", "theorem", scope=LEARNED)
def margin() -> AtMost:
    """At the middle bias the sigmoid loss is at most N softplus(-margin / tau)."""
    return AtMost({"violation_margin": ROUNDING})


@declare("LF5-constellation", SIGMOID, "conjecture", scope=LEARNED, mutant=EVERY_START)
def constellation() -> AtMost:
    """Learned temperature and bias lead the best start to a loss near 0, with a margin."""
    return AtMost({"loss": NEAR_0, "no_margin": 0.0}, derive=best_starts)


NOT_NEGATIVE = {"rows": "not negative", "objective": "supcon"}


@declare("LF6", f"{FRAME}, Theorem 1", "theorem", scope={"part": "frame"} | NOT_NEGATIVE)
def frame() -> AtMost:
    """SupCon of rows not negative ends at the orthogonal frame, for any class sizes."""
    return AtMost({"excess": REACHED, "frame_error": ATTAINED}, derive=best_starts)


DESIGNED = {"part": "fixed batches"} | NOT_NEGATIVE


@declare("LF6-bound", f"{FRAME}, corollary", "theorem", scope=DESIGNED | {"design": "bound"})
def bound() -> AtMost:
    """Fixed batches that share an image of every class end at one orthogonal frame."""
    return AtMost({"excess": REACHED, "frame_error": ATTAINED}, derive=best_starts)


@declare(
    "LF6-loose", f"{FRAME}, corollary", "counterexample",
    scope=DESIGNED | {"design": ("halves", "apart")},
)  # fmt: skip
def loose() -> AtMost:
    """Batches that do not share images, or keep classes apart, reach the minimum without one."""
    return AtMost({"excess": REACHED, "not_frame": 0.0}, derive=best_starts)


@declare("LF7", "own; arXiv 2403.18699", "conjecture", scope={"part": "prototypes"})
def rank() -> AtMost:
    """Pulled to frozen prototypes class means have rank C, without the pull C - 1."""
    return AtMost({"rank_error": 0.0})


DEBIASED = {"part": "debiased"}
BRACKET = "own proof; arXiv 2007.00224"


@declare("LF8", BRACKET, "theorem", scope=DEBIASED, given="violation_matched.notna()")
def bracket() -> AtMost:
    """With the matched Q: debiased <= NSCL <= CL where the own view is nearer than its class."""
    return AtMost({"violation_matched": ROUNDING})


@declare("LF8-coded", "own", "counterexample", scope=DEBIASED, where="spread <= 0.1")
def coded() -> AtMost:
    """With the coded Q the debiased loss is above NSCL at some of these anchors."""
    return AtMost({"not_broken": -0.01})


ENCODERS = {"part": "encoders"}


def measured(rows: pd.DataFrame, column: str, objective: str, batch: float) -> pd.Series:
    """Per seed, a measure of the encoders of one objective and batch size."""
    found = select(rows, {"objective": objective, "batch": batch})
    return mean_by_seed(found, column)


def ends(rows: pd.DataFrame) -> tuple[float, float]:
    """The smallest and the largest batch; infinite, of no row, where none is known."""
    sizes = rows["batch"].to_numpy(float)
    low, high = np.fmin.reduce(sizes, initial=np.inf), np.fmax.reduce(sizes, initial=-np.inf)
    return float(low), float(high)


def lost(rows: pd.DataFrame, column: str, objective: str) -> pd.Series:
    """Per seed, a measure at the smallest batch less at the largest."""
    small, large = (measured(rows, column, objective, batch) for batch in ends(rows))
    return small - large


SMALLEST = "objective == '{objective}' and batch == batch.min()"


@trend("LF9-{objective}", KERNEL, ENCODERS, Change("error", "error + @t", SMALLEST))
def robust(objective: str) -> Within:
    """{objective} loses less accuracy in small batches than CL with its positive (NT-Xent)."""
    return Within(
        "error, smallest less largest batch: NT-Xent's less its own",
        0,
        np.inf,
        lambda rows: lost(rows, "error", "nt_xent") - lost(rows, "error", objective),
    )


@trend("LF10-{objective}", KERNEL, ENCODERS, Change("rankme", "rankme - @t", SMALLEST))
def higher_rank(objective: str) -> Within:
    """In small batches {objective} fills more dimensions than NT-Xent."""

    def statistic(rows: pd.DataFrame) -> pd.Series:
        smallest, _ = ends(rows)
        of = (objective, "nt_xent")
        own, other = (measured(rows, "rankme", name, smallest) for name in of)
        return own - other

    return Within("effective rank less that of NT-Xent", 0, np.inf, statistic)


def claims(several_batches: bool, starts: int) -> list[Claim]:
    """Minima, batches, the sigmoid loss, frames, ranks, the debiased loss, encoders.

    Args:
        several_batches: Whether encoders are trained in batches of more than one size.
        starts: Of free embeddings; a single one may end at a minimum that is not the least.

    Returns:
        Theorems, identities, conjectures, counterexamples and trends.
    """
    always = (below, unbiased, biased, parted, margin, frame, bound, loose, rank, bracket, coded)
    return [
        *(make() for make in always),
        *(make(asked=starts >= 5) for make in (simplex, polytope, constellation)),
        *(
            make(objective=name, asked=several_batches)
            for make in (robust, higher_rank)
            for name in ("dhel", "kcl")
        ),
    ]
