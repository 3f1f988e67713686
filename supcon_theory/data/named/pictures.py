"""What a reader of an archive gives: labels at once, pictures one by one when asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True, eq=False)
class Pictures:
    """Names of the classes, labels of training and test pictures, and these, in that order."""

    classes: tuple[str, ...]
    labels: tuple[np.ndarray, np.ndarray]  # (M,) int64 places in `classes`
    rows: Callable[[int], Iterator[np.ndarray]]  # side -> (3, side, side) uint8, one by one


def in_memory(splits: tuple[np.ndarray, ...]) -> Callable[[int], Iterator[np.ndarray]]:
    """Pictures that are decoded already, as `Pictures.rows`.

    Args:
        splits: (M, 3, side, side) uint8 of training and test.

    Returns:
        A function of the side wanted.
    """

    def rows(size: int) -> Iterator[np.ndarray]:
        for split in splits:
            for x in split:
                yield x if x.shape[-1] == size else resized(x, size)

    return rows


def resized(x: np.ndarray, size: int) -> np.ndarray:
    """A picture (3, side, side) of another size, with antialiasing, as `data.pictures` resizes."""
    image = Image.fromarray(np.ascontiguousarray(np.moveaxis(x, 0, 2)))
    return np.moveaxis(np.asarray(image.resize((size, size), Image.Resampling.BILINEAR)), 2, 0)
