"""Losses whose negatives are tilted towards the similar ones, or corrected for class mates.

The letters are those of `supcon_theory.pairs.sets`, and Q = K (N - 1),

    M_beta(X) = sum over X of e^{(1 + beta) s} / sum over X of e^{beta s}     M_0: the plain mean

The tilting weights are differentiated unless `detach_weights`, which changes the gradient only.
"""

import math

import torch
from torch import Tensor

from supcon_theory.inputs import choice, number
from supcon_theory.objectives.coupled import with_positive
from supcon_theory.pairs.batch import Batch


def log_tilted(b: Batch, name: str, beta: float, detach_weights: bool) -> Tensor:
    """Log M_beta of a set, (N, K): the log sum at (1 + beta) s less that at beta s."""
    if number(beta, "beta", 0) == 0:
        return b.log_sum(name) - b.log_size(name)
    low, high = b.log_sums(name, beta, 1 + beta)
    return hardened(low, high, beta, detach_weights)


def hardened(low: Tensor, high: Tensor, beta: float, detach_weights: bool) -> Tensor:
    """Log M_beta of a set from its log sums at beta s and (1 + beta) s."""
    if detach_weights:  # with e^{beta s} held constant the gradient is that of high / (1 + beta)
        return high / (1 + beta) + (high * (beta / (1 + beta)) - low).detach()
    return high - low


def h_nscl(
    z: Tensor,
    y=None,
    *,
    tau: float | Tensor,
    beta=1.0,
    detach_weights=False,
    reduction="mean",
    unit=True,
) -> Tensor:
    """Mean of log(e^{s_ap} + |oth| M_beta(oth)) - s_ap: `nscl_coupled` with hardened negatives.

    Convention:
        Positives: own
        Denominator: e^s_ap + their number times M_beta(oth) | this one | no
        Mean: anchors, positives
        Source: `nscl_coupled`, hardened

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
    b = Batch(z, y, tau, "own", "oth", unit=unit)
    tilted = log_tilted(b, "oth", beta, detach_weights)
    return b.reduce(with_positive(b, tilted + b.log_size("oth")), reduction)


def hucl(
    z: Tensor,
    y=None,
    *,
    tau: float | Tensor,
    beta=1.0,
    detach_weights=False,
    reduction="mean",
    unit=True,
) -> Tensor:
    """Mean of log(e^{s_ap} + Q M_beta(ins)) - s_ap: arXiv 2209.00078.

    Convention:
        Positives: own
        Denominator: e^s_ap + Q M_beta(ins) | this one | yes
        Mean: anchors, positives
        Source: 2209.00078

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels, not used.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        beta: hardness; it multiplies s, so the tilt on the cosine is beta / tau. 0: the plain mean.
        detach_weights: hold the tilting weights constant in the gradient; same value.
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    b = Batch(z, y, tau, "own", "ins", unit=unit)
    tilted = log_tilted(b, "ins", beta, detach_weights)
    return b.reduce(with_positive(b, tilted + b.log_size("ins")), reduction)


def hcl(
    z: Tensor,
    y=None,
    *,
    tau: float | Tensor,
    beta=1.0,
    tau_plus=0.1,
    clamp=True,
    detach_weights=False,
    reduction="mean",
) -> Tensor:
    """Mean of log(e^{s_ap} + Q G) - s_ap, G a corrected M_beta(ins): arXiv 2010.04592, as released.

        G = max(e^{-1/tau}, (M_beta(ins) - tau_plus e^{s_ap}) / (1 - tau_plus))

    Rows must be unit: e^{-1/tau} is the least that G can be.

    Note: an unbiased correction for beta = 0 only.

    Convention:
        Positives: own
        Denominator: e^s_ap + Q max(e^{-1/tau}, (M_beta(ins) - tau_plus e^s_ap) / (1 - tau_plus)) |
            this one | yes, corrected by tau_plus
        Mean: anchors, positives
        Equals: the released code (K = 2)
        Source: 2010.04592

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels, not used.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        beta: hardness; it multiplies s, so the tilt on the cosine is beta / tau. 0: the plain mean.
        tau_plus: share of the anchor's own class among the negatives, in [0, 1).
        clamp: bound G from below by e^{-1/tau}; False: an error where it is not positive.
        detach_weights: hold the tilting weights constant in the gradient; same value.
        reduction: "mean", or "none" for (N, K).

    Returns:
        The loss.
    """
    number(tau_plus, "tau_plus", 0, 1)
    b = Batch(z, y, tau, "own", "ins")
    tilted = log_tilted(b, "ins", beta, detach_weights)[..., None]
    mean = _log_debiased(tilted, b.own(), -1 / tau, tau_plus, clamp)
    return b.reduce(with_positive(b, mean + b.log_size("ins")), reduction)


