"""Studies of free embeddings against what theory says of their end points."""

import numpy as np
import pytest

from supcon_theory.audits.critical_points import distinct
from supcon_theory.audits.minimisers import STUDIES, study_tables
from supcon_theory.audits.studies import Study


def table(part: str, name: str = "table", **setting):
    return study_tables(Study(part, **{"C": 3, "n": 3, "d": 5, "seeds": 4} | setting))[name]


@pytest.mark.parametrize("objective", ["nscl", "supcon"])
def test_with_room_every_start_reaches_the_collapsed_minimum(objective):
    rows = table("landscape", objective=objective, taus=(0.5, 1.0))
    assert rows["part"].value_counts().to_dict() == {"landscape": 8, "constructed": 2}
    assert rows["excess"].abs().max() < 1e-8 and rows["violation_minimum"].max() < 1e-9
    assert rows[["within_class_variance", "etf_deviation"]].max(axis=None) < 1e-5
    assert rows["distance"].max() < 1e-10 and set(rows["positions"]) == {1}
    np.testing.assert_allclose(rows["gap"], rows["loss_dcl"] - rows["loss_nscl"])


def test_the_minimiser_of_dcl_knows_no_labels():
    rows = table("dcl", d=8, taus=(0.5,))
    assert set(rows["labels"]) == {"true", "shuffled"} and rows["excess"].max() < 1e-8
    assert rows["cdnv_error"].max() < 1e-5 and rows["gap_error"].max() < 1e-7
    assert rows["nscl_excess"].min() > 1e-3


def test_unequal_classes_collapse_but_to_no_simplex_etf():
    rows = table("imbalance", C=0, n=0, counts=(6, 2, 2))
    assert set(rows["counts"]) == {"6 2 2"} and set(rows["C"]) == {3}
    assert rows["within_class_variance"].max() < 1e-8
    assert rows["violation_not_etf"].max() < 0 and rows["above_class_simplex"].max() < -1e-3
    assert rows["violation_minimum"].max() < 1e-9


def test_the_class_simplex_is_a_minimum_of_nscl_and_a_saddle_of_dcl():
    tables = study_tables(Study("class simplex", C=3, n=3, d=3, taus=(0.5,)))
    rows = tables["table"].set_index("objective")
    assert rows.loc["nscl", "descent"] < -1e-3 and rows.loc["nscl", "occupancy"] == "3 3 3"
    assert rows.loc["dcl", "smallest"] < -1e-3 and rows.loc["dcl", "along"] < -1e-3
    assert set(tables["spectrum"]["objective"]) == {"dcl", "nscl"}


def test_spurious_critical_points_are_above_the_minimum_and_counted():
    rows = table("spurious", C=4, n=4, d=3, seeds=12, taus=(0.1,))
    assert len(rows) > 2 and rows["excess"].is_monotonic_increasing
    assert rows["excess"].min() > 1e-3 and rows["critical_gradient"].max() < 1e-12
    assert (rows["excess"] - rows["excess_proved"]).between(0, 1e-9).all()
    assert rows["newton_condition"].max() < 1e-3 and rows["trap_inner"].max() < 1e-8
    assert (rows["trap_outer"] > 1e-5).all()
    assert rows["hits"].between(1, 12).all() and rows["hits"].sum() <= 12
    assert study_tables(Study("spurious", C=3, n=3, d=6, seeds=2)) == {}


def test_no_ascent_climbs_above_the_ceiling():
    rows = table("ascent", C=4, n=3, taus=(0.5,))
    assert -1e-6 < rows["violation_ceiling"].max() < 1e-9 and rows["violation_minimum"].isna().all()
    assert set(rows["start"]) == {"Gaussian", "two poles"} and set(rows["K"]) == {1, 2}


def test_descents_start_above_and_end_at_the_minimum():
    rows = table("descent", "descent", objective="nscl", taus=(0.5,)).sort_values("iteration")
    first, last = (rows.groupby("seed")["excess"].agg(which) for which in ("first", "last"))
    assert first.min() > 1e-2 and last.max() < 1e-8


def test_every_study_has_a_name():
    assert set(STUDIES) >= {"landscape", "spurious", "ascent"}


def test_one_of_each_value_is_kept_the_smallest_first():
    assert distinct([3.0, 1.0, 3.0 + 1e-9, 2.0]) == [1, 3, 0]


@pytest.mark.parametrize(("d", "constructed"), [(1, 0), (2, 1), (3, 1)])
def test_a_simplex_of_three_classes_is_constructed_where_two_dimensions_hold_it(d, constructed):
    rows = table("landscape", d=d, seeds=2, iterations=1)
    assert (rows["part"] == "landscape").sum() == 2
    assert (rows["part"] == "constructed").sum() == constructed
