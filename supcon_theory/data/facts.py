"""What a run must know of its data before any work: names and counts, found without torch."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from supcon_theory.data import archive, coarser, folder
from supcon_theory.data.named.read import read
from supcon_theory.data.named.sources import FOLDERS, sources
from supcon_theory.data.pictures import SIZE

NAMES = ("glyphs", "kanji")  # what ships with the package
ROOT = "data"  # where archives of named data sets lie, unless said otherwise


@dataclass(frozen=True)
class Facts:
    """Names and counts of a data set."""

    name: str
    channels: int
    classes: tuple[str, ...]
    fewest_train: int  # training images that every class has
    fewest_test: int  # test images that every class has


def ships(where: str | Path) -> bool:
    """Is it a set that ships with the package, perhaps with coarser classes?"""
    return isinstance(where, str) and where.partition(":")[0] in NAMES


def locate(name_or_path: str | Path, root: str | Path = ROOT) -> str | Path:
    """The name of a data set that is shipped or known as a string, or the path of a user's.

    Args:
        name_or_path: as in `data.load`.
        root: the folder of what is known by name.

    Returns:
        One of `NAMES`, perhaps with coarser classes (`data.coarser`), a name in `named.sources`, or
        an existing path.

    Raises:
        ValueError: if it is none.
    """
    name = str(name_or_path)
    if ships(name):
        coarser.classes(name)  # refuses what is no rule
        return name
    if name in sources():
        return name
    path = Path(root, name) if name in FOLDERS else Path(name_or_path).expanduser()
    if name in FOLDERS and not path.is_dir():
        raise ValueError(
            f"{FOLDERS[name]} is not at {path}: nobody publishes an archive of it that could be "
            "checked, so put its images there as train/<class>/* and test/<class>/*."
        )
    if path.is_dir() or (path.is_file() and path.suffix.lower() == ".npz"):
        return path
    raise ValueError(
        f"unknown data set {name!r}: give {' or '.join(map(repr, NAMES))}, one of "
        f"{', '.join((*sources(), *FOLDERS))}, the path of an existing .npz file, or of a folder "
        "with train/<class>/ and test/<class>/."
    )


def facts(name_or_path: str | Path, root: str | Path = ROOT, size: int = SIZE) -> Facts:
    """Names and counts of a data set; everything wrong in a user's data is refused here.

    Args:
        name_or_path: as in `data.load`.
        root: likewise.
        size: likewise.

    Returns:
        The facts.

    Raises:
        ValueError: what `data.load` refuses, in the same sentence.
    """
    where = locate(name_or_path, root)
    if ships(where):
        check_size(str(where), size)
        return _embedded(str(where))
    if isinstance(where, str):
        found = read(where, Path(root), size)
        labels, channels, name = found.labels, 3, where
    elif where.is_dir():
        found = folder.read(where)
        folder.images(found, size)  # who asks for facts is about to work: now is the time to refuse
        labels, channels, name = map(found.labels, folder.SPLITS), 3, where.resolve().name
    else:
        found = archive.read(where)
        labels, channels, name = found.labels, found.images[0].shape[1], where.stem
    fewest = [int(np.bincount(y, minlength=len(found.classes)).min()) for y in labels]
    return Facts(name, channels, found.classes, *fewest)


def check_size(name: str, size: int) -> None:
    """Refuse another size than that of what ships with the package.

    Raises:
        ValueError: in one sentence.
    """
    if size != SIZE:
        raise ValueError(f"size is {size} but {name} has images of {SIZE} x {SIZE} only.")


@cache
def _embedded(name: str) -> Facts:
    base, found = name.partition(":")[0], coarser.classes(name)
    resource = files("supcon_theory.data") / "files" / f"{base}.npz"
    with as_file(resource) as path, np.load(path, allow_pickle=False) as stored:
        each = [archive.shape(stored.zip, f"x_{split}")[1] for split in ("train", "test")]
    characters = int(np.bincount(found.of_character).min())
    return Facts(name, 1, found.names, *(characters * images for images in each))
