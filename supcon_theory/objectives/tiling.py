"""Which tiles of a symmetric M x M matrix of pairs have to be computed, and which need a mask."""

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


def sorted_by_group(
    same: Tensor | None, different: Tensor | None, size: int
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """The permutation that makes groups contiguous (None if it is not worth it), groups permuted.

    With contiguous groups most tiles lie wholly inside or wholly outside of the set.
    """
    order = None
    for key in (different, same):  # least significant first: both sorts are stable
        if key is None or len(key) <= size:
            continue
        key = key if order is None else key[order]
        if bool((key[1:] >= key[:-1]).all()):
            continue
        step = torch.argsort(key, stable=True)
        order = step if order is None else order[step]
    if order is None:
        return None, same, different
    return order, None if same is None else same[order], None if different is None else different[order]


def tiles(
    count: int, size: int, same: Tensor | None = None, different: Tensor | None = None
) -> list[Tile]:
    """Tiles on and above the diagonal that hold a pair of the set, in row-major order."""
    blocks = [slice(a, min(a + size, count)) for a in range(0, count, size)]
    same_range, different_range = _ranges(same, blocks), _ranges(different, blocks)
    plan = []
    for i, rows in enumerate(blocks):
        for j, columns in enumerate(blocks[i:], start=i):
            partial = False
            if same_range is not None:
                (a, b), (c, d) = same_range[i], same_range[j]
                if b < c or d < a:  # no group in common: no pair of the set
                    continue
                partial |= not a == b == c == d
            if different_range is not None:
                (a, b), (c, d) = different_range[i], different_range[j]
                if a == b == c == d:  # one and the same group: no pair of the set
                    continue
                partial |= not (b < c or d < a)
            plan.append(Tile(rows, columns, partial))
    return plan


def mask_out(
    values: Tensor, tile: Tile, same: Tensor | None, different: Tensor | None, fill: float
) -> Tensor:
    """Overwrite the pairs of a tile that lie outside the set with `fill`, in place."""
    if different is not None:
        values.masked_fill_(different[tile.rows, None] == different[None, tile.columns], fill)
    if same is not None:
        values.masked_fill_(same[tile.rows, None] != same[None, tile.columns], fill)
    return values


def _ranges(group: Tensor | None, blocks: list[slice]) -> list[list[int]] | None:
    if group is None:
        return None
    ends = [torch.stack(group[block].aminmax()) for block in blocks]
    return torch.stack(ends).tolist()
