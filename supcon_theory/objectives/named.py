"""Every objective by name: the loss of each anchor, (N, K), in the letters of the papers.

    s_ap = <z_a, z_p> / tau        E(X) = sum_{b in X} e^{s_ab}       t(a, p) = log D - s_ap
    own  other views of the sample             P    other rows of the class (own views included)
    ins  rows of other samples                 oth  rows of other classes
    Q = K (N - 1)                              M_beta(X) = sum_X e^{(1 + beta) s} / sum_X e^{beta s}

The loss is the mean over anchors of the mean over positives p of t(a, p); `pair_mean` ids weigh an
anchor by its number of positives instead. Where the positive is in D, t = log(1 + e^{log N - s_ap})
with N = D without it. `OBJECTIVES` in `__init__.py` adds the checks and the mean.
"""

import math

import torch
from torch import Tensor

from supcon_theory.objectives.batch import Batch, softplus
from supcon_theory.objectives.check import check_choice, check_count, check_number

PER_ANCHOR = {}  # name -> function(batch, *, tau, ...) -> (N, K) losses, or (losses, weights)


def objective(function):
    PER_ANCHOR[function.__name__] = function
    return function


# ---- no positive in the denominator -------------------------------------------------------------
@objective
def dcl(b: Batch, *, tau: float, pairs: str = "all") -> Tensor:
    """D = E(ins): the contrastive loss of arXiv 2506.04411, Theorem 1 (decoupled: 2110.06848).

    `pairs="all"` averages over own views including the anchor itself (l1 = l2), as the theorem is
    written, "distinct" over l1 != l2, as public code trains. May be negative.
    """
    b.require("other_samples")
    return b.log_sum("other_samples", 1 / tau) - _own_mean(b, pairs) / tau


@objective
def nscl(b: Batch, *, tau: float, pairs: str = "all") -> Tensor:
    """D = E(oth): the negatives-only supervised loss of arXiv 2506.04411, Theorem 1. See `dcl`."""
    b.require("other_classes")
    return b.log_sum("other_classes", 1 / tau) - _own_mean(b, pairs) / tau


def _own_mean(b: Batch, pairs: str) -> Tensor:
    check_choice("pairs", pairs, ("all", "distinct"))
    if pairs == "distinct":
        b.require("own")
    return b.mean_own(with_self=pairs == "all")


@objective
def dhel(b: Batch, *, tau: float, anchors: str = "all") -> Tensor:
    """D = E(same view, other samples): arXiv 2405.18045. `anchors="first_view"`: as published."""
    check_choice("anchors", anchors, ("all", "first_view"))
    b.require("own", "same_view")
    losses = b.log_sum("same_view", 1 / tau) - b.mean_own() / tau
    return losses if anchors == "all" else losses[:, :1]


@objective
def dhel_official(b: Batch, *, tau: float) -> Tensor:
    """t = 2 log D - s_ap, D as in `dhel`: the released code of arXiv 2405.18045."""
    b.require("own", "same_view")
    return 2 * b.log_sum("same_view", 1 / tau) - b.mean_own() / tau


@objective
def n_dhel(b: Batch, *, tau: float) -> Tensor:
    """D = E(same view, other classes): `dhel` with the negatives of `nscl`."""
    b.require("own", "same_view_other_classes")
    return b.log_sum("same_view_other_classes", 1 / tau) - b.mean_own() / tau


# ---- this positive in the denominator -----------------------------------------------------------
def _with_positive(b: Batch, log_negatives: Tensor, tau: float) -> Tensor:
    """mean over own views p of log(e^{s_ap} + N) - s_ap, from log N of (N, K) or (N, K, K-1)."""
    if log_negatives.ndim == 2:
        log_negatives = log_negatives[..., None]
    return softplus(log_negatives - b.own() / tau).mean(-1)


@objective
def nt_xent(b: Batch, *, tau: float) -> Tensor:
    """D = e^{s_ap} + E(ins): SimCLR, arXiv 2002.05709, Eq. 1 (K = 2)."""
    b.require("own", "other_samples")
    return _with_positive(b, b.log_sum("other_samples", 1 / tau), tau)


@objective
def nscl_coupled(b: Batch, *, tau: float) -> Tensor:
    """D = e^{s_ap} + E(oth): what the released code of arXiv 2506.04411 trains as NSCL."""
    b.require("own", "other_classes")
    return _with_positive(b, b.log_sum("other_classes", 1 / tau), tau)


@objective
def n_pairs(b: Batch, *, tau: float = 1.0) -> Tensor:
    """D = e^{s_ak} + E(oth), one positive k: the same view of the next sample of the class, cyclic.

    Note: equals the N-pairs case of arXiv 2004.11362, Sec. 3.2.4 iff K = 1 and classes have two
    samples; Sohn (2016) contrasts with the partners only.
    """
    b.require("siblings", "other_classes")
    positive, _ = b.following(b.K)
    return softplus(b.log_sum("other_classes", 1 / tau) - positive / tau)


