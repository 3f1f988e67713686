"""Losses whose positives are all rows of the class, or a mixture of own views and class mates.

The letters are those of `supcon_theory.pairs.sets` and of `hard_negatives`; "class" are the rows of
the anchor's class and "all" those of the batch, the anchor itself in both.
"""

import math

import torch
from torch import Tensor

from supcon_theory.inputs import number
from supcon_theory.objectives.hard_negatives import hardened, log_tilted
from supcon_theory.pairs.batch import Batch, softplus


def _over_class_pairs(b: Batch, log_negatives: Tensor, reduction: str) -> Tensor:
    """Mean over all pairs a, p in class of log(e^{s_ap} + X) - s_ap, from log X of (N, K)."""
    sums = b.softplus_P(log_negatives) + softplus(log_negatives - b.itself())
    number_of_pairs = b.K * b.classes.n.to(sums)
    return b.reduce(sums * (b.N / number_of_pairs.sum()), reduction)


def scl_ball(
    z: Tensor,
    y=None,
    *,
    tau: float | Tensor = 1.0,
    beta=0.0,
    detach_weights=False,
    reduction="mean",
    unit=True,
) -> Tensor:
    """Mean of log(e^{s_ap} + M_beta(oth)) - s_ap over all pairs a, p in class: arXiv 2311.05139.

    The SCL (beta = 0) and HSCL of that paper, at tau = 1 there, with exact means in place of 256
    drawn negatives; its rows lie in the unit ball (`unit=False`) or on the sphere.

    Convention:
        Positives: P and the anchor itself
        Denominator: e^s_ap + M_beta(oth) | this one | no
        Mean: all pairs
        Source: 2311.05139 (SCL, HSCL)

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        beta: hardness; it multiplies s, so the tilt on the cosine is beta / tau. 0: the plain mean.
        detach_weights: hold the tilting weights constant in the gradient; same value.
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    b = Batch(z, y, tau, "oth", unit=unit)
    return _over_class_pairs(b, log_tilted(b, "oth", beta, detach_weights), reduction)


def ucl_ball(
    z: Tensor,
    y=None,
    *,
    tau: float | Tensor = 1.0,
    beta=0.0,
    detach_weights=False,
    reduction="mean",
    unit=True,
) -> Tensor:
    """Mean of log(e^{s_ap} + M_beta(all)) - s_ap over all pairs a, p in class: arXiv 2311.05139.

    The UCL (beta = 0) and HUCL of that paper, at tau = 1 there: the labels are the latent classes
    that positives come from, negatives are any rows, the anchor's class and itself included. Where
    the gradient passes through the weights, collapsed classes are no minimum of a hard enough loss
    (`theory.tilt.critical_tilt`).

    Convention:
        Positives: P and the anchor itself
        Denominator: e^s_ap + M_beta(all, the anchor too) | this one | yes
        Mean: all pairs
        Source: 2311.05139 (UCL, HUCL)

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        beta: hardness; it multiplies s, so the tilt on the cosine is beta / tau. 0: the plain mean.
        detach_weights: hold the tilting weights constant in the gradient; same value.
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    b = Batch(z, y, tau, unit=unit)
    _ = b.classes  # says that labels are missing
    if number(beta, "beta", 0) == 0:
        tilted = b.log_sum_all(1.0)[0] - math.log(b.N * b.K)
    else:
        plain, hard = b.log_sum_all(beta, 1 + beta)
        tilted = hardened(plain, hard, beta, detach_weights)
    return _over_class_pairs(b, tilted, reduction)


def ssem(
    z: Tensor, y=None, *, tau: float | Tensor, alpha=0.5, reduction="mean", unit=True
) -> Tensor:
    """Mean of log E(all) - (alpha mean s over own and itself + (1 - alpha) mean s over sis).

    The mixture of a self-supervised and a supervised loss of arXiv 2503.08203: alpha decides
    whether classes collapse (`theory.mixture.collapse_threshold`).

    Note: equal to the released code on balanced batches, as it trains; on others that takes one
    mean over all pairs of a class, this one over anchors.

    Convention:
        Positives: own and the anchor itself, sis, with weights alpha and 1 - alpha
        Denominator: E(all, the anchor too) | all | yes
        Mean: anchors, positives
        Equals: the released code of 2503.08203 on balanced batches
        Source: 2503.08203

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        alpha: weight of the own views, in [0, 1].
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.

    Raises:
        ValueError: alpha outside [0, 1].
    """
    if number(alpha, "alpha", 0) > 1:
        raise ValueError(f"alpha is {alpha}; it must be in [0, 1]: 1 is self-supervised.")
    b = Batch(z, y, tau, *(["sis"] if alpha < 1 else []), unit=unit)
    wanted = alpha * b.mean_own(with_self=True) + (1 - alpha) * (b.mean_sis() if alpha < 1 else 0)
    return b.reduce(b.log_sum_all(1.0)[0] - wanted, reduction)


def soft_supcon(
    z: Tensor, y=None, *, tau: float | Tensor, softness=0.15, reduction="mean", unit=True
) -> Tensor:
    """Mean of log E(rest) less a weighted mean of s: weight 1 on P, `softness` on oth.

    The dense relaxation of `supcon` named in arXiv 2605.13943, whose weights are our choice. The
    least that an anchor can lose is the entropy of its weights, reached where every two classes are
    points at cosine 1 + tau log softness, whatever their sizes (`theory.minima`).

    Convention:
        Positives: P and oth, with weights 1 and `softness`
        Denominator: E(P) + E(oth) | all | yes
        Mean: anchors, weighted positives
        Source: 2605.13943, weights ours

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        softness: weight of a row of another class, in [0, 1]; 0 is `supcon`.
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.

    Raises:
        ValueError: softness outside [0, 1].
    """
    if number(softness, "softness", 0) > 1:
        raise ValueError(f"softness is {softness}; it must be in [0, 1]: 0 is supcon.")
    b = Batch(z, y, tau, "P", unit=unit)
    P, oth = (torch.as_tensor(b.size(name)).to(b.x)[:, None] for name in ("P", "oth"))
    class_sum = P * b.mean_P()
    others = (b.x * b.x.sum((0, 1))).sum(-1) - b.itself() - class_sum
    wanted = (class_sum + softness * others) / (P + softness * oth)
    return b.reduce(b.log_sum("rest") - wanted, reduction)
