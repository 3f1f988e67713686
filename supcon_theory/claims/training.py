"""Claims on training: A8 (the two losses move together), A9, A10 (transfer to NSCL), batches, S.

Rows differ by `protocol`: "exact" (a checkpoint, true labels), "control" (the same under shuffled
labels, or of a random walk), "batch" (means over mini-batches), "surrogate" (earlier theory).
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from supcon_theory.audits import loss_curves
from supcon_theory.claims import gap
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend
from supcon_theory.claims.minima import nscl_floor

FLOAT32 = 1e-6
P1 = "arXiv 2506.04411"
EXACT, BATCH = {"protocol": "exact"}, {"protocol": "batch"}
ALONG = {"protocol": ("exact", "control")}
TRUE = {"objective": "dcl", "labels": "true"}
SHUFFLED, WALK = TRUE | {"labels": "shuffled"}, TRUE | {"objective": "walk"}
CL = "objective == 'dcl' and labels == 'true'"
APART = Change("loss_dcl", "loss_dcl - @t * loss_nscl", CL)
EARLIER = {  # bound: (source, formula, where it says nothing: a constant encoder's loss, and the
    # least that cosines in [-1, 1] allow)
    "arora": (
        "arXiv 1902.09229, Theorem 4.5",
        "R_sup <= (R_cont - E log(1 + Col))/((1 - tau_M) v)",
        "bound_arora >= chance",
    ),
    "nozawa_sato": (
        "arXiv 2102.06866",
        "R_sup <= (2 R_cont - E log(1 + Col))/v",
        "bound_nozawa_sato >= chance",
    ),
    "bao": ("arXiv 2110.02501", "R_sup <= R_cont + log(C cosh^2(1/tau)/M)", "bound_bao >= chance"),
    "bao_lower": (
        "arXiv 2110.02501",
        "R_sup >= R_cont + log(C M/(M + 1)^2) - 2 log cosh(1/tau)",
        "bound_bao_lower <= log1p((C - 1) * exp(-2 / tau))",
    ),
}
WITHIN = {10: 0.1, 100: 0.05}  # nats at tau = 1 after training, published for CIFAR-10 and -100


@declare(
    "A8-forced",
    "own",
    "theorem",
    "Pearson >= sqrt(1 - (bound/(2 sd L_NSCL))^2), the bound that on the gap",
    ALONG,
    Change("bound_n_max", "bound_n_max * exp(-@t)"),
)
def forced() -> AtMost:
    """A bounded gap forces DCL and NSCL loss along any curve to be correlated."""
    return AtMost({"violation_forced": ROUNDING}, vacuous="forced <= 0", derive=loss_curves.curves)


@declare(
    "A9",
    f"{P1}, corollary of Theorem 1",
    "theorem",
    "L_DCL(f) <= L_DCL(g) implies L_NSCL(f) - L_NSCL(g) <= gap(g)",
    EXACT,
    Change("loss_nscl", "loss_nscl + @t", "objective == 'dcl'"),
)
def transfer() -> AtMost:
    """Transfer from a CL-trained f to an NSCL-trained g, any two checkpoints."""
    return AtMost({"violation_transfer": FLOAT32}, derive=loss_curves.premise)


@declare("A9-identity", "own", "identity", scope=EXACT | {"objective": "dcl"}, where="step > 0")
def transfer_identity() -> AtMost:
    """L_NSCL(f) - L_NSCL(g) = L_DCL(f) - L_DCL(g) + gap(g) - gap(f)."""
    return AtMost({"error_transfer": FLOAT32})


@declare(
    "A2-batch",
    "own",
    "theorem",
    "log(1 + kappa e^(-+2/tau)), kappa of the batch's own counts",
    BATCH,
)
def batch_anchors() -> AtMost:
    """In a mini-batch each anchor's gap lies between its two bounds."""
    return AtMost({"violation_batch": ROUNDING})


@declare("S-{name}", "{source}", "theorem", "{formula}", given="bound_{name}.notna()")
def earlier(name: str, source: str, formula: str, silent: str) -> AtMost:
    """Loss R_sup of the class-mean classifier, contrastive loss R_cont with any M negatives."""
    return AtMost({f"violation_{name}": ROUNDING}, vacuous=silent)


