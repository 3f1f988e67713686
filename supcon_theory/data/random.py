"""Random numbers that are functions of their key.

Every number is a hash of (seed, stream, epoch, view, global sample index, draw number). Nothing is
drawn "after" anything else, so a number does not depend on what ran before, on the rest of the
batch, on the process or on the number of workers; a resumed run sees the same numbers.

The hash is SplitMix64 (Steele, Lea and Flood 2014): `_mix` is its output function, a bijection of
64 bits; a key absorbs its parts one after another through it, and the draws of one sample are the
SplitMix64 sequence that starts at the sample's key.
"""

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import torch

Labels = TypeVar("Labels", np.ndarray, "torch.Tensor")

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def _mix(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x = (x ^ (x >> np.uint64(27))) * _SECOND
    return x ^ (x >> np.uint64(31))


def _whole(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < 2**63:
        raise ValueError(f"{name} is {value!r}; it must be a whole number from 0 to 2^63 - 1.")
    return int(value)


def _key(seed: int, stream: str, epoch: int, view: int) -> np.ndarray:
    """(1,) uint64 key of everything but the sample and the draw."""
    name = int.from_bytes(blake2b(stream.encode(), digest_size=8).digest(), "little")
    parts = _whole("seed", seed), name, _whole("epoch", epoch), _whole("view", view)
    key = np.zeros(1, np.uint64)
    for part in parts:
        key = _mix((key ^ np.uint64(part)) + _GOLDEN)
    return key


def bits(seed: int, stream: str, epoch: int, view: int, index: ArrayLike, count: int) -> np.ndarray:
    """(len(index), count) independent uniform uint64; see `uniform`."""
    index = np.asarray(index)
    if index.ndim != 1 or (index.size and (index.dtype.kind not in "iu" or index.min() < 0)):
        raise ValueError(
            f"index has shape {index.shape} and type {index.dtype}; "
            "it must be a vector of sample numbers 0, 1, 2, ..."
        )
    sample = _mix((_key(seed, stream, epoch, view) ^ index.astype(np.uint64)) + _GOLDEN)
    draw = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
    return _mix(sample[:, None] + draw)


def uniform(
    seed: int, stream: str, epoch: int, view: int, index: ArrayLike, count: int
) -> np.ndarray:
    """`count` uniform numbers in [0, 1) for every sample of `index`.

    Args:
        seed: of the run.
        stream: the purpose ("train", "subset", ...); different streams are independent.
        epoch: number of the epoch.
        view: number of the view.
        index: (B,) global indices of the samples.
        count: draws for each.

    Returns:
        (B, count) float64, multiples of 2^-53.

    Raises:
        ValueError: on a negative or fractional seed, epoch, view or index.
    """
    return (bits(seed, stream, epoch, view, index, count) >> np.uint64(11)) * 2.0**-53


def permutation(seed: int, stream: str, epoch: int, n: int) -> np.ndarray:
    """(n,) int64 uniform permutation of 0 ... n-1: the samples in the order of their keys."""
    keys = bits(seed, stream, epoch, 0, np.arange(_whole("n", n)), 1)[:, 0]
    return np.argsort(keys, kind="stable")


def shuffled_labels(seed: int, y: Labels) -> Labels:
    """The control of every measure: the same labels, each given to another sample at random.

    Args:
        seed: of the run.
        y: (N,) labels, a tensor or an array.

    Returns:
        (N,) the labels `y[permutation(seed, "shuffled labels", 0, N)]`, of the type of y.
    """
    return y[permutation(seed, "shuffled labels", 0, len(y))]


def normal(seed: int, stream: str, epoch: int, index: ArrayLike, count: int) -> np.ndarray:
    """`count` standard normal numbers for every sample of `index`, by the inverse distribution.

    Args:
        seed: of the run.
        stream: the purpose.
        epoch: number of the epoch or step.
        index: (B,) global indices of the samples.
        count: draws for each.

    Returns:
        (B, count) float64.
    """
    from scipy.special import ndtri

    drawn = uniform(seed, stream, epoch, 0, index, count)
    return ndtri(np.maximum(drawn, 2.0**-54))
