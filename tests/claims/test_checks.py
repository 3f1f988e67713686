"""What each check says at its edges, and the claims that have rules of their own."""

import re

import numpy as np
import pandas as pd
import pytest

from supcon_theory.claims import AtMost, Certified, Change, Within, few_shot, training
from supcon_theory.claims.checks import names
from supcon_theory.statistics import BEYOND, detectable, mean_interval
from tests.claims.judged import JUDGED


def claim_of(experiment: str, key: str):
    claims, table = JUDGED[experiment]
    return next(c for c in claims if c.key == key), table.copy()


def test_at_most_holds_at_its_limit_and_not_above():
    rows = pd.DataFrame({"r": [0.0, 1e-9]})
    assert AtMost({"r": 1e-9})(rows).verdict == "PASS"
    assert AtMost({"r": 1e-9})(rows).margin == 0
    broken = AtMost({"r": np.nextafter(1e-9, 0)})(rows)
    assert broken.verdict == "FAIL" and len(broken.broken_by) == 1


def test_one_broken_row_fails_whatever_is_nan_beside_it():
    rows = pd.DataFrame({"r": [np.nan, 2.0], "gap": [np.nan, np.nan]})
    assert AtMost({"r": 1.0, "gap": 1.0})(rows).verdict == "FAIL"
    assert AtMost({"r": 3.0, "gap": 1.0})(rows).verdict == "INCONCLUSIVE"


def test_a_bound_that_says_nothing_in_some_rows_passes_and_in_all_is_vacuous():
    rows = pd.DataFrame({"r": [0.0, 0.0], "gap": [1.0, 2.0]})
    some = AtMost({"r": 1.0}, ("r", "gap"), vacuous="gap >= 2")(rows)
    assert (some.verdict, some.reason) == ("PASS", "the bound says nothing in 50% of the rows")
    assert AtMost({"r": 1.0}, vacuous="gap >= 1")(rows).verdict == "VACUOUS"
    assert some.tightness == 0


def test_an_optimiser_that_stalled_leaves_a_pass_open_and_excuses_only_where_it_should():
    rows = pd.DataFrame({"excess": [1.0, 0.0], "stalled": [True, False], "gradient_norm": 1e-3})
    assert AtMost({"excess": 0.5}, settled="required")(rows).verdict == "FAIL"
    assert AtMost({"excess": 0.5}, settled="excused")(rows).verdict == "INCONCLUSIVE"
    assert AtMost({"excess": 2.0}, settled="required")(rows).verdict == "INCONCLUSIVE"
    assert AtMost({"excess": 0.5}, settled="excused")(rows[1:]).verdict == "PASS"


def test_checks_print_their_own_thresholds():
    assert str(AtMost({"a": 1e-9, "b": 0.5})) == "a <= 1e-09 and b <= 0.5"
    statistic = lambda t: t["r"]  # noqa: E731
    assert str(Within("slope", -1.1, -0.9, statistic)) == "slope in [-1.1, -0.9]"
    assert str(Within("r", 0, np.inf, statistic)) == "r >= 0"
    assert str(Within("r", -np.inf, 0.05, statistic)) == "r <= 0.05"
    assert Within("r", 0, np.inf, statistic).threshold == [0.0, None]


@pytest.mark.parametrize(
    "expression, expected",
    [
        ("log1p((C - 1) * exp(-2 / tau)) <= r", {"C", "tau", "r"}),
        ("bound_ceiling.notna()", {"bound_ceiling"}),
        ("step == step.max() and labels == 'true'", {"step", "labels"}),
        ("r - @t", {"r"}),
        ("", set()),
    ],
)
def test_the_columns_of_an_expression_are_found(expression, expected):
    assert names(expression) == expected


def test_a_change_touches_only_the_rows_it_names_and_nothing_at_zero():
    table = pd.DataFrame({"C": [2, 3, 4], "r": [1.0, 2.0, 3.0]})
    change = Change("r", "r * 10 ** @t", "C > 2")
    assert change(table, table, 0.0).equals(table)
    assert change(table, table[:2], 1.0)["r"].tolist() == [1.0, 20.0, 3.0]


def spurious() -> pd.DataFrame:
    _, table = claim_of("free", "B2-spurious")
    return table[table["part"] == "spurious"].reset_index(drop=True)


