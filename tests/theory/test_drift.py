"""The bound on the drift of similarities against its printed values and against loops."""

import numpy as np
import pytest

from supcon_theory.theory.alignment import cosine_floor, published_floor, reweighting
from supcon_theory.theory.drift import (
    composition_mismatch,
    log_cap,
    log_drift,
    log_published_drift,
)


def published(tau, images, C, mean=0.6):
    """Batch 1024, 300 epochs, rates up to 1.2 in a cosine: their mean is .6."""
    rates = np.full(300 * (images // 1024), mean)
    return log_published_drift(rates, tau, 1024, 1 / C, 0.05)


def test_the_published_bound_at_the_published_settings():
    assert published(0.1, 50_000, 100) == pytest.approx(448, abs=1)
    assert published(1.0, 50_000, 100) == pytest.approx(10.4, abs=0.1)
    assert published(0.5, 100_000, 200) == pytest.approx(43.6, abs=0.5)
    assert log_cap(50_000) == pytest.approx(11.5, abs=0.02)


def test_the_published_bound_by_hand():
    rates, tau, B, prior, delta = np.array([0.5, 0.25]), 0.5, 16, 0.1, 0.1
    e = np.sqrt(np.log(2 * B / delta) / (2 * B))
    Delta = 2 * np.exp(2 / tau) * (prior + e) / (1 - prior - e)
    expected = np.exp(0.75 / (2 * tau**2 * B)) * 0.75 / (tau * np.sqrt(B)) * Delta
    found = log_published_drift(rates, tau, B, prior, delta)
    assert found == pytest.approx(np.log(expected))
    assert log_published_drift(rates, tau, 2, prior, delta) == np.inf  # prior + e beyond 1
    assert log_published_drift([0.0], tau, 64, prior, delta) == -np.inf


def test_the_recursion_is_a_loop_and_no_larger_than_its_closed_form():
    rng = np.random.default_rng(0)
    rates, mismatch, tau, B = rng.random(30), rng.random(30), 0.4, 8
    E, expected = 0.0, []
    for eta, gap in zip(rates, mismatch, strict=True):
        E = (1 + eta / (2 * tau**2 * B)) * E + eta / (tau * B) * gap
        expected.append(E)
    np.testing.assert_allclose(np.exp(log_drift(rates, tau, B, mismatch)), expected)
    closed = np.exp(rates.sum() / (2 * tau**2 * B)) * (rates @ mismatch) / (tau * B)
    assert E < closed
    assert np.isfinite(log_drift(np.full(200, 100.0), 0.01, 64, np.full(200, 1.0))).all()


@pytest.mark.parametrize("tau", [0.1, 1.0])
def test_the_mismatch_of_a_batch_is_reached_by_the_worst_similarities(tau):
    """Own class at cosine 1, others at -1, anchor by anchor; it is below twice the ratio."""
    counts = [3, 1, 4]
    each = []
    for m in counts:
        S, D = (m - 1) * np.exp(1 / tau), (sum(counts) - m) * np.exp(-1 / tau)
        each += [reweighting(np.log1p(S / D))] * m
        assert each[-1] <= 2 * np.exp(2 / tau) * (m - 1) / (sum(counts) - m)
    found = composition_mismatch([*counts, 0], tau)
    assert found == pytest.approx(np.linalg.norm(each))


def test_floors_are_reached_and_the_published_one_is_lower_up_to_1():
    ratio = np.linspace(0, 1, 50)
    assert (published_floor(ratio) <= cosine_floor(ratio, 0.0)).all()
    for x in ratio[:-1]:
        b = np.array([np.sqrt(1 - x**2), 0.0])
        a = np.array([b[0], x])  # |a| = 1, a - b is orthogonal to b
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        assert cosine == pytest.approx(cosine_floor(x, 0.0))
    assert cosine_floor([1.5, 9.0], -1.0).tolist() == [-1, -1]
    assert published_floor([0.6, 3.0]).tolist() == [0.25, -0.5]


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: cosine_floor(-0.1, 0.0), "negative"),
        (lambda: published_floor(np.nan), "NaN"),
        (lambda: reweighting(-1.0), "negative"),
        (lambda: log_published_drift([1.0], 1.0, 8, 0.1, 2.0), "probability"),
        (lambda: log_published_drift([1.0], 1.0, 8, 0.1, 1.0), "probability"),
        (lambda: log_published_drift([1.0], 1.0, 8, 0.1, 0.0), "probability"),
        (lambda: log_published_drift([-1.0], 1.0, 8, 0.1, 0.1), "negative"),
        (lambda: log_drift([1.0], 0.0, 8, [1.0]), "temperature"),
        (lambda: composition_mismatch([4], 1.0), "below N"),
    ],
)
def test_other_numbers_are_refused_in_a_sentence(call, word):
    with pytest.raises(ValueError, match=word):
        call()
