"""The betting interval: coverage by simulation, its definition on a grid, and what it refuses."""

import numpy as np
import pytest

from supcon_theory.theory.bounded_means import STAKE, mean_interval_of_bounded

LAWS = {  # draws in [0, 1] and their mean
    "rare": (lambda rng, n: rng.random(n) < 0.01, 0.01),
    "even": (lambda rng, n: rng.random(n) < 0.5, 0.5),
    "skewed": (lambda rng, n: rng.beta(0.2, 5, n), 0.2 / 5.2),
    "spike": (lambda rng, n: np.where(rng.random(n) < 0.002, 1.0, 0.1), 0.1 + 0.9 * 0.002),
    "uniform": (lambda rng, n: rng.random(n), 0.5),
}


@pytest.mark.parametrize("n", [5, 100, 2000])
@pytest.mark.parametrize("law", LAWS)
def test_the_mean_is_missed_no_more_often_than_allowed(law, n):
    """At a level of 80 %, of 200 samples at most 40 + 4 standard deviations may miss; scaled."""
    draw, mean = LAWS[law]
    rng = np.random.default_rng(0)
    low, high = -3.0, 7.0
    ends = [
        mean_interval_of_bounded(low + (high - low) * draw(rng, n), low, high, 0.8)
        for _ in range(200)
    ]
    true = low + (high - low) * mean
    missed = sum(not a <= true <= b for a, b in ends)
    assert missed <= 40 + 4 * np.sqrt(200 * 0.2 * 0.8)
    assert all(low <= a <= b <= high for a, b in ends)


def capital(x, m, error):
    """The gambler's capital, step by step, as the docstring has it."""
    wealth, seen = 1.0, []
    for value in x:
        means = (0.5 + np.cumsum(seen)) / (np.arange(1, len(seen) + 1) + 1)
        variance = (0.25 + ((np.array(seen) - means) ** 2).sum()) / (len(seen) + 1)
        stake = np.sqrt(2 * np.log(1 / error) / (len(x) * variance))
        wealth *= 1 + min(stake, STAKE / m) * (value - m)
        seen.append(value)
    return wealth


def test_the_ends_are_where_the_capital_reaches_its_target():
    x = np.random.default_rng(1).beta(2, 5, 60)
    low, high = mean_interval_of_bounded(x, 0, 1, 0.9)
    target = 2 / 0.1
    assert capital(x, low * (1 - 1e-9), 0.05) >= target > capital(x, low * (1 + 1e-6), 0.05)
    above = 1 - high
    assert capital(1 - x, above * (1 - 1e-9), 0.05) >= target
    assert capital(1 - x, above * (1 + 1e-6), 0.05) < target


def test_more_values_and_less_spread_narrow_it_and_limits_matter_little():
    rng = np.random.default_rng(2)
    x = np.clip(rng.normal(0.3, 0.02, 4000), 0, 1)
    width = {n: np.subtract(*mean_interval_of_bounded(x[:n], 0, 1)[::-1]) for n in (50, 500, 4000)}
    assert width[50] > width[500] > width[4000]
    wide = np.subtract(*mean_interval_of_bounded(rng.random(4000), 0, 1)[::-1])
    assert width[4000] < wide / 4
    assert wide < 2.2 * 2 * 1.96 * np.sqrt(1 / 12 / 4000)
    far = np.subtract(*mean_interval_of_bounded(x, -5, 5)[::-1])
    assert far < 8 * width[4000]  # ten times the room


def test_without_values_or_room_it_is_what_was_known():
    assert mean_interval_of_bounded([], -1, 2) == (-1, 2)
    assert mean_interval_of_bounded([0.5, 0.5], 0.5, 0.5) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("values", "low", "high", "level", "said"),
    [
        ([0.5, 1.1], 0, 1, 0.95, "not in"),
        ([2.5, 9.2], 2, 4, 0.95, "a value is 9.2"),
        ([np.nan], 0, 1, 0.95, "nan"),
        ([0.5], 0, np.inf, 0.95, "finite limits"),
        ([0.5], 0, 1, 1.0, "confidence = 1.0"),
    ],
)
def test_it_refuses_in_words(values, low, high, level, said):
    with pytest.raises(ValueError, match=said):
        mean_interval_of_bounded(values, low, high, level)
