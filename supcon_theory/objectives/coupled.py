"""Losses with the positive in the denominator: this one only, or (SupCon) all of them.

The letters are those of `supcon_theory.pairs.sets`; x = z / sqrt(tau), so that s_ap = <x_a, x_p>.
With X the negatives a term is log(e^{s_ap} + E(X)) - s_ap = log(1 + e^{log E(X) - s_ap}).
"""

import torch
from torch import Tensor

from supcon_theory.inputs import whole
from supcon_theory.pairs.batch import Batch, softplus


def with_positive(b: Batch, log_negatives: Tensor) -> Tensor:
    """Mean over own views p of log(e^{s_ap} + X) - s_ap, from log X of (N, K) or (N, K, K-1)."""
    if log_negatives.ndim == 2:
        log_negatives = log_negatives[..., None]
    return softplus(log_negatives - b.own()).mean(-1)


def nt_xent(z: Tensor, y=None, *, tau: float | Tensor, reduction="mean", unit=True) -> Tensor:
    """Mean of log(e^{s_ap} + S + D) - s_ap: SimCLR, arXiv 2002.05709, Eq. 1 (K = 2).

    Convention:
        Positives: own
        Denominator: e^s_ap + E(ins) | this one | yes
        Mean: anchors, positives
        Equals: for K = 2: lightly `NTXentLoss`; pml `NTXentLoss` and `SupConLoss`, each image a
            label; solo-learn's SimCLR loss; SupContrast without labels, times 0.07 / tau; the
            released code of 2506.04411 where it says DCL
        Source: 2002.05709, Eq. 1

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels, not used.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    b = Batch(z, y, tau, "own", "ins", unit=unit)
    return b.reduce(with_positive(b, b.log_sum("ins")), reduction)


def nscl_coupled(z: Tensor, y=None, *, tau: float | Tensor, reduction="mean", unit=True) -> Tensor:
    """Mean of log(e^{s_ap} + D) - s_ap: what the released code of arXiv 2506.04411 trains as NSCL.

    Convention:
        Positives: own
        Denominator: e^s_ap + E(oth) | this one | no
        Mean: anchors, positives
        Equals: the released code of 2506.04411 where it says NSCL (K = 2)
        Source: 2506.04411, code

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    b = Batch(z, y, tau, "own", "oth", unit=unit)
    return b.reduce(with_positive(b, b.log_sum("oth")), reduction)


def n_pairs(z: Tensor, y=None, *, tau: float | Tensor = 1.0, reduction="mean", unit=True) -> Tensor:
    """Mean of log(e^{s_ak} + D) - s_ak, k the same view of the next sample of the class, cyclic.

    Note: equals the N-pairs case of arXiv 2004.11362, Sec. 3.2.4 iff K = 1 and classes have two
    samples; Sohn (2016) contrasts with the partners only.

    Convention:
        Positives: the same view of the next sample of the class
        Denominator: e^s_ak + E(oth) | this one | no
        Mean: anchors
        Source: 2004.11362, Sec. 3.2.4

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    b = Batch(z, y, tau, "sis", "oth", unit=unit)
    positive, _ = b.following(b.K)
    return b.reduce(softplus(b.log_sum("oth") - positive), reduction)


def supcon(
    z: Tensor, y=None, *, tau: float | Tensor, max_positives=None, reduction="mean", unit=True
) -> Tensor:
    """Mean of log(E(P) + D) - s_ap, p in P: L_out of arXiv 2004.11362, Eq. 2.

    Convention:
        Positives: P
        Denominator: E(P) + E(oth) | all | yes
        Mean: anchors, positives
        Equals: pml `SupConLoss`; SupContrast times 0.07 / tau (there an anchor without a positive
            counts as 0)
        Source: 2004.11362, Eq. 2

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        max_positives: m keeps the first m of P (own views, then the next samples of the class)
            and takes the others out of the denominator too, as in that paper's ablation.
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    b = Batch(z, y, tau, "P", unit=unit)
    if max_positives is None:
        return b.reduce(b.log_sum("rest") - b.mean_P(), reduction)
    most = min(whole(max_positives, "max_positives"), b.K * int(b.classes.sizes.max()) - 1)
    found = [b.following(j) for j in range(1, most + 1)]
    s = torch.stack([similarity for similarity, _ in found], -1)
    exists = torch.stack([exists for _, exists in found], -1)[:, None]
    log_positives = s.masked_fill(~exists, -torch.inf).logsumexp(-1)
    mean = s.masked_fill(~exists, 0).sum(-1) / exists.sum(-1).clamp(min=1)
    return b.reduce(torch.logaddexp(log_positives, b.log_sum("oth")) - mean, reduction)


def supcon_in(z: Tensor, y=None, *, tau: float | Tensor, reduction="mean", unit=True) -> Tensor:
    """Mean of log(E(P) + D) - log(E(P) / |P|): L_in of arXiv 2004.11362, Eq. 3.

    Convention:
        Positives: P, in the logarithm
        Denominator: E(P) + E(oth) | all | yes
        Mean: anchors (logarithm of a mean)
        Equals: solo-learn's SimCLR loss with labels, up to the log of the number of positives
        Source: 2004.11362, Eq. 3

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    b = Batch(z, y, tau, "P", unit=unit)
    positives = b.log_sum("P") - b.log_size("P")
    return b.reduce(b.log_sum("rest") - positives, reduction)
