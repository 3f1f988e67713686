"""log sum_b exp(scale <x_a, x_b>) over a set of rows b, for every row a, with a gradient by hand.

Several scales at once share the products <x_a, x_b> and, backward, the product with x. With L_a the
log sum and g = dloss/dL,

    dloss/dx_a = scale * sum_b E_ab (u_a + u_b) x_b,   E_ab = exp(scale <x_a, x_b>), u = g exp(-L)

over the same set, summed over scales, so the backward pass needs the same tiles again: the first
`CACHE_BYTES` of them are kept, the others computed anew. Memory is O(M d) + CACHE_BYTES + two tiles
per scale. Where exp needs a shift, strips of rows with a shift each take the place of tiles.
"""

from bisect import bisect_right
from itertools import accumulate

import torch
from torch import Tensor

from supcon_theory.pairs import dense, strips
from supcon_theory.pairs.tiles import (
    DIFFERENTIATED,
    Groups,
    Schedule,
    Tile,
    add_sums,
    exponentials,
    full_precision,
    mask_out,
    schedule,
)

CACHE_BYTES = 48 * 2**20


def log_sums(x: Tensor, scales: tuple[float, ...], groups: Groups, bound: float) -> Tensor:
    """L_ka = log sum_{b in set(a)} exp(scales[k] <x_a, x_b>).

    Args:
        x: (M, d) rows.
        scales: ascending.
        groups: the set.
        bound: largest |<x_a, x_b>|.

    Returns:
        (scales, M). The log of an empty sum is -inf and has no gradient. Twice differentiable, the
        second time densely.
    """
    keep = x.requires_grad and torch.is_grad_enabled()  # inside `forward` it always looks off
    with full_precision(x):
        return _LogSums.apply(x, scales, groups, bound, keep)


class _LogSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scales, groups, bound, keep):
        kept = []
        if max(scales) * bound > DIFFERENTIATED[x.dtype]:
            out = torch.stack([strips.forward(x, scale, groups) for scale in scales])
            ctx.plan = None
        else:
            out, kept, ctx.plan = _forward(x, scales, groups, keep)
        ctx.save_for_backward(x, out, *kept)  # so that they are freed after `backward`
        ctx.scales, ctx.groups, ctx.bound = scales, groups, bound  # no gradient, not changed
        return out

    @staticmethod
    def backward(ctx, grad):
        x, out, *kept = ctx.saved_tensors
        with full_precision(x):
            if torch.is_grad_enabled():  # create_graph=True: the gradient is differentiated too
                again = dense.log_sums(dense.logits(x), ctx.scales, ctx.groups, ctx.bound)
                (dx,) = torch.autograd.grad(again, x, grad, create_graph=True)
            elif ctx.plan is None:
                parts = zip(ctx.scales, out, grad, strict=True)
                dx = sum(strips.backward(x, scale, ctx.groups, o, g) for scale, o, g in parts)
            else:
                dx = _backward(x, ctx.scales, out, grad, kept, ctx.plan)
        return dx, None, None, None, None


def _fill(x: Tensor, scales: tuple[float, ...], tile: Tile, groups: Groups, e: Tensor) -> Tensor:
    exponentials(x, scales, tile, e)
    return mask_out(e, tile, groups) if tile.partial[0] else e


def _forward(
    x: Tensor, scales: tuple[float, ...], groups: Groups, keep: bool
) -> tuple[Tensor, list[Tensor], Schedule]:
    order, (groups,), tiles = plan = schedule(x, [groups])
    x = x if order is None else x[order]
    cells = [tile.cells for tile in tiles]
    number = bisect_right(list(accumulate(cells)), CACHE_BYTES // (x.element_size() * len(scales)))
    number = number if keep else 0
    memory = x.new_empty(len(scales), sum(cells[:number]) + max(cells[number:], default=0))
    *kept, spare = memory.tensor_split(list(accumulate(cells[:number])), 1)
    kept = [tile.of(e) for e, tile in zip(kept, tiles, strict=False)]
    sums = x.new_zeros(len(scales), len(x))
    for k, tile in enumerate(tiles):
        e = kept[k] if k < number else tile.of(spare)
        add_sums(sums, _fill(x, scales, tile, groups, e), tile)
    sums = sums.log_()
    if order is not None:
        sums = torch.empty_like(sums).index_copy_(1, order, sums)
    return sums, kept, plan


def _backward(
    x: Tensor,
    scales: tuple[float, ...],
    out: Tensor,
    grad: Tensor,
    kept: list[Tensor],
    plan: Schedule,
) -> Tensor:
    order, (groups,), tiles = plan
    u = torch.where(out.isneginf(), 0, grad * torch.exp(-out))
    if order is not None:
        x, u = x[order], u[:, order]
    u_rows, u_columns = u[:, :, None], u[:, None]
    largest = max((tile.cells for tile in tiles), default=0)
    spare = x.new_empty(len(scales), largest if len(kept) < len(tiles) else 0)
    weights = x.new_empty(len(scales), largest)
    dx = torch.zeros_like(x)
    for k, tile in enumerate(tiles):
        e = kept[k] if k < len(kept) else _fill(x, scales, tile, groups, tile.of(spare))
        w = tile.of(weights)
        torch.add(u_rows[:, tile.rows], u_columns[:, :, tile.columns], out=w)
        total = w[-1].mul_(e[-1])
        for t in range(len(scales) - 1):
            total.addcmul_(w[t], e[t], value=scales[t] / scales[-1])
        dx[tile.rows].addmm_(total, x[tile.columns], alpha=scales[-1])
        if not tile.diagonal:
            dx[tile.columns].addmm_(total.T, x[tile.rows], alpha=scales[-1])
    return dx if order is None else torch.empty_like(dx).index_copy_(0, order, dx)
