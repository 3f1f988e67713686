"""Files that come with other packages, read only if they are the very bytes that `pins.toml` names.

Of a Python package only a data file is read, by its place: none of its code is imported here.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True)
class Pin:
    """A file: its package, its name there, its SHA-256, its licence, the command that brings it."""

    package: str
    file: str
    sha256: str
    licence: str
    get: str
    distribution: str = ""  # the Python distribution that it is in; else it is in a user's folder

    def path(self, folder: Path | None) -> Path:
        """Where the file should be.

        Args:
            folder: of files that no Python package holds.

        Returns:
            its path, whether it is there or not.
        """
        if not self.distribution:
            return (folder or Path()) / self.file
        try:
            return Path(str(metadata.distribution(self.distribution).locate_file(self.file)))
        except metadata.PackageNotFoundError:
            return Path(self.file)


@cache
def pins() -> dict[str, Pin]:
    """All pinned files, by name."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return {name: Pin(**fields) for name, fields in tomllib.loads(text).items()}


def read(name: str, folder: Path | None = None) -> bytes:
    """The bytes of a pinned file.

    Args:
        name: of the pin.
        folder: where a file lies that no Python package holds.

    Returns:
        its bytes, whose SHA-256 is the pinned one.

    Raises:
        ValueError: it is not there, or is another file; with the command that brings it.
    """
    pin = pins()[name]
    path = pin.path(folder)
    where = "" if pin.distribution else f", then name its folder instead of {path.parent}"
    bring = f"run `{pin.get}`{where}"
    try:
        data = path.read_bytes()
    except OSError:
        raise ValueError(f"{pin.file} of {pin.package} is not here: {bring}") from None
    if (found := hashlib.sha256(data).hexdigest()) != pin.sha256:
        raise ValueError(
            f"{path} has SHA-256 {found[:12]}..., not {pin.sha256[:12]}... of {pin.package}: "
            f"{bring}"
        )
    return data
