"""Bounds on the gap and on few-shot error, over all numbers they take: ordered and finite."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supcon_theory.theory import (
    anatomy,
    captured_energy,
    ceiling,
    cosine_moments,
    earlier_bounds,
    floors,
    gap,
    minima,
    mixture,
    tilt,
    transfer,
    unequal,
)
from supcon_theory.theory.few_shot import averages, finite_samples, pairs
from tests.properties.embeddings import cases, one_sentence

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


MODULES = (anatomy, captured_energy, ceiling, cosine_moments, earlier_bounds, floors, gap, minima)
MODULES += (mixture, tilt, transfer, unequal, averages, finite_samples)
ANY = st.one_of(st.floats(0, 1e30), st.sampled_from([0.0, 1e-300, 1e-30, 1.0, 1e300]))
FEW, SHARE, COSINE = st.integers(1, 300), st.floats(0, 1), st.floats(-1, 1)
OF = dict.fromkeys(("C", "ways"), st.integers(2, 300)) | dict.fromkeys(("M", "draws"), FEW)
OF |= dict.fromkeys(("n", "N", "n_c", "m"), st.integers(1, 10**9)) | {"K": st.integers(1, 64)}
OF |= dict.fromkeys(("tau_plus", "alpha", "weight", "eta2_i", "eta2_j"), SHARE)
OF |= dict.fromkeys(("alignment", "rho", "mean"), COSINE) | {"r": st.integers(1, 10**6)}
OF |= {name: ANY for name in ("V", "V_dir", "V_root", "v", "t", "B", "B_i", "B_j", "variance")}
OF |= {name: ANY for name in ("distance2", "v_i", "v_j", "along_i", "along_j", "product", "tilt")}
OF |= {name: ANY for name in ("squared_i", "squared_j", "fourth_i", "fourth_j", "gap", "gap_f")}
OF |= {name: ANY for name in ("gap_g", "equal", "contrastive", "spread", "width", "dcl_f", "dcl_g")}
OF |= {"third_j": st.floats(-1e30, 1e30), "counts": st.lists(SIZES, min_size=2, max_size=6)}
OF |= {"tau": st.one_of(TAUS, st.sampled_from([1e-300, 1e-30, 0.0, np.nan, np.inf, 1e300]))}


def bounds() -> dict[str, tuple]:
    """Every function of numbers alone, with the names of its numbers."""
    found = {}
    for module in MODULES:
        for name, function in vars(module).items():
            own = inspect.isfunction(function) and function.__module__ == module.__name__
            if not own or name.startswith("_") or name in ("between", "best_a", "mixed"):  # parts
                continue
            asked = inspect.signature(function).parameters.values()
            needed = [p.name for p in asked if p.default is p.empty]
            if set(needed) <= set(OF) and all(p.kind != p.VAR_POSITIONAL for p in asked):
                found[f"{module.__name__.rsplit('.', 1)[-1]}.{name}"] = (function, needed)
    return found


BOUNDS = bounds()
UNDEFINED = {"transfer.effective_ratio", "unequal.supcon_floor_any_counts"}
"""NaN where their docstring says so."""


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_bound_is_a_number_or_a_refusal_in_a_sentence(name):
    function, needed = BOUNDS[name]

    @cases(20)
    @given(st.fixed_dictionaries({key: OF[key] for key in needed}))
    def property_(given_):
        try:
            found = function(**given_)
        except ValueError as error:
            assert one_sentence(error)
            return
        parts = found if isinstance(found, tuple) else (found,)
        assert name in UNDEFINED or not any(np.isnan(part).any() for part in parts)

    property_()


def test_no_bound_is_forgotten():
    assert len(BOUNDS) > 50, sorted(BOUNDS)
