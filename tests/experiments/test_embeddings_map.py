"""The maps as a command: one map for all panels, numbers beside them, refusals."""

import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "experiments" / "embeddings_map.py"
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
    "--columns",
    "2",
    "--method",
    "pca",
    "--jobs",
    "2",
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("mapped")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *TINY, "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "embeddings_map" / "smoke"


def test_every_panel_shows_the_same_images(finished):
    points = pd.read_csv(finished / "points.csv")
    assert (
        len(points) == 2 * 2 * 2 * 3 * 40
    )  # seeds, objectives, checkpoints, classes, held-out images
    images = points.groupby(["seed", "objective", "step"])["row"].apply(tuple)
    assert images.groupby("seed").nunique().eq(1).all()
    start = points[(points["step"] == 0) & (points["seed"] == 0)].pivot(
        index="row", columns="objective", values=["x", "y"]
    )
    assert (start["x"]["dcl"] - start["x"]["nscl"]).abs().max() < 1e-5  # one map, one rotation
    assert (finished / "embeddings_map.png").exists()


def test_numbers_stand_beside_the_picture(finished):
    table = pd.read_csv(finished / "table.csv")
    assert table[["purity", "purity_map", "trustworthiness"]].stack().between(0, 1).all()
    assert set(table["labels"]) == {"true", "shuffled"}


@pytest.mark.parametrize(
    "flags, named",
    [
        (["--method", "mds"], ["mds", "tsne"]),
        (["--columns", "1"], ["columns is 1", "at least 2"]),
        (["--encoder", "resnet"], ["resnet", "plain"]),
        (["--classes", "1"], ["1", "at least 2"]),
    ],
)
def test_bad_usage_is_refused_in_a_sentence(tmp_path, capsys, monkeypatch, flags, named):
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *TINY, "--out", str(tmp_path), *flags])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    said = " ".join(capsys.readouterr().err.split())
    assert ended.value.code == 2 and all(word in said for word in named), said