# ---- all positives in the denominator -----------------------------------------------------------
@objective
def supcon(b: Batch, *, tau: float, max_positives: int | None = None) -> Tensor:
    """Positives P, D = E(P) + E(oth): L_out of arXiv 2004.11362, Eq. 2.

    `max_positives=k` keeps the first k of P (own views, then the next samples of the class) and
    takes the others out of the denominator too, as in that paper's ablation.
    """
    b.require("same_class")
    if max_positives is None:
        return b.log_sum("other_rows", 1 / tau) - b.mean_same_class() / tau
    check_count("max_positives", max_positives)
    most = b.K * int(b.classes()[1].max()) - 1
    found = [b.following(j) for j in range(1, min(max_positives, most) + 1)]
    s = torch.stack([similarity for similarity, _ in found], -1) / tau
    exists = torch.stack([exists for _, exists in found], -1)[:, None]
    log_others = b.log_sum("other_classes", 1 / tau)
    log_positives = s.masked_fill(~exists, -torch.inf).logsumexp(-1)
    mean = s.masked_fill(~exists, 0).sum(-1) / exists.sum(-1).clamp(min=1)
    return torch.logaddexp(log_positives, log_others) - mean


@objective
def supcon_in(b: Batch, *, tau: float) -> Tensor:
    """log(E(P) + E(oth)) - log(E(P) / |P|): L_in of arXiv 2004.11362, Eq. 3."""
    b.require("same_class")
    positives = b.log_sum("same_class", 1 / tau) - b.log_size("same_class")
    return b.log_sum("other_rows", 1 / tau) - positives


# ---- hardened and debiased negatives ------------------------------------------------------------
def _log_tilted(b: Batch, name: str, tau: float, beta: float, detach_weights: bool) -> Tensor:
    """log M_beta of a set, (N, K). M_0 is the plain mean.

    log M = L1 - L0 with L1, L0 the log sums at (1 + beta) / tau and beta / tau. With weights
    e^{beta s} held constant the gradient is that of L1 divided by 1 + beta.
    """
    check_number("beta", beta, 0)
    if beta == 0:
        return b.log_sum(name, 1 / tau) - b.log_size(name)
    high, low = b.log_sum(name, (1 + beta) / tau), b.log_sum(name, beta / tau)
    if detach_weights:
        return high / (1 + beta) + (high * (beta / (1 + beta)) - low).detach()
    return high - low


@objective
def h_nscl(b: Batch, *, tau: float, beta: float = 1.0, detach_weights: bool = False) -> Tensor:
    """D = e^{s_ap} + |oth| M_beta(oth), p own: `nscl_coupled` with hardened negatives."""
    b.require("own", "other_classes")
    tilted = _log_tilted(b, "other_classes", tau, beta, detach_weights)
    return _with_positive(b, tilted + b.log_size("other_classes"), tau)


@objective
def hucl(b: Batch, *, tau: float, beta: float = 1.0, detach_weights: bool = False) -> Tensor:
    """D = e^{s_ap} + Q M_beta(ins), p own: arXiv 2209.00078. beta multiplies s, not the cosine."""
    b.require("own", "other_samples")
    tilted = _log_tilted(b, "other_samples", tau, beta, detach_weights)
    return _with_positive(b, tilted + b.log_size("other_samples"), tau)


@objective
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
    return _with_positive(b, mean + b.log_size("other_samples"), tau)


@objective
def debiased(b: Batch, *, tau: float, tau_plus: float = 0.1, clamp: bool = True) -> Tensor:
    """`hcl` with beta = 0: arXiv 2007.00224, one positive."""
    return hcl(b, tau=tau, beta=0.0, tau_plus=tau_plus, clamp=clamp)


def _log_debiased(log_m: Tensor, s: Tensor, tau: float, tau_plus: float, clamp: bool) -> Tensor:
    """log max(e^{-1/tau}, (M - tau_plus e^s) / (1 - tau_plus)) from log M and s, any tau."""
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


@objective
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
        return _with_positive(b, log_negatives, tau)
    count = b.size("same_class")[:, None]
    return b.softplus_same_class(log_negatives, 1 / tau) / count.clamp(min=1), count


@objective
def scl_jiang(b: Batch, *, tau: float, positives: str = "class") -> tuple[Tensor, Tensor] | Tensor:
    """`hscl` with beta = 0: the SCL of arXiv 2209.00078."""
    return hscl(b, tau=tau, beta=0.0, positives=positives)
