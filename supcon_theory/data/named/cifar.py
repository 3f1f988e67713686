"""CIFAR-10 and CIFAR-100 from their binary archives: records of labels and 3072 bytes, no pickle.

A record of CIFAR-10 is its label and the pixels, one of CIFAR-100 the coarse label, the fine label
and the pixels; 1024 bytes each of red, green, blue, row by row.
"""

import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from supcon_theory.data.named.pictures import Pictures, in_memory

PIXELS = 3 * 32 * 32
COLUMNS = {"label": (1, 0), "coarse_label": (2, 0), "fine_label": (2, 1)}
"""Which labels: bytes of labels in a record, and the place of theirs among them."""
FILES = {  # training, test, names of the classes
    "label": (
        tuple(f"data_batch_{k}.bin" for k in range(1, 6)),
        ("test_batch.bin",),
        "batches.meta.txt",
    ),
    "coarse_label": (("train.bin",), ("test.bin",), "coarse_label_names.txt"),
    "fine_label": (("train.bin",), ("test.bin",), "fine_label_names.txt"),
}


def read(paths: Sequence[Path], labels: str) -> Pictures:
    """All of an archive.

    Args:
        paths: one path, of the `.tar.gz`.
        labels: "label", "coarse_label" or "fine_label".

    Returns:
        The pictures.

    Raises:
        ValueError: a file is missing in it, or is no whole number of records.
    """
    train, test, names = FILES[labels]
    found = _members(paths[0], {*train, *test, names})
    splits = [[_records(name, found[name], labels) for name in some] for some in (train, test)]
    images = tuple(np.concatenate([x for x, _ in parts]) for parts in splits)
    numbers = tuple(np.concatenate([y for _, y in parts]) for parts in splits)
    classes = tuple(found[names].decode().split())
    return Pictures(classes, (numbers[0], numbers[1]), in_memory(images))


def _members(path: Path, wanted: set[str]) -> dict[str, bytes]:
    """The files of a tar archive, by the last part of their names; nothing is unpacked on disk."""
    found = {}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if name in wanted and (file := archive.extractfile(member)) is not None:
                found[name] = file.read()
    if absent := sorted(wanted - set(found)):
        raise ValueError(f"it has no file {absent[0]}")
    return found


def _records(name: str, data: bytes, labels: str) -> tuple[np.ndarray, np.ndarray]:
    width, place = COLUMNS[labels]
    if len(data) == 0 or len(data) % (width + PIXELS):
        raise ValueError(f"{name} is no whole number of records of {width + PIXELS} bytes")
    records = np.frombuffer(data, np.uint8).reshape(-1, width + PIXELS)
    return records[:, width:].reshape(-1, 3, 32, 32), records[:, place].astype(np.int64)
