"""Claims on collapse: a table that obeys them, and the smallest that does not."""

import numpy as np
import pandas as pd
import pytest

from supcon_theory.claims.collapse import collapse_claims

CLAIMS = {claim.id: claim for claim in collapse_claims([10], [1.0, 0.5])}
FLOORS = [
    f"{loss}_above_floor_tau{tau}" for loss in ("nscl", "nscl_coupled") for tau in ("1", "0.5")
]


def table() -> pd.DataFrame:
    rows = []
    for seed in range(3):
        for objective, falls in (
            ("dcl", {"cdnv": 2, "directional_cdnv": 8}),
            ("nscl", {"cdnv": 20, "directional_cdnv": 40}),
        ):
            for step in (0, 100):
                for labels in ("true", "shuffled"):
                    moved = (step == 100) * (labels == "true")
                    by = {
                        name: (value * (1 + 0.01 * seed)) ** moved for name, value in falls.items()
                    }
                    rows.append(
                        dict(
                            C=10,
                            layer="z",
                            split="test",
                            labels=labels,
                            objective=objective,
                            seed=seed,
                            step=step,
                            cdnv=6 / by["cdnv"],
                            directional_cdnv=1 / by["directional_cdnv"],
                            augmentation_variance=0.5 - (0.3 + 0.001 * seed) * moved,
                            etf_deviation=0.9 - (0.5 + 0.001 * seed) * moved,
                            **dict.fromkeys(FLOORS, 0.1),
                        )
                    )
    return pd.DataFrame(rows)


GOOD = table()
END = (GOOD["step"] == 100) & (GOOD["labels"] == "true")


def at_end(objective: str, column: str, factor: float, labels: str = "true"):
    """Multiply a column at the end by factor ** part."""

    def doctor(part: float) -> pd.DataFrame:
        rows = (GOOD["step"] == 100) & (GOOD["labels"] == labels) & (GOOD["objective"] == objective)
        return GOOD.assign(**{column: GOOD[column].where(~rows, GOOD[column] * factor**part)})

    return doctor


def below_floor(part: float) -> pd.DataFrame:
    doctored = GOOD.copy()
    doctored.loc[0, "nscl_above_floor_tau1"] = -1.01e-6 * part
    return doctored


DOCTORED = {
    "B1": below_floor,
    "B4-augmentation_variance-10": at_end("nscl", "augmentation_variance", 2.7),
    "B4-cdnv-10": at_end("nscl", "cdnv", 22),
    "B4-etf_deviation-10": at_end("nscl", "etf_deviation", 2.4),
    "B4-directional-10": at_end("dcl", "directional_cdnv", 1.75),
    "B4-modest-10": at_end("dcl", "cdnv", 1 / 2.7),
    "C8-10": at_end("dcl", "directional_cdnv", 4.6),
}


def test_every_claim_has_a_doctored_table():
    assert set(DOCTORED) == set(CLAIMS)


@pytest.mark.parametrize("name", CLAIMS)
def test_the_table_passes_the_doctored_one_fails_and_half_of_it_passes(name):
    check = CLAIMS[name].check
    assert check(GOOD).verdict == "PASS"
    assert check(DOCTORED[name](1.0)).verdict == "FAIL"
    assert check(DOCTORED[name](0.5)).verdict == "PASS"


@pytest.mark.parametrize("name", CLAIMS)
@pytest.mark.parametrize("what", ["empty", "NaN", "one seed"])
def test_what_a_table_cannot_decide_is_inconclusive(name, what):
    numbers = ["cdnv", "directional_cdnv", "augmentation_variance", "etf_deviation", *FLOORS]
    found = {
        "empty": GOOD.iloc[:0],
        "NaN": GOOD.assign(**dict.fromkeys(numbers, np.nan)),
        "one seed": GOOD[GOOD["seed"] == 0],
    }[what]
    assert CLAIMS[name].check(found).verdict == "INCONCLUSIVE"
