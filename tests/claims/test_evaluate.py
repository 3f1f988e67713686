"""Holm over trends against a slow oracle, exit codes, comparison with a published run."""

import itertools

import numpy as np
import pandas as pd
import pytest

from supcon_theory.claims import AtMost, Claim, Within, compare, evaluate, exit_code
from supcon_theory.statistics import holm, p_of_side


def trend(id: str, low: float = 0.0, high: float = np.inf) -> Claim:
    return Claim(id, "own", "trend", id, Within("r", low, high, lambda t: t.set_index("seed")["r"]))


def by_seed(values) -> pd.DataFrame:
    return pd.DataFrame({"seed": range(len(values)), "r": values})


def closed_testing(p: list[float], family: float = 0.05) -> list[bool]:
    """Decided if every set of decisions with it is rejected by Bonferroni: Holm's other form."""
    K = range(len(p))
    sets = [s for size in K for s in itertools.combinations(K, size + 1)]
    return [all(min(p[j] for j in s) < family / len(s) for s in sets if k in s) for k in K]


@pytest.mark.parametrize("seed", range(30))
def test_holm_decides_as_the_closed_test_does(seed):
    p = list(np.random.default_rng(seed).choice([1e-4, 0.005, 0.012, 0.02, 0.04, 0.3, 1.0], 5))
    decided = [q < level for q, level in zip(p, holm(p), strict=True)]
    assert decided == closed_testing(p)


def test_holm_of_two_and_of_none():
    assert holm([0.04, 0.01]) == [0.05, 0.025]
    assert holm([0.04, 0.03]) == [0.025, 0.025]
    assert holm([]) == []


@pytest.mark.parametrize("seed", range(20))
def test_an_interval_keeps_clear_of_the_edge_exactly_if_its_decision_is_made(seed):
    rng = np.random.default_rng(seed)
    claims = [trend(f"T{k}", *sorted(rng.normal(0, 1, 2))) for k in range(4)]
    table = by_seed(rng.normal(0, 0.3, 6))
    verdicts, _ = evaluate(claims, {"table": table})
    p = [p_of_side(table["r"], c.check.low, c.check.high) for c in claims]
    for claim, row, decided in zip(claims, verdicts.itertuples(), closed_testing(p), strict=True):
        mean, low, high = table["r"].mean(), claim.check.low, claim.check.high
        expected = ("PASS" if low <= mean <= high else "FAIL") if decided else "INCONCLUSIVE"
        assert row.verdict == expected
        clear = row.ci_high < low or row.ci_low > high or low <= row.ci_low <= row.ci_high <= high
        assert clear == decided


def test_trends_that_decide_nothing_count_in_the_family_and_those_not_asked_do_not():
    import dataclasses

    table = by_seed([1.0, 1.1, 0.9, 1.05, 0.95])
    few = dataclasses.replace(trend("few"), check=Within("r", 0, 9, lambda t: t["r"][:2]))
    level = lambda *claims: evaluate(claims, {"table": table})[0]["level"][0]  # noqa: E731
    assert level(trend("a")) == pytest.approx(0.95)
    assert level(trend("a"), few) == pytest.approx(0.975)
    assert level(trend("a"), dataclasses.replace(few, asked=False)) == pytest.approx(0.95)


@pytest.mark.parametrize("seed", range(10))
def test_the_seeds_needed_would_decide_at_the_same_mean_and_spread_and_fewer_would_not(seed):
    from scipy import stats

    values = np.random.default_rng(seed).normal(0.3, 1.0, 6)
    verdict = trend("a").verdict(by_seed(values), level=0.99)
    if verdict.verdict != "INCONCLUSIVE":
        return
    assert f"needs {verdict.needs:.0f} seeds" in verdict.reason or verdict.needs == np.inf
    half = lambda n: stats.t.ppf(0.995, n - 1) * values.std(ddof=1) / np.sqrt(n)  # noqa: E731
    if np.isfinite(verdict.needs):
        assert half(verdict.needs) < abs(values.mean()) <= half(verdict.needs - 1)


def test_four_seeds_that_agree_need_a_fifth():
    verdict = trend("a").verdict(by_seed([1.0, 1.01, 0.99, 1.0]))
    assert verdict.verdict == "INCONCLUSIVE" and "needs 5 seeds" in verdict.reason


def verdicts(**found: str) -> pd.DataFrame:
    return pd.DataFrame(
        [{"claim": k, "scope": "", "kind": k, "verdict": v, "n": 3} for k, v in found.items()]
    )


@pytest.mark.parametrize(
    "found, code",
    [
        ({"theorem": "PASS", "trend": "FAIL", "conjecture": "FAIL"}, 0),
        ({"theorem": "VACUOUS", "identity": "NOT ASKED", "trend": "INCONCLUSIVE"}, 0),
        ({"theorem": "FAIL"}, 1),
        ({"identity": "FAIL", "theorem": "INCONCLUSIVE"}, 1),
        ({"counterexample": "FAIL"}, 1),
        ({"theorem": "INCONCLUSIVE", "trend": "PASS"}, 3),
        ({}, 0),
    ],
)
def test_exit_codes_say_whether_mathematics_broke(found, code):
    assert exit_code(verdicts(**found) if found else evaluate([], {})[0]) == code


def test_strict_counts_what_differs_from_the_published_run():
    ours = verdicts(theorem="PASS", trend="INCONCLUSIVE", conjecture="FAIL", identity="NOT ASKED")
    theirs = verdicts(theorem="PASS", trend="PASS", conjecture="PASS", identity="PASS")
    published = compare(ours, theirs)
    assert list(published) == ["as published", "undecided with 3 seeds", "differs", ""]
    assert exit_code(ours.assign(published=published)) == 0
    assert exit_code(ours.assign(published=published), strict=True) == 1
    assert exit_code(ours[:2].assign(published=published[:2]), strict=True) == 0
    assert list(compare(ours, theirs[:0])) == [""] * 4


def test_two_claims_of_one_name_are_refused():
    claim = Claim("A", "own", "theorem", "a", AtMost({"r": 1.0}))
    with pytest.raises(ValueError, match="two claims are called 'A'"):
        evaluate([claim, claim], {})


def test_rows_that_break_a_claim_are_kept_under_its_name():
    claim = Claim("A", "own", "theorem", "a", AtMost({"r": 1.0}), scope={"C": 4})
    table = pd.DataFrame({"C": [4, 4, 8], "r": [0.5, 1.5, 9.0]}, index=[7, 7, 7])
    found, broken = evaluate([claim], {"table": table})
    assert found["verdict"][0] == "FAIL" and found["margin"][0] == -0.5
    assert broken["A C=4"]["r"].tolist() == [1.5]
