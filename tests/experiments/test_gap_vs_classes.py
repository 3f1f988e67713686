"""The main question as a user meets it: results, a second run, kill -9, and refusals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from supcon_theory.experiments.gap_vs_classes import EXPERIMENT, PRESETS, cells

from supcon_theory.audits.columns import GAP, IDENTITY
from supcon_theory.claims.evaluate import HOLDS

TINY = "smoke --classes 2 4 --n 8 --steps 4 --batch 16 --ratios 1 2 --imbalanced-classes 4".split()
NAME = ["--name", "tiny"]


def run(out: Path, *flags: str) -> int:
    return EXPERIMENT.run([*TINY, *NAME, "--out", str(out), *flags])


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("finished")
    assert run(out) == 0
    return out / "gap_vs_classes" / "smoke-tiny"


def test_a_run_writes_tables_figures_verdicts_and_manifest(finished):
    expected = "table.csv summary.csv summary.tex slopes.csv claims.csv claims.json manifest.json"
    figures = {f"gap_vs_classes.{kind}" for kind in ("pdf", "png", "csv")}
    assert {*expected.split(), *figures} <= {path.name for path in finished.iterdir()}
    assert set(pd.read_csv(finished / "claims.csv")["verdict"]) <= {*HOLDS, "NOT ASKED"}


def test_the_table_is_tidy_and_complete(finished):
    table = pd.read_csv(finished / "table.csv")
    assert set(table) <= {*IDENTITY.names, *GAP.names} and set(GAP.names) <= set(table)
    balanced = table[(table["trained_imbalance"] == 1) & (table["imbalance"] == 1)]
    true = balanced[balanced["labels"] == "true"]
    assert len(true) == 2 * 2 * 2 * 3 * 2  # C, seeds, objectives, checkpoints, temperatures
    np.testing.assert_allclose(table["loss_dcl"] - table["loss_nscl"], table["gap"], atol=1e-5)
    start = true[true["step"] == 0].set_index(["C", "seed", "tau", "objective"])["gap"].unstack()
    assert (start["dcl"] == start["nscl"]).all()  # the same initial weights
    end = true[true["step"] == 4].set_index(["C", "seed", "tau", "objective"])["gap"].unstack()
    assert (end["dcl"] != end["nscl"]).all()


def test_a_second_run_answers_from_the_store_and_loads_no_torch(finished):
    before = (finished / "table.csv").read_bytes()
    code = (
        "import sys; from supcon_theory.experiments.gap_vs_classes import EXPERIMENT\n"
        "print(EXPERIMENT.run(sys.argv[1:]), 'torch' in sys.modules)"
    )
    flags = [*TINY, *NAME, "--out", str(finished.parents[1])]
    again = subprocess.run([sys.executable, "-c", code, *flags], capture_output=True, text=True)
    assert again.stdout.splitlines()[-1] == "0 False", again.stdout + again.stderr
    assert "0 of 6 cells computed" in again.stdout
    assert (finished / "table.csv").read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a POSIX matter")
def test_killed_at_three_moments_the_command_ends_with_the_same_table(tmp_path):
    def entries() -> int:
        return len(list(tmp_path.glob("killed/encoders/*/files.json")))

    def started(name: str) -> subprocess.Popen:  # a process of its own: last digits hang on where
        module = [sys.executable, "-m", "supcon_theory.experiments.gap_vs_classes"]  # arrays lie
        return subprocess.Popen(
            [*module, *TINY, *NAME, "--out", str(tmp_path / name)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    for moment in range(3):  # each time a little further: some checkpoints, some cells are there
        process = started("killed")
        there = entries()
        while entries() < there + 2 + moment and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    straight, results = (tmp_path / of / "gap_vs_classes/smoke-tiny" for of in ("one", "killed"))
    assert not results.exists()
    assert started("killed").wait() == started("one").wait() == 0
    for name in ("table.csv", "gap_vs_classes.csv", "claims.csv"):
        assert (results / name).read_bytes() == (straight / name).read_bytes()


def npz(path: Path, **changes) -> Path:
    content = dict(
        x_train=np.zeros((8, 32, 32), np.float32),
        y_train=np.repeat([0, 1], 4),
        x_test=np.zeros((4, 32, 32), np.float32),
        y_test=np.repeat([0, 1], 2),
    )
    np.savez(path, **content | changes)
    return path


def refusal(capsys, *argv: str) -> str:
    """What the command says, which must end with exit code 2."""
    assert EXPERIMENT.run(argv) == 2
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return " ".join((said.err + said.out).replace("│", " ").split())


@pytest.mark.parametrize(
    "flags, named",
    [
        ("--classes 301 --n 4", "301 300"),
        ("--classes 1", "at least 2"),
        ("--n 1", "n is 1 but must be at least 2"),
        ("--n 161", "161 160"),
        ("--tau 0", "tau is 0.0 above 0"),
        ("--eval-tau -1", "-1 above 0"),
        ("--eval-tau 1 nan", "eval-tau nan number"),
        ("--weight-decay -1", "weight_decay is -1"),
        ("--d 1", "d is 1 at least 2"),
        ("--imbalanced-classes 1", "at least 2"),
        ("--imbalanced-classes 301", "imbalanced-classes 301 300"),
        ("--lr 0", "lr is 0"),
        ("--data nowhere.npz", "nowhere.npz glyphs"),
        ("--encoder resnet", "resnet plain"),
        ("--optimiser adam", "adam adamw"),
        ("--device cuda:7", "cuda:7 cpu"),
        ("--out /proc/nothing", "/proc/nothing --out"),
        ("--jobs 0", "jobs is 0"),
        ("--ratios 1 8", "8 4"),
        ("--checkpoints 0", "checkpoints is 0"),
        ("--colour red", "--colour"),
    ],
)
def test_bad_usage_is_refused_in_a_sentence_before_any_work(tmp_path, capsys, flags, named):
    said = refusal(capsys, *TINY, "--out", str(tmp_path), *flags.split())
    assert all(word in said for word in named.split()), said
    assert not list(tmp_path.glob("encoders/*"))


def test_the_published_setting_says_what_it_needs(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert "--device" in refusal(capsys, "paper")
    said = refusal(capsys, "paper", "--device", "cpu")
    assert "CIFAR-100" in said and "data/cifar-100-binary.tar.gz is missing" in said


@pytest.mark.parametrize(
    "changes, word",
    [
        (dict(x_train=np.full((8, 32, 32), np.nan, np.float32)), "NaN"),
        (dict(x_train=np.zeros((8, 32), np.float32)), "shape"),
    ],
)
def test_a_bad_npz_is_refused_in_a_sentence(tmp_path, capsys, changes, word):
    path = npz(tmp_path / "images.npz", **changes)
    flags = ["--data", str(path), "--classes", "2", "--n", "4", "--out", str(tmp_path)]
    assert word in refusal(capsys, *TINY, *flags)


def test_a_batch_of_one_class_ends_its_cell_with_epoch_and_step(tmp_path, capsys):
    flags = "--classes 2 --batch 2 --steps 30 --ratios 1 --seeds 1".split()
    assert run(tmp_path, *flags) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "step" in said and "larger batch than 2" in said


def test_the_same_number_of_classes_twice_is_one(tmp_path):
    assert run(tmp_path, *"--classes 4 4 --steps 1 --seeds 1".split()) == 0
    table = tmp_path / "gap_vs_classes" / "smoke-tiny" / "table.csv"
    assert not pd.read_csv(table).duplicated().any()


def test_a_loss_that_is_not_finite_leaves_the_claims_undecided(tmp_path, capsys):
    assert run(tmp_path, *"--lr 1e30 --seeds 1 --classes 2 --ratios 1".split()) == 3
    said = capsys.readouterr().out
    assert "epoch" in said and "step" in said
    claims = pd.read_csv(tmp_path / "gap_vs_classes" / "smoke-tiny" / "claims.csv")
    assert set(claims["verdict"]) <= {"INCONCLUSIVE", "NOT ASKED"}


def test_the_time_of_a_cell_is_less_when_its_encoders_are_there(finished):
    out = finished.parents[1]
    cell = next(iter(cells(PRESETS["laptop"])))
    assert cell.seconds(out) == pytest.approx(cell.cost + 2 * 100 * 0.045)
    config = PRESETS["smoke"]
    assert {len(cell.shared) for cell in cells(config)} == {2}
