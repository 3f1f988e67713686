"""Losses without any positive in the denominator: log E(X) - s_ap. They may be negative.

The letters are those of `supcon_theory.pairs.sets`; x = z / sqrt(tau), so that s_ap = <x_a, x_p>.
"""

from torch import Tensor

from supcon_theory.inputs import choice
from supcon_theory.pairs.batch import Batch

PAIRS = ("all", "distinct")


def dcl(
    z: Tensor, y=None, *, tau: float | Tensor, pairs="all", reduction="mean", unit=True
) -> Tensor:
    """Mean of log(S + D) - s_ap: the contrastive loss of arXiv 2506.04411, Theorem 1.

    Decoupled: arXiv 2110.06848, Eq. 6. The labels are not asked: S + D = E(ins).

    Convention:
        Positives: own and the anchor itself
        Denominator: E(ins) = S + D | no | yes
        Mean: anchors, all ordered view pairs, l1 = l2 included
        Equals: with pairs="distinct": lightly `DCLLoss` (K = 2)
        Source: 2506.04411, Theorem 1

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels, not used.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        pairs: "all" ordered view pairs with l1 = l2, or "distinct" ones, as public code trains.
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    choice(pairs, "pairs", PAIRS)
    b = Batch(z, y, tau, "ins", *(["own"] if pairs == "distinct" else []), unit=unit)
    return b.reduce(b.log_sum("ins") - b.mean_own(with_self=pairs == "all"), reduction)


def nscl(
    z: Tensor, y=None, *, tau: float | Tensor, pairs="all", reduction="mean", unit=True
) -> Tensor:
    """Mean of log D - s_ap: the negatives-only supervised loss of arXiv 2506.04411, Theorem 1.

    Convention:
        Positives: own and the anchor itself
        Denominator: D = E(oth) | no | no
        Mean: anchors, all ordered view pairs, l1 = l2 included
        Source: 2506.04411, Theorem 1

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        pairs: "all" ordered view pairs with l1 = l2, or "distinct" ones, as public code trains.
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    choice(pairs, "pairs", PAIRS)
    b = Batch(z, y, tau, "oth", *(["own"] if pairs == "distinct" else []), unit=unit)
    return b.reduce(b.log_sum("oth") - b.mean_own(with_self=pairs == "all"), reduction)


def dhel(
    z: Tensor, y=None, *, tau: float | Tensor, anchors="all", reduction="mean", unit=True
) -> Tensor:
    """Mean of log E(view) - s_ap: negatives of the same view only, arXiv 2405.18045.

    Convention:
        Positives: own
        Denominator: E(view) | no | yes, same view
        Mean: anchors, positives
        Source: 2405.18045 (anchors="first_view")

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels, not used.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        anchors: "all", or "first_view" as published: the other views have no loss.
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    choice(anchors, "anchors", ("all", "first_view"))
    b = Batch(z, y, tau, "own", "view", unit=unit)
    if anchors == "first_view":
        b.only_first_view()
    return b.reduce(b.log_sum("view") - b.mean_own(), reduction)


def dhel_official(z: Tensor, y=None, *, tau: float | Tensor, reduction="mean", unit=True) -> Tensor:
    """Mean of 2 log E(view) - s_ap: the released code of arXiv 2405.18045.

    Convention:
        Positives: own
        Denominator: E(view), its logarithm twice | no | yes, same view
        Mean: anchors, positives
        Equals: half the sum of the released code (K = 2)
        Source: 2405.18045, code

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels, not used.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    b = Batch(z, y, tau, "own", "view", unit=unit)
    return b.reduce(2 * b.log_sum("view") - b.mean_own(), reduction)


def n_dhel(z: Tensor, y=None, *, tau: float | Tensor, reduction="mean", unit=True) -> Tensor:
    """Mean of log E(view and oth) - s_ap: `dhel` with the negatives of `nscl`.

    Convention:
        Positives: own
        Denominator: E(view and oth) | no | no
        Mean: anchors, positives
        Source: `dhel` and `nscl`

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    b = Batch(z, y, tau, "own", "view_oth", unit=unit)
    return b.reduce(b.log_sum("view_oth") - b.mean_own(), reduction)
