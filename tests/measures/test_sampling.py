"""Rows that stand for all: laws of the draw."""

import numpy as np
import pytest

from supcon_theory.measures import sampled_rows


@pytest.mark.parametrize("N, count", [(1, 1), (7, 3), (1000, 999), (100_000, 10)])
def test_a_draw_is_of_different_rows_in_ascending_order(N, count):
    rows = sampled_rows(N, count, 3)
    assert len(rows) == count and (np.diff(rows) > 0).all() and 0 <= rows[0] and rows[-1] < N
    assert np.array_equal(rows, sampled_rows(N, count, 3))


def test_all_rows_where_as_many_are_asked_for():
    assert sampled_rows(5, 5).tolist() == sampled_rows(5, 99, 4).tolist() == [0, 1, 2, 3, 4]


def test_every_row_is_drawn_equally_often_and_other_seeds_draw_others():
    share = np.bincount(np.concatenate([sampled_rows(20, 5, s) for s in range(2000)])) / 2000
    assert np.abs(share - 0.25).max() < 5 * np.sqrt(0.1875 / 2000)


@pytest.mark.parametrize("period", [2, 3, 10, 64])
def test_no_class_of_data_that_come_in_turns_is_left_out(period):
    counts = np.bincount(sampled_rows(64 * 300, 1000, 0) % period, minlength=period)
    expected = 1000 / period
    assert ((counts - expected) ** 2 / expected).sum() < period + 5 * np.sqrt(2 * period)


@pytest.mark.parametrize("bad", [(0, 1, 0), (5, 0, 0), (5, 2, -1)])
def test_a_draw_of_nothing_is_refused(bad):
    with pytest.raises(ValueError, match="draw at least 1"):
        sampled_rows(*bad)
