"""Declared columns: what every audit writes is declared, for classes of any size, and versioned."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from supcon_theory.audits import columns
from tests.audits.instances import FIXED, INSTANCES

SAME = 1e-6  # an optimum that is found to 1e-9 in its gradient differs so from machine to machine
GOLDEN = Path(__file__).parent / "golden.json"
BALANCED, UNEQUAL = [5, 5, 5], [5, 6, 4]
EVERY = INSTANCES | FIXED
ENDS = ("low", "high")  # without a group of the jackknife a class of 4 is too small
SUFFIXED = {f"{name}_{f}" for name in ("step", "loss_dcl", "loss_nscl", "gap") for f in "fg"}


def table_of(name: str, counts=BALANCED) -> pd.DataFrame:
    return pd.DataFrame(EVERY[name][1](counts) if name in INSTANCES else EVERY[name][1]())


def test_every_name_is_declared_once_in_its_table_and_means_something():
    for table in (columns.IDENTITY, *columns.TABLES.values()):
        assert len(set(table.names)) == len(table.names), table.name
        assert all(column.meaning for column in table.columns)
        assert table.version >= 1


def test_the_columns_are_read_without_torch():
    """So are the statistics that claims and figures share."""
    modules = ("columns", "rows", "sweeps", "few_shot_curves", "geometry_curves", "loss_curves")
    modules += ("placement",)
    imports = "; ".join(f"import supcon_theory.audits.{module}" for module in modules)
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; {imports}; print('torch' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize("name", EVERY)
def test_what_an_audit_writes_is_declared(name):
    table = table_of(name)
    unknown = set(table) - columns.declared(EVERY[name][0])
    assert unknown <= (SUFFIXED if name == "premise" else set())
    assert len(table) > 0


@pytest.mark.parametrize("name", ["gap", "labelling", "batch_means", "earlier_bounds"])
def test_every_declared_column_is_written(name):
    declared = {column for table in EVERY[name][0] for column in table.names}
    assert declared <= set(table_of(name)) | {"tau"}


@pytest.mark.parametrize("name", INSTANCES)
def test_unequal_classes_have_the_same_columns_with_nan_where_balance_is_needed(name):
    balanced, unequal = table_of(name, BALANCED), table_of(name, UNEQUAL)
    assert list(balanced) == list(unequal)
    numbers = balanced.select_dtypes("number").columns
    lost = {column for column in numbers if unequal[column].isna().all()}
    lost -= {column for column in numbers if balanced[column].isna().all()}
    about_balance = {
        column
        for column in columns.declared(columns.TABLES.values())
        if column.endswith(("ceiling", "relaxed", "published", "centred", "_above_floor", "_floor"))
    }
    about_balance |= {"ceiling_proved", "pearson_gap", "position", "left"}
    about_balance |= {"loss_train", "violation_least"}
    about_balance |= {"within", "anatomy_error"}
    about_balance |= {n for n in columns.ANATOMY.names if "excess" in n or "collapse" in n}
    about_balance |= {"violation_terms"}
    about_balance |= {n for n in columns.COUPLED_ANATOMY.names if "supcon" in n}
    about_balance |= {f"{name}_{end}" for name in ("directional_cdnv", "nc1") for end in ENDS}
    earlier = {f"{kind}_{bound}" for kind in ("bound", "violation") for bound in columns.EARLIER}
    assert lost <= about_balance | earlier
    if name in ("gap", "labelling", "earlier_bounds", "training"):
        assert lost


@pytest.mark.parametrize("counts", [BALANCED, UNEQUAL, [9, 3, 3]])
@pytest.mark.parametrize("name", INSTANCES)
def test_no_statement_is_broken_on_random_embeddings(name, counts):
    table = table_of(name, counts)
    if name == "few_shot":  # the 1/m form is no theorem
        table = table.drop(columns="violation_older")
    if name == "imbalance":  # five iterations do not end at a minimum
        table = table.drop(columns="violation_not_etf")
    for column in table.filter(regex="^violation_"):
        assert not (table[column] > 1e-9).any(), column


def summary(name: str) -> dict[str, float]:
    """The mean of every column of numbers; those that are rounding only are left out."""
    numbers = table_of(name).select_dtypes(["number", "bool"]).astype(float)
    means = numbers.replace([np.inf, -np.inf], np.nan).mean()
    rounding = means.index.str.contains("_error$|rotation_residual|zero_modes|^positions")
    return {
        column: float(f"{value:.9g}")
        for column, value in means[~rounding].items()
        if np.isfinite(value)
    }


def no_residue(means: dict[str, float]) -> dict[str, float]:
    """With 0 for what a minimiser leaves of it: other versions of SciPy leave another few 1e-9."""
    return {column: 0.0 if abs(value) < 1e-8 else value for column, value in means.items()}


def versions(name: str) -> list[int]:
    return [table.version for table in EVERY[name][0]]


@pytest.mark.parametrize("name", EVERY)
def test_numbers_change_with_their_version_only(name):
    """After raising a version in `columns.toml`: python -m tests.audits.test_columns."""
    stored = json.loads(GOLDEN.read_text())[name]
    hint = "raise the version in columns.toml, then: python -m tests.audits.test_columns"
    assert stored["versions"] == versions(name), hint
    found, wanted = (no_residue(means) for means in (summary(name), stored["means"]))
    assert found == pytest.approx(wanted, rel=SAME, abs=1e-9), hint


def test_a_column_is_found_by_its_name_first_in_the_table_that_is_named():
    for table in columns.TABLES.values():
        assert [columns.known(name, table=table.name) for name in table.names] == [*table.columns]
    first, second = columns.MINIMISERS, columns.LOSS_FAMILIES  # whose losses differ in meaning
    for one, other in ((first, second), (second, first)):
        found = columns.known("loss", (one, other))
        assert found in one.columns and found not in other.columns
    assert columns.known("no such column") is None


if __name__ == "__main__":
    stored = json.loads(GOLDEN.read_text())
    now = {name: {"versions": versions(name), "means": summary(name)} for name in EVERY}
    for name in stored.keys() & now.keys():
        means = pytest.approx(stored[name]["means"], rel=SAME, abs=1e-9)
        if now[name]["versions"] == stored[name]["versions"] and now[name]["means"] != means:
            tables = " or ".join(table.name for table in EVERY[name][0])
            sys.exit(f"numbers of {name} changed: raise the version of {tables} in columns.toml")
    GOLDEN.write_text(json.dumps(now, indent=1) + "\n")
