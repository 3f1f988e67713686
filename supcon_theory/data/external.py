"""Images from outside as a data set: an `.npz` file, a folder, archives. All become squares."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from supcon_theory.data import archive
from supcon_theory.data import folder as pictures
from supcon_theory.data.dataset import SIZE, DataSet, Split
from supcon_theory.data.named.read import read
from supcon_theory.data.named.sources import sources
from supcon_theory.data.pixels import in_unit_range, resized


def npz(path: Path, size: int = SIZE) -> DataSet:
    """The data set of an archive; mirrored views are taken to be sensible for colour images only.

    Args:
        path: see `archive.read`.
        size: side of the images in pixels.

    Returns:
        The data set; the classes are named by their labels.

    Raises:
        ValueError: what `archive.read` refuses.
    """
    found = archive.read(path)
    channels = found.images[0].shape[1]
    splits = _splits(found.images, found.labels, size)
    return DataSet(path.stem, channels, found.classes, *splits, channels == 3, size)


def folder(path: Path, size: int = SIZE) -> DataSet:
    """The data set of a folder of pictures, in colour.

    Args:
        path: see `folder.read`.
        size: side of the images in pixels.

    Returns:
        The data set; its images lie decoded in the cache.

    Raises:
        ValueError: what `folder.read` and `folder.images` refuse.
    """
    found = pictures.read(path)
    labels = [found.labels(split) for split in pictures.SPLITS]
    images = np.split(pictures.images(found, size), [len(labels[0])])
    splits = _splits(images, labels, size)
    return DataSet(path.resolve().name, 3, found.classes, *splits, True, size)


def named(name: str, root: Path, size: int = SIZE) -> DataSet:
    """A data set known by its name.

    Args:
        name: one of `named.sources`.
        root: the folder of its archives.
        size: side of the images in pixels.

    Returns:
        The data set; its images lie decoded in the cache.

    Raises:
        ValueError: what `named.read` refuses.
    """
    found = read(name, root, size)
    splits = _splits(found.images, found.labels, size)
    return DataSet(name, 3, found.classes, *splits, sources()[name].flips, size)


def _splits(
    images: Sequence[np.ndarray], labels: Sequence[np.ndarray], size: int
) -> tuple[Split, Split]:
    train, test = (
        Split(torch.from_numpy(y), offset, partial(_read, x, size), _levels(x, size))
        for x, y, offset in zip(images, labels, (0, len(labels[0])), strict=True)
    )
    return train, test


def _levels(x: np.ndarray, size: int) -> np.ndarray | None:
    """The images themselves, if they are bytes of the size wanted."""
    return x if x.dtype == np.uint8 and x.shape[-2:] == (size, size) else None


def _read(x: np.ndarray, size: int, index: Tensor) -> Tensor:
    rows = torch.from_numpy(np.ascontiguousarray(x[index.numpy(force=True)]))
    images = in_unit_range(rows)
    if images.shape[-2:] == (size, size):
        return images
    return resized(images, size).clamp_(0, 1)
