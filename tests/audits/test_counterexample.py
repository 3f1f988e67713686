"""The law that breaks the 1/m form: its error, exactly and by draws, and the bounds that hold."""

import numpy as np
import pytest

from supcon_theory.audits.columns import COUNTEREXAMPLE_VALID
from supcon_theory.audits.counterexample import (
    counterexample_audit,
    exact_error,
    law_bounds,
    sampled_error,
)


@pytest.mark.parametrize("V, m", [(1.0, 1), (3.0, 9), (100.0, 10_000)])
def test_draws_agree_with_the_integral(V, m):
    draws = 400_000
    exact = exact_error(V, m)
    found = sampled_error(V, m, draws, np.random.default_rng(1))
    assert found == pytest.approx(exact, abs=5 * np.sqrt(exact / draws))


def test_the_centres_themselves_are_drawn():
    """Episodes with every support drawn, one by one, have the same error."""
    rng, V, m, R = np.random.default_rng(0), 2.0, 4, 100_000
    own, other = rng.normal(0, np.sqrt(V), (2, R, m)).mean(-1)
    point = rng.normal(0, np.sqrt(V), R)
    wrong = 1 + (point - other) ** 2 <= (point - own) ** 2
    assert wrong.mean() == pytest.approx(exact_error(V, m), abs=5 * wrong.std() / np.sqrt(R))


def test_the_error_has_a_limit_that_the_older_form_falls_below():
    row = counterexample_audit(10**8, 1.0, 1000, 0)
    assert row["error_exact"] == pytest.approx(0.2545, abs=1e-4)
    assert row["bound_older"] == pytest.approx(2**3.5 / 10**4, rel=1e-3)
    for name in COUNTEREXAMPLE_VALID:
        assert row[f"violation_{name}"] < 0 < law_bounds(10.0, 100)[name]


def test_a_row_is_a_function_of_its_seed():
    rows = [counterexample_audit(100, 2.0, 5000, seed) for seed in (3, 3, 4)]
    assert rows[0] == rows[1] and rows[0]["error"] != rows[2]["error"]
