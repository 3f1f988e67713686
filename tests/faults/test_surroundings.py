"""The same bytes whatever surrounds a run, and nothing of the caller's changed by it.

Covers the working directory, a terminal that knows ASCII only, time zone, umask, disturbed global
random generators, default dtype, number of threads and warnings as errors, each against an
undisturbed run on the same machine; in the deep version also the hash seed, `-O` and no HOME, in a
new process each. Not promised: the same bits on another type of processor.
"""

import os
import random
import subprocess
import sys
import time
from importlib import import_module

import numpy as np
import pytest
import torch

from tests.faults.amount import DEEP, amount
from tests.faults.forked import TINY, results, run, undisturbed


def other_directory() -> None:
    os.chdir("/")


def ascii_only() -> None:
    sys.stdout = open(1, "w", closefd=False, encoding="ascii")
    sys.stderr = open(2, "w", closefd=False, encoding="ascii")


def other_time() -> None:
    os.environ["TZ"] = "Pacific/Kiritimati"
    time.tzset()


def disturbed_generators() -> None:
    random.seed(5)
    np.random.seed(5)
    torch.manual_seed(5)
    torch.rand(7)


def double_by_default() -> None:
    torch.set_default_dtype(torch.float64)


def two_threads() -> None:
    torch.set_num_threads(2)


def deterministic() -> None:
    torch.use_deterministic_algorithms(True)


OTHER = {
    "directory": other_directory,
    "encoding": ascii_only,
    "time zone": other_time,
    "umask": lambda: os.umask(0o077),
    "generators": disturbed_generators,
    "dtype": double_by_default,
    "threads": two_threads,
    "deterministic algorithms": deterministic,
}


CASES = [("collapse", other) for other in OTHER]
CASES += [("gap_vs_classes", other) for other in (OTHER if DEEP else ("dtype", "threads"))]


@pytest.mark.parametrize("name, other", CASES)
def test_the_same_bytes(tmp_path, name, other):
    ended = run(name, tmp_path / "out", before=OTHER[other])
    assert ended.code == 0, ended.said
    assert results(tmp_path / "out", name) == undisturbed(name).tables


OF_LIBRARIES = {"KMP_INIT_AT_FORK", "TORCHINDUCTOR_CACHE_DIR"}  # set when they are loaded


def state() -> dict:
    return {
        "directory": os.getcwd(),
        "environment": {k: v for k, v in os.environ.items() if k not in OF_LIBRARIES},
        "python": random.getstate(),
        "numpy": str(np.random.get_state()),
        "torch": torch.get_rng_state().tolist(),
        "dtype": torch.get_default_dtype(),
        "threads": torch.get_num_threads(),
        "grad": torch.is_grad_enabled(),
        "errors": np.geterr(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


@pytest.mark.parametrize("name", ["collapse", "few_shot_counterexample"])
def test_the_callers_state_stays(tmp_path, name):
    mark = tmp_path / "differs"

    def watch() -> None:
        found = import_module(f"supcon_theory.experiments.{name}").EXPERIMENT
        inner = type(found).run

        def compared(self, argv, later=0.0):
            before = state()
            code = inner(self, argv, later)
            after = state()
            mark.write_text(" ".join(key for key in before if before[key] != after[key]))
            return code

        type(found).run = compared

    assert run(name, tmp_path / "out", before=watch).code == 0
    assert mark.read_text() == ""


PROCESSES = [{"PYTHONHASHSEED": "1"}, {"PYTHONOPTIMIZE": "2"}, {"HOME": ""}, {"LC_ALL": "C"}]


@pytest.mark.parametrize("extra", PROCESSES[: amount(1, 4)], ids=lambda extra: next(iter(extra)))
def test_the_same_bytes_in_a_new_process(tmp_path, extra):
    name = "collapse"
    out = tmp_path / "a folder with spaces and ünicode"
    words = ["-m", f"supcon_theory.experiments.{name}", "smoke", *TINY[name]]
    ended = subprocess.run(
        [sys.executable, *words, "--jobs", "1", "--out", str(out)],
        env=os.environ | {"OMP_NUM_THREADS": "1"} | extra,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert results(out, name) == undisturbed(name).tables
