import numpy as np
import pandas as pd
import pytest
from scipy import stats

from supcon_theory.statistics import (
    jackknife_groups,
    jackknife_interval,
    mean_interval,
    p_of_side,
    slope,
    slope_by_seed,
)


def test_the_interval_is_students():
    values = np.array([1.0, 2.0, 4.0, 8.0])
    reference = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    found = mean_interval(values)
    assert (found.low, found.high) == pytest.approx(reference)
    assert found.mean == values.mean() and found.n == 4


def test_the_interval_covers_the_mean_about_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(3.0, 2.0, (2000, 5))
    covered = [i.low <= 3.0 <= i.high for i in map(mean_interval, draws)]
    assert 0.935 < np.mean(covered) < 0.965


@pytest.mark.parametrize("values", [[], [1.0], [1.0, np.nan], [1.0, np.inf]])
def test_what_cannot_have_an_interval_has_none(values):
    assert np.isnan(mean_interval(values).low)


def test_the_slope_is_polyfits():
    x, y = np.random.default_rng(1).normal(size=(2, 30))
    assert slope(x, y) == pytest.approx(np.polyfit(x, y, 1)[0])


@pytest.mark.parametrize("x, y", [([1, 1], [1, 2]), ([1], [1]), ([1, 2], [1, np.nan]), ([], [])])
def test_a_slope_needs_two_places_and_finite_values(x, y):
    assert np.isnan(slope(x, y))


def test_slopes_are_per_seed():
    table = pd.DataFrame({"seed": [1, 0, 1, 0], "x": [0, 0, 1, 1], "y": [0, 0, 3, 2]})
    slopes = slope_by_seed(table, table["x"], table["y"])
    assert slopes.to_dict() == {0: 2.0, 1: 3.0}


@pytest.mark.parametrize("edge", [-1.0, 0.5, 2.0])
def test_the_p_of_a_side_is_that_of_students_test(edge):
    x = np.random.default_rng(2).normal(0.3, 1.0, 7)
    reference = stats.ttest_1samp(x, edge).pvalue
    assert p_of_side(x, edge, np.inf) == pytest.approx(reference)
    assert p_of_side(x, -np.inf, edge) == pytest.approx(reference)
    assert p_of_side(x, edge, edge + 9) == pytest.approx(
        min(reference, 1.0) if x.mean() < edge + 4.5 else stats.ttest_1samp(x, edge + 9).pvalue
    )


def test_equal_values_decide_for_certain_and_missing_ones_not_at_all():
    assert p_of_side([1.0] * 5, 1.0, np.inf) == 0
    assert p_of_side([1.0, np.nan], 0.0, np.inf) == p_of_side([1.0], 0.0, np.inf) == 1


def test_groups_of_the_jackknife_share_every_class_alike_whatever_its_order():
    y = np.random.default_rng(0).permutation(np.repeat(range(4), (30, 17, 3, 1)))
    groups = jackknife_groups(y, 10)
    counts = np.array([np.bincount(groups[y == c], minlength=10) for c in range(4)])
    assert (np.ptp(counts, axis=1) <= 1).all() and np.ptp(counts.sum(0)) <= 1
    assert (groups == jackknife_groups(y, 10)).all()
    assert (groups != jackknife_groups(y, 10, seed=1)).any()


def test_the_jackknife_of_a_mean_is_students_interval_of_the_means_of_groups():
    x = np.random.default_rng(0).normal(size=50)
    groups = jackknife_groups(np.zeros(50), 10)
    without = [x[groups != g].mean() for g in range(10)]
    of_groups = [x[groups == g].mean() for g in range(10)]
    found, reference = jackknife_interval(x.mean(), without), mean_interval(of_groups)
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))
    cut = jackknife_interval(x.mean(), without, ends=(found.mean, 9.0))
    assert cut.low == found.mean and cut.high == found.high
    assert np.isnan(jackknife_interval(x.mean(), [*without, np.nan]).low)
