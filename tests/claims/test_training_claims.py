"""Every claim on training: passes on a table that obeys it, fails on the smallest doctored one."""

import numpy as np
import pandas as pd
import pytest

from supcon_theory.audits.loss_curves import curves
from supcon_theory.claims.training import dynamics_claims
from supcon_theory.theory.ceiling import etf_ceiling
from supcon_theory.theory.counts import kappa
from supcon_theory.theory.gap import published_bound
from supcon_theory.theory.minima import nscl_minimum

CLASSES, STEPS, SEEDS, N = (10, 100), (0, 3, 20, 130, 800), 3, 160
CLAIMS = {c.id: c for c in dynamics_claims(0.5, 1.0, CLASSES)}
CLEAN = ("identity_error", "rounding_error", "distance_error", "error_transfer")
BELOW = ("excess_lower", "excess_upper", "excess_centred", "excess_interval")


def table() -> pd.DataFrame:
    """Training as it should come out; the gap follows its centred bound only under true labels."""
    return pd.DataFrame(
        [
            row
            for seed in range(SEEDS)
            for C in CLASSES
            for tau in (1.0, 0.5)
            for split in ("train", "test")
            for row in rows(C, tau, split, seed)
        ]
    )


def rows(C: int, tau: float, split: str, seed: int):
    about = dict(C=C, tau=tau, split=split, seed=seed)
    bound, ceiling = float(published_bound(C, tau)), float(etf_ceiling(C, N, tau))
    equal = float(np.log1p(kappa(C, N)))
    floor = float(nscl_minimum(C, N, 2, tau))
    for at, step in enumerate(STEPS):
        centred = equal + (ceiling - equal) * at / len(STEPS)
        gap_f, gap_g = equal + 0.3 * (centred - equal), equal + 0.6 * (centred - equal)
        nscl_f = floor + 1.5 / tau - 0.35 * at / tau + 0.01 * seed
        nscl_g = nscl_f - 0.01 * (at > 0) * gap_g / gap_f
        common = about | dict(step=step, bound_n_max=bound, bound_centred=centred)
        for name, nscl, gap in (("dcl", nscl_f, gap_f), ("nscl", nscl_g, gap_g)):
            row = common | dict(
                protocol="exact",
                objective=name,
                labels="true",
                loss_nscl=nscl,
                gap=gap,
                loss_dcl=nscl + gap,
                floor=floor,
                excess_floor=floor - nscl,
                ceiling_proved=True,
                bound_ceiling=ceiling,
                excess_ceiling=gap - ceiling,
                excess_n_max=gap - bound,
                excess_class_average=gap - bound,
            )
            row |= dict.fromkeys(CLEAN, 1e-15) | dict.fromkeys(BELOW, -1e-3)
            if name == "dcl":
                excess = nscl_f - nscl_g
                row |= dict(
                    excess_nscl=excess, excess_dcl=excess + gap_f - gap_g - 2e-3, gap_partner=gap_g
                )
            yield row
        wiggle = equal * (1 + 1e-3 * (-1) ** at)
        for name, labels in (("dcl", "shuffled"), ("walk", "true")):
            yield common | dict(
                protocol="control",
                objective=name,
                labels=labels,
                loss_nscl=nscl_f,
                gap=wiggle,
                loss_dcl=nscl_f + wiggle,
            )
    batch = about | dict(protocol="batch", objective="dcl", labels="true", step=STEPS[-1])
    for size in (32, 512):
        yield batch | dict(batch=size, bias_dcl=-1 / size, bias_gap=1 / size, excess_batch=-1e-3)
    surrogate = about | dict(
        protocol="surrogate",
        objective="dcl",
        labels="true",
        step=STEPS[-1],
        negatives=64,
        chance=np.log(C),
    )
    for name in ("arora", "nozawa_sato", "bao", "bao_lower"):
        surrogate |= {f"excess_{name}": -0.1, f"bound_{name}": 0.9 * np.log(C)}
    yield surrogate


GOOD = table()


def one_row(column: str, limit: float, where: str):
    """Raise one entry of a column to just above its limit (part = 1) or to half of it."""

    def doctor(part: float) -> pd.DataFrame:
        doctored = GOOD.copy()
        doctored.loc[GOOD.query(where).index[0], column] = part * limit * 1.01
        return doctored

    return doctor


