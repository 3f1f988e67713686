"""Tiny-ImageNet from its zip: 500 training and 50 validation pictures of 200 classes, 64 x 64.

The published test pictures have no labels, so the validation pictures are the test split.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from supcon_theory.data import pictures
from supcon_theory.data.cache import progress
from supcon_theory.data.named.pictures import Pictures


def read(paths: Sequence[Path], labels: str) -> Pictures:
    """The list of the pictures; they are decoded when asked for.

    Args:
        paths: one path, of the zip.
        labels: "wnid", the only kind there is.

    Returns:
        The pictures; the classes are WordNet's numbers of their nouns.

    Raises:
        ValueError: a picture that the list of labels names is missing.
    """
    with zipfile.ZipFile(paths[0]) as archive:
        names = [n for n in archive.namelist() if n.endswith(".JPEG")]
        top = _top(names)
        lines = archive.read(f"{top}/val/val_annotations.txt").decode().splitlines()
    parts = {name: PurePosixPath(name).parts for name in names}
    train = sorted((p[2], name) for name, p in parts.items() if p[1] == "train")
    listed = (line.split("\t")[:2] for line in lines if line.strip())
    test = sorted((label, f"{top}/val/images/{file}") for file, label in listed)
    if absent := sorted({name for _, name in test} - set(names)):
        raise ValueError(f"it has no file {absent[0]}")
    classes = tuple(sorted({label for label, _ in train}))
    number = {label: k for k, label in enumerate(classes)}
    if odd := sorted({label for label, _ in test} - set(classes)):
        raise ValueError(f"class {odd[0]} has validation but no training pictures")
    places = [np.array([number[label] for label, _ in split]) for split in (train, test)]
    files = [name for _, name in (*train, *test)]
    return Pictures(classes, (places[0], places[1]), lambda size: _decoded(paths[0], files, size))


def _top(names: Sequence[str]) -> str:
    if not names:
        raise ValueError("it has no picture")
    return PurePosixPath(names[0]).parts[0]


def _decoded(path: Path, files: Sequence[str], size: int) -> Iterator[np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        for name in progress(files, f"decoding the images of {path}"):
            try:
                yield pictures.colours(io.BytesIO(archive.read(name)), size)
            except ValueError as error:
                raise ValueError(f"{name} cannot be read as an image: {error}") from None
