"""Where results are kept: a folder per entry, files written whole or not at all, hashes checked.

An entry is `<folder>/`: its files, `files.json` (name -> sha256, rewritten after every file), and
`manifest.json`, written last: an entry without it is unfinished. Bytes are serialised first, written
to a temporary file, fsynced and renamed, so a kill at any moment leaves the old file or the new one.
A file whose hash is wrong is set aside (renamed to `*.damaged`), never used and never deleted.
Nothing here reads a pickle: callers store CSV, JSON, .npz and `torch.load(weights_only=True)` bytes.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock


def write(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole, or not at all, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    if os.name == "posix":  # the rename itself must survive a power cut
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write_json(path: Path, content: object) -> None:
    write(path, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def key(config: Mapping[str, object]) -> str:
    """A short name for a configuration: equal configurations, and only those, share it."""
    return digest(json.dumps(config, sort_keys=True).encode())[:16]


class Damaged(Exception):
    """A stored file does not have the hash it was written with; it has been set aside."""


@dataclass(frozen=True)
class Entry:
    """One folder of the store."""

    folder: Path

    def lock(self) -> FileLock:
        """Held while an entry is computed; released by the system if the process is killed."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(f"{self.folder}.lock")

    def files(self) -> dict[str, str]:
        """Names and hashes of the files written so far."""
        index = self.folder / "files.json"
        try:
            return json.loads(index.read_bytes()) if index.exists() else {}
        except ValueError:
            self._set_aside(index)
            return {}

    def add(self, name: str, data: bytes) -> None:
        write(self.folder / name, data)
        write_json(self.folder / "files.json", self.files() | {name: digest(data)})

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            Damaged: the file is missing or its hash is wrong; the entry then counts as unfinished.

        """
        path = self.folder / name
        data = path.read_bytes() if path.exists() else b""
        if digest(data) != self.files().get(name):
            for wrong in (path, self.folder / "manifest.json"):
                self._set_aside(wrong)
            raise Damaged(
                f"{path} does not have the hash it was written with; it is set aside as "
                f"{path.name}.damaged and will be computed again"
            )
        return data

    def remove(self, name: str) -> None:
        """Forget a file that was only needed until the entry is finished."""
        rest = {other: sha for other, sha in self.files().items() if other != name}
        write_json(self.folder / "files.json", rest)
        (self.folder / name).unlink(missing_ok=True)

    def finish(self, manifest: Mapping[str, object]) -> None:
        write_json(self.folder / "manifest.json", {**manifest, "files": self.files()})

    def reopen(self) -> None:
        """Make a finished entry count as unfinished, so that it is computed again."""
        for name in ("manifest.json", "files.json"):
            (self.folder / name).unlink(missing_ok=True)

    def finished(self) -> bool:
        """Is the manifest there, and does every file it names have the hash that it names?

        Raises:
            Damaged: a file has been altered since.

        """
        path = self.folder / "manifest.json"
        if not path.exists():
            return False
        try:
            named = json.loads(path.read_bytes())["files"]
        except (ValueError, KeyError, TypeError):
            self._set_aside(path)
            raise Damaged(
                f"{path} is not a manifest; it is set aside as {path.name}.damaged and "
                "its entry will be computed again"
            ) from None
        if named != self.files():
            self._set_aside(path)
            raise Damaged(
                f"{path} and files.json beside it disagree; the manifest is set aside and "
                "its entry will be computed again"
            )
        for name in named:
            self.read(name)
        return True

    def _set_aside(self, path: Path) -> None:
        if path.exists():
            os.replace(path, path.with_name(path.name + ".damaged"))
