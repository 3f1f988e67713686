"""Spectra against NumPy, effective ranks of known spectra, and the whole table at once."""

import math

import numpy as np
import pytest
import torch

from supcon_theory import measures
from supcon_theory.measures import (
    geometry,
    lidar,
    means_spectrum,
    participation_ratio,
    power_law,
    rankme,
    singular_values,
    stable_rank,
)


def draw(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(30, 7), (7, 30), (10, 3, 9), (5, 5), (2000, 3)])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_singular_values_are_those_of_the_stacked_rows(shape, centred, dtype):
    x = (draw(*shape) + 2).to(dtype)
    rows = x.double().numpy().reshape(-1, shape[-1])
    if centred:
        rows = rows - rows.mean(0)
    expected = np.linalg.svd(rows, compute_uv=False)
    measured = singular_values(x, centred=centred)
    np.testing.assert_allclose(measured, expected, rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("C, D", [(5, 12), (9, 4), (2, 3)])
def test_the_spectrum_of_means_leaves_out_the_value_that_centring_makes_nought(C, D):
    x, y = draw(4 * C, D), np.arange(4 * C) % C
    means = np.stack([x[y == c].numpy().mean(0) for c in range(C)])
    expected = np.linalg.svd(means - means.mean(0), compute_uv=False)[: min(C - 1, D)]
    measured = means_spectrum(x, y)
    assert len(measured) == min(C - 1, D)
    np.testing.assert_allclose(measured, expected, rtol=1e-10)


def test_equal_singular_values_fill_every_dimension():
    equal = torch.full((6,), 3.0, dtype=torch.float64)
    for rank in (rankme, participation_ratio, stable_rank):
        assert rank(equal) == pytest.approx(6)
        assert rank(torch.cat([equal, torch.zeros(4)])) == pytest.approx(6)
        assert rank(torch.tensor([5.0, 0, 0])) == pytest.approx(1)
        assert rank(7 * equal) == pytest.approx(rank(equal))


def test_ranks_of_two_unequal_values_are_their_formulas():
    s = torch.tensor([3.0, 1.0], dtype=torch.float64)
    assert rankme(s) == pytest.approx(math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25)))
    assert participation_ratio(s) == pytest.approx(100 / 82)
    assert stable_rank(s) == pytest.approx(10 / 9)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_the_power_law_is_that_of_the_variances(alpha):
    s = torch.arange(1, 40, dtype=torch.float64) ** (-alpha / 2)
    assert power_law(s) == pytest.approx(alpha)
    s[:3], s[30:] = 50, 0
    assert power_law(s, 4, 30) == pytest.approx(alpha)
    with pytest.raises(ValueError, match="smaller `last`"):
        power_law(s)
    with pytest.raises(ValueError, match="ranks 0 to 30"):
        power_law(s, 0, 30)


def test_lidar_counts_dimensions_that_tell_samples_apart_from_views():
    """Sample means vary equally in 4 of 6 dimensions, views in the others and a little in all."""
    g = torch.Generator().manual_seed(0)
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 4).double()
    z = torch.zeros(16, 2, 6, dtype=torch.float64)
    z[..., :4] = signs[:, None]
    z[:, 0, 4:], z[:, 1, 4:] = 1.0, -1.0
    assert lidar(z) == pytest.approx(4, rel=1e-9)
    assert lidar(z + 1e3) == pytest.approx(4, rel=1e-6)
    noisy = z + 0.1 * torch.randn(16, 2, 6, generator=g, dtype=torch.float64)
    centres = noisy.mean(1).numpy()
    within = sum(np.cov(s.T, bias=True) for s in noisy.numpy()) / 16 + 1e-4 * np.eye(6)
    eigenvalues = np.linalg.eigvals(np.linalg.solve(within, np.cov(centres.T, bias=True))).real
    assert lidar(noisy) == pytest.approx(rankme(torch.tensor(eigenvalues)), rel=1e-8)
    with pytest.raises(ValueError, match="at least 2 views"):
        lidar(z[:, 0])


def test_no_spectrum_means_nan():
    for rank in (rankme, participation_ratio, stable_rank):
        assert math.isnan(rank(singular_values(torch.zeros(5, 3))))


def test_bad_spectra_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        singular_values(torch.full((5, 3), torch.nan))
    with pytest.raises(TypeError, match="real numbers"):
        singular_values(torch.ones(5, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match="0 or more"):
        rankme(torch.tensor([1.0, -1.0]))


def test_geometry_is_every_measure_at_once():
    y = torch.arange(60) % 4
    x = (2 * draw(4, 8, seed=1)[y][:, None] + draw(60, 2, 8)).float()
    result = geometry(x, y)
    moments = measures.class_moments(x, y)
    for name in (
        "augmentation_variance",
        "within_class_variance",
        "nc1",
        "equinorm",
        "equiangularity",
        "max_angle",
        "etf_deviation",
    ):
        assert result[name] == getattr(measures, name)(moments).value
    assert result["cdnv"] == measures.cdnv(x, y).mean
    assert result["directional_cdnv"] == measures.directional_cdnv(x, y).mean
    assert result["alignment"] == measures.alignment(x).value
    assert result["uniformity"] == measures.uniformity(x).value
    assert result["rankme"] == rankme(singular_values(x))
    assert all(isinstance(v, float) and math.isfinite(v) for v in result.values())
    assert len(result) == 12 and result.reasons == {}


def test_geometry_judges_a_classifier_where_one_is_given():
    x, y = draw(40, 6), torch.arange(40) % 4
    weights = measures.class_moments(x, y).centred_means()
    result = geometry(x, y, weights=5 * weights)
    assert result["self_duality"] == pytest.approx(0, abs=1e-12) and len(result) == 13


def test_geometry_says_why_a_measure_is_nan():
    y = torch.arange(12) % 3
    x = draw(12, 5)
    x[y == 1] = x[y == 0]
    result = geometry(x, y)
    assert {name for name, v in result.items() if math.isnan(v)} == {
        "augmentation_variance",
        "cdnv",
        "directional_cdnv",
        "alignment",
    }
    assert "coincide" in result.reasons["cdnv"] and "one view" in result.reasons["alignment"]


def test_classes_collapsed_onto_orthogonal_axes_have_cdnv_zero_and_rank_c():
    y = torch.arange(12) % 3
    result = geometry(torch.eye(3, dtype=torch.float64)[y], y)
    assert result["cdnv"] == result["directional_cdnv"] == result["nc1"] == 0
    assert result["etf_deviation"] == pytest.approx(0, abs=1e-12)
    assert result["rankme"] == pytest.approx(3)


@pytest.mark.parametrize("size", [1e-310, 1e-200, 1e200])
def test_the_rank_does_not_depend_on_the_unit_of_the_features(size):
    x = torch.randn(40, 6, generator=torch.Generator().manual_seed(0)).double()
    close = 1e-3 if size < 1e-300 else 1e-12
    assert rankme(singular_values(x * size)) == pytest.approx(rankme(singular_values(x)), rel=close)


def test_a_ridge_that_rounding_swallows_is_refused():
    z = torch.randn(4, 2, 1, dtype=torch.float64) * torch.ones(3) * 1e12  # views vary on one line
    with pytest.raises(ValueError, match="less than the rounding"):
        lidar(z)


def test_views_whose_squares_overflow_have_no_lidar():
    with pytest.raises(ValueError, match="squares of z are no numbers"):
        lidar(torch.randn(5, 2, 3).double() * 1e200)
