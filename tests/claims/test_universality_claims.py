"""Every claim on universality: passes on a grid that obeys it, fails on a doctored one."""

import numpy as np
import pandas as pd
import pytest

from supcon_theory.claims.universality import universality_claims
from supcon_theory.theory.ceiling import etf_ceiling, etf_ceiling_is_proved
from supcon_theory.theory.counts import kappa
from supcon_theory.theory.gap import published_bound

TAUS, SEEDS = (1.0, 0.5, 0.1), 3
LEVELS = ("base", "objective=untrained", "objective=nscl", "encoder=vit")
R = {"true": 1.4, "coarse": 1.2, "random": 0.99, "kmeans": 1.9, "kmeans_equal": 1.8}
CLAIMS = {c.id: c for c in universality_claims(TAUS, len(LEVELS), len(R), open_cases=True)}


def table() -> pd.DataFrame:
    """A grid as it should come out: k-means nearest the ceiling, random labels at r = 1."""
    rows = []
    for seed in range(SEEDS):
        for level in LEVELS:
            for labels, r in R.items():
                for tau in TAUS:
                    C, n = (8, 256) if labels == "coarse" else (32, 64)
                    gap = np.log1p((r + 0.002 * seed) * kappa(C, n))
                    bound = float(published_bound(C, tau))
                    ceiling = float(etf_ceiling(C, n, tau))
                    row = dict(
                        level=level,
                        labels=labels,
                        seed=seed,
                        tau=tau,
                        C=C,
                        n=n,
                        gap=gap,
                        objective="nscl" if "nscl" in level else "dcl",
                        step=0 if "untrained" in level else 100,
                        r=r + 0.002 * seed,
                        imbalance=3.0 if labels == "kmeans" else 1.0,
                        identity_error=1e-15,
                        distance_error=1e-15,
                        rounding_error=1e-8,
                        excess_lower=-1e-4,
                        excess_upper=-1e-3,
                        excess_interval=-1e-2,
                        bound_n_max=bound,
                        excess_n_max=gap - bound,
                        excess_class_average=gap - bound,
                    )
                    if labels != "kmeans":  # what only balanced labels have
                        row |= dict(
                            excess_centred=-1e-3,
                            bound_ceiling=ceiling,
                            excess_ceiling=gap - ceiling,
                            ceiling_proved=bool(etf_ceiling_is_proved(C, n, tau)),
                            nscl_above_floor=0.2,
                            nscl_coupled_above_floor=0.1,
                        )
                    rows.append(row)
    return pd.DataFrame(rows)


GOOD = table()


def one_row(column: str, limit: float, where: str = "level == 'encoder=vit'", sign: int = 1):
    """Raise one entry of a column to just above its limit (part = 1) or to half of it."""

    def doctor(part: float) -> pd.DataFrame:
        doctored = GOOD.copy()
        doctored.loc[GOOD.query(where).index[0], column] = sign * part * limit * 1.01
        return doctored

    return doctor


def set_r(labels: str, broken: float, level: str):
    """Move r under one labelling, at one point of the grid, to `broken` (part = 1) or halfway."""

    def doctor(part: float) -> pd.DataFrame:
        here = (GOOD["labels"] == labels) & (GOOD["level"] == level)
        return GOOD.assign(r=GOOD["r"].where(~here, GOOD["r"] + part * (broken - GOOD["r"])))

    return doctor


DOCTORED = {
    "A1": one_row("identity_error", 1e-10),
    "A2": one_row("excess_upper", 1e-9),
    "A3-1": one_row("excess_n_max", 1e-9, "tau == 1.0 and labels == 'kmeans'"),
    "A3-0.5": one_row("excess_class_average", 1e-9, "tau == 0.5 and labels == 'random'"),
    "A3-0.1": one_row("excess_n_max", 1e-9, "tau == 0.1"),
    "A4": one_row("excess_centred", 1e-9, "labels == 'kmeans_equal'"),
    "A5": one_row("excess_ceiling", 1e-9, "ceiling_proved == True"),
    "A5-open": one_row("excess_ceiling", 1e-9, "ceiling_proved == False"),
    "A6": one_row("excess_interval", 1e-9),
    "B1": one_row("nscl_coupled_above_floor", 1e-6, "labels == 'coarse'", sign=-1),
    "D1": one_row("distance_error", 1e-10),
    "U1": set_r("random", 0.94, "encoder=vit"),
    "U2": set_r("true", 0.98, "objective=nscl"),
    "U3": set_r("kmeans_equal", 1.39, "objective=untrained"),
}


def test_every_claim_has_a_doctored_table():
    assert set(DOCTORED) == set(CLAIMS)


@pytest.mark.parametrize("name", CLAIMS)
def test_the_grid_as_it_should_be_passes(name):
    expected = "VACUOUS" if name in ("A3-0.1",) else "PASS"
    assert CLAIMS[name].check(GOOD).verdict == expected


@pytest.mark.parametrize("name", CLAIMS)
def test_the_doctored_grid_fails_and_half_of_it_still_passes(name):
    assert CLAIMS[name].check(DOCTORED[name](1.0)).verdict == "FAIL"
    assert CLAIMS[name].check(DOCTORED[name](0.5)).verdict in ("PASS", "VACUOUS")


def test_points_that_a_claim_is_not_about_do_not_break_it():
    untrained = set_r("true", 0.98, "objective=untrained")(1.0)
    assert CLAIMS["U2"].check(untrained).verdict == "PASS"
    supervised = set_r("kmeans_equal", 1.0, "objective=nscl")(1.0)
    assert CLAIMS["U3"].check(supervised).verdict == "PASS"


@pytest.mark.parametrize("name", CLAIMS)
@pytest.mark.parametrize("what", ["empty", "NaN", "one seed", "one point"])
def test_a_table_that_cannot_decide_is_inconclusive(name, what):
    if (name, what) == ("A5-open", "one point"):
        return  # the ceiling may well be open at a single point only
    numbers = GOOD.select_dtypes(float).columns.drop(["tau", "imbalance"])
    table = {
        "empty": GOOD.iloc[:0],
        "NaN": GOOD.assign(**{column: np.nan for column in numbers}),
        "one seed": GOOD[GOOD["seed"] == 0],
        "one point": GOOD[GOOD["level"] == "base"],
    }[what]
    assert CLAIMS[name].check(table).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize("name, labels", [("A3-1", "coarse"), ("U1", "random"), ("U2", "true")])
def test_a_labelling_that_is_missing_leaves_the_claim_undecided(name, labels):
    assert CLAIMS[name].check(GOOD[GOOD["labels"] != labels]).verdict == "INCONCLUSIVE"


def test_a_single_missing_measurement_of_r_leaves_the_trend_undecided():
    here = (GOOD["labels"] == "random") & (GOOD["level"] == "base") & (GOOD["seed"] == 1)
    for name in ("U1", "U2"):
        assert CLAIMS[name].check(GOOD[~here]).verdict == "INCONCLUSIVE"
