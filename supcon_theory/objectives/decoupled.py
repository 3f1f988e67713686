"""Objectives without any positive in the denominator: t(a, p) = log D_a - s_ap, may be negative.

The letters are those of `named.py`.
"""

from torch import Tensor

from supcon_theory.objectives.check import check_choice
from supcon_theory.pairs.batch import Batch


def dcl(b: Batch, *, tau: float, pairs: str = "all") -> Tensor:
    """D = E(ins): the contrastive loss of arXiv 2506.04411, Theorem 1 (decoupled: 2110.06848).

    `pairs="all"` averages over own views including the anchor itself (l1 = l2), as the theorem is
    written, "distinct" over l1 != l2, as public code trains. May be negative.
    """
    b.require("other_samples")
    return b.log_sum("other_samples", 1 / tau) - _own_mean(b, pairs) / tau


def nscl(b: Batch, *, tau: float, pairs: str = "all") -> Tensor:
    """D = E(oth): the negatives-only supervised loss of arXiv 2506.04411, Theorem 1. See `dcl`."""
    b.require("other_classes")
    return b.log_sum("other_classes", 1 / tau) - _own_mean(b, pairs) / tau


def _own_mean(b: Batch, pairs: str) -> Tensor:
    check_choice("pairs", pairs, ("all", "distinct"))
    if pairs == "distinct":
        b.require("own")
    return b.mean_own(with_self=pairs == "all")


def dhel(b: Batch, *, tau: float, anchors: str = "all") -> Tensor:
    """D = E(same view, other samples): arXiv 2405.18045. `anchors="first_view"`: as published."""
    check_choice("anchors", anchors, ("all", "first_view"))
    b.require("own", "same_view")
    losses = b.log_sum("same_view", 1 / tau) - b.mean_own() / tau
    return losses if anchors == "all" else losses[:, :1]


def dhel_official(b: Batch, *, tau: float) -> Tensor:
    """T = 2 log D - s_ap, D as in `dhel`: the released code of arXiv 2405.18045."""
    b.require("own", "same_view")
    return 2 * b.log_sum("same_view", 1 / tau) - b.mean_own() / tau


def n_dhel(b: Batch, *, tau: float) -> Tensor:
    """D = E(same view, other classes): `dhel` with the negatives of `nscl`."""
    b.require("own", "same_view_other_classes")
    return b.log_sum("same_view_other_classes", 1 / tau) - b.mean_own() / tau
