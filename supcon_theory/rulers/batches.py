"""Class counts of random batches: what a loss that asks the labels is averaged over."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from supcon_theory.theory.counts import Floats

DRAWS = 400  # of a random batch; the standard error of the mean is a twentieth of the spread


class Summary(NamedTuple):
    """Mean and range over random batches."""

    mean: float
    low: float
    high: float


def summary(values: Floats | float) -> Summary:
    """Mean and range of a number of each batch, or of one that is the same in all."""
    return Summary(float(np.mean(values)), float(np.min(values)), float(np.max(values)))


def draw(batch: int, probabilities: Floats) -> NDArray[np.int64]:
    """(batches, C) class counts of batches of independent samples, the same at every call.

    Args:
        batch: samples in a batch.
        probabilities: (C,) frequencies of the classes, of sum 1.

    Returns:
        Multinomial counts, `DRAWS` of them.
    """
    rng = np.random.default_rng([batch, len(probabilities)])
    return rng.multinomial(batch, probabilities, size=DRAWS)


def over_batches(of: Callable[[Floats], float], counts: NDArray[np.int64]) -> Summary:
    """A number of the classes that are present, over batches.

    Args:
        of: takes the class sizes of a batch, none of them 0.
        counts: (batches, C).

    Returns:
        Its mean and range.
    """
    values = np.array([of(row[row > 0].astype(float)) for row in counts])
    return summary(values)


def mean_over_anchors(
    of: Callable[[Floats], Floats], weight: Callable[[Floats], Floats], counts: NDArray[np.int64]
) -> Summary:
    """A number of the size of an anchor's class, averaged over anchors, over batches.

    Args:
        of: (sizes,) class sizes -> (sizes,) values.
        weight: (sizes,) class sizes -> (sizes,) weight of an anchor; 0 where it has no loss.
        counts: (batches, C).

    Returns:
        Mean and range over the batches of their mean over anchors.
    """
    sizes, place = np.unique(counts, return_inverse=True)
    n, w = sizes.astype(float), weight(sizes.astype(float))
    value = np.zeros_like(n)
    value[w > 0] = of(n[w > 0])
    share = (n * w)[place.reshape(counts.shape)]
    values = (share * value[place.reshape(counts.shape)]).sum(1) / share.sum(1)
    return summary(values)


def with_a_loss(counts: NDArray[np.int64], weight: Callable[[Floats], Floats]) -> NDArray[np.int64]:
    """The batches that have at least two classes and an anchor with a loss.

    Args:
        counts: (batches, C).
        weight: (sizes,) class sizes -> (sizes,) weight of an anchor.

    Returns:
        Those of the batches.

    Raises:
        ValueError: there are none.
    """
    has = (weight(counts.astype(float)) > 0).any(1) & ((counts > 0).sum(1) > 1)
    if not has.any():
        raise ValueError(
            f"of {len(counts)} random batches none has two classes and an anchor with a loss: use "
            "a larger batch or more views."
        )
    return counts[has]
