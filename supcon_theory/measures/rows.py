"""Unit rows of a set too long to hold in memory, a tile at a time; and random ones like them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from supcon_theory import inputs

TILE_NUMBERS = 2**22  # numbers of a tile: 16 MB in float32


class Rows(Protocol):
    """N samples of K unit rows in d dimensions, read tile by tile, the same however often."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, K, d)."""
        ...

    def tile(self, rows: slice) -> Tensor:
        """(b, K, d) rows of one of the slices of `tiles`."""
        ...


def tiles(shape: tuple[int, int, int]) -> list[slice]:
    """The slices of samples in which rows of this shape are read."""
    N, K, d = shape
    step = max(1, TILE_NUMBERS // (K * d))
    return [slice(a, min(a + step, N)) for a in range(0, N, step)]


def each_tile(source: Rows) -> Iterator[tuple[slice, Tensor]]:
    """Every tile with the samples that it holds."""
    for rows in tiles(source.shape):
        yield rows, source.tile(rows)


@dataclass(frozen=True)
class UnitRows:
    """Rows of an array, or of a memory map on disk, divided by their norms (N, K)."""

    given: Any
    norms: Tensor
    shape: tuple[int, int, int]

    def tile(self, rows: slice) -> Tensor:
        """(b, K, d) unit rows, float32 unless the array is float64."""
        return self._unit(self.given[rows], self.norms[rows])

    def at(self, rows: np.ndarray) -> Tensor:
        """The unit rows of chosen samples, (M, K, d)."""
        index = rows if not isinstance(self.given, Tensor) else torch.as_tensor(rows)
        return self._unit(self.given[index], self.norms[torch.as_tensor(rows)])

    def _unit(self, given: object, norms: Tensor) -> Tensor:
        x = inputs.features(given, "z").detach()
        x = x.to(inputs.working_dtype(x))
        x = x if x.ndim == 3 else x[:, None]
        return x / norms[..., None].to(x)


def unit_rows_of(z: object) -> UnitRows:
    """Look once at every row of an array or memory map (N, d) or (N, K, d), and take its norm.

    Args:
        z: tensor, array or memory map, of any norm but 0.

    Returns:
        The rows, to be read a tile at a time; memory O(N K).

    Raises:
        ValueError: a row of zeros, NaN or infinite entries, by its number. Also raises what
            `inputs.sliceable` raises.
    """
    given, dtype = inputs.sliceable(z, "z")
    N, *between, d = given.shape
    K = between[0] if between else 1
    norms = torch.empty(N, K, dtype=torch.float64)
    for rows in tiles((N, K, d)):
        x = inputs.features(given[rows], "z", rows.start).detach()
        x = x if x.ndim == 3 else x[:, None]
        squares = torch.linalg.vector_norm(x, dim=-1, dtype=torch.float64)
        low, high = squares.min(), squares.max()
        if not (low > torch.finfo(dtype).tiny and high < torch.finfo(torch.float32).max):
            inputs.unit_rows(x, rows.start)  # which says in which row zeros are
            raise ValueError(
                f"z has a row of norm {(low if high < 1 else high).item():g}, which float32 does "
                "not hold: scale the rows to norms near 1 first."
            )
        norms[rows] = squares
    return UnitRows(given, norms, (N, K, d))


@dataclass(frozen=True)
class RandomRows:
    """Independent random directions, the same for the same seed."""

    shape: tuple[int, int, int]
    seed: int = 0

    def tile(self, rows: slice) -> Tensor:
        """(b, K, d) float32 unit rows."""
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + rows.start)
        x = torch.randn(rows.stop - rows.start, *self.shape[1:], generator=generator)
        return torch.nn.functional.normalize(x, dim=-1)
