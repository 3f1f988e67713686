"""log sum_b exp(scale <z_a, z_b>) over a set of rows b, for every row a, without an M x M matrix.

Several scales at once share the products <z_a, z_b> and, backward, the product with z.

The set of a row is given by group numbers: the rows b with same[b] == same[a] and
different[b] != different[a] (either may be None; `different` = k stands for consecutive runs of k
rows, which `same` must not split). All such sets are symmetric, a in the set of b
iff b in the set of a, so only tiles on and above the diagonal of Z Z^T are computed and each
serves its rows and its columns. With L_a the log sum and g = dloss/dL,

    dloss/dz_a = scale * sum_b E_ab (u_a + u_b) z_b,   E_ab = exp(scale <z_a, z_b>), u = g exp(-L)

over the same set, summed over scales, so the backward pass needs the same tiles again: the first
`CACHE_BYTES` of them are kept, the others computed anew. Memory is O(M d) + CACHE_BYTES + two tiles
per scale.
"""

import math
from bisect import bisect_right
from itertools import accumulate

import torch
from torch import Tensor

from supcon_theory.objectives.check import full_precision
from supcon_theory.pairs import strips
from supcon_theory.pairs.tiles import Tile, mask_out, sorted_by, tiles

TILE = {
    "cpu": 384,
    "cuda": 4096,
}  # rows at most; a tile and its weights stay in the second-level cache
CACHE_BYTES = 48 * 2**20
QUICK_POWERS = (2, 3)  # E at one scale as a power of E at another: beta = 1 and beta = 1/2

# Unit rows bound the exponent by `scale`, so up to here exp needs no shift: exp(scale) times M
# rows, and times the 1/M of a mean's gradient, are normal numbers for M up to about 10^5.
LARGEST_UNSHIFTED = {torch.float32: 60.0, torch.float64: 600.0}


def log_sums(
    z: Tensor,
    scales: tuple[float, ...],
    same: Tensor | None = None,
    different: int | Tensor | None = None,
) -> Tensor:
    """L_ka = log sum_{b in set(a)} exp(scales[k] <z_a, z_b>), for unit rows z of (M, d).

    One row of M numbers per scale. The log of an empty sum is -inf and has no
    gradient. Twice differentiable (the second time densely, by autograd).
    """
    keep = z.requires_grad and torch.is_grad_enabled()  # inside `forward` it always looks off
    return _LogSums.apply(z, scales, same, different, keep)


class _LogSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, scales, same, different, keep):
        exponentials = []
        if max(scales) > LARGEST_UNSHIFTED[z.dtype]:
            out = torch.stack([strips.forward(z, scale, same, different) for scale in scales])
            ctx.tiles = None
        else:
            out, exponentials, ctx.tiles = _forward(z, scales, same, different, keep)
        ctx.save_for_backward(z, out, *exponentials)  # so that they are freed after `backward`
        ctx.scales, ctx.same, ctx.different = scales, same, different  # no gradient, not changed
        return out

    @staticmethod
    def backward(ctx, grad):
        z, out, *exponentials = ctx.saved_tensors
        sets = ctx.same, ctx.different
        with full_precision(z):
            if torch.is_grad_enabled():  # create_graph=True: the gradient is differentiated too
                parts = zip(ctx.scales, grad, strict=True)
                dz = sum(strips.dense_backward(z, scale, *sets, g) for scale, g in parts)
            elif ctx.tiles is None:
                parts = zip(ctx.scales, out, grad, strict=True)
                dz = sum(strips.backward(z, scale, *sets, o, g) for scale, o, g in parts)
            else:
                dz = _backward(z, ctx.scales, out, grad, exponentials, *ctx.tiles)
        return dz, None, None, None, None


