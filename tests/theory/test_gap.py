"""The bounds on the gap: published tables, loops, extreme embeddings, every temperature."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supcon_theory.theory import gap as theory
from supcon_theory.theory.batch_gap import batch_gap_bounds
from supcon_theory.theory.ceiling import etf_ceiling
from supcon_theory.theory.counts import anchor_kappa, kappa
from supcon_theory.theory.transfer import effective_ratio, nscl_excess, transfer_bound

# C, equal similarities, collapsed simplex, published bound: tau = 1, n = inf.
RULER = [
    (2, 0.6931, 2.1269, 2.1269),
    (4, 0.2877, 0.8174, 1.2421),
    (5, 0.2231, 0.6273, 1.0464),
    (10, 0.1054, 0.2908, 0.5994),
    (20, 0.0513, 0.1405, 0.3285),
    (40, 0.0253, 0.0691, 0.1735),
    (100, 0.0101, 0.0274, 0.0720),
    (200, 0.0050, 0.0136, 0.0365),
    (1000, 0.0010, 0.0027, 0.0074),
]


@pytest.mark.parametrize("C, uniform, ceiling, published", RULER)
def test_the_three_level_ruler_at_temperature_one(C, uniform, ceiling, published):
    assert np.log1p(kappa(C, np.inf)) == pytest.approx(uniform, abs=5.1e-5)
    assert etf_ceiling(C, np.inf, 1.0) == pytest.approx(ceiling, abs=5.1e-5)
    assert theory.published_bound(C, 1.0) == pytest.approx(published, abs=5.1e-5)


@pytest.mark.parametrize(
    "C, tau, ceiling, published",
    [
        (10, 0.5, 0.706, 1.955),
        (10, 0.2, 3.39, 7.80),
        (10, 0.1, 8.91, 17.8),
        (100, 0.5, 0.073, 0.439),
        (100, 0.2, 0.95, 5.41),
        (100, 0.1, 5.51, 15.4),
    ],
)
def test_the_ceiling_and_the_bound_at_lower_temperatures(C, tau, ceiling, published):
    assert etf_ceiling(C, np.inf, tau) == pytest.approx(ceiling, rel=6e-3)
    assert theory.published_bound(C, tau) == pytest.approx(published, rel=3e-3)


def worst_gap(n_c, N, K, tau, sign):
    """The gap when every same-class cosine is `sign` and every different-class one -sign."""
    S = D = 0.0
    for j in range(1, N):
        for _ in range(K):
            if j < n_c:
                S += math.exp(sign / tau)
            else:
                D += math.exp(-sign / tau)
    return math.log((S + D) / D)


@pytest.mark.parametrize("n_c, N, K, tau", [(3, 9, 2, 1.0), (1, 5, 1, 0.3), (8, 9, 3, 0.1)])
def test_anchor_bounds_equal_a_loop_over_worst_cosines(n_c, N, K, tau):
    upper, lower = (worst_gap(n_c, N, K, tau, s) for s in (1, -1))
    assert theory.anchor_upper_bound(n_c, N, tau) == pytest.approx(upper, abs=1e-12)
    assert theory.anchor_lower_bound(n_c, N, tau) == pytest.approx(lower, abs=1e-12)


COUNTS = [[4, 4], [50, 10, 10, 5, 5], [8, 1, 1, 1, 1], [2, 3, 7], [1, 1, 1]]


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("tau", [1.0, 0.2])
def test_bounds_of_a_whole_set_equal_loops_over_its_samples(counts, tau):
    N = sum(counts)
    every = [n_c for n_c in counts for _ in range(n_c)]
    equal = sum(math.log(1 + (n_c - 1) / (N - n_c)) for n_c in every) / N
    mean = sum(worst_gap(n_c, N, 1, tau, 1) for n_c in every) / N
    largest = max(math.log(1 + n_c * math.exp(2 / tau) / (N - n_c)) for n_c in every)
    assert theory.equal_similarity_gap(counts) == pytest.approx(equal, abs=1e-13)
    assert theory.class_averaged_bound(counts, tau) == pytest.approx(mean, abs=1e-12)
    assert theory.published_bound_any_counts(counts, tau) == pytest.approx(largest, abs=1e-12)
    assert mean < largest


def test_the_printed_values_of_imbalance_and_of_an_unlucky_batch():
    assert theory.class_averaged_bound([50, 10, 10, 5, 5], 1.0) == pytest.approx(1.81, abs=6e-3)
    assert theory.published_bound_any_counts([50, 10, 10, 5, 5], 1.0) == pytest.approx(
        2.59, abs=5e-3
    )
    y = np.array([0] * 8 + [1, 2, 3, 4])  # 8 of one class, 4 of four others
    upper = batch_gap_bounds(y, 1.0)[1]
    np.testing.assert_allclose(upper, [2.634106] * 8 + [0.0] * 4, atol=1e-6)
    assert upper.mean() == pytest.approx(1.756, abs=5e-4)
    assert upper.mean() > theory.published_bound(10, 1.0)  # the full set's bound fails in a batch
    assert theory.published_bound_any_counts([8, 1, 1, 1, 1], 1.0) == pytest.approx(2.759, abs=5e-4)


@given(
    C=st.integers(2, 2000),
    n=st.one_of(st.integers(1, 10_000), st.just(np.inf)),
    tau=st.floats(0.005, 50),
)
@settings(max_examples=300, deadline=None)
def test_the_levels_are_ordered_and_finite_at_every_temperature(C, n, tau):
    uniform = np.log1p(kappa(C, n))
    ceiling, bound = etf_ceiling(C, n, tau), theory.published_bound(C, tau)
    assert 0 <= uniform <= ceiling <= bound * (1 + 1e-12) < np.inf
    assert theory.centred_bound(0.0, C, n, tau) == pytest.approx(ceiling, rel=1e-12)
    if n < np.inf:
        counts = np.full(min(C, 5), n)
        C = len(counts)
        low = theory.anchor_lower_bound(n, n * C, tau)
        high = theory.anchor_upper_bound(n, n * C, tau)
        assert low <= theory.equal_similarity_gap(counts) * (1 + 1e-12)
        assert high == pytest.approx(theory.class_averaged_bound(counts, tau), rel=1e-12)
        assert high <= theory.published_bound(C, tau) * (1 + 1e-12)
        assert theory.published_bound_any_counts(counts, tau) == pytest.approx(
            float(theory.published_bound(C, tau)), rel=1e-12
        )


def test_low_temperatures_neither_overflow_nor_lose_the_offset():
    # log(1 + x) with x = 10^170 is log x to every digit
    assert theory.published_bound(10, 0.005) == pytest.approx(400 - math.log(9), rel=1e-15)
    expected = 200 * 10 / 9 + math.log(0.9 / 9)
    assert etf_ceiling(10, 10, 0.005) == pytest.approx(expected, rel=1e-15)
    assert theory.anchor_lower_bound(10, 100, 0.005) == pytest.approx(0.1 * math.exp(-400))
    assert effective_ratio(etf_ceiling(10, 10, 0.005), np.log1p(kappa(10, 10))) == (
        pytest.approx(math.exp(200 * 10 / 9), rel=1e-11)
    )


def test_everything_broadcasts():
    C, n, tau = np.array([[2], [10]]), 5, np.array([1.0, 0.1, 0.01])
    for values in (
        etf_ceiling(C, n, tau),
        theory.centred_bound(0.2, C, n, tau),
        theory.balanced_anchor_bound(0.2, C, n, tau),
        theory.published_bound(C, tau),
        theory.anchor_upper_bound(n, n * C, tau),
    ):
        assert values.shape == (2, 3)
    assert theory.class_averaged_bound([3, 4, 5], tau).shape == (3,)


@pytest.mark.parametrize("C", [2, 5, 40])
def test_the_smaller_anchor_bound_changes_hands_where_the_theory_says(C):
    turn = -(C - 2) / C
    a = np.linspace(-1, 1, 41)
    centred, both = (f(a, C, 7, 0.5) for f in (theory.centred_bound, theory.balanced_anchor_bound))
    upper = theory.anchor_upper_bound(7, 7 * C, 0.5)
    np.testing.assert_array_equal(centred > upper + 1e-12, a < turn - 1e-9)
    np.testing.assert_allclose(both, np.minimum(centred, upper))


@given(gap=st.floats(1e-12, 600), C=st.integers(2, 500), n=st.integers(2, 500))
def test_the_effective_ratio_undoes_the_gap(gap, C, n):
    x = kappa(C, n)
    r = effective_ratio(gap, np.log1p(x))
    assert np.log1p(x * r) == pytest.approx(gap, rel=1e-9)
    equal = theory.equal_similarity_gap([n] * min(C, 9))
    assert effective_ratio(equal, np.log1p(kappa(min(C, 9), n))) == pytest.approx(1, rel=1e-12)


def test_the_effective_ratio_of_a_zero_gap_is_zero_and_of_the_ceiling_its_exponential():
    assert effective_ratio(0.0, 0.5) == 0.0
    for C, tau in [(2, 1.0), (10, 0.3)]:
        r = effective_ratio(etf_ceiling(C, 6, tau), theory.equal_similarity_gap([6] * C))
        assert r == pytest.approx(math.exp(C / ((C - 1) * tau)), rel=1e-12)


def test_classes_of_one_sample_have_no_effective_ratio():
    equal = np.array([theory.equal_similarity_gap(counts) for counts in ([1, 1, 1], [3, 1])])
    r = effective_ratio([0.0, equal[1]], equal)
    assert np.isnan(r[0]) and r[1] == 1


@pytest.mark.parametrize("seed", range(20))
def test_the_log_of_r_is_at_most_the_spread_of_its_cosines_over_tau(seed):
    draw = np.random.default_rng(seed)
    delta, tau, centre = draw.uniform(0, 1), draw.uniform(0.05, 2), draw.uniform(-0.5, 0.5)
    n_c, N, K = int(draw.integers(2, 6)), int(draw.integers(7, 15)), 2
    others, equal = (N - 1) * K, np.log1p(anchor_kappa(n_c, N))
    for spread in (draw.uniform(-0.5, 0.5, others), draw.choice([-0.5, 0.5], others)):
        e = np.exp((centre + delta * spread) / tau)
        S, D = e[: (n_c - 1) * K].sum(), e[(n_c - 1) * K :].sum()
        assert abs(np.log(effective_ratio(np.log1p(S / D), equal))) <= delta / tau + 1e-12


def test_the_transfer_inequality_follows_from_the_identity():
    dcl_f, dcl_g, gap_f, gap_g = 3.0, 3.2, 0.1, 0.4
    nscl_f, nscl_g = dcl_f - gap_f, dcl_g - gap_g
    excess = nscl_excess(dcl_f, dcl_g, gap_f, gap_g)
    assert excess == pytest.approx(nscl_f - nscl_g, abs=1e-15)
    assert excess <= transfer_bound(gap_g, gap_f) <= transfer_bound(gap_g)
    # without the premise L_DCL(f) <= L_DCL(g) it may fail
    assert nscl_excess(3.6, dcl_g, gap_f, gap_g) > transfer_bound(gap_g)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: theory.published_bound(1, 1.0), "C = 1"),
        (lambda: theory.published_bound(2.5, 1.0), "whole number"),
        (lambda: theory.published_bound(math.nan, 1.0), "C = nan"),
        (lambda: theory.published_bound(4, 0.0), "tau = 0"),
        (lambda: theory.published_bound(4, [1.0, math.nan]), "nan"),
        (lambda: etf_ceiling(4, 0, 1.0), "n = 0"),
        (lambda: etf_ceiling(4, 2, -1.0), "tau = -1"),
        (lambda: theory.centred_bound(1.1, 4, 2, 1.0), "alignment"),
        (lambda: theory.centred_bound([0.0, math.nan], 4, 2, 1.0), "alignment"),
        (lambda: theory.anchor_upper_bound(5, 5, 1.0), "no negatives"),
        (lambda: theory.anchor_upper_bound(0, 5, 1.0), "n_c = 0"),
        (lambda: theory.equal_similarity_gap([7]), "two classes"),
        (lambda: theory.equal_similarity_gap([7, 0]), "at least 1"),
        (lambda: theory.class_averaged_bound([[1, 2]], 1.0), "two classes"),
        (lambda: batch_gap_bounds([3, 3, 3], 1.0), "no negatives"),
        (lambda: batch_gap_bounds([0.5, 1.0], 1.0), "integer labels"),
        (lambda: effective_ratio(-0.1, 0.5), "negative"),
        (lambda: effective_ratio(math.nan, 0.5), "NaN"),
        (lambda: effective_ratio(0.1, math.nan), "equal similarities"),
    ],
)
def test_bad_numbers_get_one_sentence(call, words):
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
