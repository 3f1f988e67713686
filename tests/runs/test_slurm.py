"""Jobs of SLURM: what is refused where there is none, and what a job that is lost leaves.

Real jobs run in tests/cluster.
"""

import sys
import types
from pathlib import Path

import pytest
from supcon_theory.experiments import few_shot_counterexample

from supcon_theory.runs import flags, sbatch, slurm, store
from supcon_theory.runs.cells import Cell, Context, Done
from supcon_theory.runs.exits import Broken

NAMES = ("one", "two")


def test_without_slurm_one_sentence_says_where_to_start(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    asked = ["smoke", "--where", "slurm", "--out", str(tmp_path)]
    assert few_shot_counterexample.EXPERIMENT.run(asked) == 2
    said = capsys.readouterr().err
    assert said.startswith("where is 'slurm' but sbatch is not on this machine")
    assert said.count("\n") == 1 and not list(tmp_path.iterdir())


@pytest.fixture
def commands(tmp_path, monkeypatch):
    monkeypatch.setattr(sbatch.shutil, "which", lambda name: f"/usr/bin/{name}")


def test_without_submitit_the_extra_is_named(commands, monkeypatch):
    monkeypatch.setattr(sbatch.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="submitit is not installed: pip install"):
        sbatch.check(())


@pytest.mark.parametrize("option", ["--partition=gpu", "partition=", "a b", "=gpu", ""])
def test_what_is_no_option_is_refused(commands, monkeypatch, option):
    monkeypatch.setattr(sbatch.importlib.util, "find_spec", lambda name: True)
    sbatch.check(("partition=gpu", "exclusive", "mail-user=a@b"))
    with pytest.raises(ValueError, match="must be name=value"):
        sbatch.check((option,))


def test_options_given_win():
    assert sbatch.parameters(("time=1:00:00", "exclusive")) == {
        "time": "1:00:00", "requeue": True, "exclusive": True
    }  # fmt: skip


@pytest.fixture
def cluster(monkeypatch):
    """A cluster of which `queue` gives each answer to squeue, and what was cancelled."""
    state = types.SimpleNamespace(queue=[], cancelled=[], refuses="")

    class FailedJobError(Exception):
        pass

    class Executor:
        def __init__(self, folder):
            state.folder = folder

        def update_parameters(self, **parameters):
            state.parameters = parameters

        def map_array(self, function, *arguments):
            if state.refuses:
                raise FailedJobError(state.refuses)
            state.asked = list(zip(*arguments, strict=True))
            return [types.SimpleNamespace(job_id=f"7_{k}") for k in range(len(state.asked))]

    def queued(array):
        for key, done in state.queue[0][1].items():
            store.write_json(state.folder / f"{key}.json", done)
        return state.queue.pop(0)[0] if len(state.queue) > 1 else state.queue[0][0]

    for name, holds in {
        "submitit": {"SlurmExecutor": Executor},
        "submitit.core": {},
        "submitit.core.utils": {"FailedJobError": FailedJobError},
    }.items():
        module = types.ModuleType(name)
        vars(module).update(holds)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(slurm, "queued", queued)
    monkeypatch.setattr(slurm, "EVERY", 0.0)
    monkeypatch.setattr(slurm.subprocess, "run", lambda what, check: state.cancelled.append(what))
    return state


def ends(out: Path, jobs: int | None = None) -> dict[str, Done]:
    cells = [(Cell(name, name), store.Entry(out / name)) for name in NAMES]
    launch = slurm.Launch("toy", ("smoke",), ("mem=1G",))
    return dict(slurm.in_jobs(cells, launch, Context(out), jobs, False))


DONE = {"state": "done", "text": "", "damaged": ["said"]}


def test_each_cell_is_a_task_and_ends_with_what_the_job_says(cluster, tmp_path):
    waits = {"7_0", "7_1"}
    cluster.queue = [(waits, {}), (waits, {"two": DONE}), ({"7_0"}, {"one": DONE})]
    found = ends(tmp_path, jobs=1)
    assert list(found) == ["two", "one"] and found["one"] == Done("done", "", ("said",))
    assert [asked[:3] for asked in cluster.asked] == [("toy", ("smoke",), name) for name in NAMES]
    assert cluster.parameters["array_parallelism"] == 1
    assert cluster.parameters["additional_parameters"]["mem"] == "1G" and not cluster.cancelled


def test_a_task_that_is_gone_without_an_answer_is_lost_but_not_at_once(cluster, tmp_path):
    gone = ({"7_1"}, {})
    cluster.queue = [gone, gone, gone, ({"7_1"}, {"two": DONE})]
    found = ends(tmp_path)
    assert found["two"].state == "done"
    assert found["one"].state == "failed" and "ended without a word" in found["one"].text
    cluster.queue = [gone, gone, ({"7_1"}, {"one": DONE, "two": DONE})]
    assert {done.state for done in ends(tmp_path).values()} == {"done"}


def test_what_a_job_writes_after_its_answer_is_swept_too(cluster, tmp_path, monkeypatch):
    late = [lambda: None, lambda: (cluster.folder / "7_1_result.pkl").write_bytes(b"late")]
    waits = {"7_1"}
    cluster.queue = [(waits, {"one": DONE, "two": DONE}), (waits, {}), (waits, {}), (set(), {})]
    monkeypatch.setattr(slurm.time, "sleep", lambda seconds: late and late.pop(0)())
    assert {done.state for done in ends(tmp_path).values()} == {"done"}
    assert not late and not list(cluster.folder.glob("*.pkl"))
    cluster.queue = [(waits, {"one": DONE, "two": DONE})]  # a job that never leaves the queue
    assert {done.state for done in ends(tmp_path).values()} == {"done"}


def test_a_queue_that_does_not_answer_loses_nothing(cluster, tmp_path):
    cluster.queue = [(None, {})] * 9 + [(set(), {"one": DONE, "two": DONE})]
    assert {done.state for done in ends(tmp_path).values()} == {"done"}


def test_who_stops_waiting_cancels_the_jobs(cluster, tmp_path, monkeypatch):
    def interrupt(seconds):
        raise KeyboardInterrupt

    cluster.queue = [({"7_0", "7_1"}, {})]
    monkeypatch.setattr(slurm.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ends(tmp_path)
    assert cluster.cancelled == [["scancel", "7"]]


def test_what_slurm_refuses_is_said_in_its_words(cluster, tmp_path):
    cluster.refuses = "sbatch: error: invalid partition\nspecified: gpu"
    with pytest.raises(Broken, match="SLURM refuses the jobs: sbatch: error: invalid partition sp"):
        ends(tmp_path)


def test_a_job_computes_its_cell_and_says_so(tmp_path):
    experiment = few_shot_counterexample.EXPERIMENT
    argv = ["smoke", "--out", str(tmp_path)]
    _, config = flags.parse("few_shot_counterexample", experiment.presets, argv)
    (_, entry), *_ = experiment.work(config)
    about = ("few_shot_counterexample", argv, entry.folder.name, 0.0)
    slurm.compute(*about, False, tmp_path)
    answer = tmp_path / f"{entry.folder.name}.json"
    assert store.read_json(answer)["state"] == "done" and entry.finished()
    slurm.compute(*about, False, tmp_path)
    assert store.read_json(answer)["state"] == "found"


def test_a_job_that_is_refused_on_its_node_says_why(tmp_path):
    (tmp_path / "no folder").write_text("")
    argv = ["smoke", "--out", str(tmp_path / "no folder")]
    slurm.compute("few_shot_counterexample", argv, "key", 0.0, False, tmp_path)
    said = store.read_json(tmp_path / "key.json")
    assert said["state"] == "broken" and "cannot be written to" in said["text"]
