"""Where what was found out about a user's folder is kept, so that it is found out once.

Nothing here is part of a result: the whole directory may be deleted at any time. It is
`SUPCON_THEORY_CACHE`, or `supcon_theory` in `XDG_CACHE_HOME` (`~/.cache`). The last 32 bytes of
every file are the SHA-256 of all before, and are checked.
"""

import hashlib
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from time import monotonic, time_ns
from typing import TypeVar

import numpy as np
from filelock import FileLock

T = TypeVar("T")
SETTLED = 2 * 10**9  # ns: a file that changed less than this ago may change within its time stamp
_TOLD: set[str] = set()


def directory() -> Path:
    """The directory of the cache, made if need be.

    Returns:
        Its path.

    Raises:
        OSError: if it cannot be made.
    """
    try:
        place = os.environ.get("SUPCON_THEORY_CACHE") or (
            Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "supcon_theory"
        )
        path = Path(place).expanduser()
    except RuntimeError as error:  # nobody's home
        raise OSError(str(error)) from None
    path.mkdir(parents=True, exist_ok=True)
    return path


def recall(name: str) -> bytes | None:
    """What `remember` wrote under a name, or None."""
    try:
        path = directory() / name
        return path.read_bytes()[:-32] if path.exists() and _whole(path) else None
    except OSError:
        return None


def remember(name: str, value: bytes) -> None:
    """Keep a small thing; a cache that cannot be written is told once and else ignored."""
    try:
        _write(directory() / name, [value])
    except OSError as error:
        tell(f"the cache cannot be written ({error}): the images are checked again in every run.")


def array(
    name: str, shape: tuple[int, ...], dtype: str, rows: Callable[[], Iterable[np.ndarray]]
) -> np.ndarray:
    """A large array that is computed once, row by row, by whichever process asks first.

    Args:
        name: of the file, such that another content has another name.
        shape: of the array.
        dtype: of the array.
        rows: makes the rows.

    Returns:
        The array, memory-mapped and read-only; in memory if the cache cannot be written.
    """
    try:
        path = directory() / f"{name}.npy"
        found = _stored(path)
        if found is None:
            with FileLock(f"{path}.lock"):
                found = _stored(path)  # another process was quicker
                if found is None:
                    _write(path, _blocks(shape, dtype, rows()))
                    found = np.load(path, mmap_mode="r", allow_pickle=False)
        return found
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        tell(f"the cache cannot be used ({error}): the images are decoded into memory.")
    out = np.empty(shape, dtype)
    for place, row in enumerate(rows()):
        out[place] = row
    return out


def _blocks(shape: tuple[int, ...], dtype: str, rows: Iterable[np.ndarray]) -> Iterator[bytes]:
    head = io.BytesIO()
    description = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, description)
    yield head.getvalue()
    for row in rows:
        yield row.astype(dtype).tobytes()


def _stored(path: Path) -> np.ndarray | None:
    if not path.exists():
        return None
    if _whole(path):
        return np.load(path, mmap_mode="r", allow_pickle=False)
    tell(f"{path} is damaged: its images are decoded again.")
    return None


def _write(path: Path, blocks: Iterable[bytes]) -> None:
    """Write all of a file, and its hash at the end, or nothing of it."""
    digest = hashlib.sha256()
    new = NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False)
    try:
        with new as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        os.replace(new.name, path)
    except BaseException:
        os.unlink(new.name)
        raise


def _whole(path: Path) -> bool:
    digest, left = hashlib.sha256(), path.stat().st_size - 32
    with open(path, "rb") as file:
        while left > 0 and (block := file.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
        return left == 0 and file.read() == digest.digest()


def version(path: Path) -> tuple[int, ...]:
    """What tells that a file is as it was: size, times and inode.

    Args:
        path: the file.

    Returns:
        Equal numbers as long as the file has not changed; never equal ones for a file so young that
        it might change again within its time stamp.
    """
    seen, now = path.stat(), time_ns()
    stamp = seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino
    return stamp if max(stamp[1:3]) < now - SETTLED else (*stamp, now)


def tell(sentence: str) -> None:
    """Say a sentence on stderr, once in a process."""
    if sentence not in _TOLD:
        _TOLD.add(sentence)
        print(sentence, file=sys.stderr, flush=True)


def progress(items: Sequence[T], work: str) -> Iterator[T]:
    """The items, one by one; work that takes over two seconds says now and then how far it is.

    Args:
        items: what is worked on.
        work: what is done to them, in words.

    Yields:
        Each item.
    """
    start, wait = monotonic(), 2.0
    for done, item in enumerate(items):
        spent = monotonic() - start
        if spent > wait:
            left = spent * (len(items) - done) / done
            print(f"{work}: {done} of {len(items)}, {left:.0f} s left", file=sys.stderr, flush=True)
            wait = spent + min(spent, 30)
        yield item
