"""The checks that claims are built from: what passes, what fails, what cannot be decided."""

import numpy as np
import pandas as pd
import pytest

from supcon_theory.claims import Claim, evaluate, exit_code, lies_within, obeys, select

TABLE = pd.DataFrame(
    {
        "seed": [0, 0, 1, 1],
        "C": [2, 4, 2, 4],
        "excess": [-0.1, -0.2, -0.3, 0.0],
        "value": [1.0, 2, 3, 4],
        "bound": [2.0, 4, 6, 8],
    }
)
EMPTY = TABLE.iloc[:0]


def test_a_bound_that_holds_passes_with_margin_and_tightness():
    verdict = obeys({"excess": 1e-9}, tightness=("value", "bound"))(TABLE)
    assert verdict.verdict == "PASS" and verdict.n == 4
    assert verdict.margin == pytest.approx(1e-9) and verdict.tightness == 0.5


def test_one_broken_row_fails_and_is_kept():
    verdict = obeys({"excess": 1e-9})(TABLE.assign(excess=[-1, 2e-9, -1, -1]))
    assert verdict.verdict == "FAIL" and list(verdict.broken_by.index) == [1]


def test_a_broken_row_fails_even_beside_nan_or_with_one_seed():
    broken = TABLE.assign(excess=[np.nan, 1.0, -1, -1])
    assert obeys({"excess": 0}, needs={"seed": 2})(broken).verdict == "FAIL"
    assert obeys({"excess": 0}, needs={"seed": 2})(broken[broken["seed"] == 0]).verdict == "FAIL"


@pytest.mark.parametrize(
    "table, reason",
    [
        (EMPTY, "no row"),
        (TABLE.assign(excess=[np.nan, -1, -1, -1]), "NaN"),
        (TABLE[TABLE["seed"] == 0], "2 values of seed"),
        (TABLE[TABLE["C"] == 4], "2 values of C"),
        (TABLE.drop(columns="excess"), "no column excess"),
    ],
)
def test_what_a_table_cannot_decide_is_inconclusive(table, reason):
    verdict = obeys({"excess": 0}, needs={"seed": 2, "C": 2})(table)
    assert verdict.verdict == "INCONCLUSIVE" and reason in verdict.reason


def test_a_bound_that_says_nothing_anywhere_is_vacuous():
    above = obeys({"excess": 0}, vacuous=lambda rows: rows["bound"] > 1)
    assert above(TABLE).verdict == "VACUOUS"
    partly = obeys({"excess": 0}, vacuous=lambda rows: rows["bound"] > 4)(TABLE)
    assert partly.verdict == "PASS" and "50%" in partly.reason


def of_seed(table):
    return table.groupby("seed")["value"].first()


@pytest.mark.parametrize(
    "values, verdict",
    [
        ([1.00, 1.01, 0.99], "PASS"),
        ([2.00, 2.01, 1.99], "FAIL"),
        ([1.1, 1.11, 1.09], "INCONCLUSIVE"),
        ([1.0], "INCONCLUSIVE"),
        ([1.0, np.nan], "INCONCLUSIVE"),
        ([], "INCONCLUSIVE"),
    ],
)
def test_a_trend_is_judged_by_its_interval_over_seeds(values, verdict):
    table = pd.DataFrame({"seed": range(len(values)), "value": values})
    assert lies_within(0.9, 1.1, of_seed)(table).verdict == verdict


def test_a_trend_that_its_null_shows_too_is_vacuous():
    table = pd.DataFrame({"seed": [0, 1, 2], "value": [1.00, 1.01, 0.99]})
    assert lies_within(0.9, 1.1, of_seed, null=of_seed)(table).verdict == "VACUOUS"
    assert lies_within(0.9, 1.1, of_seed, null=lambda t: of_seed(t) + 5)(table).verdict == "PASS"


@pytest.mark.parametrize(
    "null",
    [
        lambda t: of_seed(t).iloc[:0],
        lambda t: of_seed(t).replace(1.0, np.nan),
        lambda t: t["absent"],
    ],
    ids=["no rows", "NaN", "no column"],
)
def test_a_trend_whose_null_is_missing_is_not_decided(null):
    table = pd.DataFrame({"seed": [0, 1, 2], "value": [1.00, 1.01, 0.99]})
    assert lies_within(0.9, 1.1, of_seed, null=null)(table).verdict == "INCONCLUSIVE"


def test_no_claim_leaves_nothing_undecided():
    verdicts, broken = evaluate([], TABLE)
    assert len(verdicts) == 0 and broken == {} and exit_code(verdicts) == 0


def test_rows_without_the_column_are_about_nothing():
    assert len(select(TABLE, {"absent": 1})) == 0
    assert list(select(TABLE, {"C": 4, "seed": 1}).index) == [3]


@pytest.mark.parametrize(
    "kind, expect, table, code",
    [
        ("theorem", "PASS", TABLE, 0),
        ("theorem", "PASS", TABLE.assign(excess=1.0), 1),
        ("theorem", "PASS", EMPTY, 3),
        ("counterexample", "FAIL", TABLE.assign(excess=1.0), 0),
        ("counterexample", "FAIL", TABLE, 1),
        ("counterexample", "FAIL", EMPTY, 3),
        ("trend", "VACUOUS", TABLE, 0),
    ],
)
def test_exit_codes(kind, expect, table, code):
    claim = Claim("X", "it holds", "here", kind, obeys({"excess": 0}), expect)
    verdicts, broken = evaluate([claim], table)
    assert exit_code(verdicts) == code
    assert ("X" in broken) == (len(table) > 0 and table["excess"].max() > 0)


def test_a_vacuous_theorem_holds_but_a_vacuous_trend_was_not_declared():
    silent = obeys({"excess": 0}, vacuous=lambda rows: rows["bound"] > 0)
    for kind, code in (("theorem", 0), ("trend", 3)):
        verdicts, _ = evaluate([Claim("X", "", "", kind, silent)], TABLE)
        assert exit_code(verdicts) == code