def debiased(
    z: Tensor, y=None, *, tau: float | Tensor, tau_plus=0.1, clamp=True, reduction="mean"
) -> Tensor:
    """Mean of log(e^{s_ap} + Q G) - s_ap, G of `hcl` with beta = 0: arXiv 2007.00224, one positive.

    Convention:
        Positives: own
        Denominator: that of `hcl` with beta = 0 | this one | yes, corrected by tau_plus
        Mean: anchors, positives
        Equals: the released code (K = 2)
        Source: 2007.00224

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels, not used.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        tau_plus: share of the anchor's own class among the negatives, in [0, 1).
        clamp: bound G from below by e^{-1/tau}; False: an error where it is not positive.
        reduction: "mean", or "none" for (N, K).

    Returns:
        The loss.
    """
    return hcl(z, y, tau=tau, beta=0.0, tau_plus=tau_plus, clamp=clamp, reduction=reduction)


def _log_debiased(
    log_m: Tensor, s: Tensor, least: float | Tensor, tau_plus: float, clamp: bool
) -> Tensor:
    """Log max(e^least, (M - tau_plus e^s) / (1 - tau_plus)) from log M and s, any tau."""
    log_m = log_m.expand_as(s)
    top = torch.maximum(log_m, s).detach()
    r = torch.exp(log_m - top) - tau_plus * torch.exp(s - top)
    positive = r > 0
    if not clamp and not bool(positive.all()):
        raise ValueError(
            f"clamp=False, but M_beta - tau_plus e^s is not positive for {int((~positive).sum())} "
            f"pairs with tau_plus {tau_plus}: lower tau_plus or pass clamp=True."
        )
    value = top + torch.where(positive, r, 1).log() - math.log1p(-tau_plus)
    if not clamp:
        return value
    return torch.where(positive & (value > least), value, least)


def hscl(
    z: Tensor,
    y=None,
    *,
    tau: float | Tensor,
    beta=1.0,
    positives="class",
    detach_weights=False,
    reduction="mean",
    unit=True,
) -> Tensor:
    """Mean of log(e^{s_ap} + Q M_beta(oth)) - s_ap over all pairs a, p in P: arXiv 2209.00078.

    Note: Q = K (N - 1) whatever the number of rows in oth, as released. The loss of an anchor is
    scaled so that the mean over anchors is that over pairs.

    Convention:
        Positives: P
        Denominator: e^s_ap + Q M_beta(oth) | this one | no
        Mean: all pairs
        Source: 2209.00078

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        beta: hardness; it multiplies s, so the tilt on the cosine is beta / tau. 0: the plain mean.
        positives: "class" (P), or "own" as in the paper's inequalities.
        detach_weights: hold the tilting weights constant in the gradient; same value.
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    choice(positives, "positives", ("class", "own"))
    b = Batch(z, y, tau, "oth", "P" if positives == "class" else "own", unit=unit)
    tilted = log_tilted(b, "oth", beta, detach_weights) + b.log_size("ins")
    if positives == "own":
        return b.reduce(with_positive(b, tilted), reduction)
    number_of_pairs = b.classes.n.to(tilted) * b.K - 1
    anchors_per_pair = (number_of_pairs > 0).sum() / number_of_pairs.sum()
    return b.reduce(b.softplus_P(tilted) * anchors_per_pair, reduction)


def scl_jiang(
    z: Tensor, y=None, *, tau: float | Tensor, positives="class", reduction="mean", unit=True
) -> Tensor:
    """Mean of log(e^{s_ap} + Q M_0(oth)) - s_ap, `hscl` with beta = 0: the SCL of arXiv 2209.00078.

    Convention:
        Positives: P
        Denominator: e^s_ap + Q M_0(oth) | this one | no
        Mean: all pairs
        Source: 2209.00078

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        positives: "class" (P), or "own" as in the paper's inequalities.
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    return hscl(z, y, tau=tau, beta=0.0, positives=positives, reduction=reduction, unit=unit)
