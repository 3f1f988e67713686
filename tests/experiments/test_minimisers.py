"""The minimisers experiment on tiny settings, its claims on doctored tables, its figures."""

import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from supcon_theory.claims.minima import minimiser_claims
from supcon_theory.runs.cells import Context

ROOT = Path(__file__).parents[2]
CLAIMS = {claim.id: claim.check for claim in minimiser_claims()}


def load():
    path = ROOT / "experiments" / "minimisers.py"
    spec = importlib.util.spec_from_file_location("experiment_minimisers", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


experiment = load()


@pytest.fixture(scope="module")
def tables():
    config = replace(experiment.PRESETS["smoke"], shapes=((4, 3, 2),))
    found = {}
    for cell in experiment.cells(config):
        for name, table in experiment.measure(dict(cell.config), Context(Path())).items():
            found.setdefault(name, []).append(table)
    return {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}


def verdict(claim, table):
    return CLAIMS[claim](table).verdict


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_every_claim_holds_on_the_tiny_run(claim, tables):
    assert verdict(claim, tables["table"]) == "PASS", CLAIMS[claim](tables["table"]).reason


def pick(table, part, **where):
    mask = table["part"] == part
    for column, value in where.items():
        mask &= table[column] == value
    rows = table[mask]
    return rows["loss"].idxmin() if rows["loss"].notna().any() else rows.index[0]


# claim, rows of which one (the best) is doctored, column, value that just breaks it
DOCTORED = [
    ("B2", dict(part="landscape", d=6), "shortfall", 1.6e-9),
    ("B2", dict(part="landscape", d=6), "excess", 1.6e-8),
    ("B2", dict(part="landscape", d=6), "within_class_variance", 1.6e-8),
    ("B2", dict(part="landscape", d=6), "augmentation_variance", 1.6e-8),
    ("B2", dict(part="landscape", d=6), "etf_deviation", 1.6e-5),
    ("B2-constructed", dict(part="constructed"), "distance", 1.6e-10),
    ("B2-room", dict(part="landscape", d=6), "excess", 1.6e-8),
    ("B2-supcon", dict(part="landscape", d=3, objective="supcon"), "excess", 1.6e-8),
    ("B3-imbalance", dict(part="imbalance"), "within_class_variance", 1.6e-8),
    ("B3-imbalance", dict(part="imbalance"), "augmentation_variance", 1.6e-8),
    ("B3-imbalance", dict(part="imbalance"), "shortfall", 1.6e-9),
    ("B3-dcl", dict(part="dcl"), "cdnv_error", 1.6e-5),
    ("B3-dcl", dict(part="dcl"), "directional_cdnv", 1.6e-8),
    ("B3-dcl", dict(part="dcl"), "gap_error", 1.6e-7),
    ("B3-dcl", dict(part="dcl"), "etf_deviation", 1.6e-5),
    ("B3-saddle", dict(part="class simplex", objective="dcl"), "critical_gradient", 1.6e-10),
    ("B3-minimum", dict(part="class simplex", objective="nscl"), "critical_gradient", 1.6e-10),
    ("A5-ascent", dict(part="ascent", ceiling="proved"), "excess", 1.6e-9),
    ("A5-ascent-open", dict(part="ascent", ceiling="fails"), "excess", 1.6e-9),
]


@pytest.mark.parametrize("claim, rows, column, value", DOCTORED)
def test_the_smallest_violation_fails_and_half_of_it_passes(claim, rows, column, value, tables):
    table = tables["table"].copy()
    where = pick(table, **rows)
    table.loc[where, column] = value / 2
    assert verdict(claim, table) == "PASS"
    table.loc[where, column] = value
    found = CLAIMS[claim](table)
    assert found.verdict == "FAIL" and len(found.broken_by) >= 1 and found.margin < 0


# what must be clearly below zero: doctored to zero it fails, half-way it passes
SIGNED = [
    ("B3-dimension", dict(part="landscape", d=2, objective="nscl"), "shortfall"),
    ("B3-imbalance", dict(part="imbalance"), "etf_excess"),
    ("B3-imbalance", dict(part="imbalance"), "above_class_simplex"),
    ("B3-saddle", dict(part="class simplex", objective="dcl"), "smallest"),
    ("B3-saddle", dict(part="class simplex", objective="dcl"), "along"),
    ("B3-minimum", dict(part="class simplex", objective="nscl"), "descent"),
]


@pytest.mark.parametrize("claim, rows, column", SIGNED)
def test_what_must_be_negative_fails_at_zero(claim, rows, column, tables):
    table = tables["table"].copy()
    where = pick(table, **rows)
    table.loc[where, column] /= 2
    assert verdict(claim, table) == "PASS"
    table.loc[where, column] = 1e-6
    assert verdict(claim, table) == "FAIL"


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_an_empty_table_decides_nothing(claim, tables):
    assert verdict(claim, pd.DataFrame()) == "INCONCLUSIVE"
    assert verdict(claim, tables["table"].iloc[:0]) == "INCONCLUSIVE"


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_nan_decides_nothing(claim, tables):
    table = tables["table"].copy()
    numbers = table.select_dtypes("number").columns.difference(["C", "n", "K", "d", "tau", "seed"])
    table[numbers] = np.nan
    assert verdict(claim, table) == "INCONCLUSIVE"


@pytest.mark.parametrize(
    "claim", ["B2", "B2-room", "B2-supcon", "B3-dimension", "B3-imbalance", "B3-dcl"]
)
def test_a_stalled_optimiser_is_inconclusive_and_names_its_gradient(claim, tables):
    table = tables["table"].copy()
    table["stalled"] = True
    table["gradient_norm"] = 3e-4
    found = CLAIMS[claim](table)
    assert found.verdict == "INCONCLUSIVE" and "3.0e-04" in found.reason


def test_one_certified_spurious_minimum_is_not_two(tables):
    table = tables["table"]
    spurious = table.index[table["part"] == "spurious"]
    assert verdict("B2-spurious", table.drop(spurious[1:])) == "INCONCLUSIVE"
    flat = table.copy()
    flat.loc[spurious, "zero_modes"] += 1
    assert verdict("B2-spurious", flat) == "INCONCLUSIVE"


def test_missing_the_minimum_beside_the_smallest_dimension_is_no_counterexample(tables):
    table = tables["table"].copy()
    near = (table["part"] == "landscape") & (table["objective"] == "nscl") & (table["d"] == 3)
    table.loc[near, "excess"] = 0.1
    found = CLAIMS["B2"](table)
    assert found.verdict == "INCONCLUSIVE" and "more seeds" in found.reason


def test_too_few_dimensions_say_that_no_simplex_exists_and_are_still_measured(tables):
    table = tables["table"]
    rows = table[(table["part"] == "landscape") & (table["d"] == 2)]
    assert rows["note"].str.contains("no simplex ETF of 4 classes exists in 2 dimensions").all()
    assert rows[["loss", "etf_deviation", "cdnv"]].notna().all(axis=None)


@pytest.mark.parametrize(
    "change, word",
    [
        (dict(shapes=((2, 5, 2),)), "C >= 3"),
        (dict(room=(-2,)), "fewer than 2 dimensions"),
        (dict(tau=(0.01,)), "at least 0.05"),
        (dict(tau=()), "tau"),
        (dict(iterations=0), "iterations"),
        (dict(windows=((1, 2),)), "at least 2"),
    ],
)
def test_bad_settings_are_one_sentence(change, word, tmp_path):
    config = replace(experiment.PRESETS["smoke"], out=tmp_path, **change)
    with pytest.raises(ValueError, match=word):
        config.check()


def test_the_figures_are_drawn_from_the_tables_alone(tables, tmp_path):
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    code = (
        "import runpy, sys; sys.argv[0] = 'minimisers.py'; sys.path.insert(0, 'analysis'); "
        "runpy.run_path('analysis/minimisers.py', run_name='__main__'); "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=ROOT)
    for name in ("", "_descent", "_gram", "_curvature", "_ceiling"):
        for ending in ("png", "pdf", "csv"):
            assert (tmp_path / f"minimisers{name}.{ending}").stat().st_size > 200


def test_summaries_hold_a_row_for_every_setting(tables):
    found = experiment.summary(tables)
    assert {"success", "spurious", "ascents"} <= set(found)
    assert found["success"].iloc[:, -1].between(0, 1).all()
