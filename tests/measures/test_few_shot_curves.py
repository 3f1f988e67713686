"""Few-shot curves: the two protocols against the probes and against enumeration."""

import itertools

import numpy as np
import pytest

from supcon_theory.measures.centres import nearest_centre, way_error
from supcon_theory.measures.few_shot import known_centre_errors, labelled_curve, resampled_curve
from supcon_theory.measures.supports import draw_supports


def points(seed=0, C=3, n=8, d=3):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(C), n)
    return 1.2 * np.random.default_rng(0).standard_normal((C, d))[y] + rng.standard_normal(
        (C * n, d)
    ), y


def test_resampling_tends_to_the_error_over_all_supports():
    """m = 2 from 3 rows a class: 9 x 9 equally likely supports, enumerated."""
    x, y = points(C=2, n=3)
    every = np.array(
        [
            [a, b]
            for a in itertools.product(range(3), repeat=2)
            for b in itertools.product(range(3, 6), repeat=2)
        ]
    )
    exact = nearest_centre(x, y, every, x, y).pair.mean(axis=0)
    ((m, found),) = resampled_curve(x, y, (2,), draws=4000, seed=0)
    assert m == 2
    limit = 5 * found.pair.std(axis=0) / np.sqrt(4000) + 1e-12
    assert (np.abs(found.pair.mean(axis=0) - exact) <= limit).all()


def test_labelled_curve_has_a_row_per_m_probe_and_query_set():
    x, y = points()
    q, qy = points(1, n=5)
    rows = labelled_curve(
        x,
        y,
        {"train": (x, y), "test": (q, qy)},
        (1, 3, 8),
        (2, 3),
        draws=6,
        linear_draws=2,
        linear_shots=8,
        inverse_l2=1.0,
        seed=0,
    )
    assert len(rows) == 3 * 2 * (2 + 1)
    beaten = nearest_centre(x, y, draw_supports(y, 3, 6, seed=0), q, qy).beaten
    mine = {"m": 3, "split": "test", "probe": "nearest centre"}
    for one in [r for r in rows if mine.items() <= r.items()]:
        errors = way_error(beaten, one["ways"])
        assert one["error"] == pytest.approx(errors.mean())
        assert one["error_sd"] == pytest.approx(errors.std(ddof=1))
    whole = [r for r in rows if r["m"] == 8]
    assert all(r["draws"] == 1 and np.isnan(r["error_sd"]) for r in whole)
    assert {r["draws"] for r in rows if r["m"] == 3} == {6, 2}


def test_the_error_at_known_centres_is_that_of_supports_that_are_the_whole_class():
    x, y = points()
    whole = draw_supports(y, 8, 1, seed=0)
    expected = nearest_centre(x, y, whole, x, y).pair[0]
    np.testing.assert_array_equal(known_centre_errors(x, y), expected)
    unequal = np.flatnonzero((y != 0) | (np.arange(len(y)) < 4))
    assert known_centre_errors(x[unequal], y[unequal]).shape == (3, 3)


def test_m_above_the_class_size_is_refused_only_without_replacement():
    x, y = points()
    with pytest.raises(ValueError, match="m = 9 but class 0 has 8"):
        labelled_curve(
            x,
            y,
            {"train": (x, y)},
            (1, 9),
            (2,),
            draws=2,
            linear_draws=1,
            linear_shots=9,
            inverse_l2=1.0,
            seed=0,
        )
    assert [m for m, _ in resampled_curve(x, y, (9, 20), draws=2, seed=0)] == [9, 20]
