"""SVHN, cropped digits, from its MATLAB files: `X` (32, 32, 3, M), `y` (M, 1) with 10 for 0."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from supcon_theory.data.named.pictures import Pictures, in_memory


def read(paths: Sequence[Path], labels: str) -> Pictures:
    """Training images of one or more files, and test images of the last.

    Args:
        paths: of the `.mat`, the test images' last.
        labels: the name of the labels in them.

    Returns:
        The pictures; the classes are the digits.

    Raises:
        ValueError: a file holds other arrays.
    """
    splits = [_file(path, labels) for path in paths]
    images = np.concatenate([x for x, _ in splits[:-1]]), splits[-1][0]
    numbers = np.concatenate([y for _, y in splits[:-1]]), splits[-1][1]
    return Pictures(tuple("0123456789"), numbers, in_memory(images))


def _file(path: Path, labels: str) -> tuple[np.ndarray, np.ndarray]:
    found = loadmat(path, variable_names=["X", labels])
    x, y = found.get("X"), found.get(labels)
    if x is None or y is None or x.dtype != np.uint8 or x.shape != (32, 32, 3, y.size):
        raise ValueError(f"it has no X (32, 32, 3, M) of bytes with {labels} (M, 1)")
    return x.transpose(3, 2, 0, 1), y.ravel().astype(np.int64) % 10
