"""Somebody's embeddings, opened once: unit rows, labels, and what every table needs of them."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.measures.moments import Moments, class_moments
from supcon_theory.measures.rows import UnitRows, unit_rows_of
from supcon_theory.measures.streamed_moments import StreamedMoments, streamed_moments

SHUFFLES = 3
Progress = Callable[[str, float], None]  # what is being done, and the share of all that is done


@dataclass(frozen=True)
class Opened:
    """Embeddings and labels; `rows` only where the set is short enough for exact losses.

    source   unit rows, read in tiles
    norms    of the rows as given, (N, K)
    y        (N,) class numbers
    names    what the classes are called
    rows     (N, K, d) float64 unit rows, or None
    seed     key of every draw
    """

    source: UnitRows
    norms: Tensor
    y: Tensor
    names: list
    rows: Tensor | None
    seed: int

    @property
    def about(self) -> dict[str, float]:
        """The columns of `IDENTITY` that say how large the set is."""
        N, K, d = self.source.shape
        return {"C": len(self.names), "n": N / len(self.names), "K": K, "d": d}

    @cached_property
    def counts(self) -> np.ndarray:
        """(C,) class sizes."""
        return self.y.bincount().numpy()

    @cached_property
    def moments(self) -> Moments:
        """Class moments of all rows: residuals in memory, or read again each time."""
        if self.rows is not None:
            return class_moments(self.rows, self.y)
        return streamed_moments(self.source, [self.y])[0]

    def norm_columns(self) -> dict[str, float]:
        """What the norms of the rows were."""
        norms = self.norms
        found = (norms.mean(), norms.std(correction=0), norms.min(), norms.max())
        names = ("norm_mean", "norm_sd", "norm_min", "norm_max")
        return {name: float(value) for name, value in zip(names, found, strict=True)}

    @cached_property
    def shuffled_labels(self) -> list[Tensor]:
        """The labels in other orders, functions of the seed and of the number of samples."""
        return self.shuffles_of(self.y)

    @cached_property
    def shuffled_moments(self) -> list[StreamedMoments]:
        """Class moments under each of these."""
        return streamed_moments(self.source, self.shuffled_labels)

    def drawn(self, count: int) -> np.ndarray:
        """Numbers of `count` of the N K rows, drawn with replacement."""
        N, K, _ = self.source.shape
        return _rng(self.seed, 2).integers(N * K, size=count)

    def shuffles_of(self, y: Tensor) -> list[Tensor]:
        """Labels in other orders, functions of the seed and of how many they are."""
        orders = (_rng(self.seed, 1, k).permutation(len(y)) for k in range(SHUFFLES))
        return [y[torch.from_numpy(order)] for order in orders]

    def chosen(self, most: int) -> tuple[np.ndarray, str]:
        """As many samples of every class, as far as it has them, about `most` in all, ascending.

        Small classes give all: how many shots there can be is decided by the smallest. A class
        gives at least two samples; one that has a single row is left out, by name.

        Args:
            most: Samples wanted.

        Returns:
            Their numbers, and why they are not all.
        """
        order = _rng(self.seed, 3).permutation(len(self.y))
        y = self.y.numpy()
        order = order[np.argsort(y[order], kind="stable")]
        place = np.arange(len(y)) - (self.counts.cumsum() - self.counts)[y[order]]
        caps = range(2, max(3, int(self.counts.max()) + 1))
        fit = bisect_right(caps, most, key=lambda cap: int(np.minimum(self.counts, cap).sum()))
        cap = caps[max(fit - 1, 0)]
        alone = self.counts * self.source.shape[1] < 2
        why = ["budget"] if len(y) > most else []
        if alone.any():
            left_out = [str(self.names[c]) for c in np.flatnonzero(alone)]
            why.append("left out, of one sample: " + ", ".join(left_out))
        kept = (place < cap) & ~alone[y[order]]
        return np.sort(order[kept]), "; ".join(why)


def opened(z: object, y: object, *, exact: int, seed: int) -> Opened:
    """Read embeddings and labels once.

    Args:
        z: (N, d) or (N, K, d), tensor, array or memory map, of any norm but 0.
        y: (N,) labels of any kind.
        exact: Rows N K up to which they are held in memory.
        seed: Key of every draw.

    Returns:
        The set.

    Raises:
        ValueError: What `inputs` refuses, and a single class.
    """
    given = unit_rows_of(z)
    N, K, _ = given.shape
    numbers, names = inputs.labels(y, N).cpu(), inputs.class_names(y)
    if len(names) < 2:
        raise ValueError(f"all labels are of one class, {names[0]}; an audit compares at least 2.")
    if N * K > exact:
        return Opened(given, given.norms, numbers, names, None, seed)
    rows = inputs.unit_rows(inputs.features(z, "z").detach().cpu().reshape(given.shape))
    source = UnitRows(rows.float(), torch.ones(N, K, dtype=torch.float64), given.shape)
    return Opened(source, given.norms, numbers, names, rows, seed)


def _rng(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
