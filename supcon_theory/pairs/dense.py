"""The dense form: sums over sets by the whole matrix of logits, in differentiable operations only.

Open to second derivatives, to torch.func (grad, jvp, vmap and what is made of them) and to leading
dimensions; memory O(M^2). Written for being read: the fast forms are tested against it.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from supcon_theory.pairs.tiles import DIFFERENTIATED, Groups, products


def logits(x: Tensor) -> Tensor:
    """s_ab = <x_a, x_b>, (..., M, M), of rows (..., M, d)."""
    return products(x, x)


def inside(M: int, groups: Groups, device: torch.device) -> Tensor:
    """(M, M) Boolean: whether row b is in the set of row a."""
    same, different = groups
    if isinstance(different, int):
        different = torch.arange(M, device=device) // different
    pairs = different[:, None] != different
    return pairs if same is None else pairs & (same[:, None] == same)


def log_sums(s: Tensor, scales: tuple[float, ...], groups: Groups, bound: float) -> Tensor:
    """Log sum_{b in set(a)} exp(scale s_ab) for each scale.

    Args:
        s: (..., M, M) logits.
        scales: what multiplies them.
        groups: the set.
        bound: largest |s_ab|, if known (else infinite): small ones need no shift.

    Returns:
        (scales, ..., M) logarithms; -inf, without a gradient, where a set is empty.
    """
    pairs = inside(s.shape[-1], groups, s.device)
    empty = ~pairs.any(1)
    scaled = [s if scale == 1 else scale * s for scale in scales]
    if bound * max(scales) <= DIFFERENTIATED[s.dtype]:
        weight = pairs.to(s.dtype)
        logs = [((t.exp() * weight).sum(-1) + empty).log() for t in scaled]
    else:
        outside = ~pairs & ~empty[:, None]
        logs = [t.masked_fill(outside, -torch.inf).logsumexp(-1) for t in scaled]
    return torch.stack(logs).masked_fill(empty, -torch.inf)


def softplus_sum(s: Tensor, t: Tensor, groups: Groups) -> Tensor:
    """Sum over b in set(a) of log(1 + exp(t_a - s_ab)), (..., M), for t of (..., M)."""
    pairs = inside(s.shape[-1], groups, s.device)
    return (F.softplus(t[..., None] - s, threshold=40) * pairs).sum(-1)
