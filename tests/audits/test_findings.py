"""Each finding flips at its threshold, names what it is about, and the worst stand first."""

import re

import numpy as np
import pandas as pd
import pytest

from supcon_theory.audits.findings import QUESTIONS, WORDS, findings
from supcon_theory.audits.findings import thresholds as t
from supcon_theory.audits.findings.finding import listed, percent, short

NAN = float("nan")
GEOMETRY = {
    **{"C": 4, "d": 8, "n": 20, "K": 1, "cdnv": 1.0, "nc1": 1.0, "etf_deviation": 0.1},
    **{"norm_min": 1.0, "norm_max": 1.0, "norm_mean": 1.0, "norm_sd": 0.0},
    **{"smallest_class": t.FEW_SAMPLES, "pairs_unresolved": 0},
}
RANKS = {"C": 4, "n": 20, "K": 1, "d": 8, "rankme": 7.0, "participation_ratio": 6.0}
GAP = {
    **{"K": 2, "tau": 0.5, "loss_nscl": 3.0, "equal_nscl": 4.0, "floor_nscl": 2.0},
    **{"loss_supcon": 3.0, "equal_supcon": 4.0, "floor_supcon": 2.0, "floor_attained": 1.0},
    **{"gap": 0.2, "bound_equal": 0.1, "bound_relaxed": 1.0, "bound_n_max": 2.0, "learned": 0.1},
}


def null(measure, mean=100.0, low=90.0, **more):
    row = {"measure": measure, "shuffled_mean": mean, "shuffled_low": low, "isotropic": 10.0}
    return {"nulls": pd.DataFrame([row | more])}


def of(table, row=None, **values):
    base = {"geometry": GEOMETRY, "ranks": RANKS, "gap": GAP}.get(table, {})
    return {table: pd.DataFrame([base | (row or {}) | values])}


def pairs(value):
    row = {"class_i": "cat", "class_j": "dog", "directional_cdnv": value}
    return {"pairs": pd.DataFrame([row, {"class_i": "a", "class_j": "b", "directional_cdnv": 0}])}


def held(half, last, probe="nearest centre", chance=0.5):
    rows = [{"probe": probe, "ways": 2, "m": m, "error": e} for m, e in ((5, half), (10, last))]
    return pd.DataFrame(rows).assign(chance=chance)


def needed(m, error=0.2, proved=NAN):
    common = {"ways": 2, "probe": "nearest centre", "accuracy": t.WANTED, "most_tried": 10}
    rows = [("held-out", m, error), ("certified", proved, 1.0)]
    return {
        "labels_needed": pd.DataFrame(
            [common | {"protocol": p, "m": m, "error": e} for p, m, e in rows]
        )
    }


def shot(bound):
    row = {"m": 5, "ways": 2, "delta": 0.05, "bound_plug_in": 0.1, "bound_sampled": bound}
    return {"finite_samples": pd.DataFrame([row | {"says_nothing": float(bound >= 0.5)}])}


def compared(value, high=0.01):
    row = {"measure": "cka_debiased", "value": value, "low": 0, "high": 1, "reason": "constant"}
    return {"comparison": pd.DataFrame([row | {"shuffled_high": high}])}


def suspects(count):
    row = {"class": "cat", "nearest": "dog", "threshold": 3.0}
    rows = [row | {"row": 7 + k} for k in range(count)]
    columns = ["row", "class", "nearest", "threshold"]
    return {"mislabelled": pd.DataFrame(rows, columns=columns)}


