"""An experiment as a job array of a real SLURM, one of whose jobs is killed and queued again.

python -m pytest -n 0 tests/cluster            two minutes; .ci/run installs slurm-wlm and runs it
"""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "supcon_theory", "run", "gap_vs_classes", "smoke"]
LOG = Path(__file__).parents[2] / "docs" / "cluster_log.txt"


def wait(condition, seconds: float = 120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.2)
    return found


def queue(slurm, *states: str) -> list[str]:
    """Tasks in these states."""
    asked = ["squeue", "--noheader", "--array", "--format", "%i %t"]
    found = subprocess.run(asked, env=slurm, capture_output=True, text=True, check=True)
    pairs = (line.split() for line in found.stdout.splitlines())
    return [task for task, state in pairs if state in states]


def stamped(events: list[str], text: str) -> None:
    events.append(f"{time.strftime('%H:%M:%S')}  {text}")


@pytest.mark.usefixtures("slurm")
def test_a_job_array_with_one_job_killed_gives_the_table_of_one_machine(slurm, tmp_path):
    env = slurm | {"OMP_NUM_THREADS": "1", "SUPCON_THEORY_CACHE": str(tmp_path / "cache")}
    there, here, events = tmp_path / "there", tmp_path / "here", []
    version = subprocess.run(["sinfo", "--version"], env=slurm, capture_output=True, text=True)
    stamped(events, version.stdout.strip())
    flags = ["--where", "slurm", "--jobs", "2", "--sbatch", "mem=0", "--out", str(there)]
    stamped(events, "$ supcon-theory run gap_vs_classes smoke --where slurm --jobs 2")
    run = subprocess.Popen([*COMMAND, *flags], env=env, stderr=subprocess.PIPE, text=True)
    task = wait(lambda: run.poll() is None and queue(slurm, "R") and there_is(there))
    task = queue(slurm, "R")[0]
    before = detail(slurm, task, "Restarts")
    stamped(events, f"$ scontrol requeue {task}")
    subprocess.run(["scontrol", "requeue", task], env=slurm, check=True)
    wait(lambda: detail(slurm, task, "Restarts") > before)
    stamped(events, f"{task} restarted ({detail(slurm, task, 'Restarts')} time)")
    _, said = run.communicate(timeout=300)
    assert run.returncode == 0, said
    events += [line for line in said.splitlines() if "SLURM" in line]
    stamped(events, "exit code 0")
    local = subprocess.run([*COMMAND, "--jobs", "1", "--out", str(here)], env=env, check=False)
    assert local.returncode == 0
    one, other = (out / "gap_vs_classes/smoke/table.csv" for out in (there, here))
    assert one.read_bytes() == other.read_bytes()
    stamped(events, "$ supcon-theory run gap_vs_classes smoke; cmp: the tables are equal")
    logs = sorted(there.glob("slurm/*/*_log.out"))
    assert len(logs) >= 8 and any(log.read_text().count("Starting with") == 2 for log in logs)
    assert not list(there.glob("slurm/*/*.pkl"))
    text = "\n".join(events).replace(str(tmp_path), "<folder>")
    (tmp_path / "log.txt").write_text(re.sub(r"-\d{19}", "-<time>", text) + "\n")
    print((tmp_path / "log.txt").read_text())


def there_is(out: Path) -> bool:
    """Has some job begun to train?"""
    return bool(list(out.glob("encoders/*/files.json")))


def detail(slurm, task: str, name: str) -> int:
    asked = ["scontrol", "show", "job", task]
    found = subprocess.run(asked, env=slurm, capture_output=True, text=True, check=True).stdout
    return int(re.search(rf"{name}=(\d+)", found).group(1))
