"""A learned temperature and bias beside free embeddings, in loops over pairs of samples."""

import math

import numpy as np
import pytest

from supcon_theory.audits.frames import learned_audit
from supcon_theory.free.optimise import gaussian_starts


def mean_loss(cosines, inverse, bias):
    """The sigmoid loss of first with second views: a sum over pairs, over the samples."""
    N, total = len(cosines), 0.0
    for i in range(N):
        for j in range(N):
            sign = 1 if i == j else -1
            total += math.log1p(math.exp(-sign * (cosines[i][j] * inverse + bias)))
    return total / N


def test_before_any_step_a_row_is_about_the_gaussian_start_at_the_temperature_of_siglip():
    N, d = 3, 2
    rows = learned_audit(N, d, 3, iterations=0)
    for row, z in zip(rows, gaussian_starts(3, N, 2, d, 0), strict=True):
        cosines = [[float(z[i, 0] @ z[j, 1]) for j in range(N)] for i in range(N)]
        least = min(cosines[i][i] for i in range(N))
        most = max(cosines[i][j] for i in range(N) for j in range(N) if i != j)
        margin, middle = (least - most) / 2, (least + most) / 2
        bound = N * math.log1p(math.exp(-margin * 10))
        assert row["inverse_tau"] == pytest.approx(10)
        assert row["margin"] == pytest.approx(margin) == -row["no_margin"]
        assert row["loss"] == pytest.approx(mean_loss(cosines, 10, -10))
        at = mean_loss(cosines, 10, -middle * 10)
        assert row["violation_margin"] == pytest.approx(at - bound)


def test_two_samples_at_opposite_points_attain_the_bound_of_their_margin():
    """On a line cosines are 1 and -1, so that every pair is at the margin or on its wrong side."""
    rows = learned_audit(2, 1, 20, iterations=5)
    apart = [row for row in rows if row["margin"] == pytest.approx(1)]
    assert 0 < len(apart) < len(rows)
    assert np.abs([row["violation_margin"] for row in apart]).max() < 1e-12
    assert all(row["inverse_tau"] > 5 for row in apart)
