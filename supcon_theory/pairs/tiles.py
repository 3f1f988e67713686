"""The one schedule of tiles: exp(scale <x_a, x_b>) over sets of pairs, without an M x M matrix.

Every set is symmetric (b in the set of a iff a in the set of b), so only tiles on and above the
diagonal of the matrix of pairs are computed and each serves its rows and its columns. With the rows
sorted by class most tiles lie wholly inside or wholly outside of a set: no mask, or no tile at all.
`log_sums` uses one set and keeps tiles for its gradient, `class_sums` uses two and keeps none.
"""

import contextlib
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

# Rows at most. 384 x 384 float32 is .6 MB: a tile and its weights stay in a core's cache between
# the product, the exponential and the sums. An accelerator wants fewer, larger tiles.
TILE = {"cpu": 384}
TILE_ELSEWHERE = 4096
# Largest |logit| whose exponential needs no shift. A sum: 4096 exp(80) < 3.4e38 in float32, and
# 10^18 exp(650) fits in float64. A gradient leaves room for the 1/M of a mean: exp(-60) / 10^5 is
# still a normal number.
SUMMED = {torch.float32: 80.0, torch.float64: 650.0}
DIFFERENTIATED = {torch.float32: 60.0, torch.float64: 600.0}
LARGEST_POWER = 6


class Groups(NamedTuple):
    """A set of pairs: rows with equal `same` and unequal `different`, each a group number a row.

    `different` = k stands for consecutive runs of k rows, which `same` must not split.
    """

    same: Tensor | None
    different: int | Tensor

    def at(self, order: Tensor) -> "Groups":
        """The same pairs after the rows have been put in this order."""
        same, different = self
        return Groups(
            None if same is None else same[order],
            different[order] if isinstance(different, Tensor) else different,
        )


class Tile(NamedTuple):
    """Pairs rows x columns; of each set some of them (True: mask), all (False) or none (None)."""

    rows: slice
    columns: slice
    partial: tuple[bool | None, ...]

    @property
    def diagonal(self) -> bool:
        """Whether the rows are the columns."""
        return self.rows == self.columns

    @property
    def cells(self) -> int:
        """Number of pairs."""
        return (self.rows.stop - self.rows.start) * (self.columns.stop - self.columns.start)

    def of(self, memory: Tensor) -> Tensor:
        """The first cells of `memory`, (number of scales, cells), as this tile."""
        return memory[:, : self.cells].unflatten(1, (self.rows.stop - self.rows.start, -1))


class Schedule(NamedTuple):
    """The tiles that hold pairs of some set, for rows in `order` (None: as they are)."""

    order: Tensor | None
    sets: list[Groups]
    tiles: list[Tile]


def schedule(x: Tensor, sets: list[Groups]) -> Schedule:
    """Which tiles of the pairs of the rows x have to be computed, and which need a mask."""
    count = len(x)
    run = max((s.different for s in sets if isinstance(s.different, int)), default=1)
    blocks = math.ceil(count / TILE.get(x.device.type, TILE_ELSEWHERE))
    size = math.ceil(count / (blocks * run)) * run  # blocks of equal size, which splits no run
    blocks = [slice(a, min(a + size, count)) for a in range(0, count, size)]
    if len(blocks) <= 2:  # too few to be worth looking for those that are empty or need no mask
        masked = [s.same is not None or isinstance(s.different, Tensor) for s in sets]
        pairs = ((a, b) for i, a in enumerate(blocks) for b in blocks[i:])
        return Schedule(
            None, sets, [Tile(a, b, tuple(m or a == b for m in masked)) for a, b in pairs]
        )
    keys = [key for s in sets for key in s if isinstance(key, Tensor)]
    order = None
    if keys and bool((keys[0][1:] < keys[0][:-1]).any()):
        order = torch.argsort(keys[0], stable=True)
        sets = [s.at(order) for s in sets]
    ranges = [[_ranges(key, blocks) for key in s] for s in sets]
    tiles = []
    for i, a in enumerate(blocks):
        for j, b in enumerate(blocks[i:], start=i):
            partial = tuple(_partial(same, different, i, j) for same, different in ranges)
            if any(part is not None for part in partial):
                tiles.append(Tile(a, b, partial))
    return Schedule(order, sets, tiles)


