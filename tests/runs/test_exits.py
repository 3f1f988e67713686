"""Whatever ends a command, the code says what it was."""

import os
import signal
import subprocess
import sys
import time

import pytest

from supcon_theory.runs import exits
from supcon_theory.runs.exits import Broken, Parsed, Refused, guard

posix = pytest.mark.skipif(os.name != "posix", reason="signals and pipes are POSIX matters")


@pytest.mark.parametrize(
    "error, code",
    [
        (Refused("no"), 2),
        (Parsed(0), 0),
        (Parsed(2), 2),
        (SystemExit(1), 4),
        (SystemExit(0), 4),
        (KeyboardInterrupt(), 130),
        (RecursionError(), 4),
        (OSError(28, "No space left on device", "/full/disk"), 4),
        (MemoryError(), 4),
        (Broken("x=1: it changed"), 4),
    ],
)
def test_no_exception_reads_as_a_broken_theorem_or_as_success(error, code, capsys):
    def command():
        raise error

    assert guard(command) == code
    said = capsys.readouterr().err
    assert said or isinstance(error, Parsed)
    if isinstance(error, (OSError, MemoryError, Broken)):  # of the surroundings: no bug
        assert len(said.splitlines()) == 1
    if isinstance(error, OSError):
        assert "No space left on device: /full/disk" in said


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_terminated_ends_as_an_interrupted_one(number, capsys):
    before = signal.signal(number, signal.SIG_DFL)  # tests may run under nohup themselves
    try:
        assert guard(lambda: signal.raise_signal(number) or 0) == 130
        assert signal.getsignal(number) == signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN)  # nohup
        assert guard(lambda: signal.raise_signal(number) or 0) == 0
    finally:
        signal.signal(number, before)


def script(folder, last: str, **how):
    """A script like that of an experiment, which ends with this line while it still loads."""
    path = folder / how.pop("place", "experiments") / "toy.py"
    path.parent.mkdir()
    path.write_text(f"import supcon_theory.runs.script\n{last}\n")
    return subprocess.run([sys.executable, str(path)], capture_output=True, text=True, **how)


@pytest.mark.parametrize(
    "last, code", [("raise KeyboardInterrupt", 130), ("import nothing", 4), ("raise SystemExit", 0)]
)
def test_a_script_that_breaks_while_it_loads_ends_with_the_code_for_it(tmp_path, last, code):
    ended = script(tmp_path, last)
    assert ended.returncode == code and ("Finished cells are kept" in ended.stderr) == (code > 0)


def test_no_other_script_is_changed(tmp_path):
    assert script(tmp_path, "import nothing", place="mine").returncode == 1


@posix
def test_a_reader_that_is_gone_is_exit_code_4(tmp_path):
    code = (
        "from supcon_theory.runs.exits import guard, leave; leave(guard(lambda: print('x') or 0))"
    )
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert ended.returncode == 4 and b"Traceback" not in ended.stderr and ended.stderr


WORKERS = """
import sys, time
from dataclasses import dataclass
from pathlib import Path

from supcon_theory.runs.cells import Cell, Context
from supcon_theory.runs.exits import guard, leave
from supcon_theory.runs.store import Entry
from supcon_theory.runs.workers import run

@dataclass(frozen=True)
class Nap:
    name: str

def measure(config, context):
    (context.out / config.name).touch()
    time.sleep(60)

if __name__ == "__main__":
    out = Path(sys.argv[1])
    cells = [(Cell(Nap(name), name, cost=99), Entry(out / f"cell-{name}")) for name in "ab"]
    leave(guard(lambda: run(cells, measure, Context(out), 2, False) and 0))
"""


@posix
def test_workers_that_are_terminated_leave_nothing_on_the_terminal_but_a_sentence(tmp_path):
    path = tmp_path / "workers.py"
    path.write_text(WORKERS)
    command = [sys.executable, str(path), str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr is not None
    first = process.stderr.readline()  # before any worker has loaded
    assert first == "2 cells to compute, starting 2 workers ...\n"
    while not all((tmp_path / name).exists() for name in "ab"):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGTERM)  # as a batch system does: workers are told as well
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == "Stopped. Finished cells are kept; the same command goes on from there.\n"


@pytest.mark.parametrize("rank", [0, 1])
def test_what_all_processes_refuse_is_said_by_the_first_while_the_others_wait(
    rank, monkeypatch, capsys
):
    """Torchrun ends every process when one has ended: the first one would be cut short."""
    waited = []
    monkeypatch.setattr(exits, "rank", lambda: rank)
    monkeypatch.setattr(exits.time, "sleep", waited.append)

    def refuse():
        raise Refused("jobs is 2")

    assert guard(refuse) == 2
    assert capsys.readouterr().err == ("" if rank else "jobs is 2\n")
    assert waited == [exits.UNTIL_SAID] * rank
