"""What tells one version of a user's data from another, so that no stored result is mistaken."""

import hashlib
from functools import lru_cache
from pathlib import Path

from supcon_theory.data import folder
from supcon_theory.data.cache import version
from supcon_theory.data.facts import ROOT, locate, ships
from supcon_theory.data.named.sources import sources


def fingerprint(name_or_path: str | Path, root: str | Path = ROOT) -> str:
    """A hash of the content of data, never of a path or a time.

    Args:
        name_or_path: as in `data.load`.
        root: likewise.

    Returns:
        Empty for what ships with the package; else 16 hexadecimal digits: of the `.npz`, of the
        hashes that the archives of a named set must have, or of the classes and contents of the
        pictures of a folder in the order of their rows.

    Raises:
        ValueError: for unknown data, and for a folder that `data.folder.read` refuses.
    """
    where = locate(name_or_path, root)
    if ships(where):
        return ""
    if isinstance(where, str):
        return sources()[where].fingerprint
    if where.is_dir():
        return folder.read(where).fingerprint
    return _file(where, version(where))


@lru_cache(maxsize=4)
def _file(path: Path, _version: tuple[int, ...]) -> str:
    with open(path, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:16]
