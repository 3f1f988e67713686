"""Every experiment, as a user meets it: its smoke run, a second one, fewer of everything, own data.

An experiment joins these tests by existing. They run in one process and share encoders.
"""

import json
import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import supcon_theory.experiments
from supcon_theory.experiments import (
    collapse,
    embeddings_map,
    few_shot,
    loss_tracking,
    minimisers,
    universality,
)

from supcon_theory.audits.columns import declared
from supcon_theory.claims.document import verify
from supcon_theory.claims.evaluate import HOLDS
from supcon_theory.encoders.flags import Trained
from supcon_theory.runs import experiment as runs
from supcon_theory.runs import figures
from supcon_theory.runs.cells import Context
from supcon_theory.runs.experiment import Experiment
from tests.cases import case

NAMES = sorted(module.name for module in pkgutil.iter_modules(supcon_theory.experiments.__path__))
SEEN = ("UserWarning", "RuntimeWarning", "FutureWarning")  # Python shows others to nobody
pytestmark = [
    pytest.mark.usefixtures("coarse_pictures"),
    *(pytest.mark.filterwarnings(f"error::{kind}") for kind in SEEN),
]
STANDS = {*HOLDS, "NOT ASKED"}
SIZES = (12, 15, 13, 12, 14, 12, 13, 12)  # images of the classes of somebody's own data


@cache
def experiment(name: str) -> Experiment:
    return import_module(f"supcon_theory.experiments.{name}").EXPERIMENT


def told(what: str) -> dict:
    """What tests are told of experiments, of those that tell it."""
    return {name: getattr(case(name), what) for name in NAMES if hasattr(case(name), what)}


TRAINED = [name for name in NAMES if isinstance(experiment(name).presets["smoke"], Trained)]


@pytest.fixture(autouse=True)
def drawn_here(monkeypatch):
    """Figures are drawn in this process, with few pixels: another one takes seconds to start."""
    style = import_module("supcon_theory.analysis.style")
    monkeypatch.setattr(
        figures, "_draw", lambda module, asked: style.main(import_module(module).draw, asked)
    )


