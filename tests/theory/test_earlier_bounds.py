"""The earlier bounds between contrastive and supervised losses, and the forced correlation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supcon_theory.theory.earlier_bounds import (
    arora_upper,
    bao_lower,
    bao_upper,
    collision_probability,
    collision_term,
    coverage,
    nozawa_sato_upper,
)
from supcon_theory.theory.transfer import forced_correlation


@pytest.mark.parametrize("M, C", [(1, 2), (3, 2), (4, 3), (5, 3), (3, 4)])
def test_collisions_and_coverage_are_those_of_all_draws_listed(M, C):
    draws = list(itertools.product(range(C), repeat=M))
    hits = np.array([d.count(0) for d in draws])
    assert collision_probability(M, C) == pytest.approx((hits > 0).mean(), rel=1e-13)
    assert collision_term(M, C) == pytest.approx(np.log1p(hits).mean(), rel=1e-13)
    assert coverage(M, C) == pytest.approx(np.mean([len(set(d)) == C for d in draws]), abs=1e-14)


def test_coverage_agrees_with_inclusion_and_exclusion():
    for C, M in ((10, 40), (20, 120)):
        terms = ((-1) ** j * math.comb(C, j) * (1 - j / C) ** M for j in range(C + 1))
        assert coverage(M, C) == pytest.approx(math.fsum(terms), rel=1e-9)
    assert coverage(9, 10) == 0


def test_collapsed_classes_make_every_expectation_a_sum():
    """Classes at cosine -1/(C-1), tau small: R_sup = log(1 + (C-1) q), R_cont = E log(1 + Col +
    rest)."""
    C, tau = 4, 0.3
    q = math.exp(-C / ((C - 1) * tau))
    supervised = math.log(1 + (C - 1) * q)
    for M in (1, 3, 8, 40):
        weights = [math.comb(M, k) * (1 / C) ** k * (1 - 1 / C) ** (M - k) for k in range(M + 1)]
        contrastive = sum(w * math.log(1 + k + (M - k) * q) for k, w in enumerate(weights))
        assert bao_lower(contrastive, M, C, tau) <= supervised <= bao_upper(contrastive, M, C, tau)
        assert supervised <= arora_upper(contrastive, M, C)
        assert supervised <= nozawa_sato_upper(contrastive, M, C)


def test_two_negatives_of_two_classes_by_hand():
    """Col is 0, 1, 2 with probability 1/4, 1/2, 1/4; three draws meet both classes in 6 of 8."""
    collisions = math.log(2) / 2 + math.log(3) / 4
    assert arora_upper(1.5, 2, 2) == pytest.approx((1.5 - collisions) / (0.25 * 0.75))
    assert nozawa_sato_upper(1.5, 2, 2) == pytest.approx((2 * 1.5 - collisions) / 0.75)
    cosh = (math.e**2 + math.e**-2) / 2
    assert bao_upper(1.5, 2, 2, 0.5) == pytest.approx(1.5 + math.log(2 / 2 * cosh**2))
    assert bao_lower(1.5, 2, 2, 0.5) == pytest.approx(1.5 + math.log(2 * 2 / 9 / cosh**2))


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 4), st.integers(1, 4), st.floats(0.2, 3.0), st.integers(0, 10**6))
def test_all_draws_listed_obey_every_bound(C, M, tau, seed):
    """Two points a class, one anchor: all (2C)^M draws of negatives times two positives."""
    rng = np.random.default_rng(seed)
    cosines = rng.choice([rng.uniform(-1, 1, (C, 2)), rng.choice([-1.0, 1.0], (C, 2))])
    logits = cosines / tau
    supervised = -logits[0].mean() + np.log(np.exp(logits.mean(1)).sum())
    draws = np.array(list(itertools.product(logits.ravel(), repeat=M)))
    contrastive = np.mean([-p + np.log(np.exp(p) + np.exp(draws).sum(1)) for p in logits[0]])
    for upper in (
        arora_upper(contrastive, M, C),
        nozawa_sato_upper(contrastive, M, C),
        bao_upper(contrastive, M, C, tau),
    ):
        assert supervised <= upper + 1e-12
    assert bao_lower(contrastive, M, C, tau) <= supervised + 1e-12


@pytest.mark.parametrize("tau", [0.1, 0.3, 0.5, 1.0, 2.0, 10.0])
def test_the_lower_bound_of_bao_is_proved_by_a_maximum_over_class_means(tau):
    """h(m_y) + M mean_c h(m_c) <= (M+1)^2/M cosh^2(a) mean_c e^{m_c}, h the chord of exp on [-a,
    a]."""
    a = 1 / tau
    m = np.linspace(-a, a, 4001)
    chord = np.cosh(a) + m / a * np.sinh(a)
    for C in (2, 3, 10, 100, 10_000):
        for M in (1, 2, 3, 5, 10, 100, 10_000):
            right = (M + 1) ** 2 / M * np.cosh(a) ** 2 / C * np.exp(m)
            other = (C - 1) * (M / C * chord - right).max()
            assert (chord * (1 + M / C) - right).max() + other <= 0


def test_bao_bounds_hold_for_every_number_of_negatives_and_the_others_need_many():
    assert np.isfinite(bao_upper(1.0, 1, 10, 1.0)) and np.isfinite(bao_lower(1.0, 1, 10, 1.0))
    assert arora_upper(1.0, 8, 10) == np.inf and nozawa_sato_upper(1.0, 8, 10) == np.inf
    assert np.isfinite(arora_upper(5.0, 9, 10))
    width = bao_upper(0.0, 1000, 10, 1.0) - bao_lower(0.0, 1000, 10, 1.0)
    assert width == pytest.approx(4 * math.log(math.cosh(1)) + 2 * math.log(1001 / 1000))


@pytest.mark.parametrize(
    "call",
    [
        lambda: collision_term(0, 3),
        lambda: coverage(3, 1),
        lambda: bao_upper(1.0, 2.5, 3, 1.0),
        lambda: bao_lower(1.0, 2, 3, 0.0),
        lambda: forced_correlation(0.0, 1.0),
        lambda: forced_correlation(1.0, -1.0),
    ],
)
def test_bad_numbers_are_refused_in_a_sentence(call):
    with pytest.raises(ValueError, match=r"pass|must"):
        call()


@given(st.integers(0, 10**6), st.integers(3, 12), st.floats(0.01, 3.0))
def test_no_bounded_difference_correlates_less_than_is_forced(seed, points, width):
    rng = np.random.default_rng(seed)
    x, gap = rng.normal(size=points), width * rng.random(points)
    assert np.corrcoef(x, x + gap)[0, 1] >= forced_correlation(x.std(), width) - 1e-9


def test_the_forced_correlation_is_attained():
    """G = +-s, two values, orthogonal to X + G."""
    s = 0.6
    g, h = np.array([1.0, -1.0, 1.0, -1.0]), np.array([1.0, 1.0, -1.0, -1.0])
    x = -s * g + np.sqrt(1 - s**2) * h
    assert np.corrcoef(x, x + s * g)[0, 1] == pytest.approx(forced_correlation(x.std(), 2 * s))
    assert forced_correlation(1.0, 2.0) == -1 and forced_correlation(1.0, 0.0) == 1
