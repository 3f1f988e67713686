"""Claims C1 to C5: pass on a table that obeys them, fail on the smallest doctored one."""

import numpy as np
import pandas as pd
import pytest

from supcon_theory.claims.few_shot import (
    CERTIFICATES,
    VALID,
    correlations,
    few_shot_claims,
    pearson,
    slopes,
)

CLAIMS = {c.id: c for c in few_shot_claims(100, {"seed": 2})}
SHOTS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
NAMES = (*VALID, *CERTIFICATES)


def table() -> pd.DataFrame:
    """Two protocols, three seeds; the error falls as m^-1/2 to a floor, the bounds alike."""
    rows = []
    for protocol in ("resampled", "gaussian"):
        for seed in range(3):
            about = dict(
                protocol=protocol, classes="seen", split="test", objective="dcl", C=100, seed=seed
            )
            for m in SHOTS:
                for ways in (2, 100):
                    error = (0.01 + 0.1 * m**-0.8) * (1 + 0.01 * seed) * (1 if ways == 2 else 5)
                    row = about | dict(m=m, ways=ways, error=error, excess_order=-0.1)
                    for name in NAMES:
                        row |= {
                            f"bound_{name}": 3 * error,
                            f"cut_{name}": 3 * error,
                            f"excess_{name}": -2 * error,
                        }
                        if ways == 2:
                            row[f"excess_pair_{name}"] = -1e-3
                    rows.append(row)
            rows.append(
                about
                | dict(
                    m=np.inf,
                    ways=2,
                    error=0.01,
                    bound_known=0.1,
                    excess_pair_known=-1e-3,
                    excess_V_dir=-0.1,
                    limit_theorem_4_1=1e-9,
                    limit_theorem_c_2=1e-9,
                    limit_cantelli=1e-9,
                    limit_neurips=1e-3,
                    crossing=20 + seed,
                    half_theorem_4_1=300.0 + seed,
                )
            )
    return pd.DataFrame(rows)


GOOD = table()


def raised(column: str, limit: float, where: str):
    def doctor(part: float) -> pd.DataFrame:
        doctored = GOOD.copy()
        doctored.loc[GOOD.query(where).index[0], column] = part * 1.01 * limit
        return doctored

    return doctor


def bent(name: str):
    """Mix the bound with one that rises with m until their correlation with the error is lost."""

    def doctor(part: float) -> pd.DataFrame:
        b = GOOD[f"bound_{name}"]
        return GOOD.assign(**{f"bound_{name}": b + part * 8 * np.sqrt(GOOD["m"] / 500)})

    return doctor


def steeper(part: float) -> pd.DataFrame:
    return GOOD.assign(bound_neurips=GOOD["bound_neurips"] * GOOD["m"] ** (-0.12 * part))


TINY = 1e-9
DOCTORED = {
    **{f"C1-{n}": raised(f"excess_{n}", TINY, "m == 10 and ways == 100") for n in NAMES},
    "C1-pairs": raised("excess_pair_theorem_4_1", TINY, "m == 10 and ways == 2"),
    "C2": raised("excess_pair_known", TINY, "m == inf"),
    "C3-order": raised("excess_order", TINY, "m == 10 and ways == 2"),
    "C3-limits": raised("limit_neurips", 0.02, "m == inf"),
    "C4-neurips": bent("neurips"),
    "C4-theorem_4_1": bent("theorem_4_1"),
    "C4-slope": steeper,
    "C5-crossing": lambda part: GOOD.assign(crossing=GOOD["crossing"] * (58 / 20) ** part),
    "C5-half": lambda part: GOOD.assign(
        half_theorem_4_1=1 / (1 / GOOD["half_theorem_4_1"] + part * 0.0069)
    ),
}


def test_every_claim_has_a_doctored_table():
    assert set(DOCTORED) == set(CLAIMS)


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_a_claim_holds_on_a_good_table_and_on_half_the_damage_and_fails_on_all_of_it(name):
    claim = CLAIMS[name]
    holds = ("PASS", "VACUOUS")
    assert claim.check(GOOD).verdict in holds, claim.check(GOOD)
    if name not in ("C4-neurips", "C4-theorem_4_1"):  # correlation is not linear in the damage
        assert claim.check(DOCTORED[name](0.5)).verdict in holds
    found = claim.check(DOCTORED[name](1.0))
    assert found.verdict == "FAIL" and found.broken_by is not None, found


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_nothing_to_look_at_decides_nothing(name):
    assert CLAIMS[name].check(pd.DataFrame()).verdict == "INCONCLUSIVE"


def test_the_published_correlation_is_vacuous_because_a_curve_without_features_has_it_too():
    rows = GOOD.assign(error=GOOD["m"] ** -0.5 * (1 + 0.01 * GOOD["seed"]))
    rows["bound_neurips"] = 3 * rows["error"]
    assert CLAIMS["C4-neurips"].check(rows).verdict == "VACUOUS"


def test_a_bound_above_chance_everywhere_is_vacuous():
    rows = GOOD.assign(cut_cantelli=1.0)
    assert CLAIMS["C1-cantelli"].check(rows).verdict == "VACUOUS"


def test_the_labelled_protocol_and_the_limit_row_are_no_business_of_the_theorem():
    rows = GOOD.assign(protocol="labelled", excess_cantelli=1.0)
    assert CLAIMS["C1-cantelli"].check(pd.concat([GOOD, rows])).verdict == "PASS"


@pytest.mark.parametrize("column", ["bound_{}", "excess_{}", "excess_pair_{}"])
@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_that_is_nan_where_it_was_computed_is_not_decided(name, column):
    hole = GOOD.copy()
    where = GOOD.query("m == 10 and ways == 2 and seed == 1").index[0]
    hole.loc[where, column.format(name)] = np.nan
    if column == "bound_{}":  # the whole row is lost
        hole.loc[where, [f"excess_{name}", f"excess_pair_{name}"]] = np.nan
    assert CLAIMS[f"C1-{name}"].check(hole).verdict == "INCONCLUSIVE"


def test_a_certificate_may_be_left_out_at_some_m():
    columns = [f"{kind}_{name}" for kind in ("bound", "cut", "excess") for name in CERTIFICATES]
    rows = GOOD.copy()
    rows.loc[GOOD["m"] == 10, columns] = np.nan
    for name in CERTIFICATES:
        assert CLAIMS[f"C1-{name}"].check(rows).verdict == "PASS"


def test_one_seed_is_not_enough():
    assert CLAIMS["C1-cantelli"].check(GOOD[GOOD["seed"] == 0]).verdict == "INCONCLUSIVE"


def test_statistics_leave_out_infinite_bounds_and_refuse_constant_curves():
    m, error = np.array([1.0, 10, 100]), np.array([0.3, 0.2, 0.1])
    assert pearson(m, error, 5 * error + 1) == pytest.approx(1)
    assert np.isnan(pearson(m, error, np.ones(3))) and np.isnan(
        pearson(m[:2], error[:2], error[:2])
    )
    assert slopes(m, m**-0.5, 7 * m**-0.3) == pytest.approx(0.2)
    start = GOOD.assign(bound_theorem_4_1=GOOD["bound_theorem_4_1"].where(GOOD["m"] > 1, np.inf))
    found = correlations(start, ("theorem_4_1", "neurips"))
    assert set(found["bound"]) == {"theorem_4_1", "neurips", "flat"}
    points = found.groupby("bound")["points"].first()
    assert points["theorem_4_1"] == len(SHOTS) - 1 and points["neurips"] == len(SHOTS)
    assert found["spearman"].min() == pytest.approx(1)
