"""One case, one process: forked from the one in which everything is loaded.

A fork takes milliseconds where an import of torch takes seconds. A child draws in its own process,
for the same reason; nothing else of the program is replaced.
"""

import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from supcon_theory.analysis import style

from supcon_theory.runs import experiment as module

for name in (
    "gap_vs_classes",
    "collapse",
    "few_shot_counterexample",
    "few_shot",
    "minimisers",
):  # loaded once, for all
    import_module(f"supcon_theory.analysis.{name}")
    import_module(f"supcon_theory.experiments.{name}")
for name in ("audits.gap", "audits.collapse", "audits.counterexample", "encoders.embed"):
    import_module(f"supcon_theory.{name}")

TABLES = ("table.csv", "claims.csv", "summary.csv")
PLACE = tempfile.TemporaryDirectory(prefix="supcon_theory-undisturbed-")
LIMIT = 600  # seconds: a case that takes longer hangs, on a busy machine too
DRAW = os.environ.get("FAULTS_DRAW")
TINY = {  # arguments of runs of a second or two
    "few_shot_counterexample": ["--seeds", "2", "--shots", "10", "1000", "--draws", "2000"],
    "gap_vs_classes": [
        *("--seeds", "1", "--classes", "2", "3", "--n", "8", "--steps", "4", "--batch", "16"),
        *("--d", "8", "--ratios", "1", "--imbalanced-classes", "3", "--encoder", "mlp"),
    ],
    "few_shot": [
        *("--seeds", "1", "--classes", "3", "--n", "8", "--steps", "4", "--batch", "16"),
        *("--d", "8", "--encoder", "mlp", "--objectives", "dcl", "--shots", "1", "5"),
        *("--resampled-shots", "2", "--draws", "4", "--labelled-draws", "2"),
        *("--certified", "3", "--certified-shots", "2"),
    ],
    "minimisers": [
        *("--seeds", "2", "--shapes", "4", "3", "2", "--room", "0", "--tau", "0.5"),
        *("--ascents", "4", "3", "0.5", "--iterations", "200"),
    ],
    "small_samples": ["--seeds", "1", "--sizes", "4", "--draws", "4"],
    "loss_tracking": [
        *("--seeds", "1", "--classes", "3", "--n", "8", "--steps", "4", "--batch", "16"),
        *("--d", "8", "--encoder", "mlp", "--batches", "8", "--negatives", "4", "--anchors", "8"),
    ],
    "collapse": [
        *("--seeds", "1", "--classes", "3", "--n", "8", "--steps", "4", "--batch", "16"),
        *("--d", "8", "--encoder", "mlp", "--objectives", "dcl", "nscl"),
    ],
}


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, minus the signal's number if one killed it; its words."""

    code: int
    said: str
    seconds: float


class Child:
    """A process that does something, and what it said."""

    def __init__(self, work: Callable[[], int | None], said: Path) -> None:
        self.said, self.began = said, time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid:
            return
        code = 99  # an exception that nobody caught
        try:
            os.setpgid(0, 0)
            file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            for number in (1, 2):
                os.dup2(file, number)
            sys.stdout = open(1, "w", 1, closefd=False)
            sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(
                    number,
                    signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL,
                )
            module.draw = _draw_here
            code = work() or 0
        except BaseException:
            traceback.print_exc()
        finally:
            try:
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)

    def signal(self, number: int) -> None:
        """Send a signal to it, unless it has ended."""
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def wait(self, limit: float = LIMIT) -> Ended:
        """How it ended; a process that does not end in time is killed and said to hang."""
        until = time.monotonic() + limit
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > until:
                os.killpg(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError(f"still running after {limit} s: {self.words()}")
            time.sleep(0.005)
        return Ended(os.waitstatus_to_exitcode(status), self.words(), time.monotonic() - self.began)

    def words(self) -> str:
        """What it has said so far."""
        return self.said.read_text(errors="replace") if self.said.exists() else ""


def run(
    name: str,
    out: Path,
    *more: str,
    before: Callable[[], object] = lambda: None,
    wait: bool = True,
):
    """Run a tiny version of an experiment in a process of its own.

    Args:
        name: of the experiment.
        out: the folder of results.
        more: further arguments.
        before: called in the process before the run, to break something.
        wait: return how it ended, rather than the `Child`.

    Returns:
        `Ended`, or `Child`.

    """

    def work() -> int:
        before()
        found = import_module(f"supcon_theory.experiments.{name}").EXPERIMENT
        return found.run(["smoke", *TINY[name], "--jobs", "1", "--out", str(out), *more])

    out.parent.mkdir(parents=True, exist_ok=True)
    child = Child(work, out.parent / f"{out.name}.{time.monotonic_ns()}.said")
    return child.wait() if wait else child


def _draw_here(name: str, folder: Path, *how: object) -> str:
    drawing = import_module(f"supcon_theory.analysis.{name}").draw
    if DRAW:
        style.main(drawing, [str(folder)])
    return ""


def results(out: Path, name: str) -> dict[str, bytes]:
    """The bytes of the tables of a run's only results folder."""
    (folder,) = (p.parent for p in out.glob(f"{name}/[!.]*/claims.csv"))
    return {
        file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name in TABLES
    }


@dataclass(frozen=True)
class Undisturbed:
    """A run that nothing disturbs: its folder, its tables, how long it took."""

    out: Path
    tables: dict[str, bytes]
    seconds: float


@cache
def undisturbed(name: str) -> Undisturbed:
    """The run that others are compared with; its folder is not to be written to."""
    out = Path(PLACE.name) / name
    ended = run(name, out)
    assert ended.code == 0, ended.said
    return Undisturbed(out, results(out, name), ended.seconds)


def stored(out: Path) -> list[Path]:
    """Files of the store: of cells and of encoders."""
    found = [*out.glob("*/cells/*/*"), *out.glob("encoders/*/*")]
    return sorted(path for path in found if path.is_file() and ".damaged" not in path.parent.name)


def litter(out: Path) -> list[str]:
    """What a run should not leave behind: temporary files and folders."""
    names = [str(path.relative_to(out)) for path in out.rglob("*")]
    return [
        n
        for n in names
        if n.endswith(".tmp")
        or any(part.startswith(".") and not part.endswith(".lock") for part in Path(n).parts)
    ]
