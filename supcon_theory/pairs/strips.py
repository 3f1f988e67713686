"""The log sums of `log_sums.py` for temperatures so low that exp needs a shift per row.

A shift per row breaks the symmetry of a tile, so whole strips of rows are computed instead:
exp(s_ab - L_a) <= 1 for any scale, at about twice the work.
"""

import torch
from torch import Tensor

from supcon_theory.pairs.tiles import Tile, mask_out

STRIP_CELLS = 2**20


def _strips(count: int, different: int | Tensor | None) -> list[Tile]:
    run = different if isinstance(different, int) else 1
    height = max(1, STRIP_CELLS // count // run) * run
    every = slice(0, count)
    return [Tile(slice(a, min(a + height, count)), every, True) for a in range(0, count, height)]


def _similarities(z: Tensor, scale: float, strip: Tile, same, different) -> Tensor:
    s = torch.mm(z[strip.rows], z.T).mul_(scale)
    return mask_out(s, strip, same, different, -torch.inf)


def forward(z: Tensor, scale: float, same: Tensor | None, different: int | Tensor | None) -> Tensor:
    """L_a = log sum_{b in set(a)} exp(scale <z_a, z_b>), shape (M,)."""
    out = z.new_empty(len(z))
    for strip in _strips(len(z), different):
        out[strip.rows] = _similarities(z, scale, strip, same, different).logsumexp(1)
    return out


def backward(
    z: Tensor,
    scale: float,
    same: Tensor | None,
    different: int | Tensor | None,
    out: Tensor,
    grad: Tensor,
) -> Tensor:
    """dloss/dz from grad = dloss/dL: (R + R^T) z with R_ab = scale g_a exp(s_ab - L_a)."""
    dz = torch.zeros_like(z)
    shift = torch.where(out.isneginf(), 0, out)  # an empty sum: all its s are -inf too
    for strip in _strips(len(z), different):
        r = _similarities(z, scale, strip, same, different)
        r.sub_(shift[strip.rows, None]).exp_().mul_(scale * grad[strip.rows, None])
        dz[strip.rows].addmm_(r, z)
        dz.addmm_(r.T, z[strip.rows])
    return dz


def dense_backward(
    z: Tensor, scale: float, same: Tensor | None, different: int | Tensor | None, grad: Tensor
) -> Tensor:
    """The same gradient by differentiable operations on the whole matrix: second derivatives."""
    s = scale * z @ z.T
    outside = torch.zeros_like(s, dtype=torch.bool)
    whole = slice(0, len(z))
    mask_out(outside, Tile(whole, whole, True), same, different, True)
    empty = outside.all(1, keepdim=True)
    r = torch.softmax(s.masked_fill(outside & ~empty, -torch.inf), 1).masked_fill(empty, 0)
    r = scale * grad[:, None] * r
    return (r + r.T) @ z
