"""The main command as a user meets it: results, a second run, kill -9, and one-sentence refusals."""

import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "experiments" / "gap_vs_classes.py"
TINY = [
    "smoke",
    "--classes",
    "2",
    "4",
    "--n",
    "8",
    "--steps",
    "4",
    "--batch",
    "16",
    "--ratios",
    "1",
    "2",
    "--imbalanced-classes",
    "4",
    "--jobs",
    "2",
]


def command(out: Path, *flags: str) -> list[str]:
    return [sys.executable, str(SCRIPT), *TINY, "--out", str(out), *flags]


def run(out: Path, *flags: str) -> subprocess.CompletedProcess:
    return subprocess.run(command(out, *flags), capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("finished")
    done = run(out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "gap_vs_classes" / "smoke"


def test_a_run_writes_tables_figures_verdicts_and_manifest(finished):
    expected = {
        "table.csv",
        "summary.csv",
        "summary.tex",
        "slopes.csv",
        "claims.csv",
        "gap_vs_classes.pdf",
        "gap_vs_classes.png",
        "gap_vs_classes.csv",
        "manifest.json",
    }
    assert expected <= {path.name for path in finished.iterdir()}
    claims = pd.read_csv(finished / "claims.csv")
    assert {"claim", "verdict", "margin", "ci_low", "ci_high", "n", "tightness"} <= set(claims)
    assert not (claims["verdict"] == "FAIL").any()


def test_the_table_is_tidy_and_complete(finished):
    table = pd.read_csv(finished / "table.csv")
    assert {
        "cell",
        "data",
        "C",
        "n",
        "K",
        "d",
        "objective",
        "seed",
        "tau_train",
        "step",
        "epoch",
        "split",
        "layer",
        "labels",
        "tau",
        "loss_dcl",
        "loss_nscl",
        "gap",
        "r",
    } <= set(table)
    balanced = table[(table["trained_imbalance"] == 1) & (table["imbalance"] == 1)]
    true = balanced[balanced["labels"] == "true"]
    assert len(true) == 2 * 2 * 2 * 3 * 2  # C, seeds, objectives, checkpoints, temperatures
    np.testing.assert_allclose(table["loss_dcl"] - table["loss_nscl"], table["gap"], atol=1e-5)
    start = true[true["step"] == 0].set_index(["C", "seed", "tau", "objective"])["gap"].unstack()
    assert (start["dcl"] == start["nscl"]).all()  # the same initial weights
    end = true[true["step"] == 4].set_index(["C", "seed", "tau", "objective"])["gap"].unstack()
    assert (end["dcl"] != end["nscl"]).all()


def test_a_second_run_answers_from_the_store(finished):
    before = (finished / "table.csv").read_bytes()
    again = run(finished.parents[1])
    assert again.returncode == 0 and "0 of 6 cells computed" in again.stdout
    assert (finished / "table.csv").read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a POSIX matter")
def test_killed_at_three_moments_the_command_ends_with_the_same_table(finished, tmp_path):
    def entries() -> int:
        return len(list(tmp_path.glob("encoders/*/files.json")))

    for moment in range(3):  # each time a little further: some checkpoints, some cells are there
        process = subprocess.Popen(
            command(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        there = entries()
        while entries() < there + 2 + moment and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "gap_vs_classes" / "smoke" / "table.csv").exists()
    assert run(tmp_path).returncode == 0
    for name in ("table.csv", "gap_vs_classes.csv", "claims.csv"):
        whole = (finished / name).read_bytes()
        assert (tmp_path / "gap_vs_classes" / "smoke" / name).read_bytes() == whole


def npz(path: Path, **changes) -> Path:
    content = dict(
        x_train=np.zeros((8, 32, 32), np.float32),
        y_train=np.repeat([0, 1], 4),
        x_test=np.zeros((4, 32, 32), np.float32),
        y_test=np.repeat([0, 1], 2),
    )
    np.savez(path, **content | changes)
    return path


def refusal(capsys, monkeypatch, *arguments: str) -> str:
    """What the command says in this process, which must end it with exit code 2."""
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert ended.value.code == 2
    said = capsys.readouterr()
    return " ".join((said.err + said.out).split())


@pytest.mark.parametrize(
    "flags, named",
    [
        (["--classes", "301", "--n", "4"], ["301", "300"]),
        (["--classes", "1"], ["1", "at least 2"]),
        (["--n", "1"], ["n is 1", "at least 2"]),
        (["--n", "161"], ["161", "160"]),
        (["--tau", "0"], ["tau is 0", "above 0"]),
        (["--eval-tau", "-1"], ["-1", "above 0"]),
        (["--eval-tau", "1", "nan"], ["eval-tau is nan", "above 0"]),
        (["--weight-decay", "-1"], ["weight-decay is -1"]),
        (["--d", "1"], ["d is 1", "at least 2"]),
        (["--imbalanced-classes", "1"], ["at least 2"]),
        (["--imbalanced-classes", "301"], ["imbalanced-classes", "301", "300"]),
        (["--lr", "0"], ["lr is 0"]),
        (["--data", "nowhere.npz"], ["nowhere.npz", "glyphs"]),
        (["--encoder", "resnet"], ["resnet", "plain"]),
        (["--optimiser", "adam"], ["adam", "adamw"]),
        (["--device", "cuda:7"], ["cuda:7", "cpu"]),
        (["--out", "/proc/nothing"], ["/proc/nothing", "--out"]),
        (["--jobs", "0"], ["jobs is 0"]),
        (["--ratios", "1", "8"], ["8", "4"]),
        (["--colour", "red"], ["--colour"]),
    ],
)
def test_bad_usage_is_refused_in_a_sentence_before_any_work(
    tmp_path, capsys, monkeypatch, flags, named
):
    said = refusal(capsys, monkeypatch, *TINY, "--out", str(tmp_path), *flags)
    assert all(word in said for word in named), said
    assert not list(tmp_path.glob("encoders/*"))


def test_an_unknown_preset_is_refused(capsys, monkeypatch):
    assert "smoke, laptop, full, paper" in refusal(capsys, monkeypatch, "huge")


def test_the_published_setting_says_what_it_needs(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert "--device" in refusal(capsys, monkeypatch, "paper")
    said = refusal(capsys, monkeypatch, "paper", "--device", "cpu")
    assert "CIFAR-100" in said and "data/cifar100/train/<class>" in said


@pytest.mark.parametrize(
    "changes, word",
    [
        (dict(x_train=np.full((8, 32, 32), np.nan, np.float32)), "NaN"),
        (dict(x_train=np.zeros((8, 32), np.float32)), "shape"),
        (dict(y_train=np.repeat([0, 5], 4)), "without gaps"),
    ],
)
def test_a_bad_npz_is_refused_in_a_sentence(tmp_path, capsys, monkeypatch, changes, word):
    path = npz(tmp_path / "images.npz", **changes)
    flags = ["--data", str(path), "--classes", "2", "--n", "4", "--out", str(tmp_path)]
    assert word in refusal(capsys, monkeypatch, *TINY, *flags)


def test_a_batch_of_one_class_ends_its_cell_with_epoch_and_step(tmp_path):
    done = run(tmp_path, "--classes", "2", "--batch", "2", "--steps", "30", "--ratios", "1")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "step" in done.stdout and "larger batch than 2" in " ".join(done.stdout.split())


def test_the_same_number_of_classes_twice_is_one_and_a_new_run_replaces_the_old_tables(tmp_path):
    stale = tmp_path / "gap_vs_classes" / "smoke" / "broken" / "A1.csv"
    stale.parent.mkdir(parents=True)
    stale.touch()
    done = run(tmp_path, "--classes", "4", "4", "--steps", "1")
    assert done.returncode in (0, 3), done.stdout + done.stderr
    assert not pd.read_csv(stale.parents[1] / "table.csv").duplicated().any() and not stale.exists()


def test_a_loss_that_is_not_finite_leaves_the_claims_undecided(tmp_path):
    done = run(tmp_path, "--lr", "1e30")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "epoch" in done.stdout and "step" in done.stdout
    claims = tmp_path / "gap_vs_classes" / "smoke" / "claims.csv"
    assert set(pd.read_csv(claims)["verdict"]) == {"INCONCLUSIVE"}
