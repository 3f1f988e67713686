"""Where results are kept: a folder per entry, files written whole or not at all, all checked.

An entry is `<folder>/`: its files, `files.json` (name -> sha256, rewritten after every file), and
`manifest.json`, written last, its hash before it: an entry without it is unfinished. Bytes are
serialised first, written to a temporary file, fsynced and renamed, so a kill at any moment leaves
the old file or the new one. What an entry is about (its identity) stands in the manifest and is
compared on reading. Whoever holds the lock sweeps what a killed writer left, and sets an odd entry
aside as a whole, renamed to `*.damaged`: neither used nor deleted. Nothing here reads a pickle:
callers store CSV, JSON, .npz and bytes for `torch.load(weights_only=True)`. The empty lock files
stay: to remove one that somebody waits for would let two in.
"""

import errno
import hashlib
import itertools
import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

MANIFEST, INDEX = "manifest.json", "files.json"
_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")  # what `write` calls a file until it is whole


def write(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole, or not at all, whatever happens meanwhile."""
    if path.exists() and not path.is_file():  # a rename would take the place of /dev/null
        raise FileExistsError(errno.EEXIST, "it is there and no regular file", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:  # a full disk, Ctrl-C
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(folder: Path) -> None:
    """Make the renames in a folder survive a power cut, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_json(path: Path, content: object) -> None:
    """Write JSON, sorted and indented, like `write`."""
    write(path, _json(content))


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def digest(data: bytes) -> str:
    """The sha256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def key(content: object) -> str:
    """A short name for JSON values: equal values, and only those, share it."""
    return digest(json.dumps(content, sort_keys=True).encode())[:16]


def plain(value: Any, *, places: bool = True) -> Any:
    """A configuration as JSON holds it: dataclasses are dicts, without empty mappings in them.

    Args:
        value: dataclasses, mappings, lists and plain values, nested as they like.
        places: False leaves out what a dataclass calls its `places`: fields that say where
            something is, beside others that say what it is. So for keys.

    Returns:
        what `json.dumps` takes.

    """
    if is_dataclass(value) and not isinstance(value, type):
        left = () if places else getattr(value, "places", ())
        inner = {f.name: getattr(value, f.name) for f in fields(value) if f.name not in left}
        return {name: plain(v, places=places) for name, v in inner.items() if v != {}}
    if isinstance(value, Mapping):
        return {name: plain(inner, places=places) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner, places=places) for inner in value]
    return str(value) if isinstance(value, Path) else value


class Damaged(Exception):
    """A stored entry is not what was written, or not about what it should be."""


def contents(path: Path) -> bytes:
    """The bytes of a regular file; anything else in its place is never waited for.

    Args:
        path: of the file.

    Returns:
        the bytes.

    Raises:
        Damaged: it is not there, is no regular file, or cannot be read.

    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a FIFO has no end
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Damaged(f"{path} is no regular file")
            return file.read()
    except (OSError, ValueError) as error:  # the latter: a name that none can have
        reason = getattr(error, "strerror", None) or error
        raise Damaged(f"{path} cannot be read ({reason})") from None


def read_json(path: Path) -> dict[str, Any]:
    """The dict in a JSON file.

    Args:
        path: of the file.

    Returns:
        the dict.

    Raises:
        Damaged: the file is not there, or not what `write_json` writes.

    """
    data = contents(path)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise Damaged(f"{path} is not the JSON it was written as")
    return content


@dataclass(frozen=True)
class Entry:
    """One folder of the store; `identity` says what it must be about."""

    folder: Path
    identity: Mapping[str, object] = field(default_factory=dict)

    def lock(self) -> FileLock:
        """Held while an entry is computed; released by the system if the process is killed."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(f"{self.folder}.lock")

    def files(self) -> dict[str, str]:
        """What has been written so far.

        Returns:
            name -> sha256 of each file.

        Raises:
            Damaged: the list of them is none.

        """
        return {name: sha for name, sha in self._hashes().items() if name != MANIFEST}

    def _hashes(self) -> dict[str, str]:
        """Of the files, and of the manifest where there is one."""
        index = self.folder / INDEX
        if not os.path.lexists(index):
            return {}
        found = read_json(index)
        if odd := [name for name in found if name in ("", ".", "..") or Path(name).name != name]:
            raise Damaged(f"{index} names {odd[0]!r}, which is no file of the entry")
        return found

    def add(self, name: str, data: bytes) -> None:
        """Write a file of the entry and note its hash."""
        write(self.folder / name, data)
        write_json(self.folder / INDEX, self.files() | {name: digest(data)})

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Args:
            name: of the file.

        Returns:
            the bytes, as they were written.

        Raises:
            Damaged: the file is missing or its hash is wrong.

        """
        path = self.folder / name
        data = contents(path)
        if digest(data) != self._hashes().get(name):
            raise Damaged(f"{path} does not have the hash it was written with")
        return data

    def remove(self, name: str) -> None:
        """Forget a file that was only needed until the entry is finished."""
        rest = {other: sha for other, sha in self.files().items() if other != name}
        write_json(self.folder / INDEX, rest)
        (self.folder / name).unlink(missing_ok=True)

    def finish(self, manifest: Mapping[str, object]) -> None:
        """Make the entry count as done; its manifest also holds identity and hashes."""
        data = _json({**manifest, **self.identity, "files": self.files()})
        write_json(self.folder / INDEX, self.files() | {MANIFEST: digest(data)})
        write(self.folder / MANIFEST, data)

    def reopen(self) -> None:
        """Make a finished entry count as unfinished, so that it is computed again."""
        for name in (MANIFEST, INDEX):
            (self.folder / name).unlink(missing_ok=True)

    def finished(self) -> bool:
        """Is there a manifest of this identity, and every file that it names, unaltered?

        Returns:
            whether it is; False if there is no manifest.

        Raises:
            Damaged: anything in the entry is odd.

        """
        if not os.path.lexists(self.folder):
            return False
        if not self.folder.is_dir():
            raise Damaged(f"{self.folder} is not a folder")
        path = self.folder / MANIFEST
        if not os.path.lexists(path):
            return False
        manifest = read_json(path)
        for name, value in json.loads(json.dumps(self.identity)).items():
            if manifest.get(name) != value:
                raise Damaged(f"{path} is about another {name}")
        if manifest.get("files") != self.files():
            raise Damaged(f"{path} and {INDEX} beside it disagree")
        if not self.files():
            raise Damaged(f"{path} is of an entry without files")
        for name in self._hashes():  # the manifest too, unless an earlier version wrote it
            self.read(name)
        return True

    def available(self, say: Callable[[str], None]) -> bool:
        """`finished()` for whoever holds the lock: an odd entry is set aside as a whole.

        Args:
            say: told in one sentence what was odd and where it is now.

        Returns:
            whether the entry is finished.

        """
        try:
            self._sweep()
            self.files()
            return self.finished()
        except Damaged as error:
            places = (f"{self.folder}.damaged{n or ''}" for n in itertools.count())
            place = Path(next(place for place in places if not os.path.lexists(place)))
            os.rename(self.folder, place)
            say(f"{error}; all of it is set aside as {place.name} and computed again")
            return False

    def _sweep(self) -> None:
        """Remove the temporary files of a writer that was killed; the lock says that none writes.

        Raises:
            Damaged: the folder holds anything but files, so that one may be in the way.

        """
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.iterdir()):
            if not path.is_file():
                raise Damaged(f"{path} is no regular file")
            if _TEMPORARY.fullmatch(path.name):
                path.unlink()
