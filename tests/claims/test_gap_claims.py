"""Every claim on the gap: passes on a table that obeys it, fails on the smallest doctored one."""

import numpy as np
import pandas as pd
import pytest

from supcon_theory.claims.gap import sweep_claims
from supcon_theory.theory.ceiling import etf_ceiling, etf_ceiling_is_proved
from supcon_theory.theory.counts import kappa
from supcon_theory.theory.gap import published_bound

CLASSES, N_PER_CLASS, SEEDS = (2, 8, 32, 128), 64, 3
CLAIMS = {c.id: c for c in sweep_claims(0.5, 1.0, CLASSES, N_PER_CLASS, "glyphs")}
END = 100


def table() -> pd.DataFrame:
    """A sweep as it should come out: r falls from 1.5 to 1.2 with C, 1 under shuffled labels."""
    rows = []
    for seed in range(SEEDS):
        for C in CLASSES:
            for step, labels in ((0, "true"), (END, "true"), (END, "shuffled")):
                for tau in (1.0, 0.5):
                    learned = 1.5 - 0.1 * np.log(C) / np.log(8) + 0.002 * seed
                    r = learned if step == END and labels == "true" else 1 + 0.001 * seed
                    gap = np.log1p(r * kappa(C, N_PER_CLASS))
                    bound = float(published_bound(C, tau))
                    ceiling = float(etf_ceiling(C, N_PER_CLASS, tau))
                    rows.append(
                        dict(
                            data="glyphs",
                            C=C,
                            n=N_PER_CLASS,
                            objective="dcl",
                            seed=seed,
                            step=step,
                            tau=tau,
                            labels=labels,
                            imbalance=1.0,
                            trained_imbalance=1.0,
                            gap=gap,
                            r=r,
                            identity_error=1e-15,
                            distance_error=1e-15,
                            rounding_error=1e-8,
                            excess_lower=-1e-4,
                            excess_upper=-1e-3,
                            excess_centred=-1e-3,
                            excess_interval=-1e-2,
                            bound_n_max=bound,
                            excess_n_max=gap - bound,
                            excess_class_average=gap - bound,
                            bound_ceiling=ceiling,
                            excess_ceiling=gap - ceiling,
                            ceiling_proved=bool(etf_ceiling_is_proved(C, N_PER_CLASS, tau)),
                        )
                    )
    return pd.DataFrame(rows)


GOOD = table()


def one_row(column: str, limit: float, where: str = "seed == 0"):
    """Raise one entry of a column to just above its limit (part = 1) or to half of it."""

    def doctor(part: float) -> pd.DataFrame:
        doctored = GOOD.copy()
        doctored.loc[GOOD.query(where).index[0], column] = part * limit * 1.01
        return doctored

    return doctor


def slope_of_gap(part: float) -> pd.DataFrame:
    """Tilt log(exp(gap) - 1) against log(C - 1) until the slope leaves -1 +- .1."""
    tilt = part * 0.16  # the slope is -.95; the interval is narrow
    return GOOD.assign(gap=np.log1p(np.expm1(GOOD["gap"]) * (GOOD["C"] - 1) ** tilt))


def start(part: float) -> pd.DataFrame:
    return GOOD.assign(r=GOOD["r"].where(GOOD["step"] > 0, 1 + part * 0.055))


def learned(part: float) -> pd.DataFrame:
    """Bring r under true labels down to that under shuffled labels, at one C."""
    true = (GOOD["step"] == END) & (GOOD["labels"] == "true") & (GOOD["C"] == 128)
    return GOOD.assign(r=GOOD["r"].where(~true, GOOD["r"] - part * (GOOD["r"] - 0.99)))


DOCTORED = {
    "A1": one_row("identity_error", 1e-10),
    "A2": one_row("excess_upper", 1e-9),
    "A3": one_row("excess_n_max", 1e-9, "tau == 1.0"),
    "A3-train": one_row("excess_class_average", 1e-9, "tau == 0.5"),
    "A4": one_row("excess_centred", 1e-9),
    "A5": one_row("excess_ceiling", 1e-9, "ceiling_proved"),
    "A5-open": one_row("excess_ceiling", 1e-9, "not ceiling_proved"),
    "A6": one_row("excess_interval", 1e-9),
    "D1": one_row("distance_error", 1e-10),
    "A6-start": start,
    "A7": slope_of_gap,
    "A7-learned": learned,
}


def test_every_claim_has_a_doctored_table():
    assert set(DOCTORED) == set(CLAIMS)


@pytest.mark.parametrize("name", CLAIMS)
def test_the_table_as_it_should_be_passes(name):
    assert CLAIMS[name].check(GOOD).verdict == CLAIMS[name].expect


@pytest.mark.parametrize("name", CLAIMS)
def test_the_doctored_table_fails_and_half_of_it_still_passes(name):
    assert CLAIMS[name].check(DOCTORED[name](1.0)).verdict == "FAIL"
    assert CLAIMS[name].check(DOCTORED[name](0.5)).verdict in ("PASS", "VACUOUS")


@pytest.mark.parametrize(
    "name, what",
    [
        (name, what)
        for name in CLAIMS
        for what in ("empty", "NaN", "one seed", "one C")
        if (name, what) != ("A5-open", "one C")  # it may well be open at a single C only
    ],
)
def test_a_table_that_cannot_decide_is_inconclusive(name, what):
    numbers = GOOD.select_dtypes(float).columns.drop(["tau", "imbalance", "trained_imbalance"])
    table = {
        "empty": GOOD.iloc[:0],
        "NaN": GOOD.assign(**{column: np.nan for column in numbers}),
        "one seed": GOOD[GOOD["seed"] == 0],
        "one C": GOOD[GOOD["C"] == 32],
    }[what]
    assert CLAIMS[name].check(table).verdict == "INCONCLUSIVE"


def test_the_bound_at_a_low_temperature_is_vacuous():
    low = {c.id: c for c in sweep_claims(0.1, 1.0, CLASSES, N_PER_CLASS, "glyphs")}
    found = GOOD.assign(tau=GOOD["tau"].replace(0.5, 0.1))
    bounds = published_bound(found["C"].to_numpy(), found["tau"].to_numpy())
    assert low["A3-train"].check(found.assign(bound_n_max=bounds)).verdict == "VACUOUS"