def uncorrelated(part: float) -> pd.DataFrame:
    """Add to DCL what NSCL does not do, until Pearson falls below .99 on one curve."""
    one = (GOOD["protocol"] == "exact") & (GOOD["split"] == "test") & (GOOD["C"] == 10)
    sign = np.where(GOOD["step"].isin(STEPS[::2]), 1.0, -1.0)
    return GOOD.assign(loss_dcl=GOOD["loss_dcl"] + one * sign * part**3 * 0.15)


def gap_leaves_bound(part: float) -> pd.DataFrame:
    one = (GOOD["protocol"] == "exact") & (GOOD["C"] == 100) & (GOOD["tau"] == 1)
    sign = np.where(GOOD["step"].isin(STEPS[::2]), 1.0, -1.0)
    return GOOD.assign(gap=GOOD["gap"] + one * sign * part**3 * 0.004)


def more_than_forced(part: float) -> pd.DataFrame:
    """A gap that swings by more than its bound allows (part = 1), or by half of the bound."""
    one = (
        (GOOD["protocol"] == "exact") & (GOOD["C"] == 10) & (GOOD["tau"] == 1) & (GOOD["seed"] == 0)
    )
    sign = np.where(GOOD["step"].isin(STEPS[::2]), 1.0, -1.0)
    swing = GOOD["bound_n_max"] / 2 * np.where(part == 1, 2.2, 0.5)
    return GOOD.assign(loss_dcl=GOOD["loss_nscl"].where(one, GOOD["loss_dcl"]) + one * sign * swing)


def at_end(column: str, limit: float, where: str, start: float):
    """Move a column at the last step from `start` towards just beyond `limit`, in every seed."""

    def doctor(part: float) -> pd.DataFrame:
        last = GOOD.eval(f"step == {STEPS[-1]} and {where}")
        moved = GOOD[column].where(~last, start + part * 1.02 * (limit - start))
        return GOOD.assign(**{column: moved})

    return doctor


def no_transfer(part: float) -> pd.DataFrame:
    """One CL-trained encoder with the lowest DCL loss, its NSCL loss just beyond the least
    limit."""
    where = "protocol == 'exact' and C == 10 and tau == 1 and split == 'test' and seed == 1"
    g = GOOD.query(where + " and objective == 'nscl'")
    f = GOOD.query(where + f" and objective == 'dcl' and step == {STEPS[-1]}").index[0]
    doctored = GOOD.copy()
    doctored.loc[f, "loss_dcl"] = -100.0
    doctored.loc[f, "loss_nscl"] = (g["loss_nscl"] + g["gap"]).min() + part * 1.01e-6
    return doctored


EXACT = "protocol == 'exact' and objective == 'dcl' and step > 0"
DOCTORED = {
    "A1": one_row("identity_error", 1e-10, EXACT),
    "A2": one_row("excess_upper", 1e-9, EXACT),
    "A3": one_row("excess_n_max", 1e-9, EXACT + " and tau == 1"),
    "A3-train": one_row("excess_n_max", 1e-9, EXACT + " and tau == .5"),
    "A4": one_row("excess_centred", 1e-9, EXACT),
    "A5": one_row("excess_ceiling", 1e-9, EXACT),
    "A6": one_row("excess_interval", 1e-9, EXACT),
    "D1": one_row("distance_error", 1e-10, EXACT),
    "A8-forced": more_than_forced,
    "A9": no_transfer,
    "A9-identity": one_row("error_transfer", 1e-6, EXACT),
    "B1": one_row("excess_floor", 1e-6, "protocol == 'exact' and objective == 'nscl'"),
    "A2-batch": one_row("excess_batch", 1e-9, "protocol == 'batch'"),
    "S-arora": one_row("excess_arora", 1e-9, "protocol == 'surrogate'"),
    "S-nozawa_sato": one_row("excess_nozawa_sato", 1e-9, "protocol == 'surrogate'"),
    "S-bao": one_row("excess_bao", 1e-9, "protocol == 'surrogate'"),
    "S-bao_lower": one_row("excess_bao_lower", 1e-9, "protocol == 'surrogate'"),
    "A8": uncorrelated,
    "A8-walk": uncorrelated,
    "A8-gap": gap_leaves_bound,
    "A9-premise": at_end("excess_dcl", 1e-4, "protocol == 'exact' and C == 100", -1e-2),
    "A10-10": at_end("excess_nscl", 0.1, "protocol == 'exact' and C == 10", 0.0),
    "A10-100": at_end("excess_nscl", 0.05, "protocol == 'exact' and C == 100", 0.0),
    "batch-low": lambda part: GOOD.assign(bias_dcl=GOOD["bias_dcl"] + part * 0.032),
    "batch-limit": lambda part: GOOD.assign(bias_gap=GOOD["bias_gap"] * (5.2 * part)),
}


