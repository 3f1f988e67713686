"""What every data set looks like, wherever it comes from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from supcon_theory.data.pictures import SIZE


@dataclass(frozen=True)
class Split:
    """Labels of M images, and the images of any of the rows 0 ... M-1.

    The global index of a sample, which keys its random draws, is `offset` + row; the offsets are
    such that no sample of the training split shares an index with one of the test split.
    """

    labels: Tensor  # (M,) int64
    offset: int
    read: Callable[[Tensor], Tensor]  # (B,) rows -> (B, channels, size, size), made for these only
    levels: np.ndarray | None = None  # (M, channels, size, size) uint8, if that is all `read` reads

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, index: Tensor) -> Tensor:
        """The images of some rows; the same bits in any batch.

        Args:
            index: (B,) rows, 0 ... M-1.

        Returns:
            (B, channels, size, size) float32 in [0, 1].

        Raises:
            ValueError: for rows that the split does not have.
        """
        index = torch.as_tensor(index, dtype=torch.long)
        if index.ndim != 1 or (len(index) and not 0 <= index.min() <= index.max() < len(self)):
            raise ValueError(
                f"rows of shape {tuple(index.shape)} were asked for; they must be a vector of "
                f"numbers from 0 to {len(self) - 1}, one for each image of the split."
            )
        return self.read(index)


@dataclass(frozen=True)
class DataSet:
    """A training and a test split of the same classes."""

    name: str
    channels: int
    classes: tuple[str, ...]
    train: Split
    test: Split
    flips: bool  # is a mirrored image still an image of its class?
    size: int = SIZE

    def fewest(self, split: Split) -> int:
        """The number of images that every class has in a split of these data."""
        return int(split.labels.bincount(minlength=len(self.classes)).min())
