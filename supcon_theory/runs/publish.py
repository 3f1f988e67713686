"""A results folder appears whole, by one rename, and whole takes the place of an earlier one."""

import ctypes
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from supcon_theory.runs import store

AT_FDCWD, RENAME_EXCHANGE = -100, 2


@contextmanager
def staged(folder: Path, check: Callable[[], object] = lambda: None) -> Iterator[Path]:
    """An empty folder to fill, which becomes `folder` when the block ends without exception.

    Args:
        folder: whatever is there gives way.
        check: asked while nobody else can put anything there; may raise to leave it as it is.

    Yields:
        the folder to fill.

    """
    folder = folder.resolve()
    stage = folder.with_name(f".{folder.name}.{os.getpid()}.{time.time_ns()}")
    stage.mkdir(parents=True)
    try:
        yield stage
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            check()
            _replace(stage, folder)
        store.sync(folder.parent)
    finally:
        shutil.rmtree(stage, ignore_errors=True)  # the earlier results, or what was not finished


def _replace(stage: Path, folder: Path) -> None:
    """Rename `stage` to `folder`; what was there has the name `stage` afterwards."""
    if not folder.exists():
        os.rename(stage, folder)
    elif not _exchange(stage, folder):  # two renames: a kill between them leaves the earlier aside
        aside = stage.with_name(f"{stage.name}.earlier")
        os.rename(folder, aside)
        try:
            os.rename(stage, folder)
        except BaseException:
            os.rename(aside, folder)
            raise
        os.rename(aside, stage)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders at once, where the system and the file system can."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return rename(AT_FDCWD, bytes(one), AT_FDCWD, bytes(other), RENAME_EXCHANGE) == 0
