"""log sum_b exp(scale <z_a, z_b>) over a set of rows b, for every row a, without an M x M matrix.

The set of a row is given by group numbers: the rows b with same[b] == same[a] and
different[b] != different[a] (either may be None; `different` = k stands for consecutive runs of k
rows, which `same` must not split). All such sets are symmetric, a in the set of b
iff b in the set of a, so only tiles on and above the diagonal of Z Z^T are computed and each
serves its rows and its columns. With L_a the log sum and g = dloss/dL,

    dloss/dz_a = scale * sum_b E_ab (u_a + u_b) z_b,   E_ab = exp(scale <z_a, z_b>), u = g exp(-L)

over the same set, so the backward pass needs the same tiles again: the first `CACHE_BYTES` of them
are kept, the others computed anew. Memory is O(M d) + CACHE_BYTES + two tiles.
"""

import torch
from torch import Tensor

from supcon_theory.objectives import strips
from supcon_theory.objectives.tiling import Tile, mask_out, sorted_by, tiles

TILE = {"cpu": 512, "cuda": 4096}  # rows; a tile and its weights stay in the second-level cache
CACHE_BYTES = 48 * 2**20

# Unit rows bound the exponent by `scale`, so up to here exp needs no shift: exp(scale) times M
# rows, and times the 1/M of a mean's gradient, are normal numbers for M up to about 10^5.
LARGEST_UNSHIFTED = {torch.float32: 60.0, torch.float64: 600.0}


def log_sums(
    z: Tensor, scale: float, same: Tensor | None = None, different: int | Tensor | None = None
) -> Tensor:
    """L_a = log sum_{b in set(a)} exp(scale <z_a, z_b>), shape (M,), for unit rows z of (M, d).

    The log of an empty sum is -inf and has no
    gradient. Twice differentiable (the second time densely, by autograd).
    """
    return _LogSums.apply(z, float(scale), same, different)


class _LogSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, scale, same, different):
        keep = ctx.needs_input_grad[0]
        if scale > LARGEST_UNSHIFTED[z.dtype]:
            out, ctx.tiles = strips.forward(z, scale, same, different), None
        else:
            out, ctx.tiles = _forward(z, scale, same, different, keep)
        ctx.save_for_backward(z, out)
        ctx.scale, ctx.same, ctx.different = scale, same, different  # no gradient, not changed
        return out

    @staticmethod
    def backward(ctx, grad):
        z, out = ctx.saved_tensors
        same, different = ctx.same, ctx.different
        with torch.autocast(z.device.type, enabled=False):
            if torch.is_grad_enabled():  # create_graph=True: the gradient is differentiated too
                dz = strips.dense_backward(z, ctx.scale, same, different, grad)
            elif ctx.tiles is None:
                dz = strips.backward(z, ctx.scale, same, different, out, grad)
            else:
                dz = _backward(z, ctx.scale, out, grad, *ctx.tiles)
        return dz, None, None, None


def _exponentials(x: Tensor, tile: Tile, same, different, out: Tensor) -> Tensor:
    torch.mm(x[tile.rows], x[tile.columns].T, out=out).exp_()
    return mask_out(out, tile, same, different, 0.0) if tile.partial else out


def _buffer(x: Tensor, memory: Tensor, start: int, tile: Tile) -> Tensor:
    shape = (tile.rows.stop - tile.rows.start, tile.columns.stop - tile.columns.start)
    return memory[start : start + shape[0] * shape[1]].view(shape)


def _forward(z, scale, same, different, keep):
    size = TILE.get(z.device.type, TILE["cpu"])
    if isinstance(different, int):
        size = max(size - size % different, different)
    order = None
    if len(z) > size:
        order = sorted_by(different if isinstance(different, Tensor) else same)
    if order is not None:
        same = None if same is None else same[order]
        different = different[order] if isinstance(different, Tensor) else different
    x = (z if order is None else z[order]) * scale**0.5
    plan = tiles(len(z), size, same, different)
    cells = [t.cells for t in plan]
    kept = 0
    total = 0
    while keep and kept < len(plan) and (total + cells[kept]) * z.element_size() <= CACHE_BYTES:
        total += cells[kept]
        kept += 1
    memory = z.new_empty(total + max(cells[kept:], default=0))
    sums = z.new_zeros(len(z))
    start = 0
    for number, tile in enumerate(plan):
        e = _exponentials(x, tile, same, different, _buffer(x, memory, start, tile))
        sums[tile.rows] += e.sum(1)
        if not tile.diagonal:
            sums[tile.columns] += e.sum(0)
        if number < kept:
            start += cells[number]
    sums = sums.log_()
    if order is not None:
        sums = torch.empty_like(sums).index_copy_(0, order, sums)
    return sums, (order, same, different, plan, kept, memory[:total] if keep else None)


def _backward(z, scale, out, grad, order, same, different, plan, kept, memory):
    x, u = z, torch.where(out.isneginf(), 0, grad * torch.exp(-out)) * scale
    if order is not None:
        x, u = x[order], u[order]
    scaled = x * scale**0.5 if kept < len(plan) else None
    largest = max((t.cells for t in plan), default=0)
    again = z.new_empty(largest if kept < len(plan) else 0)
    scratch = z.new_empty(largest)
    dx = torch.zeros_like(x)
    start = 0
    for number, tile in enumerate(plan):
        if number < kept:
            e = _buffer(x, memory, start, tile)
            start += tile.cells
        else:
            e = _exponentials(scaled, tile, same, different, _buffer(x, again, 0, tile))
        w = _buffer(x, scratch, 0, tile)
        torch.add(u[tile.rows, None], u[None, tile.columns], out=w).mul_(e)
        dx[tile.rows].addmm_(w, x[tile.columns])
        if not tile.diagonal:
            dx[tile.columns].addmm_(w.T, x[tile.rows])
    return dx if order is None else torch.empty_like(dx).index_copy_(0, order, dx)
