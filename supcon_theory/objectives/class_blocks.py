"""Sums over the pairs of rows of one class, by batched products of whole classes.

Classes of like size share one product, padded to the largest of them, so that the number of
products grows with the logarithm of the largest class and not with the number of classes.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

PADDING = 1.5  # a class is padded to at most this many times its size


class Block(NamedTuple):
    """c classes of at most n rows: the rows of each, and the places that are not padding."""

    rows: Tensor  # (c, n)
    outside: Tensor  # (c, n, n) or (c, 1, n): pairs with padding, and the anchor with itself
    places: Tensor  # of the existing rows in rows.flatten()

    @property
    def pairs(self) -> int:
        return self.rows.shape[0] * self.rows.shape[1] ** 2


class _Products(torch.autograd.Function):
    """x x^T of a batch of matrices, with one product backward where autograd takes two."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x @ x.mT

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        with torch.autocast(x.device.type, enabled=False):
            return (grad + grad.mT) @ x


def class_blocks(classes: Tensor, sizes: Tensor, K: int) -> list[Block]:
    """The blocks of a batch from the class (N,) of each sample, the sizes (C,) and K views."""
    order = torch.argsort(classes, stable=True)
    start = sizes.cumsum(0) - sizes
    by_size = torch.argsort(sizes)
    ascending = sizes[by_size].tolist()
    views = torch.arange(K, device=order.device)
    blocks = []
    first = 0
    while first < len(ascending):
        last = first
        while last < len(ascending) and ascending[last] <= PADDING * ascending[first]:
            last += 1
        chosen = by_size[first:last, None]
        position = torch.arange(ascending[last - 1], device=order.device)
        sample = order[(start[chosen] + position).clamp(max=len(order) - 1)]
        rows = (sample[..., None] * K + views).flatten(1)
        exists = (position < sizes[chosen]).repeat_interleave(K, 1)
        itself = torch.eye(rows.shape[1], dtype=torch.bool, device=order.device)
        outside = ~exists[:, None] | itself
        blocks.append(Block(rows, outside, exists.flatten().nonzero()[:, 0]))
        first = last
    return blocks


def sum_over(
    blocks: list[Block], z: Tensor, term: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """sum over the other rows p of the class of term(<z_a, z_p>, a), (N, K), z of (N, K, d).

    `term` maps s (c, n, n) and the anchors' rows (c, n) to (c, n, n). Differentiable by autograd.
    """
    flat = z.flatten(0, 1)
    rows, sums = [], []
    for block in blocks:
        x = F.embedding(block.rows, flat)  # (c, n, d)
        terms = term(_Products.apply(x), block.rows).masked_fill(block.outside, 0)
        rows.append(block.rows.flatten()[block.places])
        sums.append(terms.sum(-1).flatten().index_select(0, block.places))
    rows = torch.cat(rows)
    return torch.empty_like(flat[:, 0]).index_copy(0, rows, torch.cat(sums)).view(z.shape[:2])
