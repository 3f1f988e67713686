"""Sums over the pairs of rows of one class, by batched products of whole classes.

Classes of like size share one product, padded to the largest of them, so that the number of
products grows with the logarithm of the largest class and not with the number of classes. With
t_ap = x_a + scale <z_a, z_p>, w_ap = g_a f'(t_ap) and g the gradient of the sums of f,

    dloss/dx_a = sum_p w_ap,   dloss/dz_a = scale * sum_p (w_ap + w_pa) z_p
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from supcon_theory.pairs.tiles import full_precision

PADDING = 1.5  # a class is padded to at most this many times its size


class Block(NamedTuple):
    """c classes of at most n rows: the rows of each (padding: any), and the pairs that count."""

    rows: Tensor  # (c, n)
    inside: Tensor  # (c, n, n): neither padding nor the anchor with itself

    @property
    def pairs(self) -> int:
        """Cells, padding and diagonal included."""
        return self.inside.numel()

    def gather(self, values: Tensor) -> Tensor:
        """(M, k) -> (c, n, k): the values of the rows."""
        return values.index_select(0, self.rows.flatten()).view(*self.rows.shape, -1)

    def add(self, values: Tensor, into: Tensor) -> None:
        """(c, n, k), 0 for padding, added to the rows of `into`, (M, k)."""
        into.index_add_(0, self.rows.flatten(), values.flatten(0, 1))


class Term(NamedTuple):
    """A function of one number, elementwise, and its derivative."""

    value: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]


def class_blocks(classes: Tensor, sizes: Tensor) -> list[Block]:
    """The blocks of a batch, from the class (M,) of each row and the rows of each class (C,)."""
    order = torch.argsort(classes, stable=True)
    start = sizes.cumsum(0) - sizes
    ascending = sorted(sizes.tolist())
    if ascending[-1] > PADDING * ascending[0]:  # several blocks; a single one may be in any order
        sizes, by_size = sizes.sort()
        start = start.index_select(0, by_size)
    blocks = []
    first = 0
    while first < len(ascending):
        last = first
        while last < len(ascending) and ascending[last] <= PADDING * ascending[first]:
            last += 1
        position = torch.arange(ascending[last - 1], device=order.device)
        places = start[first:last, None] + position
        exists = position < sizes[first:last, None]
        inside = exists[:, None] & exists[..., None]
        inside.diagonal(0, 1, 2).fill_(False)
        blocks.append(Block(order.take(places.clamp_(max=len(order) - 1)), inside))
        first = last
    return blocks


def sum_over(
    blocks: list[Block], term: Term, scale: float, z: Tensor, x: Tensor | None = None
) -> Tensor:
    """Sum over the other rows p of the class of f(x_a + scale <z_a, z_p>).

    Twice differentiable if the derivative of the term is differentiable.

    Args:
        blocks: the classes.
        term: f.
        scale: of the products.
        z: (M, d) rows of samples x views.
        x: (M, 1), or None for 0.

    Returns:
        (M,) sums.
    """
    with full_precision(z):
        return _SumOver.apply(z, x, blocks, term, scale)


class _SumOver(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, x, blocks, term, scale):
        arguments = [_arguments(block, z, x, scale) for block in blocks]
        out = z.new_zeros(len(z), 1)
        for block, (_, t) in zip(blocks, arguments, strict=True):
            block.add((term.value(t) * block.inside).sum(2, keepdim=True), out)
        parts = [
            part for block, pair in zip(blocks, arguments, strict=True) for part in (*block, *pair)
        ]
        ctx.save_for_backward(z, x, *parts)  # so that they are freed after `backward`
        ctx.term, ctx.scale = term, scale
        return out.flatten()

    @staticmethod
    def backward(ctx, grad):
        z, x, *parts = ctx.saved_tensors
        dz, dx = torch.zeros_like(z), None if x is None else torch.zeros_like(x)
        with full_precision(z):
            for k in range(0, len(parts), 4):
                block, (rows, t) = Block(*parts[k : k + 2]), parts[k + 2 : k + 4]
                if torch.is_grad_enabled():  # create_graph=True: differentiated once more
                    rows, t = _arguments(block, z, x, ctx.scale)
                w = ctx.term.derivative(t) * block.inside * block.gather(grad[:, None])
                if dx is not None:
                    block.add(w.sum(2, keepdim=True), dx)
                block.add(torch.bmm(ctx.scale * (w + w.mT), rows), dz)
        return dz, dx, None, None, None


def _arguments(block: Block, z: Tensor, x: Tensor | None, scale: float) -> tuple[Tensor, Tensor]:
    """The rows of the classes, (c, n, d), and t = x_a + scale <z_a, z_p>, (c, n, n)."""
    rows = block.gather(z)
    if x is None:
        return rows, scale * torch.bmm(rows, rows.mT)
    return rows, torch.baddbmm(block.gather(x), rows, rows.mT, alpha=scale)
