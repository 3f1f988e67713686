"""Objectives with the positive in the denominator: this one only, or (SupCon) all of them.

The letters are those of `named.py`. With N the denominator without the positive, a term is
log(e^{s_ap} + N) - s_ap = log(1 + e^{log N - s_ap}).
"""

import torch
from torch import Tensor

from supcon_theory.objectives.check import check_count
from supcon_theory.pairs.batch import Batch, softplus


def with_positive(b: Batch, log_negatives: Tensor, tau: float) -> Tensor:
    """Mean over own views p of log(e^{s_ap} + N) - s_ap, from log N of (N, K) or (N, K, K-1)."""
    if log_negatives.ndim == 2:
        log_negatives = log_negatives[..., None]
    return softplus(log_negatives - b.own() / tau).mean(-1)


def nt_xent(b: Batch, *, tau: float) -> Tensor:
    """D = e^{s_ap} + E(ins): SimCLR, arXiv 2002.05709, Eq. 1 (K = 2)."""
    b.require("own", "other_samples")
    return with_positive(b, b.log_sum("other_samples", 1 / tau), tau)


def nscl_coupled(b: Batch, *, tau: float) -> Tensor:
    """D = e^{s_ap} + E(oth): what the released code of arXiv 2506.04411 trains as NSCL."""
    b.require("own", "other_classes")
    return with_positive(b, b.log_sum("other_classes", 1 / tau), tau)


def n_pairs(b: Batch, *, tau: float = 1.0) -> Tensor:
    """D = e^{s_ak} + E(oth), one positive k: the same view of the next sample of the class, cyclic.

    Note: equals the N-pairs case of arXiv 2004.11362, Sec. 3.2.4 iff K = 1 and classes have two
    samples; Sohn (2016) contrasts with the partners only.
    """
    b.require("siblings", "other_classes")
    positive, _ = b.following(b.K)
    return softplus(b.log_sum("other_classes", 1 / tau) - positive / tau)


def supcon(b: Batch, *, tau: float, max_positives: int | None = None) -> Tensor:
    """Positives P, D = E(P) + E(oth): L_out of arXiv 2004.11362, Eq. 2.

    `max_positives=k` keeps the first k of P (own views, then the next samples of the class) and
    takes the others out of the denominator too, as in that paper's ablation.
    """
    b.require("same_class")
    if max_positives is None:
        return b.log_sum("other_rows", 1 / tau) - b.mean_same_class() / tau
    check_count("max_positives", max_positives)
    most = b.K * int(b.classes.sizes.max()) - 1
    found = [b.following(j) for j in range(1, min(max_positives, most) + 1)]
    s = torch.stack([similarity for similarity, _ in found], -1) / tau
    exists = torch.stack([exists for _, exists in found], -1)[:, None]
    log_others = b.log_sum("other_classes", 1 / tau)
    log_positives = s.masked_fill(~exists, -torch.inf).logsumexp(-1)
    mean = s.masked_fill(~exists, 0).sum(-1) / exists.sum(-1).clamp(min=1)
    return torch.logaddexp(log_positives, log_others) - mean


def supcon_in(b: Batch, *, tau: float) -> Tensor:
    """log(E(P) + E(oth)) - log(E(P) / |P|): L_in of arXiv 2004.11362, Eq. 3."""
    b.require("same_class")
    positives = b.log_sum("same_class", 1 / tau) - b.log_size("same_class")
    return b.log_sum("other_rows", 1 / tau) - positives