EPS = 1e-6
FLIPS = [  # tables on one side, what they say; tables on the other side, what they say
    (
        of("geometry", cdnv=t.NEAR_NULL * 90 + EPS) | null("cdnv"),
        "explain nothing",
        of("geometry", cdnv=t.NEAR_NULL * 90 - EPS) | null("cdnv"),
        "not collapsed: each",
    ),
    (
        of("geometry", cdnv=1.0, cdnv_corrected=t.COLLAPSED - EPS, cdnv_low=0, cdnv_high=1),
        "are collapsed",
        of("geometry", cdnv=0.0, cdnv_corrected=t.COLLAPSED + EPS, cdnv_low=0, cdnv_high=1),
        "apart, not collapsed",
    ),
    (
        of("geometry", cdnv=t.SEPARATED - EPS),
        "apart, not collapsed",
        of("geometry", cdnv=t.SEPARATED + EPS),
        "each is as wide",
    ),
    (pairs(t.NO_GUARANTEE), "For 1 of 2 ordered", pairs(t.NO_GUARANTEE - EPS), "Every two classes"),
    (
        of("geometry", pairs_unresolved=1) | pairs(0),
        "1 pairs of classes may have the same mean",
        of("geometry") | pairs(0),
        "",
    ),
    (
        of("geometry", nc1=t.NEAR_NULL * 90 + EPS) | null("nc1"),
        "Within-class spread is no smaller",
        of("geometry", nc1=t.NEAR_NULL * 90 - EPS) | null("nc1"),
        "",
    ),
    (
        of("geometry", etf_deviation=0.5) | null("etf_deviation", 0.4, 0.4),
        "Do not read ETF deviation",
        of("geometry", etf_deviation=0.39) | null("etf_deviation", 0.4, 0.4),
        "",
    ),
    (of("geometry", C=10), "needs 9 dimensions", of("geometry", C=9), ""),
    (of("ranks", rankme=t.LOW_RANK * 8 - EPS), "Few of the", of("ranks", rankme=2.0), "Part of"),
    (
        of("ranks", rankme=t.FULL_RANK * 8 - EPS),
        "Part of the",
        of("ranks", rankme=t.FULL_RANK * 8 + EPS),
        "No dimensional",
    ),
    (of("ranks", participation_ratio=NAN), "one point", of("ranks"), "No dimensional"),
    (
        of("geometry", norm_sd=2 * t.UNEQUAL_NORMS, norm_mean=2.0),
        "very different lengths",
        of("geometry", norm_sd=2 * t.UNEQUAL_NORMS - EPS, norm_mean=2.0),
        "",
    ),
    (
        of("geometry", smallest_class=t.FEW_SAMPLES - 1),
        "The smallest class has 9 samples",
        of("geometry", smallest_class=t.FEW_SAMPLES),
        "",
    ),
    (
        of("gap") | null("loss_nscl", 3.0, 3.0, tau=0.5),
        "NSCL is no lower than with shuffled",
        of("gap") | null("loss_nscl", 3.1, 3.1, tau=0.5),
        "NSCL is 9.1 % of the way from shuffled labels to the least possible",
    ),
    (
        of("gap", loss_nscl=4.0),
        "above that of a constant",
        of("gap", loss_nscl=3.99),
        "NSCL is 0.5",
    ),
    (of("gap", K=1), "SupCon is 50 % of the way from equal embeddings", of("gap"), "NSCL is 50 %"),
    (
        of("gap", bound_relaxed=0.2 * t.LOOSE + EPS),
        "bounds on the gap say little",
        of("gap", bound_relaxed=0.2 * t.LOOSE - EPS),
        "differ by 0.2 nats",
    ),
    (
        of("gap", violation_relaxed=2 * t.ROUNDING),
        "A proved inequality is broken",
        of("gap", violation_relaxed=0.5 * t.ROUNDING),
        "",
    ),
    (
        needed(NAN),
        "among 2 classes is not reached with 10",
        needed(5.0),
        "right: 5 among 2 classes",
    ),
    (
        needed(NAN) | {"held_out": held(0.2, 0.2 * t.LEVEL + EPS)},
        "levels off",
        needed(NAN) | {"held_out": held(0.2, 0.2 * t.LEVEL - EPS)},
        "still falls",
    ),
    (needed(5.0, proved=10.0), "certified from 10", needed(5.0), "certified not up to 10"),
    (
        {"held_out": held(0.5, t.NEAR_NULL * 0.5 + EPS)},
        "Nearest centres are near guessing",
        {"held_out": held(0.5, t.NEAR_NULL * 0.5 - EPS)},
        "",
    ),
    (
        of("neighbours", error=t.NEAR_NULL * 0.8 + EPS, chance=0.8, neighbours=10, rows=80),
        "know nothing",
        of("neighbours", error=t.NEAR_NULL * 0.8 - EPS, chance=0.8, neighbours=10, rows=80),
        "know part",
    ),
    (
        of("neighbours", error=1 - t.WANTED, chance=0.8, neighbours=10, rows=80),
        "neighbours know the label",
        of("neighbours", error=1 - t.WANTED + EPS, chance=0.8, neighbours=10, rows=80),
        "know part",
    ),
    (
        {"held_out": pd.concat([held(0.3, 0.2), held(0.3, 0.2 * t.PROBE_WINS - EPS, "linear")])},
        "A linear probe does better",
        {"held_out": pd.concat([held(0.3, 0.2), held(0.3, 0.2 * t.PROBE_WINS + EPS, "linear")])},
        "",
    ),
    (
        shot(0.5),
        "prove nothing about new ones",
        shot(0.4),
        "Proved for new samples too: at most 40 %",
    ),
    (suspects(1), "1 row may be mislabelled", suspects(0), "No row lies far"),
    (compared(0.01), "no more alike than with rows shuffled", compared(0.02), "less than half"),
    (compared(t.UNALIKE - EPS), "less than half", compared(t.UNALIKE), "share part"),
    (compared(t.ALIKE), "nearly the same geometry", compared(t.ALIKE - EPS), "share part"),
    (compared(NAN), "cannot be compared", compared(t.ALIKE), "nearly the same"),
]


