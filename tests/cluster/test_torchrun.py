"""One training by two processes of torchrun, as a user starts it: results, failures, refusals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
TINY = "smoke --classes 2 4 --n 8 --batch 16 --ratios 1 2 --imbalanced-classes 4 --name tiny"
ENV = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--"]
SCRIPT = "experiments/gap_vs_classes.py"


def start(out: Path, flags: str, *more: str) -> subprocess.Popen:
    command = [*TORCHRUN, SCRIPT, *flags.split(), *more, "--out", str(out)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, cwd=ROOT, env=ENV, text=True, **pipes)


def test_two_processes_write_the_results_of_one(tmp_path):
    two = start(tmp_path / "two", TINY, "--steps", "4")
    said, _ = two.communicate(timeout=300)
    assert two.returncode == 0, said
    assert said.count("cells computed") == 1  # the first process alone says anything
    command = [sys.executable, SCRIPT, *TINY.split(), "--steps", "4", "--jobs", "1"]
    one = subprocess.run([*command, "--out", str(tmp_path / "one")], cwd=ROOT, env=ENV, check=False)
    assert one.returncode == 0
    tables = [
        pd.read_csv(tmp_path / name / "gap_vs_classes" / "smoke-tiny" / "table.csv")
        for name in ("one", "two")
    ]
    pd.testing.assert_frame_equal(*tables, rtol=1e-3, atol=1e-4)  # float32, sums in another order
    manifests = list((tmp_path / "two").glob("encoders/*/manifest.json"))
    assert manifests and all('"processes": 2' in path.read_text() for path in manifests)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_dies_ends_the_job_soon(rank, tmp_path):
    job = start(tmp_path, TINY, "--steps", "100000")
    while not list(tmp_path.glob("encoders/*/files.json")):
        assert job.poll() is None, job.stdout.read()
        time.sleep(0.1)
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            mine = parent == job.pid and f"RANK={rank}\0" in (path / "environ").read_text()
        except OSError:
            continue
        if mine:
            os.kill(int(path.name), signal.SIGKILL)
            break
    began = time.monotonic()
    job.communicate(timeout=60)
    assert time.monotonic() - began < 30 and job.returncode != 0


@pytest.mark.parametrize(
    "flags, word",
    [
        ("--batch 15", "batch is 15 but 2 processes must have equal parts"),
        ("--jobs 2", "jobs is 2"),
    ],
)
def test_what_two_processes_cannot_do_is_one_sentence(flags, word, tmp_path):
    job = start(tmp_path, TINY, *flags.split())
    said, _ = job.communicate(timeout=120)
    assert job.returncode != 0 and said.count(word) == 1 and "exitcode  : 2" in said
    assert not list(tmp_path.iterdir())