@pytest.fixture
def undrawn(monkeypatch):
    """No figures: tests/analysis draws tables of every kind."""
    monkeypatch.setattr(runs, "draw", lambda *about: "")


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    """Images of eight classes of unequal size, both in training and held out."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(len(SIZES)), SIZES)
    shapes = rng.random((len(SIZES), 32, 32), np.float32)
    x = (shapes[y] + rng.random((len(y), 32, 32), np.float32)) / 2
    path = tmp_path_factory.mktemp("own") / "images.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x[::-1][3:], y_test=y[::-1][3:])
    return path


@pytest.fixture(scope="module")
def finished(out):
    """The folder of the smoke run of each experiment, run when it is first asked for."""

    @cache
    def folder(name: str) -> Path:
        assert experiment(name).run(["smoke", "--jobs", "1", "--out", str(out)]) == 0
        return out / name / "smoke"

    return folder


def table(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "table.csv")


@pytest.mark.parametrize("name", NAMES)
def test_smoke_measures_judges_and_draws(name, finished):
    folder = finished(name)
    names = {path.name for path in folder.iterdir()}
    figures = {f"{name}.{kind}" for kind in ("pdf", "png", "csv")}
    assert {"table.csv", "claims.csv", "claims.json", "manifest.json", *figures} <= names
    claims = pd.read_csv(folder / "claims.csv")
    assert len(claims), "list a theorem or an identity: a smoke run judges no trend"
    assert set(claims["verdict"]) <= STANDS
    assert json.loads((folder / "manifest.json").read_text())["experiment"] == name


@pytest.mark.parametrize("name", NAMES)
def test_every_column_of_the_table_is_declared(name, finished):
    assert set(table(finished(name))) <= declared(experiment(name).audits)


@pytest.mark.parametrize("name", NAMES)
def test_the_verdicts_follow_from_the_table_and_no_mutant_survives(name, finished):
    folder = finished(name)
    report = verify(json.loads((folder / "claims.json").read_text()), table(folder))
    assert not report["wrong"].any() and report["mutants"].sum() > 0
    assert not report["survives"].any() and not report["brittle"].any()


@pytest.mark.parametrize("name", ["gap_vs_classes", "few_shot_counterexample", "minimisers"])
def test_a_second_run_computes_nothing_and_writes_the_same(name, finished, out, capsys):
    folder = finished(name)
    before = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    capsys.readouterr()
    assert experiment(name).run(["smoke", "--jobs", "1", "--out", str(out)]) == 0
    assert "\n0 of " in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in folder.glob("*.csv")} == before


@pytest.mark.parametrize("name", TRAINED)
def test_one_seed_and_one_number_of_classes_leave_theorems_decided(name, out, undrawn):
    C = "8" if name == "universality" else "4"
    flags = f"smoke --seeds 1 --classes {C} --jobs 1 --name less --out {out}"
    assert experiment(name).run(flags.split()) == 0
    claims = pd.read_csv(out / name / "smoke-less" / "claims.csv")
    assert set(claims["verdict"]) <= STANDS and (claims["verdict"] == "PASS").any()


@pytest.mark.parametrize("name, flags", sorted(told("FEWER").items()))
def test_fewer_starts_shots_and_batches_leave_theorems_decided(name, flags, out, undrawn):
    command = f"smoke {flags} --jobs 1 --name fewer --out {out}"
    assert experiment(name).run(command.split()) == 0
    claims = pd.read_csv(out / name / "smoke-fewer" / "claims.csv")
    assert set(claims["verdict"]) <= STANDS and (claims["verdict"] == "PASS").any()


@pytest.mark.parametrize("name", TRAINED)
def test_classes_of_unequal_size_are_measured_and_drawn(name, own, tmp_path):
    flags = f"smoke --data {own} --classes 8 --n 12 --steps 2 --batch 24 --jobs 1 --out {tmp_path}"
    assert experiment(name).run([*flags.split(), *told("OWN").get(name, "").split()]) == 0
    (folder,) = (path for path in (tmp_path / name).glob("smoke*") if path.is_dir())
    assert (folder / f"{name}.png").stat().st_size > 1000
    assert set(pd.read_csv(folder / "claims.csv")["verdict"]) <= STANDS


@pytest.mark.parametrize(
    "name, flags, named", [(n, *case) for n, cases in told("REFUSED").items() for case in cases]
)
def test_bad_usage_is_refused_in_a_sentence_before_any_work(name, flags, named, tmp_path, capsys):
    assert experiment(name).run(["smoke", "--out", str(tmp_path), *flags.split()]) == 2
    said = capsys.readouterr()
    text = " ".join((said.err + said.out).replace("│", " ").split())
    assert all(word in text for word in named.split()) and "Traceback" not in text, text
    assert not list(tmp_path.glob("*/cells/*")) and not list(tmp_path.glob("encoders/*"))


def test_one_held_out_image_of_a_class_is_too_few(tmp_path, capsys):
    rng = np.random.default_rng(0)
    content = dict(x_train=rng.random((30, 32, 32), np.float32), y_train=np.arange(30) % 3)
    content |= dict(x_test=rng.random((5, 32, 32), np.float32), y_test=[0, 0, 1, 1, 2])
    np.savez(tmp_path / "images.npz", **content)
    flags = f"smoke --data {tmp_path}/images.npz --classes 3 --n 8 --out {tmp_path}"
    assert experiment("few_shot").run(flags.split()) == 2
    assert "has 1 test images" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("module", [loss_tracking, embeddings_map, few_shot])
def test_the_deep_experiments_share_encoders(module):
    def shared(of):
        return {key for cell in of.cells(of.PRESETS["laptop"]) for key in cell.shared}

    assert shared(module) <= shared(collapse)


def test_without_one_objective_claims_on_it_are_not_asked(tmp_path):
    flags = f"smoke --objectives nscl supcon --seeds 1 --jobs 1 --out {tmp_path}"
    assert experiment("collapse").run(flags.split()) == 0
    config = collapse.Config(objectives=("nscl", "supcon"))
    asked = {claim.id: claim.asked for claim in collapse.claims(config)}
    assert not asked["B4-directional"] and asked["B4-cdnv"] and asked["B1-balanced"]


def test_without_certificates_claims_on_them_are_not_asked():
    claims = few_shot.claims(few_shot.Config(certified=(7,)))
    asked = {claim.id: claim.asked for claim in claims}
    assert asked["C1-neurips"] and not asked["C1-conditional_cantelli"]


def test_few_shot_has_both_protocols_both_sets_of_classes_and_the_laws(finished):
    rows = table(finished("few_shot"))
    features = rows[rows["protocol"] != "gaussian"]
    found = set(map(tuple, features[["protocol", "classes", "split"]].drop_duplicates().to_numpy()))
    sets = (("seen", "train"), ("seen", "test"), ("unseen", "test"))
    assert found == {(p, *s) for p in ("labelled", "resampled") for s in sets}
    assert set(rows.loc[rows["protocol"] == "gaussian", "classes"]) == set(few_shot.LAWS)
    linear = rows[rows["probe"] == "linear"]
    assert (linear["error"].isna() == (linear["unconverged"] > 0)).all()
    sampled = rows[rows["protocol"].isin(["resampled", "gaussian"]) & np.isfinite(rows["m"])]
    assert (sampled["error"] - 5 * sampled["error_se"] <= sampled["cut_cantelli"]).all()
    assert sampled["bound_conditional_trigonometric"].notna().any()


def test_loss_tracking_measures_every_checkpoint_on_both_sets(finished):
    folder = finished("loss_tracking")
    rows = table(folder)
    exact = rows[rows["protocol"] == "exact"]
    steps = sorted(exact["step"].unique())
    assert len(exact) == 2 * 2 * 2 * 2 * len(steps)  # seeds, objectives, splits, temperatures
    np.testing.assert_allclose(exact["loss_dcl"] - exact["loss_nscl"], exact["gap"], atol=1e-5)
    assert (rows.loc[rows["objective"] == "walk", "split"] == "test").all()
    start = rows[(rows["step"] == 0) & (rows["split"] == "test") & (rows["labels"] == "true")]
    starts = start[start["protocol"] != "surrogate"].groupby(["seed", "tau"])["loss_nscl"]
    assert (starts.max() - starts.min() < 1e-5).all()  # CL, NSCL and the walk start as one
    curves = pd.read_csv(folder / "correlations.csv")
    assert (curves["pearson"] >= curves["forced"] - 1e-9).all()


def test_universality_measures_every_point_under_every_labelling(finished):
    rows = table(finished("universality"))
    levels = {
        p.level for _, points in universality.grid(universality.PRESETS["smoke"], 0) for p in points
    }
    assert set(rows["level"]) == levels and "evaluated K=4" in levels
    assert len(rows) == len(levels) * 5 * 3 * 2  # labelings, temperatures, seeds
    equal = rows[rows["labels"] != "kmeans"]
    assert set(equal["C"]) == {2, 8} and (equal["imbalance"] == 1).all()
    assert equal["bound_ceiling"].notna().all()


def test_universality_changes_one_factor_at_a_time():
    (base, points), *others = universality.grid(universality.PRESETS["laptop"], seed=1)
    assert [point.level for point in points] == [
        *("base", "objective=untrained", "objective=nscl", "objective=supcon"),
        *("objective=nt_xent", "objective=cross_entropy", "evaluated K=4"),
    ]
    changed = []
    for recipe, (point,) in others:
        fields = {name for name in recipe.__dict__ if getattr(recipe, name) != getattr(base, name)}
        changed.append((point.level, fields - {"n"}))  # kanji have fewer images a class
    assert changed == [
        *((f"encoder={name}", {"encoder"}) for name in ("residual", "mlp", "vit")),
        *(("data=kanji", {"data"}), ("d=8", {"d"}), ("d=256", {"d"}), ("trained K=4", {"K"})),
        *(("trained tau=0.1", {"tau"}), ("trained tau=1", {"tau"}), ("nuisance=0.5", {"stripes"})),
    ]


def test_constant_features_end_the_cell_with_a_sentence(tmp_path, monkeypatch):
    import torch

    cell = list(universality.cells(universality.PRESETS["smoke"]))[-1]
    constant = torch.nn.functional.normalize(torch.ones(8 * 16, 2, 3), dim=-1)
    monkeypatch.setattr("supcon_theory.encoders.embed.embed", lambda *rest: (constant, constant))
    with pytest.raises(FloatingPointError, match=r"no clusters at nuisance=0.5: only 1 of 128"):
        universality.measure(cell.config, Context(tmp_path))


def test_minimisers_say_that_no_simplex_exists_in_too_few_dimensions(finished):
    rows = table(finished("minimisers"))
    flat = rows[(rows["part"] == "landscape") & (rows["d"] == 2)]
    assert flat["note"].str.contains("no simplex ETF of 4 classes exists in 2 dimensions").all()
    assert flat[["loss", "etf_deviation", "cdnv"]].notna().all(axis=None)
    reached = rows[(rows["part"] == "landscape") & (rows["d"] == 6)]["excess"].min()
    assert reached <= minimisers.minima.REACHED


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_says_what_it_would_take(name, tmp_path, capsys):
    presets = experiment(name).presets
    of_data_at_hand = [preset for preset in presets if preset != "paper" and name != "pretrained"]
    for preset in of_data_at_hand:
        flags = [preset, "--dry-run", "--out", str(tmp_path / "new")]
        assert experiment(name).run(flags) == 0, capsys.readouterr().err
        assert "cells" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
