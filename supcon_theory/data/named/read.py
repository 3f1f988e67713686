"""A named data set, from its archives once and from the cache ever after."""

import json
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import numpy as np

from supcon_theory.data.archive import Archive, reason
from supcon_theory.data.cache import array, recall, remember
from supcon_theory.data.named.pictures import Pictures
from supcon_theory.data.named.sources import Source, find, sources


@lru_cache(maxsize=2)
def read(name: str, root: Path, size: int) -> Archive:
    """The images and labels of a named data set.

    Args:
        name: one of `sources`.
        root: the folder that its archives lie in.
        size: side of the images in pixels; others than it has are resized with antialiasing.

    Returns:
        Images (M, 3, size, size) uint8, memory-mapped from the cache, their labels, the classes.

    Raises:
        ValueError: in one sentence, for an archive that is missing or not as it is published.
    """
    source, paths = sources()[name], find(name, root)
    kept = recall(f"labels-{source.fingerprint}")
    opened: list[Pictures] = []

    def pictures() -> Pictures:
        if not opened:
            opened.append(_open(source, paths))
        return opened[0]

    if kept is None:
        about = pictures()
        text = json.dumps([about.classes, *(y.tolist() for y in about.labels)])
        remember(f"labels-{source.fingerprint}", text.encode())
    else:
        text = kept.decode()
    classes, *labels = json.loads(text)
    train, test = (np.array(y, np.int64) for y in labels)
    shape = (len(train) + len(test), 3, size, size)
    try:
        images = array(
            f"images-{source.fingerprint}-{size}", shape, "uint8", lambda: pictures().rows(size)
        )
    except ValueError as error:
        raise ValueError(f"{paths[0]} is not {source.title}: {error}.") from None
    halves = images[: len(train)], images[len(train) :]
    return Archive(halves, (train, test), tuple(classes))


def _open(source: Source, paths: list[Path]) -> Pictures:
    """What the archives hold, if it is as much as is published."""
    try:
        found = import_module(f"supcon_theory.data.named.{source.reader}").read(
            paths, source.labels
        )
    except Exception as error:  # tarfile, zipfile, zlib and SciPy raise nearly everything
        raise ValueError(f"{paths[0]} is not {source.title}: {reason(error)}.") from None
    counts = tuple(map(len, found.labels))
    if counts != source.counts or len(found.classes) != source.classes:
        raise ValueError(
            f"{paths[0]} is not {source.title}: it has {counts[0]} training and {counts[1]} test "
            f"images of {len(found.classes)} classes, where {source.counts[0]} and "
            f"{source.counts[1]} of {source.classes} are published."
        )
    if max(int(y.max()) for y in found.labels) >= source.classes:
        raise ValueError(f"{paths[0]} is not {source.title}: it has a label beyond its classes.")
    return found