def _ranges(group: int | Tensor | None, blocks: list[slice]) -> list[list[float]] | None:
    """Least and largest group number of each block."""
    if not isinstance(group, Tensor):
        return None
    return torch.stack([torch.stack(group[block].aminmax()) for block in blocks]).tolist()


def _partial(same: list | None, different: list | None, i: int, j: int) -> bool | None:
    """Of the tile of blocks i and j: some of its pairs (True), all (False) or none (None)."""
    partial = different is None and i == j
    if same is not None:
        (a, b), (c, d) = same[i], same[j]
        if b < c or d < a:  # no group in common
            return None
        partial |= not a == b == c == d
    if different is not None:
        (a, b), (c, d) = different[i], different[j]
        if a == b == c == d:  # one and the same group
            return None
        partial |= not (b < c or d < a)
    return partial


def exponentials(x: Tensor, scales: Sequence[float], tile: Tile, out: Tensor) -> None:
    """exp(scale <x_a, x_b>) for each of the ascending scales, into `out` (scales, rows, columns).

    One product serves all scales, one exponential those that are integer multiples of another.
    """
    logits, last = out[-1], len(scales) - 1  # of the largest scale: a smaller one may underflow
    torch.addmm(logits, x[tile.rows], x[tile.columns].T, beta=0, alpha=scales[last], out=logits)
    for t, (source, power) in enumerate(powers(tuple(scales))):
        if power:
            integer_power(out[source], power, out=out[t])
        elif t == last:
            logits.exp_()
        else:
            torch.mul(logits, scales[t] / scales[last], out=out[t]).exp_()


@cache
def powers(scales: tuple[float, ...]) -> list[tuple[int, int]]:
    """For each ascending scale (s, m): its tile is the m-th power of tile s; m = 0: an exp."""
    # The power costs no accuracy: a rounding error e of the logits at one scale is m e at m times
    # it, whether the logits are multiplied or the exponential is raised.
    recipe = []
    for t, scale in enumerate(scales):
        near = [s for s in range(t) if scale < (LARGEST_POWER + 0.5) * scales[s]]
        multiples = [(round(scale / scales[s]), s) for s in near]
        usable = [(m, s) for m, s in multiples if m > 1 and abs(scale / scales[s] - m) <= 1e-14 * m]
        recipe.append(min(usable)[::-1] if usable else (0, 0))
    return recipe


def integer_power(x: Tensor, m: int, *, out: Tensor) -> None:
    """Out = x^m for m >= 2 by squaring: up to m = 6 cheaper than an exponential."""
    power = x
    for bit in f"{m:b}"[1:]:
        torch.mul(power, power, out=out)
        if bit == "1":
            out.mul_(x)
        power = out


def add_sums(sums: Tensor, e: Tensor, tile: Tile) -> None:
    """Add the sums of a tile (scales, rows, columns) to those of its rows and of its columns."""
    sums[:, tile.rows].add_(e.sum(2))
    if not tile.diagonal:
        sums[:, tile.columns].add_(e.sum(1))


def mask_out(values: Tensor, tile: Tile, groups: Groups, fill: float = 0.0) -> Tensor:
    """Overwrite the pairs of a tile (last two dimensions) outside of a set, in place."""
    same, different = groups
    if isinstance(different, Tensor):
        _keep(torch.ne, different, values, tile, fill)
    elif tile.rows.stop <= tile.columns.stop:
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


def products(a: Tensor, b: Tensor) -> Tensor:
    """<a_i, b_j>, (..., I, J), in differentiable operations that autocast leaves alone."""
    # a backward pass inside of autocast, as that of torch.func, is cast too; float64 never is
    if torch.is_autocast_enabled(a.device.type):
        return (a.double() @ b.double().mT).to(a.dtype)
    return a @ b.mT


def full_precision(z: Tensor) -> contextlib.AbstractContextManager:
    """A context without autocast; where there is none, one that costs nothing."""
    device = z.device.type
    on = torch.is_autocast_enabled(device)
    return torch.autocast(device, enabled=False) if on else contextlib.nullcontext()
