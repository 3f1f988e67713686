"""What a run must know of its data before any work: names and counts, found without torch."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from supcon_theory.data import archive, coarser, folder

NAMES = ("glyphs", "kanji")  # what ships with the package


@dataclass(frozen=True)
class Facts:
    """Names and counts of a data set."""

    name: str
    channels: int
    classes: tuple[str, ...]
    fewest_train: int  # training images that every class has
    fewest_test: int  # test images that every class has


def locate(name_or_path: str | Path) -> str | Path:
    """The name of a shipped data set as a string, or the path of a user's.

    Args:
        name_or_path: as in `data.load`.

    Returns:
        One of `NAMES`, perhaps with coarser classes (`data.coarser`), or an existing path.

    Raises:
        ValueError: if it is neither.
    """
    if (name := str(name_or_path)).partition(":")[0] in NAMES:
        coarser.classes(name)  # refuses what is no rule
        return name
    path = Path(name_or_path).expanduser()
    if path.is_dir() or (path.is_file() and path.suffix.lower() == ".npz"):
        return path
    raise ValueError(
        f"unknown data set {str(name_or_path)!r}: give {' or '.join(map(repr, NAMES))}, "
        "the path of an existing .npz file, or of a folder with train/<class>/ and test/<class>/."
    )


def facts(name_or_path: str | Path) -> Facts:
    """Names and counts of a data set; everything wrong in a user's data is refused here.

    Args:
        name_or_path: as in `data.load`.

    Returns:
        The facts.

    Raises:
        ValueError: what `data.load` refuses, in the same sentence.
    """
    where = locate(name_or_path)
    if isinstance(where, str):
        return _embedded(where)
    if where.is_dir():
        found = folder.read(where)
        folder.images(found)  # whoever asks for facts is about to work: now is the time to refuse
        labels, channels, name = map(found.labels, folder.SPLITS), 3, where.resolve().name
    else:
        found = archive.read(where)
        labels, channels, name = found.labels, found.images[0].shape[1], where.stem
    fewest = [int(np.bincount(y, minlength=len(found.classes)).min()) for y in labels]
    return Facts(name, channels, found.classes, *fewest)


@cache
def _embedded(name: str) -> Facts:
    base, found = name.partition(":")[0], coarser.classes(name)
    resource = files("supcon_theory.data") / "files" / f"{base}.npz"
    with as_file(resource) as path, np.load(path, allow_pickle=False) as stored:
        each = [archive.shape(stored.zip, f"x_{split}")[1] for split in ("train", "test")]
    characters = int(np.bincount(found.of_character).min())
    return Facts(name, 1, found.names, *(characters * images for images in each))
