"""Every measure of features, at any scale: the same number, NaN with a reason, or a refusal."""

import inspect
import math

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from supcon_theory import measures as m
from tests.properties.embeddings import SCALES, cases, embeddings, one_sentence, unit


def flat(x):
    return x.flatten(0, 1)


def half(x, y):
    """Two sets of features of the same samples."""
    return x, x.flip(0) ** 3 + x


def after(first, name):
    """A measure of moments."""
    return lambda x, y: getattr(m, name)(first(x, y))


LABELLED = (
    *("cdnv", "directional_cdnv", "nc1", "equinorm", "equiangularity", "max_angle"),
    *("etf_deviation",),
)
"""Ratios: the scale of the features is in none of them."""
CALLS = {name: getattr(m, name) for name in (*LABELLED, "centre_distances", "means_geometry")}
CALLS |= {name: getattr(m, name) for name in ("augmentation_variance", "within_class_variance")}
CALLS |= {name: getattr(m, name) for name in ("class_moments", "class_gram", "unbiased_moments")}
CALLS["means_spectrum"] = m.means_spectrum
CALLS |= {
    "alignment": lambda x, y: m.alignment(x),
    "uniformity": lambda x, y: m.uniformity(x),
    "wasserstein_uniformity": lambda x, y: m.wasserstein_uniformity(x),
    "geometry": lambda x, y: m.geometry(x, y, weights=x[:, 0].mean(0).repeat(len(set(y)), 1)),
    "self_duality": lambda x, y: m.self_duality(x, m.class_moments(x, y).means, y),
    "cka": lambda x, y: m.cka(*half(x, y)),
    "rsa": lambda x, y: m.rsa(*half(x, y)),
    "lidar": lambda x, y: m.lidar(x),
    "singular_values": lambda x, y: m.singular_values(flat(x)),
    "rankme": lambda x, y: m.rankme(m.singular_values(flat(x))),
    "stable_rank": lambda x, y: m.stable_rank(m.singular_values(flat(x))),
    "participation_ratio": lambda x, y: m.participation_ratio(m.singular_values(flat(x))),
    "power_law": lambda x, y: m.power_law(m.singular_values(flat(x))),
    "corrected_participation_ratio": lambda x, y: m.corrected_participation_ratio(x),
    "anchor_losses": lambda x, y: m.anchor_losses(unit(x), y, np.array([0]), 0.5),
    "global_losses": lambda x, y: m.global_losses(unit(x), y, [0.1, 1e6]),
    "sampled_rows": lambda x, y: m.sampled_rows(len(x), 3),
    "etf_gram": lambda x, y: m.etf_gram(len(set(y))),
}
PAIRS = ("directional_scatter", "scatter_products", "fourth_moments", "third_moments")
CORRECTED = ("corrected_cdnv", "corrected_directional_cdnv", "corrected_nc1")
CALLS |= {name: after(m.class_moments, name) for name in (*PAIRS, "third_moments_along")}
CALLS |= {name: after(m.unbiased_moments, name) for name in CORRECTED}

DOCUMENTED = {"lidar", "means_geometry", "class_gram", "unbiased_moments", "directional_scatter"}
DOCUMENTED |= {"scatter_products", "fourth_moments", "third_moments", "third_moments_along"}
"""Their NaN is one class or pair of small or coinciding classes, which the docstring names."""


def test_no_measure_is_forgotten():
    functions = {name for name in m.__all__ if inspect.isfunction(getattr(m, name))}
    assert set(CALLS) == functions


def unexplained(found) -> list:
    """Numbers that are not finite and come without a reason."""
    if isinstance(found, (m.Measure, m.PairMeasure)):
        value = found.value if isinstance(found, m.Measure) else found.mean
        return [] if math.isfinite(value) or found.reason else [found]
    if isinstance(found, m.Geometry):
        return [n for n, v in found.items() if not (math.isfinite(v) or found.reasons.get(n))]
    if isinstance(found, dict):
        return [odd for value in found.values() for odd in unexplained(value)]
    if isinstance(found, m.Moments):
        return [] if found.reason else unexplained(found.means)
    if isinstance(found, tuple):
        return [odd for value in found for odd in unexplained(value)]
    if isinstance(found, (torch.Tensor, np.ndarray)) and found.dtype not in (object,):
        x = torch.as_tensor(found)
        return [] if x.isfinite().all() else [found]
    return [] if not isinstance(found, float) or math.isfinite(found) else [found]


@cases(200)
@given(embeddings(), st.sampled_from(sorted(CALLS)))
def test_a_number_that_is_none_has_a_reason(given_, name):
    try:
        found = CALLS[name](*given_)
    except ValueError as error:
        assert one_sentence(error), (name, error)
        return
    odd = unexplained(found)
    if name in DOCUMENTED:
        odd = [of for of in odd if torch.as_tensor(of).isinf().any()]
    assert not odd, name


def found(name, x, y):
    """The number and its reason; None for a refusal."""
    try:
        measured = CALLS[name](x, y)
    except ValueError as error:
        assert one_sentence(error), (name, error)
        return None
    value = measured.value if hasattr(measured, "value") else measured.mean
    return value, measured.reason


@cases(60)
@given(embeddings((torch.float64,), (1.0,)), st.sampled_from(LABELLED), st.sampled_from(SCALES))
def test_a_ratio_does_not_change_with_the_scale(given_, name, scale):
    x, y = given_
    one, two = found(name, x, y), found(name, x * scale, y)
    assert (one is None) == (two is None), (one, two)
    if one is not None:
        assert bool(one[1]) == bool(two[1]), (one, two)
        if math.isfinite(one[0]):
            assert math.isclose(one[0], two[0], rel_tol=1e-6, abs_tol=1e-9), (one, two)


@cases(30)
@given(embeddings((torch.float32, torch.float64)))
def test_spectra_lie_between_one_and_the_dimension(given_):
    x, _ = given_
    try:
        singular = m.singular_values(x.flatten(0, 1))
        ranks = [getattr(m, n)(singular) for n in ("rankme", "stable_rank")]
        ranks.append(m.participation_ratio(singular))
    except ValueError as error:
        assert one_sentence(error)
        return
    most = min(x.shape[0] * x.shape[1], x.shape[2])
    assert all(1 - 1e-6 <= rank <= most * (1 + 1e-6) for rank in ranks), (ranks, most)
