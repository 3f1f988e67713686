"""The grid of settings as a user meets it: its points, its labelings, results and refusals."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from supcon_theory.runs.cells import Context

SCRIPT = Path(__file__).parents[2] / "experiments" / "universality.py"
TINY = [
    "smoke",
    "--n",
    "4",
    "--steps",
    "2",
    "--batch",
    "8",
    "--encoder",
    "mlp",
    "--encoders",
    "plain",
    "--dimensions",
    "16",
    "--datasets",
    "glyphs",
    "--temperatures",
    "0.5",
    "--jobs",
    "2",
]
MODULE = runpy.run_path(str(SCRIPT), run_name="universality")
LEVELS = {
    "base",
    "objective=untrained",
    "objective=nscl",
    "evaluated K=4",
    "encoder=plain",
    "trained K=4",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("finished")
    command = [sys.executable, str(SCRIPT), *TINY, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "universality" / "smoke"


def test_a_run_writes_tables_figure_verdicts_and_manifest(finished):
    expected = {
        "table.csv",
        "summary.csv",
        "summary.tex",
        "nearest.csv",
        "claims.csv",
        "universality.pdf",
        "universality.png",
        "universality.csv",
        "manifest.json",
    }
    assert expected <= {path.name for path in finished.iterdir()}
    claims = pd.read_csv(finished / "claims.csv")
    assert {"A1", "A2", "A3-1", "A3-0.1", "A4", "A5", "A6", "B1", "D1"} <= set(claims["claim"])
    assert set(claims["verdict"]) <= {"PASS", "VACUOUS"}


def test_every_point_of_the_grid_has_every_labelling_temperature_and_seed(finished):
    table = pd.read_csv(finished / "table.csv")
    assert set(table["level"]) == LEVELS
    assert len(table) == len(LEVELS) * 5 * 3 * 2  # labelings, temperatures, seeds
    assert not table.duplicated(["level", "labels", "tau", "seed"]).any()
    np.testing.assert_allclose(table["loss_dcl"] - table["loss_nscl"], table["gap"], atol=1e-4)
    at = table[table["labels"] != "kmeans"].groupby("labels")
    assert set(at["C"].unique().explode()) == {2, 8} and (at["imbalance"].max() == 1).all()
    assert at["bound_ceiling"].apply(lambda values: values.notna().all()).all()


def test_one_factor_at_a_time_differs_from_the_base():
    config = MODULE["PRESETS"]["laptop"]
    (base, points), *others = MODULE["grid"](config, seed=1)
    assert [point["level"] for point in points] == [
        "base",
        "objective=untrained",
        "objective=nscl",
        "objective=supcon",
        "objective=cross_entropy",
        "evaluated K=4",
    ]
    changed = []
    for recipe, (point,) in others:
        fields = {name for name in recipe.__dict__ if getattr(recipe, name) != getattr(base, name)}
        changed.append((point["level"], fields - {"n"}))  # kanji have fewer images a class
    assert changed == [
        *((f"encoder={name}", {"encoder"}) for name in ("residual", "mlp", "vit")),
        ("data=kanji", {"data"}),
        ("d=8", {"d"}),
        ("d=256", {"d"}),
        ("trained K=4", {"K"}),
        ("trained tau=0.1", {"tau"}),
        ("trained tau=1", {"tau"}),
    ]


def test_constant_features_end_the_cell_with_a_sentence(tmp_path, monkeypatch):
    cell = MODULE["cells"](MODULE["PRESETS"]["smoke"])[-1]
    constant = torch.nn.functional.normalize(torch.ones(8 * 16, 2, 3), dim=-1)
    measure = MODULE["measure"]
    monkeypatch.setitem(measure.__globals__, "embed", lambda *rest: (constant, constant))
    with pytest.raises(FloatingPointError, match="no clusters at trained tau=1: only 1 of 128"):
        measure(cell.config, Context(tmp_path))


@pytest.mark.parametrize(
    "flags, named",
    [
        (["--encoders", "plain", "resnet"], ["resnet", "plain, residual, mlp, vit"]),
        (["--encoder", "resnet"], ["resnet", "plain"]),
        (["--objectives", "simclr"], ["simclr", "nt_xent"]),
        (["--classes", "10"], ["10", "multiple of 4"]),
        (["--classes", "4"], ["4", "8 or a higher"]),
        (["--n", "1"], ["n is 1", "at least 2"]),
        (["--n", "161"], ["161", "160"]),
        (["--datasets", "nowhere"], ["nowhere", "glyphs"]),
        (["--dimensions", "1"], ["dimensions has 1", "at least 2"]),
        (["--views", "1"], ["views has 1", "at least 2"]),
        (["--temperatures", "0"], ["temperatures has 0", "above 0"]),
        (["--d", "1"], ["d is 1", "at least 2"]),
    ],
)
def test_bad_usage_is_refused_in_a_sentence(tmp_path, capsys, monkeypatch, flags, named):
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *TINY, "--out", str(tmp_path), *flags])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert ended.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert all(word in said for word in named), said
    assert not list(tmp_path.glob("encoders/*"))
