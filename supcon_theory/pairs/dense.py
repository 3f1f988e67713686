"""The dense form: sums over sets by the whole matrix of pairs, in differentiable operations only.

Open to second derivatives, to torch.func (grad, jvp, vmap and what is made of them) and to leading
dimensions; memory O(M^2). Written for being read: the fast forms are tested against it.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from supcon_theory.pairs.tiles import DIFFERENTIATED, Groups, full_precision


def inside(M: int, groups: Groups, device: torch.device) -> Tensor:
    """(M, M) Boolean: whether row b is in the set of row a."""
    same, different = groups
    if isinstance(different, int):
        different = torch.arange(M, device=device) // different
    pairs = different[:, None] != different
    return pairs if same is None else pairs & (same[:, None] == same)


def log_sums(x: Tensor, scales: tuple[float, ...], groups: Groups, bound: float) -> Tensor:
    """Log sum_{b in set(a)} exp(scale <x_a, x_b>) for each scale, (scales, ..., M).

    Args:
        x: (..., M, d) rows of any length.
        scales: what multiplies <x_a, x_b>.
        groups: the set.
        bound: largest |<x_a, x_b>|, if known (else infinite): small ones need no shift.

    Returns:
        The logarithms; -inf, without a gradient, where a set is empty.
    """
    with full_precision(x):
        s = x @ x.mT
    pairs = inside(s.shape[-1], groups, x.device)
    empty = ~pairs.any(1)
    if bound * max(scales) <= DIFFERENTIATED[x.dtype]:
        weight = pairs.to(x.dtype)
        sums = [((scale * s).exp() * weight).sum(-1) for scale in scales]
        logs = [(total + empty).log() for total in sums]
    else:
        outside = ~pairs & ~empty[:, None]
        logs = [(scale * s).masked_fill(outside, -torch.inf).logsumexp(-1) for scale in scales]
    return torch.stack(logs).masked_fill(empty, -torch.inf)


def softplus_sum(x: Tensor, t: Tensor, groups: Groups) -> Tensor:
    """Sum over b in set(a) of log(1 + exp(t_a - <x_a, x_b>)), (..., M), for t of (..., M)."""
    with full_precision(x):
        s = x @ x.mT
    pairs = inside(s.shape[-1], groups, x.device)
    return (F.softplus(t[..., None] - s, threshold=40) * pairs).sum(-1)
