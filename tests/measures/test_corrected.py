"""Corrected moments and ratios against sums over all distinct samples, views included."""

import itertools

import numpy as np
import pytest
import torch

from supcon_theory.measures import cdnv, class_moments, directional_cdnv, nc1
from supcon_theory.measures.corrected import (
    corrected_cdnv,
    corrected_directional_cdnv,
    corrected_nc1,
    unbiased_moments,
)
from supcon_theory.measures.participation import corrected_participation_ratio, unbiased_traces

COUNTS = (5, 4, 4)


def draw(views: int, d: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng, y = np.random.default_rng(seed), np.repeat(range(3), COUNTS)
    centres = 2 * rng.normal(size=(3, 1, d))[y]
    x = centres + rng.normal(size=(len(y), 1, d)) + rng.normal(size=(len(y), views, d)) + 10
    order = rng.permutation(len(y))
    return x[order], y[order]


def parts(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """View means (n, d) and the covariance of the views about them (n, d, d)."""
    mean = x.mean(1)
    apart = x - mean[:, None]
    return mean, np.einsum("nka,nkb->nab", apart, apart) / x.shape[1]


def through(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """K^c_ab by its definition: the mean of the kernel over all distinct samples, (C, C, C)."""
    found = np.zeros((3, 3, 3))
    for c, a, b in itertools.product(range(3), repeat=3):
        if c in (a, b):
            continue
        (own, spread), (ya, _), (yb, _) = (parts(x[y == k]) for k in (c, a, b))
        pairs = [(i, j) for i in range(len(ya)) for j in range(len(yb)) if a != b or i != j]
        values = []
        for p, q, r, s in itertools.permutations(range(len(own)), 4):
            left, right = ya - own[r], yb - own[s]
            d = own[p] - own[q]
            product = np.outer(left @ d, right @ d) / 2 + left @ spread[p] @ right.T
            values.append(np.mean([product[i, j] for i, j in pairs]))
        found[c, a, b] = np.mean(values)
    return found


@pytest.mark.parametrize("views", [1, 3])
def test_every_unbiased_moment_is_the_mean_of_its_kernel_over_distinct_samples(views):
    x, y = draw(views)
    found, kernel, middle = unbiased_moments(x, y), through(x, y), np.eye(3) - 1 / 3
    np.testing.assert_allclose(found.along, np.einsum("caa->ca", kernel), atol=1e-10)
    expected = sum(middle @ of @ middle for of in kernel) / 3
    np.testing.assert_allclose(found.through, expected, atol=1e-10)
    means, noise = [], []
    for c in range(3):
        mean, spread = parts(x[y == c])
        scatter = mean.var(0, ddof=1).sum()
        means.append(mean.mean(0))
        noise.append(scatter / len(mean))
        expected = scatter + np.trace(spread.mean(0))
        assert found.variances[c].item() == pytest.approx(expected, rel=1e-12)
    means, noise = np.array(means), np.array(noise)
    square = ((means[:, None] - means) ** 2).sum(2) - noise[:, None] - noise
    np.testing.assert_allclose(found.distances, square - np.diag(np.diag(square)), atol=1e-10)
    gram = middle @ (means @ means.T - np.diag(noise)) @ middle
    np.testing.assert_allclose(found.gram, gram, atol=1e-10)


@pytest.mark.parametrize("views", [1, 3])
def test_traces_are_the_means_of_their_kernels_over_distinct_samples(views):
    x, _ = draw(views)
    x = x[:6]
    u, spread = parts(x)
    trace, square = [], []
    for a, b, c, d in itertools.permutations(range(6), 4):
        one, other = (
            np.outer(u[i] - u[j], u[i] - u[j]) / 2 + spread[i] for i, j in ((a, b), (c, d))
        )
        trace.append(np.trace(one) * np.trace(other))
        square.append(np.trace(one @ other))
    found = unbiased_traces(x)
    assert found[0] / found[1] == pytest.approx(np.mean(trace) / np.mean(square), rel=1e-10)
    unscaled = unbiased_traces(np.ldexp(x, 3))  # one factor for both
    assert unscaled[0] / unscaled[1] == pytest.approx(found[0] / found[1], rel=1e-12)


@pytest.mark.parametrize("views, d", [(1, 6), (2, 6), (1, 40)])
def test_with_many_samples_corrected_and_plug_in_are_one(views, d):
    rng, y = np.random.default_rng(0), np.arange(4).repeat(1500)
    x = rng.normal(size=(6000, views, d)) + 3 * rng.normal(size=(4, 1, d))[y]
    moments, plain = unbiased_moments(x, y), class_moments(x, y)
    assert corrected_cdnv(moments).mean == pytest.approx(cdnv(plain).mean, rel=0.01)
    along = corrected_directional_cdnv(moments).mean
    assert along == pytest.approx(directional_cdnv(plain).mean, rel=0.02)
    assert corrected_nc1(moments).value == pytest.approx(nc1(plain).value, rel=0.01)


def test_two_classes_a_thousand_noisy_dimensions_and_four_samples():
    """The plug-in sees the classes well apart, whatever they are; corrected, noise is all."""
    rng, y = np.random.default_rng(0), np.arange(2).repeat(4)
    x = rng.normal(size=(8, 1000))
    assert cdnv(x, y).mean == pytest.approx(0.75 * 1000 / (2 * 1000 / 4), rel=0.1)
    found = unbiased_moments(x, y)
    assert abs(found.distances[0, 1]) < 0.2 * cdnv(x, y).mean * 1000
    merged = found._replace(distances=-found.distances.abs())
    pairs = corrected_cdnv(merged)
    assert np.isnan(pairs.mean) and "noise explains" in pairs.reason and "0 and 1" in pairs.reason


def test_too_few_samples_give_nan_with_the_reason():
    x, y = draw(1)
    x, y = (x + 30 * y[:, None, None])[y != 2], y[y != 2]
    three = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:3]])
    found = unbiased_moments(x[three], y[three])
    assert np.isfinite(corrected_cdnv(found).mean)
    along = corrected_directional_cdnv(found)
    assert along.pairs[0, 1].isfinite() and along.pairs[1, 0].isnan()
    assert "too few" in along.reason and "fewer than 4" in corrected_nc1(found).reason
    one = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:1]])
    assert np.isnan(corrected_cdnv(unbiased_moments(x[one], y[one])).mean)
    assert "needs 4" in corrected_participation_ratio(x[:3]).reason