def _exponentials(x: Tensor, scales, tile: Tile, same, different, out: Tensor) -> None:
    """E at every scale into `out`, (number of scales, rows, columns), from x = sqrt(scales[0]) z."""
    torch.mm(x[tile.rows], x.T[:, tile.columns], out=out[0])
    for scale, e in zip(scales[1:], out[1:], strict=True):
        torch.mul(out[0], scale / scales[0], out=e)
    power = next((k for k in QUICK_POWERS if scales[0] == k * scales[-1]), None)
    if power is None:
        out.exp_()
    else:
        torch.pow(out[1:].exp_()[-1], power, out=out[0])
    if tile.partial:
        mask_out(out, tile, same, different, 0.0)


def _shaped(memory: Tensor, tile: Tile) -> Tensor:
    """The first cells of `memory`, (number of scales, cells), as a tile."""
    return memory[:, : tile.cells].unflatten(1, (tile.rows.stop - tile.rows.start, -1))


def _forward(z, scales, same, different, keep):
    run = different if isinstance(different, int) else 1
    blocks = math.ceil(len(z) / TILE.get(z.device.type, TILE["cpu"]))
    size = math.ceil(len(z) / (blocks * run)) * run  # blocks of equal size, which splits no run
    order = None
    if len(z) > 2 * size:  # with fewer tiles most hold pairs of every kind, sorted or not
        order = sorted_by(different if isinstance(different, Tensor) else same)
    if order is not None:
        z = z[order]
        same = None if same is None else same[order]
        different = different[order] if isinstance(different, Tensor) else different
    x = z * scales[0] ** 0.5
    plan = tiles(len(z), size, same, different)
    cells = [tile.cells for tile in plan]
    kept = bisect_right(list(accumulate(cells)), CACHE_BYTES // (z.element_size() * len(scales)))
    kept = kept if keep else 0
    spare = max(cells[kept:], default=0)
    memory = z.new_empty(len(scales), sum(cells[:kept]) + spare)
    *exponentials, spare = memory.split([*cells[:kept], spare], 1)
    exponentials = [_shaped(e, tile) for e, tile in zip(exponentials, plan, strict=False)]
    sums = z.new_zeros(len(scales), len(z))
    for number, tile in enumerate(plan):
        e = exponentials[number] if number < kept else _shaped(spare, tile)
        _exponentials(x, scales, tile, same, different, e)
        sums[:, tile.rows].add_(e.sum(2))
        if not tile.diagonal:
            sums[:, tile.columns].add_(e.sum(1))
    sums = sums.log_()
    if order is not None:
        sums = torch.empty_like(sums).index_copy_(1, order, sums)
    return sums, exponentials, (order, same, different, plan)


def _backward(z, scales, out, grad, exponentials, order, same, different, plan):
    u = torch.where(out.isneginf(), 0, grad * torch.exp(-out))
    if order is not None:
        z, u = z[order], u[:, order]
    u_rows, u_columns = u[:, :, None], u[:, None]
    kept = len(exponentials)
    x = z * scales[0] ** 0.5 if kept < len(plan) else None
    largest = max((tile.cells for tile in plan), default=0)
    spare = z.new_empty(len(scales), largest if kept < len(plan) else 0)
    weights = z.new_empty(len(scales), largest)
    dz = torch.zeros_like(z)
    for number, tile in enumerate(plan):
        if number < kept:
            e = exponentials[number]
        else:
            e = _shaped(spare, tile)
            _exponentials(x, scales, tile, same, different, e)
        w = _shaped(weights, tile)
        torch.add(u_rows[:, tile.rows], u_columns[:, :, tile.columns], out=w)
        coefficients = w[0].mul_(e[0])
        for k in range(1, len(scales)):
            coefficients.addcmul_(w[k], e[k], value=scales[k] / scales[0])
        dz[tile.rows].addmm_(coefficients, z[tile.columns], alpha=scales[0])
        if not tile.diagonal:
            dz[tile.columns].addmm_(coefficients.T, z[tile.rows], alpha=scales[0])
    return dz if order is None else torch.empty_like(dz).index_copy_(0, order, dz)