def test_two_different_certified_points_are_wanted():
    check = next(c for c in JUDGED["free"][0] if c.id == "B2-spurious").check
    assert isinstance(check, Certified)
    rows = spurious()
    assert check(rows).verdict == "PASS"
    same = rows[(rows["K"] == 2) & (rows["tau"] == 1.0)]
    assert check(same.assign(excess=0.1)).verdict == "INCONCLUSIVE"
    for column, value in (("excess_proved", 0.0), ("newton_condition", 0.5)):
        assert check(rows.assign(**{column: value})).verdict == "INCONCLUSIVE"


def test_an_own_data_set_without_balanced_classes_is_not_asked_for_what_needs_them():
    claim, table = claim_of("sweep", "A4")
    unequal = table.assign(bound_ceiling=np.nan, violation_centred=np.nan)
    assert claim.verdict(unequal).verdict == "NOT ASKED"
    half = unequal.where(table["C"] > 4, table)
    assert claim.verdict(half).verdict == "PASS" and claim.verdict(half).n < len(table)
    bao = next(c for c in training.claims(0.5, 1.0, (10,), True) if c.id == "S-bao")
    without = claim_of("training", "S-bao")[1].query("protocol != 'surrogate'")
    assert bao.verdict(without).verdict == "NOT ASKED"
    assert bao.verdict(without.drop(columns="bound_bao")).verdict == "INCONCLUSIVE"


def test_claims_on_objectives_shots_and_dimensions_that_flags_removed_are_not_asked():
    found = few_shot.claims(10, ("nscl",), (1, 5), certificates=False)
    asked = {c.id: c.asked for c in found}
    assert not any(asked[i] for i in asked if i[:2] in ("C4", "C5") or "conditional" in i)
    assert asked["C1-cantelli"] and asked["C2"]
    assert not few_shot.counterexample((10, 100), (1.0,))[0].asked


def test_a_certificate_that_is_missing_in_one_row_where_others_have_it_decides_nothing():
    claim, table = claim_of("few shots", "C1-conditional_chernoff")
    name = "conditional_chernoff"
    rare = table.assign(**{f"bound_{name}": table[f"bound_{name}"].where(table["m"] == 5)})
    assert claim.verdict(rare).verdict == "PASS"
    place = rare.index[(rare["m"] == 5) & (rare["seed"] == 0)][0]
    rare.loc[place, f"violation_{name}"] = np.nan
    assert claim.verdict(rare).verdict == "INCONCLUSIVE"


def test_pairs_where_the_premise_fails_and_untrained_encoders_do_not_count_for_the_transfer():
    claim, table = claim_of("training", "A9")
    worse = table["objective"].eq("dcl") & table["protocol"].eq("exact")
    never = table.assign(loss_dcl=table["loss_dcl"] + 100 * worse)
    assert claim.verdict(never).verdict == "INCONCLUSIVE"
    trained = table[table["step"] > 0]
    assert claim.verdict(trained).n == claim.verdict(table).n > 0


def test_a_transfer_no_better_than_the_untrained_encoder_is_vacuous():
    claim, table = claim_of("training", "A10 C=10 tau=1")
    start = (table["step"] == 0) & (table["protocol"] == "exact")
    lowest = table["loss_nscl"].mask(start, table["loss_nscl"].min())
    assert claim.verdict(table.assign(loss_nscl=lowest)).verdict == "VACUOUS"


@pytest.mark.parametrize("name", ["bao", "bao_lower"])
def test_an_earlier_bound_beyond_what_any_encoder_can_reach_is_vacuous(name):
    claim, table = claim_of("training", f"S-{name}")
    least = np.log1p((table["C"] - 1) * np.exp(-2 / table["tau"])).where(table["chance"].notna())
    edge = {"bao": table["chance"], "bao_lower": least}[name]
    assert claim.verdict(table.assign(**{f"bound_{name}": edge})).verdict == "VACUOUS"
    inside = edge + (-0.01 if name == "bao" else 0.01)
    found = claim.verdict(table.assign(**{f"bound_{name}": inside}))
    assert (found.verdict, found.reason) == ("PASS", "")


def test_a_point_of_the_grid_that_is_missing_leaves_its_trends_undecided():
    table = claim_of("grid", "U1 tau=1")[1]
    missing = (table["labels"] == "random") & (table["level"] == "base") & (table["seed"] == 1)
    for key in ("U1 tau=1", "U2 tau=1"):
        claim, _ = claim_of("grid", key)
        assert claim.verdict(table[~missing]).verdict == "INCONCLUSIVE"