def test_every_claim_has_a_doctored_table():
    assert set(DOCTORED) == set(CLAIMS)


@pytest.mark.parametrize("name", CLAIMS)
def test_the_table_as_it_should_be_passes(name):
    found = CLAIMS[name].check(GOOD)
    assert found.verdict == CLAIMS[name].expect, found


@pytest.mark.parametrize("name", CLAIMS)
def test_the_doctored_table_fails_and_half_of_it_still_passes(name):
    assert CLAIMS[name].check(DOCTORED[name](1.0)).verdict == "FAIL"
    half = CLAIMS[name].check(DOCTORED[name](0.5))
    assert half.verdict in ("PASS", "VACUOUS"), half


@pytest.mark.parametrize("what", ["empty", "no columns", "NaN", "one seed"])
@pytest.mark.parametrize("name", CLAIMS)
def test_a_table_that_cannot_decide_is_inconclusive(name, what):
    numbers = GOOD.select_dtypes(float).columns.drop(["tau"])
    broken = {
        "empty": GOOD.iloc[:0],
        "no columns": pd.DataFrame({"a": [1]}),
        "NaN": GOOD.assign(**dict.fromkeys(numbers, np.nan)),
        "one seed": GOOD[GOOD["seed"] == 0],
    }[what]
    assert CLAIMS[name].check(broken).verdict == "INCONCLUSIVE"


def test_pairs_where_the_premise_fails_do_not_count_for_a9():
    table = no_transfer(1.0)
    table["loss_dcl"] = table["loss_dcl"].replace(-100.0, 100.0)
    assert CLAIMS["A9"].check(table).verdict == "PASS"
    never = GOOD.assign(loss_dcl=GOOD["loss_dcl"] + 100 * (GOOD["objective"] == "dcl"))
    assert CLAIMS["A9"].check(never).verdict == "INCONCLUSIVE"


def test_untrained_encoders_do_not_count_for_a9():
    trained = GOOD[GOOD["step"] > 0]
    assert CLAIMS["A9"].check(GOOD).n == CLAIMS["A9"].check(trained).n > 0


def test_a_transfer_no_better_than_the_untrained_encoder_is_vacuous():
    start = (GOOD["step"] == 0) & (GOOD["protocol"] == "exact")
    end = GOOD[(GOOD["step"] == STEPS[-1]) & (GOOD["objective"] == "nscl")]
    lowest = GOOD["loss_nscl"].where(~start, end["loss_nscl"].min())
    assert CLAIMS["A10-10"].check(GOOD.assign(loss_nscl=lowest)).verdict == "VACUOUS"


def test_an_earlier_bound_above_chance_everywhere_is_vacuous():
    table = GOOD.assign(bound_bao=GOOD["chance"] + 0.1)
    assert CLAIMS["S-bao"].check(table).verdict == "VACUOUS"


def test_a_lower_bound_that_no_encoder_can_reach_is_vacuous():
    least = np.log1p((GOOD["C"] - 1) * np.exp(-2 / GOOD["tau"]))
    assert CLAIMS["S-bao_lower"].check(GOOD.assign(bound_bao_lower=least)).verdict == "VACUOUS"
    found = CLAIMS["S-bao_lower"].check(GOOD.assign(bound_bao_lower=least + 0.01))
    assert (found.verdict, found.reason) == ("PASS", "")


def test_the_correlation_of_bounded_differences_is_forced_to_be_high():
    found = curves(GOOD)
    many = found[(found["C"] == 100) & (found["tau"] == 1)]
    assert (many["forced"] > 0.99).all() and (many["excess_forced"] <= 0).all()
