"""Every measure of features, at any scale: the same number, NaN with a reason, or a refusal."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from supcon_theory import measures
from tests.properties.embeddings import SCALES, cases, embeddings, one_sentence

LABELLED = (
    *("cdnv", "directional_cdnv", "nc1", "equinorm", "equiangularity", "max_angle"),
    *("etf_deviation",),
)
"""Ratios: the scale of the features is in none of them."""


def found(name, x, y):
    """The number and its reason; None for a refusal."""
    try:
        measured = getattr(measures, name)(x, y)
    except ValueError as error:
        assert one_sentence(error), (name, error)
        return None
    value = measured.value if hasattr(measured, "value") else measured.mean
    return value, measured.reason


@cases(60)
@given(embeddings(), st.sampled_from(LABELLED))
def test_a_number_that_is_none_has_a_reason(given_, name):
    result = found(name, *given_)
    if result is not None:
        value, reason = result
        assert math.isfinite(value) or reason, (name, value)


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
        singular = measures.singular_values(x.flatten(0, 1))
        ranks = [getattr(measures, n)(singular) for n in ("rankme", "stable_rank")]
        ranks.append(measures.participation_ratio(singular))
    except ValueError as error:
        assert one_sentence(error)
        return
    most = min(x.shape[0] * x.shape[1], x.shape[2])
    assert all(1 - 1e-6 <= rank <= most * (1 + 1e-6) for rank in ranks), (ranks, most)
