"""Class moments in one pass over rows that do not fit in memory, for several labelings at once.

Every tile has its own class means and scatter about them; two tiles a and b of one class are put
together by (Chan, Golub, LeVeque 1983)

    mean = (n_a mean_a + n_b mean_b) / n
    scatter = scatter_a + scatter_b + n_a n_b / n |mean_a - mean_b|^2,

which cancels nothing: no E[x^2] - E[x]^2 here either.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.measures.moments import Moments, missing
from supcon_theory.measures.rows import Rows, each_tile


@dataclass(frozen=True, eq=False)
class StreamedMoments(Moments):
    """Moments whose residuals are read again from `source` each time; `residuals` holds none."""

    source: Rows
    numbers: Tensor  # (N,) class number of each sample

    def residual_tiles(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Class numbers (b,) and residuals (b, D) of all rows, a tile at a time."""
        for rows, x in each_tile(self.source):
            owners = self.numbers[rows]
            yield (
                owners.repeat_interleave(self.views),
                (x - self.means.to(x)[owners][:, None]).flatten(0, 1),
            )


def streamed_moments(source: Rows, labelings: Sequence[object]) -> list[StreamedMoments]:
    """`class_moments` of the same rows under each labeling, all in one pass.

    Memory: a few tiles, and for each labeling a few (C, d) matrices.

    Args:
        source: The rows.
        labelings: One or more of (N,) labels of any kind.

    Returns:
        The moments under each.

    Raises:
        ValueError: For fewer than two classes, and what `inputs.labels` refuses.
    """
    N, K, d = source.shape
    numbers = [inputs.labels(y, N, "labels") for y in labelings]
    names = [inputs.class_names(y, "labels") for y in labelings]
    for known in names:
        if len(known) < 2:
            raise ValueError(
                f"all labels are of one class, {known[0]}; these measures compare at least 2."
            )
    found = []
    for rows, x in each_tile(source):
        exact = x.double()
        centre = exact.mean(1) if K > 1 else exact[:, 0]
        spread = (exact - centre[:, None]).square_().sum((1, 2)) / K if K > 1 else None
        if not found:
            shapes = [(exact.new_zeros(len(c)), exact.new_zeros(len(c), d)) for c in names]
            found = [(n, mean, n.clone(), n.clone()) for n, mean in shapes]
            kind = x.dtype
        for y, (n, mean, scatter, augmentation) in zip(numbers, found, strict=True):
            owners = y[rows]
            if spread is not None:
                augmentation.index_add_(0, owners, spread)
            _merge(centre, owners, n, mean, scatter)
    return [
        _moments(source, y, known, kind, *sums)
        for y, known, sums in zip(numbers, names, found, strict=True)
    ]


def _merge(centre: Tensor, owners: Tensor, n: Tensor, mean: Tensor, scatter: Tensor) -> None:
    """Put a tile of samples (b, d) to what is known of each class, in place."""
    present, place = owners.unique(return_inverse=True)
    own_n = place.bincount().double()
    own_mean = centre.new_zeros(len(present), centre.shape[1]).index_add_(0, place, centre)
    own_mean /= own_n[:, None]
    squares = (centre - own_mean[place]).square_().sum(1)
    before, total = n[present], n[present] + own_n
    shift = own_mean - mean[present]
    scatter.index_add_(0, owners, squares)
    scatter[present] += before * own_n / total * shift.square().sum(1)
    mean[present] += shift * (own_n / total)[:, None]
    n[present] = total


def _moments(
    source: Rows,
    y: Tensor,
    known: list,
    kind,
    n: Tensor,
    mean: Tensor,
    scatter: Tensor,
    spread: Tensor,
) -> StreamedMoments:
    K, d = source.shape[1:]
    samples = n.long()
    nan = float("nan")
    return StreamedMoments(
        classes=np.asarray(known),
        samples=samples,
        means=mean,
        variances=((scatter + spread) / n).masked_fill(samples * K < 2, nan),
        sample_variances=(scatter / n).masked_fill(samples < 2, nan),
        augmentation=spread / n,
        residuals=mean.new_empty(0, K, d, dtype=kind),
        owners=y[:0],
        reason=missing(known, samples.tolist(), K),
        source=source,
        numbers=y,
    )
