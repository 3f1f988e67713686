"""A user's folder of pictures, without torch: listed, checked, fingerprinted and decoded once.

Every file in a class folder, at any depth and behind links, is a picture if Pillow opens it; a link
from one class into another is refused. Names that begin with a dot are passed over, folders too; a
file of another kind is left out and named; a file whose extension is a picture's but that cannot be
read is refused.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from stat import S_ISREG
from time import time_ns
from typing import NamedTuple

import numpy as np
import PIL
from PIL import Image

from supcon_theory.data import pictures
from supcon_theory.data.cache import SETTLED, array, progress, recall, remember, tell

SPLITS = ("train", "test")
_NAMES = ("utf-8", "surrogateescape")  # a file's name need not be text
_FORMAT = "pictures 1"  # of the fingerprint: another way of decoding needs another one


class File(NamedTuple):
    """A file as the directory shows it: another content has another one of these."""

    split: str
    label: str
    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(frozen=True, eq=False)
class Folder:
    """Checked pictures in the order of their rows, those of the training split first."""

    path: Path
    classes: tuple[str, ...]
    files: tuple[File, ...]
    fingerprint: str
    deep: bool  # has any of them more than 8 bits a channel?

    def labels(self, split: str) -> np.ndarray:
        """(M,) int64 classes of the pictures of a split."""
        number = {name: k for k, name in enumerate(self.classes)}
        return np.array([number[f.label] for f in self.files if f.split == split], np.int64)


def read(path: Path) -> Folder:
    """List a folder and check it; contents are read again only if some file has changed.

    Args:
        path: holds `train/<class>/*` and `test/<class>/*`; classes are the sorted folder names.

    Returns:
        The folder, with the fingerprint of what its pictures contain.

    Raises:
        ValueError: one sentence, if a folder is missing or empty, if train and test differ in
            their classes, or for the first picture that cannot be read.
    """
    now = time_ns()
    files = _listing(path)
    settled = all(max(f.mtime_ns, f.ctime_ns) < now - SETTLED for f in files)
    return (_checked if settled else _check)(path, files)


def _listing(path: Path) -> tuple[File, ...]:
    found: dict[str, list[str]] = {}
    files: list[File] = []
    ends = tuple(os.path.join(os.path.realpath(path / split), "") for split in SPLITS)
    for split in SPLITS:
        if not (path / split).is_dir():
            raise ValueError(
                f"{path} has no folder {split!r}; it must hold train/<class>/* and test/<class>/*."
            )
        entries = sorted(_entries(path / split), key=lambda entry: entry.name)
        names = [_class_name(e, ends) for e in entries if _is_folder(e)]
        if not names:
            raise ValueError(_not_one_folder_per_class(path / split, "it has no folder"))
        found[split] = names
        for name in names:
            mine = list(_walk(split, name, os.path.join(path, split, name), (), ends))
            if not mine:
                raise ValueError(_not_one_folder_per_class(path / split, f"{name!r} is empty"))
            files += mine
    if found["train"] != found["test"]:
        odd = sorted(set(found["train"]) ^ set(found["test"]))[0]
        raise ValueError(
            f"{path}: class {odd!r} is only in one of train and test; both must have the same ones."
        )
    return tuple(files)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself; as a file it is refused by name
        return False


def _entries(directory: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise ValueError(f"{directory} cannot be listed ({error.strerror}).") from None


def _not_one_folder_per_class(path: Path, reason: str) -> str:
    return f"{path} is not one folder of images per class: {reason}; add images or remove it."


def _class_name(entry: os.DirEntry[str], ends: tuple[str, ...]) -> str:
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{entry.path} has a name that is no text; rename it.") from None
    _leads_out(entry, ends)
    return entry.name


def _leads_out(entry: os.DirEntry[str], ends: tuple[str, ...]) -> None:
    """Refuse a link from one class into another: pictures would count twice, with two labels."""
    if entry.is_symlink() and (real := os.path.realpath(entry.path)).startswith(ends):
        raise ValueError(f"{entry.path} is a link to {real}, which is a part of the same data.")


def _walk(
    split: str, label: str, directory: str, above: tuple[str, ...], ends: tuple[str, ...]
) -> Iterator[File]:
    """The files of a directory in the order of their names, then those of its directories."""
    real = os.path.realpath(directory)
    if real in above:
        raise ValueError(f"{directory} is a link to a folder that it is in; remove it.")
    entries = sorted(_entries(directory), key=lambda entry: entry.name)
    for entry in entries:
        if _is_folder(entry):
            continue
        try:
            seen = entry.stat()
        except OSError:
            raise ValueError(f"{entry.path} is a link to nothing; replace or remove it.") from None
        if not S_ISREG(seen.st_mode):
            raise ValueError(f"{entry.path} is no regular file; replace or remove it.")
        _leads_out(entry, ends)
        times = seen.st_mtime_ns, seen.st_ctime_ns
        yield File(split, label, entry.path, seen.st_size, *times, seen.st_ino)
    for entry in entries:
        if _is_folder(entry):
            if os.path.realpath(entry.path) not in (*above, real):  # that one is refused below
                _leads_out(entry, ends)
            yield from _walk(split, label, entry.path, (*above, real), ends)


@lru_cache(maxsize=4)
def _checked(path: Path, files: tuple[File, ...]) -> Folder:
    """`_check`, or what it found when these very files were last looked at."""
    seen = hashlib.sha256(f"{_FORMAT} {PIL.__version__} {path.resolve()}\n".encode(*_NAMES))
    for file in files:
        seen.update(f"{file}\n".encode(*_NAMES))
    name = f"index-{seen.hexdigest()}"
    if (kept := recall(name)) is not None:
        fingerprint, deep, left_out = json.loads(kept)
        left = {files[place] for place in left_out}
        read = tuple(file for file in files if file not in left)
        return _folder(path, files, read, fingerprint, deep)
    folder = _check(path, files)
    there = set(folder.files)
    left_out = [place for place, file in enumerate(files) if file not in there]
    remember(name, json.dumps([folder.fingerprint, folder.deep, left_out]).encode())
    return folder


def _check(path: Path, files: tuple[File, ...]) -> Folder:
    """Look into every file once: is it a picture, of what depth, and what is its hash?"""
    contents = hashlib.sha256(f"{_FORMAT}\n".encode())
    read: list[File] = []
    deep = False
    for file in progress(files, f"checking the files of {path}"):
        with _named(file), open(file.path, "rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
            opened.seek(0)
            try:
                deep |= pictures.header(opened)
            except ValueError:
                if Path(file.path).suffix.lower() in _extensions():
                    raise
                continue
        read.append(file)
        contents.update(f"{file.split}/{file.label} {digest}\n".encode(*_NAMES))
    return _folder(path, files, tuple(read), contents.hexdigest()[:16], deep)


def _folder(
    path: Path, files: tuple[File, ...], read: tuple[File, ...], fingerprint: str, deep: bool
) -> Folder:
    there = {(file.split, file.label) for file in read}
    for split, label in dict.fromkeys((file.split, file.label) for file in files):
        if (split, label) not in there:
            raise ValueError(_not_one_folder_per_class(path / split, f"{label!r} has no picture"))
    if left_out := sorted({file.path for file in files} - {file.path for file in read}):
        more = f" and {len(left_out) - 3} more" if len(left_out) > 3 else ""
        tell(f"left out, since they are no pictures: {', '.join(left_out[:3])}{more}.")
    return Folder(path, tuple(sorted({label for _, label in there})), read, fingerprint, deep)


@lru_cache(maxsize=2)
def images(folder: Folder, size: int = pictures.SIZE) -> np.ndarray:
    """The decoded pictures of a folder, decoded by the first process that asks.

    Args:
        folder: what `read` gives.
        size: side of the images in pixels.

    Returns:
        (M, 3, size, size) uint8, or float32 in [0, 1] if some have more than 8 bits a channel; row
        i is `folder.files[i]`; memory-mapped from the cache.

    Raises:
        ValueError: in one sentence, for the first picture that cannot be decoded.
    """
    shape = (len(folder.files), 3, size, size)
    dtype = "float32" if folder.deep else "uint8"
    name = f"images-{folder.fingerprint}" + (f"-{size}" if size != pictures.SIZE else "")
    return array(name, shape, dtype, lambda: _decoded(folder, size))


def _decoded(folder: Folder, size: int) -> Iterator[np.ndarray]:
    for file in progress(folder.files, f"decoding the images of {folder.path}"):
        with _named(file), open(file.path, "rb") as opened:
            seen = os.fstat(opened.fileno())
            if (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino) != file[3:]:
                raise ValueError("it has changed since it was checked")
            x = pictures.colours(opened, size)
        yield x / np.float32(255) if folder.deep and x.dtype == np.uint8 else x


@contextmanager
def _named(file: File) -> Iterator[None]:
    """A fault becomes one sentence that names the file."""
    try:
        yield
    except (ValueError, OSError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ValueError(
            f"{file.path} cannot be read as an image "
            f"({reason if file.size else 'it is empty'}); replace or remove it."
        ) from None


@cache
def _extensions() -> frozenset[str]:
    """The extensions of what Pillow opens."""
    known = Image.registered_extensions()
    return frozenset(extension for extension, kind in known.items() if kind in Image.OPEN)
