"""Calibration against a loop over bins, at the edges of bins, and its chain of inequalities."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from scipy.special import softmax

from supcon_theory.measures.calibration import BINS, calibration_error, calibration_most
from supcon_theory.measures.probes import draw_supports, linear_probe, probe_probabilities


def loop(confidence, correct, bins: int) -> float:
    """The definition, bin by bin, in exact fractions."""
    total = Fraction(0)
    for b in range(1, bins + 1):
        inside = [
            (Fraction(p), int(right))
            for p, right in zip(confidence, correct, strict=True)
            if max(ceil(Fraction(p) * bins), 1) == b
        ]
        if inside:
            accuracy = Fraction(sum(right for _, right in inside), len(inside))
            mean = sum(p for p, _ in inside) / len(inside)
            total += Fraction(len(inside), len(confidence)) * abs(accuracy - mean)
    return float(total)


@pytest.mark.parametrize("bins", [1, 2, 5, 10, 15])
@pytest.mark.parametrize("seed", range(4))
def test_the_error_is_that_of_a_loop(bins, seed):
    rng = np.random.default_rng(seed)
    p = rng.beta(3, 1, 80)
    p[:12] = [0, 1, 1, 0.5, 0.25, 0.75, 1 - 2**-53, 2**-60, 0.125, 0.875, 0.375, 1]
    right = rng.random(80) < p
    assert calibration_error(p, right, bins) == pytest.approx(loop(p, right, bins), abs=1e-14)


def test_a_confidence_at_an_edge_belongs_to_the_bin_below_and_1_to_the_last():
    """Of two bins: .5 is with .3, not with .9; 1 is with .9."""
    assert calibration_error([0.5, 0.3], [1, 0], 2) == pytest.approx(0.1)
    assert calibration_error([0.5, 0.9], [1, 0], 2) == pytest.approx((0.5 + 0.9) / 2)
    assert calibration_error([1.0, 0.9], [1, 0], 2) == pytest.approx(0.45)
    assert calibration_error(np.ones(3), [1, 1, 1]) == 0
    assert calibration_error(np.ones(3), [0, 0, 0]) == 1


def test_bins_that_are_unions_of_others_give_less_at_every_edge():
    """All multiples of 1/15, which 5 bins share with 15."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        p = rng.integers(0, BINS + 1, 9) / BINS
        right = rng.integers(0, 2, 9)
        found = [calibration_error(p, right, bins) for bins in (1, 5, BINS)]
        found = [abs(right.mean() - p.mean()), *found, calibration_most(p, right)]
        assert (np.diff(found) >= -1e-15).all()
        assert found[0] == pytest.approx(found[1], abs=1e-15)


@pytest.mark.parametrize(
    "p, right, said",
    [
        ([], [], "at least one"),
        ([0.5], [1, 0], "one of each"),
        ([[0.5]], [[1]], "one of each"),
        ([0.5, 1.1], [1, 0], "1.1"),
        ([0.5, float("nan")], [1, 0], "nan"),
        ([0.5, -0.1], [1, 0], "-0.1"),
        ([0.5, 0.1], [1, 2], "true or false"),
    ],
)
@pytest.mark.parametrize("measure", [calibration_error, calibration_most])
def test_what_is_no_probability_is_refused(p, right, said, measure):
    with pytest.raises(ValueError, match=said):
        measure(p, right)


def test_no_bins_are_refused():
    with pytest.raises(ValueError, match="bins"):
        calibration_error([0.5], [1], 0)


def test_probabilities_of_a_probe_are_the_softmax_of_its_scores():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 6)), np.repeat(np.arange(4), 10)
    queries = 30 * rng.normal(size=(9, 6))
    probe = linear_probe(x, y, draw_supports(y, 5, 3, 0), inverse_l2=10.0)
    found = probe_probabilities(probe, queries)
    for r in range(3):
        for q in range(9):
            score = probe.weight[r] @ queries[q] + probe.bias[r]
            np.testing.assert_allclose(found[r, q], softmax(score), atol=1e-12)
    failed = linear_probe(x, y, draw_supports(y, 5, 3, 0), max_iter=1)
    assert not failed.converged.any() and np.isnan(probe_probabilities(failed, queries)).all()
