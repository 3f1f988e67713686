"""A user's own images as a data set: an `.npz` file or a folder. Everything becomes 32 x 32."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from supcon_theory.data import archive
from supcon_theory.data import folder as pictures
from supcon_theory.data.dataset import SIZE, DataSet, Split
from supcon_theory.data.pixels import in_unit_range, resized


def npz(path: Path) -> DataSet:
    """The data set of an archive; mirrored views are taken to be sensible for colour images only.

    Args:
        path: see `archive.read`.

    Returns:
        The data set; the classes are named by their labels.

    Raises:
        ValueError: what `archive.read` refuses.
    """
    found = archive.read(path)
    channels = found.images[0].shape[1]
    splits = _splits(found.images, found.labels)
    return DataSet(path.stem, channels, found.classes, *splits, flips=channels == 3)


def folder(path: Path) -> DataSet:
    """The data set of a folder of pictures, in colour.

    Args:
        path: see `folder.read`.

    Returns:
        The data set; its images lie decoded in the cache.

    Raises:
        ValueError: what `folder.read` and `folder.images` refuse.
    """
    found = pictures.read(path)
    labels = [found.labels(split) for split in pictures.SPLITS]
    images = np.split(pictures.images(found), [len(labels[0])])
    return DataSet(path.resolve().name, 3, found.classes, *_splits(images, labels), flips=True)


def _splits(images: Sequence[np.ndarray], labels: Sequence[np.ndarray]) -> tuple[Split, Split]:
    train, test = (
        Split(torch.from_numpy(y), offset, partial(_read, x))
        for x, y, offset in zip(images, labels, (0, len(labels[0])), strict=True)
    )
    return train, test


def _read(x: np.ndarray, index: Tensor) -> Tensor:
    rows = torch.from_numpy(np.ascontiguousarray(x[index.numpy(force=True)]))
    images = in_unit_range(rows)
    if images.shape[-2:] == (SIZE, SIZE):
        return images
    return resized(images, SIZE).clamp_(0, 1)
