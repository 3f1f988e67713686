"""A results folder appears whole, by one rename, and whole takes the place of an earlier one."""

import ctypes
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

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
    stage = folder.with_name(f".{folder.name}.stage-{os.getpid()}-{time.time_ns()}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    alone = FileLock(folder.with_name(f".{folder.name}.lock"))
    alive = FileLock(f"{stage}.lock")  # the system releases it if this process is killed
    with alone:
        alive.acquire()
        stage.mkdir()
    try:
        yield stage
        with alone:
            check()
            _replace(stage, folder)
            _sweep(folder)
        store.sync(folder.parent)
    finally:
        shutil.rmtree(stage, ignore_errors=True)  # the earlier results, or what was not finished
        Path(alive.lock_file).unlink(missing_ok=True)
        alive.release()


def _sweep(folder: Path) -> None:
    """Remove what killed processes left of `folder`; the lock on it says that none begins."""
    begun = re.compile(rf"(\.{re.escape(folder.name)}\.stage-\d+-\d+)(\.earlier|\.lock)?")
    for stage in sorted(
        {m[1] for path in folder.parent.iterdir() if (m := begun.fullmatch(path.name))}
    ):
        place = folder.with_name(stage)
        alive = FileLock(f"{place}.lock", timeout=0)
        try:
            with alive:
                for left in (place, Path(f"{place}.earlier")):
                    shutil.rmtree(left, ignore_errors=True)
                Path(alive.lock_file).unlink(missing_ok=True)
        except Timeout:
            continue  # somebody fills it


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