def said(tables) -> str:
    return "\n".join(f"{f.says} {f.means}" for f in findings(tables))


@pytest.mark.parametrize("one, here, other, there", FLIPS, ids=[flip[1][:30] for flip in FLIPS])
def test_a_finding_flips_at_its_threshold(one, here, other, there):
    assert here in said(one) and there in said(other)
    assert here not in said(other)
    assert not there or there not in said(one)


def test_every_question_is_tested_above():
    told = {
        question
        for one, _, other, _ in FLIPS
        for tables in (one, other)
        for question in QUESTIONS
        if list(question(tables))
    }
    by_name = {"classes"}  # below
    assert {q.__name__ for q in QUESTIONS} - {q.__name__ for q in told} == by_name


def test_closest_pairs_and_hardest_classes_are_named():
    assert "cat / dog (0.3)" in said(pairs(0.3))
    rows = [{"class": name, "tau": 0.1, "loss_supcon": x} for name, x in (("a", 1), ("b", 2))]
    table = {"per_class": pd.DataFrame(rows)}
    assert "Hardest to tell from the rest: b (2), a (1)." in said(table)
    assert "7 (cat, lies with dog)" in said(suspects(1))
    assert "and 2 more" in said(suspects(12))


def test_a_linear_probe_is_compared_with_centres_at_the_most_labels_that_both_have():
    tables = {"held_out": pd.concat([held(0.4, 0.2), held(0.3, 0.01, "linear")])}
    means = "With 10 labels a class it gets 1 % wrong among 2, the nearest centre 20 %."
    assert means in said(tables)


def test_the_worst_stand_first_and_no_tables_say_nothing():
    tables = of("geometry", cdnv=0.01) | compared(0.0) | suspects(1) | of("gap")
    levels = [list(WORDS).index(finding.level) for finding in findings(tables)]
    assert levels == sorted(levels) and len(set(levels)) == 4
    assert findings({}) == []


def test_numbers_are_short():
    assert [short(x) for x in (0.04712, 12345.6, 3.0, 1e-9, np.inf)] == [
        *("0.0471", "12346", "3", "1e-09", "inf")
    ]
    assert [percent(x) for x in (0.95, 0.0312, 1, 0)] == ["95 %", "3.1 %", "100 %", "0 %"]
    assert listed(list("abcdefg"), 3) == "a, b, c and 4 more"


def test_no_finding_shows_nan():
    for one, _, other, _ in FLIPS:
        assert not re.search(r"\bnan\b", said(one) + said(other))


def test_few_words_are_listed_whole():
    assert listed(["a"]) == "a" and listed(["a", "b"]) == "a, b"
    assert listed(list("abc"), 3) == "a, b, c" and listed(list("abcd"), 3) == "a, b, c and 1 more"


@pytest.mark.parametrize(("corrected", "told"), [(5.0, "5"), (NAN, "6")])
def test_the_participation_ratio_told_is_the_corrected_one_where_there_is_one(corrected, told):
    row = of("ranks", participation_ratio=6.0, participation_ratio_corrected=corrected)
    assert f"participation ratio {told}, of 8 dimensions" in said(row)
