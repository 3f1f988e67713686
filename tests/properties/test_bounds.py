"""Bounds on the gap and on few-shot error, over all numbers they take: ordered and finite."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from supcon_theory.theory import ceiling, gap, minima
from supcon_theory.theory.few_shot import averages, pairs
from tests.properties.embeddings import cases

TAUS = st.floats(1 / 650, 1e30)
CLASSES, SIZES = st.integers(2, 10**6), st.integers(2, 10**6)
MOMENT = st.floats(0, 1e30)


@cases(100)
@given(CLASSES, SIZES, TAUS)
def test_the_bounds_on_the_gap_stand_in_order(C, n, tau):
    low = gap.anchor_lower_bound(n, C * n, tau)
    high = gap.anchor_upper_bound(n, C * n, tau)
    equal = gap.equal_similarity_gap([n, n, n])
    there = ceiling.etf_ceiling(C, n, tau)
    published = gap.published_bound(C, tau)
    assert np.isfinite([low, high, there, published, equal]).all()
    assert 0 <= low <= there * (1 + 1e-9) <= high * (1 + 1e-6) + 1e-300
    assert there <= published * (1 + 1e-9)


@cases(100)
@given(CLASSES, SIZES, st.floats(1 / 650, 1e3), st.floats(1, 1e3))
def test_the_bound_of_an_anchor_falls_as_the_temperature_rises(C, n, tau, factor):
    colder = gap.anchor_upper_bound(n, C * n, tau)
    assert gap.anchor_upper_bound(n, C * n, tau * factor) <= colder * (1 + 1e-12)


@cases(100)
@given(st.integers(2, 1000), SIZES, st.integers(2, 8), TAUS)
def test_minima_are_finite_and_coupling_adds_to_them(C, n, K, tau):
    plain, coupled = minima.nscl_minimum(C, n, K, tau), minima.nscl_coupled_minimum(C, n, K, tau)
    assert np.isfinite([plain, coupled, minima.dcl_minimum(C, n, K, tau)]).all()
    assert coupled >= plain
    assert coupled > 0 or tau < 0.03  # below, e^(-2/tau) vanishes in rounding


@cases(100)
@given(MOMENT, MOMENT, st.integers(1, 10**9), st.integers(2, 10**6))
def test_few_shot_bounds_are_no_probability_below_nought_and_fall_with_shots(V, V_dir, m, ways):
    V_root = V**0.5
    for few, many in (
        (averages.older_bound(V, V_dir, shots, ways) for shots in (m, 2 * m)),
        (averages.neurips_bound(V, V_root, V_dir, shots, ways) for shots in (m, 2 * m)),
    ):
        assert 0 <= many <= few * (1 + 1e-9)  # neither is NaN
    assert averages.known_centroid_bound(V_dir) >= 0


@cases(100)
@given(*[st.floats(1e-6, 1e3)] * 3, st.floats(0, 1), st.floats(0, 1), st.integers(1, 10**6))
def test_the_certificate_is_a_probability(distance, v_i, v_j, along, purity, m):
    """Moments of isotropic classes in some number of dimensions, so that they belong together."""
    D = 1 + int(100 * purity)
    a_i, a_j = (along * v * distance / D for v in (v_i, v_j))
    fourth = [v**2 * (1 + 2 / D) for v in (v_i, v_j)]
    found = pairs.cantelli_certificate(
        distance, v_i, v_j, a_i, a_j, v_i**2 / D, v_j**2 / D, v_i * v_j / D, 0.0, *fourth, m
    )
    assert np.isfinite(found) and found >= 0
