"""Objectives whose negatives are tilted towards the similar ones, or corrected for class mates.

The letters are those of `named.py`. beta multiplies s, so the tilt on the cosine is beta / tau;
beta = 0 is the plain mean. The tilting weights are differentiated unless `detach_weights`, which
leaves the value and changes the gradient.
"""

import math

import torch
from torch import Tensor

from supcon_theory.objectives.check import check_choice, check_number
from supcon_theory.objectives.coupled import with_positive
from supcon_theory.pairs.batch import Batch


def _log_tilted(b: Batch, name: str, tau: float, beta: float, detach_weights: bool) -> Tensor:
    """Log M_beta of a set, (N, K). M_0 is the plain mean.

    log M = L1 - L0 with L1, L0 the log sums at (1 + beta) / tau and beta / tau. With weights
    e^{beta s} held constant the gradient is that of L1 divided by 1 + beta.
    """
    check_number("beta", beta, 0)
    if beta == 0:
        return b.log_sum(name, 1 / tau) - b.log_size(name)
    high, low = b.log_sums(name, (1 + beta) / tau, beta / tau)
    if detach_weights:
        return high / (1 + beta) + (high * (beta / (1 + beta)) - low).detach()
    return high - low


def h_nscl(b: Batch, *, tau: float, beta: float = 1.0, detach_weights: bool = False) -> Tensor:
    """D = e^{s_ap} + |oth| M_beta(oth), p own: `nscl_coupled` with hardened negatives."""
    b.require("own", "other_classes")
    tilted = _log_tilted(b, "other_classes", tau, beta, detach_weights)
    return with_positive(b, tilted + b.log_size("other_classes"), tau)


def hucl(b: Batch, *, tau: float, beta: float = 1.0, detach_weights: bool = False) -> Tensor:
    """D = e^{s_ap} + Q M_beta(ins), p own: arXiv 2209.00078. beta multiplies s, not the cosine."""
    b.require("own", "other_samples")
    tilted = _log_tilted(b, "other_samples", tau, beta, detach_weights)
    return with_positive(b, tilted + b.log_size("other_samples"), tau)


def hcl(
    b: Batch,
    *,
    tau: float,
    beta: float = 1.0,
    tau_plus: float = 0.1,
    clamp: bool = True,
    detach_weights: bool = False,
) -> Tensor:
    """D = e^{s_ap} + Q max(e^{-1/tau}, (M_beta(ins) - tau_plus e^{s_ap}) / (1 - tau_plus)).

    arXiv 2010.04592, released code; p own. `clamp=False` drops the max and is an error where the
    difference is not positive.
    Note: an unbiased correction for beta = 0 only.
    """
    check_number("tau_plus", tau_plus, 0, 1)
    b.require("own", "other_samples")
    tilted = _log_tilted(b, "other_samples", tau, beta, detach_weights)[..., None]
    mean = _log_debiased(tilted, b.own() / tau, tau, tau_plus, clamp)
    return with_positive(b, mean + b.log_size("other_samples"), tau)


def debiased(b: Batch, *, tau: float, tau_plus: float = 0.1, clamp: bool = True) -> Tensor:
    """`hcl` with beta = 0: arXiv 2007.00224, one positive."""
    return hcl(b, tau=tau, beta=0.0, tau_plus=tau_plus, clamp=clamp)


def _log_debiased(log_m: Tensor, s: Tensor, tau: float, tau_plus: float, clamp: bool) -> Tensor:
    """Log max(e^{-1/tau}, (M - tau_plus e^s) / (1 - tau_plus)) from log M and s, any tau."""
    log_m = log_m.expand_as(s)
    top = torch.maximum(log_m, s).detach()
    r = torch.exp(log_m - top) - tau_plus * torch.exp(s - top)
    positive = r > 0
    if not clamp and not bool(positive.all()):
        raise ValueError(
            f"clamp=False, but M_beta - tau_plus e^s is not positive for {int((~positive).sum())} "
            f"pairs with tau_plus {tau_plus}: lower tau_plus or pass clamp=True"
        )
    value = top + torch.where(positive, r, 1).log() - math.log1p(-tau_plus)
    if not clamp:
        return value
    return torch.where(positive & (value > -1 / tau), value, -1 / tau)


def hscl(
    b: Batch,
    *,
    tau: float,
    beta: float = 1.0,
    positives: str = "class",
    detach_weights: bool = False,
) -> tuple[Tensor, Tensor] | Tensor:
    """D = e^{s_ap} + Q M_beta(oth), mean over all pairs p in P: arXiv 2209.00078.

    `positives="own"`: own views only (the setting of that paper's inequalities).
    Note: Q = K (N - 1) whatever the number of rows in oth, as released.
    """
    check_choice("positives", positives, ("class", "own"))
    b.require("other_classes", "same_class" if positives == "class" else "own")
    tilted = _log_tilted(b, "other_classes", tau, beta, detach_weights)
    log_negatives = tilted + math.log(b.K * (b.N - 1))
    if positives == "own":
        return with_positive(b, log_negatives, tau)
    return b.softplus_same_class(log_negatives, 1 / tau), b.size("same_class")[:, None]


def scl_jiang(b: Batch, *, tau: float, positives: str = "class") -> tuple[Tensor, Tensor] | Tensor:
    """`hscl` with beta = 0: the SCL of arXiv 2209.00078."""
    return hscl(b, tau=tau, beta=0.0, positives=positives)
