"""What is measured of SupCon's forms: extreme temperatures, whom they pull, what is equal."""

import numpy as np
import pandas as pd
import pytest

from supcon_theory.audits.supcon_anchor import anchor_rows, triplet_rows
from supcon_theory.audits.supcon_batches import SPREADS, batch_rows, special_rows


@pytest.mark.parametrize("tau", [0.005, 0.1, 1.0, 20.0])
def test_one_anchor_at_any_temperature(tau):
    found = pd.DataFrame([*anchor_rows(tau, (1, 30)), *triplet_rows(tau)])
    violations = found.filter(regex="^violation_|count_error")
    assert not (violations > 1e-12).any(axis=None)
    hard = found[(found["law"] == "one hard of nine") & (found["cosine"] == 0)]
    weight = hard.set_index(["objective", "negatives"])["weight"]
    assert (weight["supcon"] >= weight["supcon_in"]).all()
    assert np.isfinite(found["weight"].dropna()).all()


@pytest.mark.parametrize("law", SPREADS)
@pytest.mark.parametrize("tau", [0.05, 1.0])
def test_a_batch_of_every_law(law, tau):
    out, within = batch_rows(law, 3, 3, 2, 6, tau, draws=2, seed=3)
    for row in (out, within):
        rounding = {k: v for k, v in row.items() if k.endswith("_error") or "violation" in k}
        assert max(rounding.values()) < 1e-10, rounding
    if law == "collapsed":
        assert out["form_gap"] < 1e-12 and np.isnan([out["hard_half"], within["hard_half"]]).all()
    else:
        assert out["hard_half"] > max(0.5, within["hard_half"]) and within["repelled"] == 0
        assert tau > 0.1 or within["hard_half"] < 0.1  # at tau = 1 cosines hardly matter to e^s


def test_special_cases_are_equal_or_clearly_not():
    found = {row["law"]: (row["part"], row["difference"]) for row in special_rows(6, 3, seed=1)}
    assert len(found) == 7
    for part, difference in found.values():
        assert difference < 1e-12 if part == "equal" else difference > 0.01