@pytest.mark.parametrize("noise", [0.0, 1e-14])
def test_a_constant_embedding_is_not_called_healthy(noise):
    rng, y = np.random.default_rng(0), np.arange(40) % 4
    x = np.full((40, 8), 0.35) + noise * rng.normal(size=(40, 8))
    moments = unbiased_moments(x, y)
    for found in (corrected_cdnv(moments), corrected_directional_cdnv(moments)):
        assert np.isnan(found.mean) and found.reason
    assert np.isnan(corrected_nc1(moments).value)
    ratio = corrected_participation_ratio(x)
    assert np.isnan(ratio.value) and "constant" in ratio.reason


@pytest.mark.parametrize("n", [4, 5, 8, 40])
def test_the_participation_ratio_stays_within_1_and_d_and_says_when_it_was_put_there(n):
    rng, put = np.random.default_rng(n), 0
    for _ in range(40):
        found = corrected_participation_ratio(torch.from_numpy(rng.normal(size=(n, 6))))
        assert 1 <= found.value <= 6
        put += found.value == 6
        assert (found.value in (1, 6)) == bool(found.reason)
    assert put > 3
    line = corrected_participation_ratio(np.outer(rng.normal(size=n), np.ones(6)))
    assert line.value == pytest.approx(1, abs=1e-12)
