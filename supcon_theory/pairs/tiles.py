"""Which tiles of a symmetric M x M matrix of pairs have to be computed, and which need a mask."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Tile(NamedTuple):
    """Pairs rows x columns; `partial`: some of its pairs lie outside the set, so mask them."""

    rows: slice
    columns: slice
    partial: bool

    @property
    def diagonal(self) -> bool:
        return self.rows == self.columns

    @property
    def cells(self) -> int:
        return (self.rows.stop - self.rows.start) * (self.columns.stop - self.columns.start)


def sorted_by(key: Tensor | None) -> Tensor | None:
    """The permutation that makes the groups of `key` contiguous, None if they are already.

    With contiguous groups most tiles lie wholly inside or wholly outside of the set.
    """
    if key is None or bool((key[1:] >= key[:-1]).all()):
        return None
    return torch.argsort(key, stable=True)


def tiles(count: int, size: int, same: Tensor | None, different: int | Tensor | None) -> list[Tile]:
    """Tiles on and above the diagonal that hold a pair of the set, in row-major order.

    For runs of k rows, `different` = k, the size must be a multiple of k.
    """
    blocks = [slice(a, min(a + size, count)) for a in range(0, count, size)]
    if len(blocks) <= 2:  # too few to be worth looking for those that are empty or need no mask
        masked = same is not None or isinstance(different, Tensor)
        return [
            Tile(a, b, masked or (different is not None and a == b))
            for i, a in enumerate(blocks)
            for b in blocks[i:]
        ]
    same_range = None if same is None else _ranges(same, blocks)
    apart_range = _ranges(different, blocks) if isinstance(different, Tensor) else None
    plan = []
    for i, rows in enumerate(blocks):
        for j, columns in enumerate(blocks[i:], start=i):
            partial = isinstance(different, int) and i == j
            if same_range is not None:
                (a, b), (c, d) = same_range[i], same_range[j]
                if b < c or d < a:  # no group in common: no pair of the set
                    continue
                partial |= not a == b == c == d
            if apart_range is not None:
                (a, b), (c, d) = apart_range[i], apart_range[j]
                if a == b == c == d:  # one and the same group: no pair of the set
                    continue
                partial |= not (b < c or d < a)
            plan.append(Tile(rows, columns, partial))
    return plan


def mask_out(
    values: Tensor, tile: Tile, same: Tensor | None, different: int | Tensor | None, fill: float
) -> Tensor:
    """Overwrite the pairs of a tile that lie outside the set with `fill`, in place.

    Leading dimensions of `values` are tiles of the same pairs.
    """
    if isinstance(different, Tensor):
        _keep(torch.ne, different, values, tile, fill)
    elif different is not None and tile.rows.stop <= tile.columns.stop:
        first = tile.rows.start - tile.columns.start
        if first >= 0:  # the tile crosses the diagonal of the matrix of pairs
            square = values[..., first : first + values.shape[-2]]
            runs = square.unflatten(-2, (-1, different)).unflatten(-1, (-1, different))
            runs.diagonal(0, -4, -2).fill_(fill)
    if same is not None:
        _keep(torch.eq, same, values, tile, fill)
    return values


def _keep(relation: Callable, group: Tensor, values: Tensor, tile: Tile, fill: float) -> None:
    """Overwrite the pairs whose group numbers do not satisfy torch.eq or torch.ne, in place."""
    kept = values.new_empty(values.shape[-2:])  # 0 and 1: four times as fast as a Boolean mask
    relation(group[tile.rows, None], group[None, tile.columns], out=kept)
    if fill == 0:
        values.mul_(kept)
    else:
        values.masked_fill_(kept == 0, fill)


def _ranges(group: Tensor, blocks: list[slice]) -> list[list[int]]:
    ends = [torch.stack(group[block].aminmax()) for block in blocks]
    return torch.stack(ends).tolist()
