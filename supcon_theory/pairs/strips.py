"""The log sums of `log_sums.py` for logits so large that exp needs a shift per row.

A shift per row breaks the symmetry of a tile, so whole strips of rows are computed instead:
exp(s_ab - L_a) <= 1 for any scale, at about twice the work.
"""

import torch
from torch import Tensor

from supcon_theory.pairs.tiles import Groups, Tile, mask_out

STRIP_CELLS = 2**20


def _strips(count: int, groups: Groups) -> list[Tile]:
    run = groups.different if isinstance(groups.different, int) else 1
    height = max(1, STRIP_CELLS // count // run) * run
    every = slice(0, count)
    return [Tile(slice(a, min(a + height, count)), every, (True,)) for a in range(0, count, height)]


def _logits(x: Tensor, scale: float, strip: Tile, groups: Groups) -> Tensor:
    s = torch.mm(x[strip.rows], x.T).mul_(scale)
    return mask_out(s, strip, groups, -torch.inf)


def forward(x: Tensor, scale: float, groups: Groups) -> Tensor:
    """L_a = log sum_{b in set(a)} exp(scale <x_a, x_b>), (M,), for rows x (M, d)."""
    out = x.new_empty(len(x))
    for strip in _strips(len(x), groups):
        out[strip.rows] = _logits(x, scale, strip, groups).logsumexp(1)
    return out


def backward(x: Tensor, scale: float, groups: Groups, out: Tensor, grad: Tensor) -> Tensor:
    """dloss/dx from grad = dloss/dL: (R + R^T) x with R_ab = scale g_a exp(s_ab - L_a)."""
    dx = torch.zeros_like(x)
    shift = torch.where(out.isneginf(), 0, out)  # an empty sum: all its s are -inf too
    for strip in _strips(len(x), groups):
        r = _logits(x, scale, strip, groups)
        r.sub_(shift[strip.rows, None]).exp_().mul_(scale * grad[strip.rows, None])
        dx[strip.rows].addmm_(r, x)
        dx.addmm_(r.T, x[strip.rows])
    return dx