def least(column: str, true: dict, null: dict, low: float) -> Within:
    """The smallest correlation over curves is at least `low`."""
    of, same = (partial(loss_curves.least, where=w, column=column) for w in (true, null))
    return Within("smallest Pearson correlation over curves", low, np.inf, of, same)


@trend("A8", P1, ALONG, APART, null="shuffled labels", edges="ours, 2026-11-22")
def together() -> Within:
    """DCL and NSCL loss move together over training, train and held-out."""
    return least("pearson", TRUE, SHUFFLED, 0.99)


@trend(
    "A8-walk",
    P1,
    ALONG | {"split": "test"},
    APART,
    null="a random walk that moves as far as training",
    edges="ours, 2026-11-22",
)
def together_held_out() -> Within:
    """DCL and NSCL loss move together over training, held-out."""
    return least("pearson", TRUE, WALK, 0.99)


@trend(
    "A8-gap",
    "own",
    ALONG,
    Change("gap", "gap - @t * bound_centred", CL),
    given="bound_centred.notna()",
    null="shuffled labels",
    edges="ours, 2026-11-22",
)
def gap_and_bound() -> Within:
    """The gap and its centred bound move together over training."""
    return least("pearson_gap", TRUE, SHUFFLED, 0.9)


@trend(
    "A9-premise",
    "own",
    EXACT | {"split": "train"},
    Change("difference_dcl", "difference_dcl + @t", f"{CL} and step == step.max()"),
)
def premise() -> Within:
    """CL-trained encoders end with the lower DCL loss on what and at what they are trained."""
    statistic = partial(loss_curves.at_end, column="difference_dcl", over="max")
    return Within("largest L_DCL(CL) - L_DCL(NSCL) over C", -np.inf, 0, statistic)


@trend(
    "A10",
    P1,
    EXACT | {"split": "train"},
    Change("difference_nscl", "difference_nscl + @t", f"{CL} and step == step.max()"),
    null="the untrained encoder in place of the CL-trained one",
    edges="ours, 2026-11-22",
)
def nearly_as_low(nats: float) -> Within:
    """The NSCL loss of the CL-trained encoder ends near that of the NSCL-trained one."""
    statistic = partial(loss_curves.at_end, column="difference_nscl")
    null = loss_curves.untrained_excess
    return Within("L_NSCL(CL) - L_NSCL(NSCL)", -np.inf, nats, statistic, null)


@trend("batch-low", "own", BATCH, Change("bias_dcl", "bias_dcl + @t"))
def batches_low(tau: float) -> Within:
    """Log-mean negatives of DCL are underestimated in the smallest batches (Jensen)."""
    statistic = partial(loss_curves.batch_bias, tau=tau, column="bias_dcl", size="min")
    return Within("largest bias over C and split", -np.inf, 0, statistic)


@trend(
    "batch-limit",
    "own",
    BATCH,
    Change("bias_gap", "bias_gap + @t * (1 - 2 * (bias_gap < 0))"),
    edges="ours, 2026-11-22",
)
def batches_limit(tau: float) -> Within:
    """In the largest batches the batch mean of the gap is near the exact one."""
    statistic = partial(loss_curves.batch_bias, tau=tau, column="bias_gap", size="max")
    return Within("largest |bias| over C and split", -np.inf, 0.01, statistic)


def claims(tau_train: float, tau: float, classes: Sequence[int], in_batches: bool) -> list[Claim]:
    """All claims on training: theorems at every checkpoint, split and temperature, then trends.

    Args:
        tau_train: Temperature trained at.
        tau: The published one, at which trends are claimed.
        classes: Numbers of classes.
        in_batches: Is any set large enough for one of the batch sizes?

    Returns:
        Theorem 1, A8 to A10, B1, earlier theory.
    """
    at = {"tau": tau}
    return [
        *gap.theorems((tau, tau_train), EXACT),
        *(make() for make in (forced, transfer, transfer_identity)),
        batch_anchors(asked=in_batches),
        nscl_floor(scope=EXACT),
        *(earlier(name=n, source=s, formula=f, silent=v) for n, (s, f, v) in EARLIER.items()),
        *(make(scope=at) for make in (together, together_held_out, gap_and_bound)),
        premise(scope={"tau": tau_train}),
        *(
            nearly_as_low(scope=at | {"C": C}, asked=C in classes, nats=nats)
            for C, nats in WITHIN.items()
        ),
        *(make(scope=at, asked=in_batches, tau=tau) for make in (batches_low, batches_limit)),
    ]
