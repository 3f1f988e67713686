"""What every data set looks like, wherever it comes from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

SIZE = 32


@dataclass(frozen=True)
class Split:
    """Labels of M images, and the images of any of the rows 0 ... M-1.

    The global index of a sample, which keys its random draws, is `offset` + row; the offsets are
    such that no sample of the training split shares an index with one of the test split.
    """

    labels: Tensor  # (M,) int64
    offset: int
    read: Callable[[Tensor], Tensor]  # (B,) rows -> (B, channels, 32, 32), only those are decoded

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, index: Tensor) -> Tensor:
        """(B,) rows -> (B, channels, 32, 32) float32 in [0, 1]; the same bits in any batch."""
        index = torch.as_tensor(index, dtype=torch.long)
        if index.ndim != 1 or (len(index) and not 0 <= index.min() <= index.max() < len(self)):
            raise ValueError(
                f"rows of shape {tuple(index.shape)} were asked for; they must be a vector of "
                f"numbers from 0 to {len(self) - 1}, one for each image of the split."
            )
        return self.read(index)


@dataclass(frozen=True)
class DataSet:
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


def load(name_or_path: str | Path) -> DataSet:
    """ "glyphs", "kanji", a user's `.npz`, or a folder with `train/<class>/*` and `test/<class>/*`.

    Raises ValueError, in one sentence, on an unknown name and on anything wrong in a user's data.
    """
    from supcon_theory.data import embedded, external

    if str(name_or_path) in embedded.NAMES:
        return embedded.load(str(name_or_path))
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return external.folder(path)
    if path.is_file() and path.suffix == ".npz":
        return external.npz(path)
    raise ValueError(
        f"unknown data set {str(name_or_path)!r}: give {' or '.join(map(repr, embedded.NAMES))}, "
        "the path of an existing .npz file, or of a folder with train/<class>/ and test/<class>/."
    )
