"""Which archives a named data set is in, where they are, and whether they are those published."""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from supcon_theory.data.cache import recall, remember, version

FORMAT = "named 1"  # of the fingerprint: another way of reading needs another one
FOLDERS = {"mini-imagenet": "mini-ImageNet"}
"""Sets that have no archive of their authors: a folder of pictures under the data root."""


@dataclass(frozen=True)
class File:
    """An archive: its name, where it is published, its published MD5."""

    name: str
    url: str
    md5: str


@dataclass(frozen=True)
class Source:
    """A named data set as `sources.toml` declares it."""

    title: str
    reader: str  # the module of `data.named` that reads it
    labels: str  # which labels of the archive: CIFAR-100 has two kinds
    counts: tuple[int, int]  # training images, test images
    classes: int
    flips: bool
    files: tuple[File, ...]

    @property
    def fingerprint(self) -> str:
        """What tells its content from any other: hashes of its archives, and its labels."""
        about = [FORMAT, self.reader, self.labels, *(file.md5 for file in self.files)]
        return hashlib.sha256("\n".join(about).encode()).hexdigest()[:16]


@cache
def sources() -> dict[str, Source]:
    """All named data sets that come in archives."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return {name: _source(**fields) for name, fields in tomllib.loads(text).items()}


def _source(files: list[dict[str, str]], counts: list[int], **fields) -> Source:
    train, test = counts
    return Source(files=tuple(File(**file) for file in files), counts=(train, test), **fields)


def missing(name: str, root: Path) -> list[File]:
    """The archives of a named data set that are not in a folder."""
    return [file for file in sources()[name].files if not (root / file.name).is_file()]


def find(name: str, root: Path) -> list[Path]:
    """The archives of a named data set, each the published one.

    Args:
        name: one of `sources`.
        root: the folder that they lie in.

    Returns:
        Their paths, in the order of `sources.toml`.

    Raises:
        ValueError: in one sentence, for an archive that is not there or has another hash.
    """
    source = sources()[name]
    if absent := missing(name, root):
        raise ValueError(
            f"{source.title} is not here, {root / absent[0].name} is missing: add --download, or "
            f"get {' and '.join(file.url for file in absent)} into the folder of --data-root."
        )
    paths = [root / file.name for file in source.files]
    for path, file in zip(paths, source.files, strict=True):
        found = _md5(path, version(path))
        if found != file.md5:
            raise ValueError(
                f"{path} has MD5 {found[:8]}..., not the published {file.md5[:8]}... of "
                f"{source.title}: it is cut off or another file, so remove it and get {file.url}."
            )
    return paths


@lru_cache(maxsize=16)
def _md5(path: Path, stamp: tuple[int, ...]) -> str:
    """The MD5 of a file, or what it was when this very file was last looked at."""
    of = json.dumps([FORMAT, str(path.resolve()), stamp])
    name = f"md5-{hashlib.sha256(of.encode()).hexdigest()}"
    if (kept := recall(name)) is not None:
        return kept.decode()
    with open(path, "rb") as opened:
        found = hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    remember(name, found.encode())
    return found
