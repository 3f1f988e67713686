"""The losses along training as a command: tables, figure, verdicts, refusals."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "experiments" / "loss_tracking.py"
TINY = [
    "smoke",
    "--classes",
    "3",
    "--n",
    "6",
    "--steps",
    "4",
    "--batch",
    "12",
    "--batches",
    "8",
    "--anchors",
    "3",
    "--negatives",
    "1",
    "8",
    "--jobs",
    "2",
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("tracked")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *TINY, "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "loss_tracking" / "smoke"


def test_a_run_writes_tables_figure_and_verdicts(finished):
    expected = {
        "table.csv",
        "summary.csv",
        "correlations.csv",
        "claims.csv",
        "manifest.json",
        "loss_tracking.pdf",
        "loss_tracking.png",
        "loss_tracking.csv",
    }
    assert expected <= {path.name for path in finished.iterdir()}
    assert set(pd.read_csv(finished / "claims.csv")["verdict"]) <= {"PASS", "VACUOUS"}


def test_every_checkpoint_is_measured_on_both_sets_at_both_temperatures(finished):
    table = pd.read_csv(finished / "table.csv")
    exact = table[table["protocol"] == "exact"]
    steps = sorted(exact["step"].unique())
    assert steps[0] == 0 and steps[-1] == 4
    assert len(exact) == 2 * 2 * 2 * 2 * len(steps)  # seeds, objectives, splits, temperatures
    np.testing.assert_allclose(exact["loss_dcl"] - exact["loss_nscl"], exact["gap"], atol=1e-5)
    assert {"shuffled", "true"} == set(table.loc[table["protocol"] == "control", "labels"])
    assert (table.loc[table["objective"] == "walk", "split"] == "test").all()
    start = table[
        (table["step"] == 0)
        & (table["split"] == "test")
        & (table["labels"] == "true")
        & (table["protocol"] != "surrogate")
    ]
    starts = start.groupby(["seed", "tau"])["loss_nscl"]
    assert (
        starts.max() - starts.min() < 1e-5
    ).all()  # CL, NSCL and the walk start from the same point


def test_the_nulls_are_among_the_correlations(finished):
    found = pd.read_csv(finished / "correlations.csv")
    assert {("dcl", "true"), ("dcl", "shuffled"), ("walk", "true"), ("nscl", "true")} == set(
        zip(found["objective"], found["labels"], strict=True)
    )
    assert (found["pearson"] >= found["forced"] - 1e-9).all()


@pytest.mark.parametrize(
    "flags, named",
    [
        (["--classes", "1"], ["1", "at least 2"]),
        (["--n", "161"], ["161", "160"]),
        (["--encoder", "resnet"], ["resnet", "plain"]),
        (["--batches", "4"], ["4", "at least 8"]),
        (["--negatives", "0"], ["0", "at least 1"]),
        (["--anchors", "0"], ["anchors is 0"]),
        (["--tau", "0"], ["tau is 0"]),
        (["--data", "nowhere.npz"], ["nowhere.npz"]),
    ],
)
def test_bad_usage_is_refused_in_a_sentence(tmp_path, capsys, monkeypatch, flags, named):
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *TINY, "--out", str(tmp_path), *flags])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    said = " ".join(capsys.readouterr().err.split())
    assert ended.value.code == 2 and all(word in said for word in named), said
    assert not list(tmp_path.glob("encoders/*"))


def test_its_encoders_are_those_of_the_other_deep_experiments():
    keys = []
    for name in ("loss_tracking", "collapse", "embeddings_map"):
        script = runpy.run_path(str(ROOT / "experiments" / f"{name}.py"))
        recipes = [cell.config["recipe"] for cell in script["cells"](script["PRESETS"]["laptop"])]
        keys.append(
            {
                tuple(sorted((k, str(v)) for k, v in recipe.items() if k != "objective"))
                for recipe in recipes
            }
        )
    assert keys[0] == keys[1] and keys[2] <= keys[0]
