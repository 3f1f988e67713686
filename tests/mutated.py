"""A copy of the package in which a file is changed, and the first of its tests that fails there."""

import compileall
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEMORY = 16 << 30  # bytes that a mutant may ask for


class FirstFailure:
    """A plugin of pytest that keeps the name of the first test that fails."""

    name = ""

    def pytest_runtest_logreport(self, report) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid.split("::", 1)[1].split("[")[0]

    def pytest_collectreport(self, report) -> None:
        if report.failed and not self.name:
            self.name = "import"


@contextmanager
def copied() -> Iterator[Path]:
    """The package and its tests in a folder of their own; what is large is loaded here, once."""
    import hypothesis  # noqa: F401
    import pandas  # noqa: F401
    import scipy.stats  # noqa: F401
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="supcon_theory-mutants-") as folder:
        copy = Path(folder)
        for path in ROOT.iterdir():
            if path.name in ("supcon_theory", "tests"):
                skip = shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, copy / path.name, ignore=skip)
            elif not path.name.startswith("."):
                (copy / path.name).symlink_to(path)
        compileall.compile_dir(copy, quiet=1)
        yield copy


@contextmanager
def changed(file: Path, text: str) -> Iterator[None]:
    """The file with another text; then as before, with its time, so that its bytecode is valid."""
    before, stamp = file.read_bytes(), file.stat()
    file.write_text(text)
    try:
        yield
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def killer(copy: Path, *tests: str, limit: float = 600.0) -> str:
    """The first test that fails in the copy; empty if none does.

    Args:
        copy: a folder that `copied` made.
        tests: files or folders of tests.
        limit: seconds after which the tests are ended.

    Returns:
        The name, "import" where no test begins, "no end" at the limit.

    """
    said = copy / "killer"
    said.write_text("import")  # where the process itself ends
    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        sys.dont_write_bytecode = True
        os.chdir(copy)
        sys.path.insert(0, str(copy))
        import pytest

        found = FirstFailure()
        pytest.main(["-x", "-n", "0", "-p", "no:cacheprovider", *tests], [found])
        said.write_text(found.name)
        os._exit(0)
    until = time.monotonic() + limit
    while not os.waitpid(pid, os.WNOHANG)[0]:
        if time.monotonic() > until:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return "no end"
        time.sleep(0.02)
    return said.read_text()
