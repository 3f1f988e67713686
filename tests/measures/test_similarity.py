"""Alignment, uniformity and the ideal Gram matrix against loops and known configurations."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import beta

from supcon_theory.measures import (
    alignment,
    augmentation_variance,
    class_gram,
    etf_gram,
    similarity,
    uniformity,
    wasserstein_uniformity,
)


def sphere(n, k, d, seed=0):
    z = torch.randn(n, k, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return z / z.norm(dim=-1, keepdim=True)


@pytest.mark.parametrize("n, k, d", [(7, 2, 3), (5, 4, 2), (9, 3, 16)])
@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_alignment_is_the_mean_over_positive_pairs(n, k, d, power):
    z = sphere(n, k, d)
    pairs = [
        torch.dist(s[a], s[b]).item() ** power
        for s in z
        for a, b in itertools.combinations(range(k), 2)
    ]
    assert alignment(z, power).value == pytest.approx(np.mean(pairs), rel=1e-12)


def test_squared_alignment_is_the_augmentation_variance_of_unit_rows():
    z = sphere(8, 3, 5)
    y = torch.arange(8) % 2
    variance = augmentation_variance(z, y).value
    assert alignment(z).value == pytest.approx(2 * 3 / 2 * variance, rel=1e-12)


@pytest.mark.parametrize("n, k, d", [(7, 1, 3), (5, 4, 2), (9, 3, 16)])
@pytest.mark.parametrize("t", [0.5, 2.0])
@pytest.mark.parametrize("tile", [2, 5, 1024])
def test_uniformity_is_over_pairs_of_distinct_samples(n, k, d, t, tile, monkeypatch):
    monkeypatch.setattr(similarity, "ROWS", tile)
    z = sphere(n, k, d)
    kernel = [
        math.exp(-t * torch.dist(z[i, a], z[j, b]).item() ** 2)
        for i, j in itertools.permutations(range(n), 2)
        for a in range(k)
        for b in range(k)
    ]
    assert uniformity(z, t).value == pytest.approx(math.log(np.mean(kernel)), rel=1e-9)
    assert uniformity(z[:, 0], t).value == pytest.approx(uniformity(z[:, :1], t).value, rel=1e-12)


def test_points_that_are_all_one_are_aligned_and_not_uniform():
    z = torch.ones(6, 2, 4)
    assert alignment(z).value == pytest.approx(0, abs=1e-12)
    assert uniformity(z).value == pytest.approx(0, abs=1e-6)


def test_uniformity_of_a_simplex_is_that_of_its_one_distance():
    eigenvalues, vectors = torch.linalg.eigh(etf_gram(9))
    z = vectors * eigenvalues.clamp_min(0).sqrt()
    assert uniformity(z).value == pytest.approx(-2 * (2 + 2 / 8), rel=1e-9)


def test_tiny_rows_have_a_direction():
    z = sphere(6, 2, 4)
    tiny = z * 1e-200
    assert alignment(tiny).value == pytest.approx(alignment(z).value, rel=1e-12)
    assert uniformity(tiny).value == pytest.approx(uniformity(z).value, rel=1e-12)


def test_rows_are_scaled_to_the_unit_sphere_first():
    z = sphere(6, 2, 4)
    scaled = z * torch.rand(6, 2, 1, dtype=torch.float64).add(0.1)
    assert alignment(scaled).value == pytest.approx(alignment(z).value, rel=1e-12)
    assert uniformity(scaled).value == pytest.approx(uniformity(z).value, rel=1e-12)


@pytest.mark.parametrize("order", ["in turn", "in blocks", "shuffled"])
def test_uniformity_of_a_draw_is_that_of_all_samples_whatever_their_order(order):
    """512 of 5120 samples of 10 tight classes, in an order that evenly spaced samples fall for."""
    means = sphere(10, 1, 16, seed=1)[:, 0]
    y = torch.arange(10).repeat(512)
    y = {"in turn": y, "in blocks": y.sort().values, "shuffled": y[torch.randperm(5120)]}[order]
    z = means[y] + 0.02 * torch.randn(5120, 16, dtype=torch.float64)
    exact = uniformity(z).value
    drawn = np.array([uniformity(z, max_samples=512, seed=s).value for s in range(20)])
    error = drawn.std(ddof=1)
    assert abs(drawn[0] - exact) <= 3 * error and abs(drawn.mean() - exact) <= error
    assert error < 0.1
    aliased = uniformity(z[::10]).value
    assert order != "in turn" or aliased > exact + 1


def test_a_draw_is_a_function_of_its_seed_and_never_larger_than_the_data():
    z = sphere(10, 2, 4)
    drawn = uniformity(z, max_samples=5).value
    assert drawn == uniformity(z, max_samples=5).value != uniformity(z, max_samples=5, seed=1).value
    assert uniformity(z, max_samples=99).value == uniformity(z).value
    with pytest.raises(ValueError, match="at least 2"):
        uniformity(z, max_samples=1)


def test_what_has_no_pair_or_no_direction_is_nan_with_a_reason():
    z = sphere(4, 2, 3)
    assert "one view" in alignment(z[:, :1]).reason and math.isnan(alignment(z[:, :1]).value)
    assert "one sample" in uniformity(z[:1]).reason and math.isnan(uniformity(z[:1]).value)
    z[1, 0] = 0
    for measure in (alignment, uniformity):
        assert "1 rows are zero" in measure(z).reason and math.isnan(measure(z).value)


@pytest.mark.parametrize("n, k, d", [(7, 2, 3), (2, 1, 2), (9, 3, 16)])
def test_wasserstein_uniformity_is_a_mean_distance_of_quantiles(n, k, d):
    z = sphere(n, k, d)
    cosines = sorted((z[i, 0] @ z[j, 0]).item() for i, j in itertools.combinations(range(n), 2))
    law = beta((d - 1) / 2, (d - 1) / 2)  # of (1 + cosine) / 2
    apart = [abs(c - (2 * law.ppf((q + 0.5) / len(cosines)) - 1)) for q, c in enumerate(cosines)]
    assert wasserstein_uniformity(3 * z).value == pytest.approx(np.mean(apart), abs=1e-12)


def test_directions_of_one_dimension_have_no_density():
    assert wasserstein_uniformity(sphere(1, 2, 3)).reason == "one sample"
    found = wasserstein_uniformity(sphere(5, 2, 1))
    assert math.isnan(found.value) and found.reason.startswith("one dimension")


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="t is 50"):
        uniformity(sphere(4, 2, 3), 50)
    for measure in (alignment, uniformity):
        with pytest.raises(ValueError, match="NaN"):
            measure(torch.full((3, 2, 2), torch.nan))
        with pytest.raises(TypeError, match="real numbers"):
            measure(torch.ones(3, 2, 2, dtype=torch.bool))
        with pytest.raises(ValueError, match="shape"):
            measure(torch.ones(3))


def test_the_gram_matrix_of_class_means_is_centred_and_may_be_of_unit_vectors():
    x = torch.randn(12, 5, dtype=torch.float64) + 1e3
    y = torch.arange(12) % 3
    means = torch.stack([x[y == c].mean(0) for c in range(3)])
    means = means - means.mean(0)
    np.testing.assert_allclose(class_gram(x, y, cosine=False), means @ means.T, rtol=1e-8)
    means = means / means.norm(dim=1, keepdim=True)
    np.testing.assert_allclose(class_gram(x, y), means @ means.T, rtol=1e-8)


@pytest.mark.parametrize("C", [2, 3, 10])
def test_the_ideal_gram_matrix_has_rank_one_less_than_classes(C):
    gram = etf_gram(C)
    expected = [0.0] + [C / (C - 1)] * (C - 1)
    np.testing.assert_allclose(torch.linalg.eigvalsh(gram), expected, atol=1e-12)
    np.testing.assert_allclose(gram.diagonal(), 1, rtol=1e-12)
