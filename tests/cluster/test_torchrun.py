"""One training, one audit by two processes of torchrun, as a user starts them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
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


def test_losses_of_an_experiment_are_measured_by_both(tmp_path):
    """Through the commands as they are, but that few rows are worth help."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from supcon_theory import processes\n"
        "from supcon_theory.encoders import train\n"
        "from supcon_theory.experiments.gap_vs_classes import EXPERIMENT\n"
        "processes.WORTH_HELP, ask = 0, train.ask_for_losses\n"
        "train.ask_for_losses = lambda *call: (print('asked'), ask(*call))\n"
        "sys.exit(EXPERIMENT.run(sys.argv[1:]))\n"
    )
    flags = [*TINY.split(), "--steps", "4"]
    found = []
    for name, launcher in (("two", TORCHRUN), ("one", [sys.executable])):
        command = [*launcher, str(script), *flags, "--out", str(tmp_path / name)]
        env = ENV | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=170)
        assert done.returncode == 0, done.stdout + done.stderr
        asked = done.stdout.count("asked")
        assert asked > 10 if name == "two" else asked == 0
        table = tmp_path / name / "gap_vs_classes" / "smoke-tiny" / "table.csv"
        found.append(pd.read_csv(table))
    pd.testing.assert_frame_equal(*found, rtol=1e-3, atol=1e-4)  # as above: trained apart


COUNTING = """
import atexit, os, runpy
from pathlib import Path
from supcon_theory.pairs import class_sums
tiles, compute = [], class_sums.exponentials
class_sums.exponentials = lambda *given: (tiles.append(1), compute(*given))
count = Path(f"tiles.{os.environ.get('RANK', 'alone')}")
atexit.register(lambda: count.write_text(str(len(tiles))))
runpy.run_module("supcon_theory", run_name="__main__")
"""


@pytest.fixture
def embeddings(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    y = np.arange(900) % 5
    z = rng.normal(size=(900, 2, 16)) + 2 * rng.normal(size=(5, 1, 16))[y]
    np.save(tmp_path / "e.npy", z.astype("f4"))
    pd.DataFrame({"label": y}).to_csv(tmp_path / "l.csv", index=False)
    (tmp_path / "counting.py").write_text(COUNTING)
    return tmp_path


def audit(folder: Path, launcher: list[str], out: str, *flags: str) -> subprocess.CompletedProcess:
    words = ["audit", "e.npy", "--labels", "l.csv", "--out", out, *flags]
    command, env = [*launcher, *words], ENV | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=170, check=False
    )


def test_an_audit_by_two_processes_is_that_of_one_and_is_printed_once(embeddings):
    flags = ("--budget", "100", "--against", "e.npy", "--raw")
    one = audit(embeddings, [sys.executable, "counting.py"], "one", *flags)
    two = audit(embeddings, [*TORCHRUN, "counting.py"], "two", *flags, "--report", "two.html")
    assert one.returncode == two.returncode == 0, one.stderr + two.stderr
    said = two.stdout.replace("two.html, two/", "one/").replace("two/", "one/")
    assert said == one.stdout and said.count("Written:") == 1
    tiles = [int((embeddings / f"tiles.{who}").read_text()) for who in ("alone", 0, 1)]
    assert tiles[0] == tiles[1] + tiles[2] and min(tiles) > 0.4 * tiles[0]
    assert "Traceback" not in two.stderr and "Warning" not in two.stderr
    tables = sorted(path.name for path in (embeddings / "one").glob("*.csv"))
    assert len(tables) > 15
    for name in tables:
        both = [pd.read_csv(embeddings / out / name) for out in ("one", "two")]
        pd.testing.assert_frame_equal(*both, rtol=1e-10, atol=1e-12)


def test_a_refused_audit_is_refused_once_and_leaves_nothing(embeddings):
    before = sorted(embeddings.iterdir())
    done = audit(embeddings, [*TORCHRUN[:-1], "-m", "supcon_theory"], "two", "--tau", "0")
    assert done.returncode != 0 and done.stderr.count("tau is 0; it must be a number") == 1
    assert not done.stdout and sorted(embeddings.iterdir()) == before
