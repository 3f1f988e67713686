"""Places between what is trivial and what is proved, by hand; the worst of them for each seed."""

import numpy as np
import pandas as pd
import pytest

from supcon_theory.audits import placement


def test_a_gap_lies_between_counting_and_collapse_and_a_bound_is_set_against_the_span():
    row = {"tau": 0.5, "gap": 0.3, "bound_equal": 0.2, "bound_ceiling": 0.6, "bound_n_max": 1.2}
    found = placement.placed(row)
    assert found["position"] == pytest.approx(0.25) and found["of_bound"] == pytest.approx(0.25)
    assert found["of_span"] == pytest.approx(0.6) and row.items() <= found.items()
    assert np.isnan(placement.placed(row | {"bound_ceiling": np.nan})["position"])


def test_the_sharpest_bound_is_valid_computed_and_at_most_one():
    row = {"error": 0.1, "bound_older": 0.01, "bound_cantelli": 0.4, "bound_neurips": np.inf}
    row["bound_conditional_chernoff"] = np.nan
    found = placement.sharpened(row)
    assert found["sharpest"] == 0.4 and found["times_error"] == pytest.approx(4)
    assert placement.sharpened({"error": 0.1, "bound_neurips": 7.0})["sharpest"] == 1
    assert placement.sharpened({"error": 0.0, "bound_cantelli": 0.4})["times_error"] == np.inf
    assert placement.sharpened({"error": 0.1}) == {"error": 0.1}  # m = inf


def test_statistics_are_those_of_the_worst_pair_of_each_seed():
    about = [("a", "x"), ("a", "y"), ("b", "z")]
    rows = [
        {"encoder": e, "data": d, "seed": s, "labels": label, "r": r + s, "position": r / 10}
        for s in (0, 1)
        for (e, d), shift in zip(about, (0.0, 0.5, 0.2), strict=True)
        for label, r in (("true", 2 + shift), ("coarse", 1.5), ("shuffled", 1.0))
        if (label, d) != ("coarse", "z")
    ]
    table = pd.DataFrame(rows)
    true = table[table["labels"] == "true"]
    assert list(placement.furthest(true)) == pytest.approx([0.25, 0.25])
    assert list(placement.least_learned(table)) == pytest.approx([1.0, 1.0])
    assert list(placement.least_lost(table)) == pytest.approx([0.5, 0.5])  # z has one level
    few = true.assign(times_error=[2.0, 4.0, np.inf] * 2)
    assert list(placement.nearest_bound(few)) == pytest.approx([1.0, 1.0])
    lost = placement.furthest(true.assign(position=true["position"].where(true["data"] != "x")))
    assert lost.isna().all()