def test_points_that_a_trend_is_not_about_do_not_break_it():
    for key, where in (
        ("U2 tau=1", "labels == 'true' and step == 0"),
        ("U3 tau=1", "labels == 'kmeans_equal' and objective == 'nscl'"),
    ):
        claim, table = claim_of("grid", key)
        table.loc[table.query(where).index, "r"] = 0.5
        assert claim.verdict(table).verdict == "PASS"


def test_the_interval_of_a_trend_is_the_one_of_its_level():
    values = pd.Series([1.0, 1.2, 0.9, 1.1, 1.05, 0.97])
    found = Within("r", 0, np.inf, lambda t: t["r"])(pd.DataFrame({"r": values}), level=0.99)
    assert (found.ci_low, found.ci_high) == mean_interval(values, 0.99)[1:3]


def against(values, null) -> Within:
    of = {"values": pd.Series(values), "null": pd.Series(null)}
    return Within("r", 1.0, np.inf, lambda rows: of["values"], lambda rows: of["null"])


@pytest.mark.parametrize(
    "null, verdict, words",
    [
        ([0.5, 0.6, 0.4, 0.5, 0.5], "PASS", "mean 1.5, less that of the null [0."),
        ([1.5, 1.2, 1.9, 1.5, 1.4], "VACUOUS", "the null shows the same: 1.5"),
        ([1.8, -9, 9, 1.8, 0], "INCONCLUSIVE", "undecided beside the null, needs "),
        ([0.5, np.nan, 0.5, 0.5, 0.5], "INCONCLUSIVE", "the null is missing or NaN"),
        ([], "INCONCLUSIVE", "the null is missing or NaN"),
        ([0.5, 0.5, 0.5, 0.5], "INCONCLUSIVE", "the null has other seeds"),
    ],
)
def test_a_pass_beside_a_null_needs_the_interval_of_the_paired_difference(null, verdict, words):
    values = [1.5, 1.4, 1.6, 1.5, 1.5]
    found = against(values, null)(pd.DataFrame({"seed": range(5)}))
    assert found.verdict == verdict and words in found.reason, found
    if verdict == "PASS":
        assert against(values, np.subtract(null, 99))(pd.DataFrame()).p <= found.p


def test_the_null_of_a_spread_that_is_shared_is_told_apart_by_pairing():
    # values and null move together from seed to seed: only their difference is known well
    values = np.array([1.2, 3.0, 5.0, 7.0, 9.0])
    found = against(values + 4, values - 5.5)(pd.DataFrame())
    assert found.verdict == "PASS"
    loose = against(values + 4, values[::-1] - 5.5)(pd.DataFrame())
    assert found.p < loose.p


@pytest.mark.parametrize("ratio, verdict", [(0.49, "PASS (loose)"), (0.51, "PASS")])
def test_a_conjecture_far_below_its_bound_is_loose_and_a_theorem_is_not(ratio, verdict):
    import dataclasses

    theorem, table = claim_of("grid", "A5")
    claim = dataclasses.replace(theorem, kind="conjecture")
    table = table.assign(gap=ratio * table["bound_ceiling"])
    assert claim.verdict(table).verdict == verdict
    assert theorem.verdict(table).verdict == "PASS"


def test_a_sampled_error_says_what_excess_would_be_seen():
    rows = pd.DataFrame({"violation": [0.0, 0.0, 0.0], "error_se": [0.01, 0.02, 5.0]})
    found = AtMost({"violation": 0.0}, sampled="error_se")(rows)
    assert found.reason == "an excess of 0.13 would be seen in 95% of the runs"
    # by simulation: an error that is that much above its bound, 5 standard errors allowed
    se, excess = 0.02, detectable(rows["error_se"])
    rng = np.random.default_rng(0)
    assert abs(np.mean(excess + se * rng.standard_normal(100_000) > BEYOND * se) - 0.95) < 0.003


@pytest.mark.parametrize("experiment", JUDGED)
def test_every_edge_of_a_trend_says_who_set_it(experiment):
    for claim in JUDGED[experiment][0]:
        if isinstance(claim.check, Within):
            set_by_someone = any(edge for edge in claim.check.threshold)
            ours = re.fullmatch(r"as published|ours, 20\d\d-\d\d-\d\d", claim.edges)
            assert bool(ours) == set_by_someone, f"{claim.id}: edges={claim.edges!r}"
            assert claim.edges in claim.statement
