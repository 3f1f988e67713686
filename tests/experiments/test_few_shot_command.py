"""The few-shot experiment as a user meets it: tables, figures, verdicts, refusals."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[2] / "experiments" / "few_shot.py"
TINY = [
    "smoke",
    "--objectives",
    "init",
    "nscl",
    "--n",
    "8",
    "--steps",
    "2",
    "--shots",
    "1",
    "8",
    "--draws",
    "20",
    "--jobs",
    "2",
]


def run(out: Path, *flags: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(SCRIPT), *TINY, "--out", str(out), *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("few_shot")
    done = run(out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "few_shot" / "smoke"


def test_a_run_writes_tables_figures_and_verdicts(finished):
    names = {path.name for path in finished.iterdir()}
    assert {
        "table.csv",
        "correlations.csv",
        "summary.csv",
        "tightness.csv",
        "claims.csv",
        "manifest.json",
    } <= names
    for figure in ("few_shot", "few_shot_bounds", "few_shot_terms"):
        assert {f"{figure}.pdf", f"{figure}.png", f"{figure}.csv"} <= names
    verdicts = pd.read_csv(finished / "claims.csv").set_index("claim")["verdict"]
    assert set(verdicts) <= {"PASS", "VACUOUS"} and verdicts["C2"] == "PASS"


def test_both_protocols_both_sets_of_classes_and_the_gaussians_are_there(finished):
    table = pd.read_csv(finished / "table.csv")
    features = table[table["protocol"] != "gaussian"]
    assert set(
        map(tuple, features[["protocol", "classes", "split"]].drop_duplicates().to_numpy())
    ) == {
        (protocol, classes, split)
        for protocol in ("labelled", "resampled")
        for classes, split in (("seen", "train"), ("seen", "test"), ("unseen", "test"))
    }
    assert {"two classes", "five classes", "one nuisance"} == set(
        table.loc[table["protocol"] == "gaussian", "classes"]
    )
    labelled = table[table["protocol"] == "labelled"]
    assert set(labelled["probe"]) == {"nearest centre", "linear"}
    assert (labelled.loc[labelled["m"] == 8, "draws"] == 1).all()
    linear = labelled[labelled["probe"] == "linear"]
    assert (linear["error"].isna() == (linear["unconverged"] > 0)).all()
    assert (linear.loc[linear["unconverged"] == 0, "gradient"] <= 1e-4).all()


def test_all_bounds_are_in_the_table_and_the_error_is_below_the_valid_ones(finished):
    table = pd.read_csv(finished / "table.csv")
    rows = table[table["protocol"].isin(["resampled", "gaussian"]) & np.isfinite(table["m"])]
    for name in (
        "cantelli",
        "theorem_4_1",
        "theorem_c_2",
        "neurips",
        "neurips_16",
        "tightened",
        "older",
    ):
        assert rows[f"bound_{name}"].notna().all()
    assert (rows["error"] - 5 * rows["error_se"] <= rows["cut_cantelli"]).all()
    assert rows["bound_conditional_trigonometric"].notna().any()


def test_without_certificates_there_are_no_claims_on_them(tmp_path):
    done = run(
        tmp_path, "--classes", "3", "--seeds", "2", "--objectives", "dcl", "--certified", "7"
    )
    assert done.returncode in (0, 3), done.stderr
    claims = pd.read_csv(tmp_path / "few_shot" / "smoke" / "claims.csv")["claim"]
    assert "C1-neurips" in set(claims) and not claims.str.startswith("C1-conditional").any()


def test_one_held_out_image_of_a_class_is_too_few(tmp_path):
    path = tmp_path / "images.npz"
    rng = np.random.default_rng(0)
    np.savez(
        path,
        x_train=rng.random((30, 32, 32), np.float32),
        y_train=np.arange(30) % 3,
        x_test=rng.random((5, 32, 32), np.float32),
        y_test=[0, 0, 1, 1, 2],
    )
    done = run(tmp_path, "--data", str(path), "--classes", "3", "--n", "8")
    assert done.returncode == 2 and "has 1 test images" in done.stderr


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--layer", "q"], "layer is 'q' but must be z or h"),
        (["--shots", "0"], "each must be >= 1"),
        (["--ways", "1"], "must be 2, which the bounds are about"),
        (["--ways", "50"], "must be 2, which the bounds are about"),
        (["--objectives"], "objectives are none"),
        (["--objectives", "dcl", "foo"], "objectives has 'foo'"),
        (["--objectives", "dcl", "dcl"], "each may be there once"),
        (["--inverse-l2", "-1"], "inverse-l2 is -1"),
        (["--draws", "1"], "draws is 1 but must be at least 2"),
    ],
)
def test_bad_flags_are_refused_in_one_sentence_before_any_work(tmp_path, flags, says):
    done = run(tmp_path, *flags)
    assert done.returncode == 2 and says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and not (tmp_path / "few_shot").exists()
