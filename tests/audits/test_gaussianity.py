"""The level of the test, features whose nearness is known, and the estimate of errors."""

import numpy as np
import pytest

from supcon_theory.audits import gaussianity
from supcon_theory.audits.gaussianity import error_rows, feature_row, power_rows
from supcon_theory.theory.few_shot.gaussian import (
    GaussianClasses,
    moments_of_pairs,
    pair_errors,
    sampled_centres,
    samples,
)


def test_the_level_is_kept_each_other_law_is_seen_and_a_wrong_null_is_told(monkeypatch):
    found = {row["law"]: row for row in power_rows(100, 2, 60, 99, seed=0)}
    assert found["gaussian"]["violation_level"] <= 0
    assert found["sphere"]["rejected"] > 0.9 and "violation_level" not in found["sphere"]
    honest = gaussianity.bhep_null
    monkeypatch.setattr(gaussianity, "bhep_null", lambda *of: 0.3 * honest(*of))
    assert next(power_rows(100, 2, 60, 99, seed=0))["violation_level"] > 0.1


def test_a_gaussian_is_near_to_one_and_a_mixture_is_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 6)) @ rng.normal(size=(6, 6))
    near = feature_row(x, 200, 3, 49, seed=0)
    far = feature_row(x + 9 * (np.arange(600) % 3 == 0)[:, None], 200, 3, 49, seed=0)
    assert near["p"] > 0.05 >= far["p"] and near["distance"] < far["distance"]
    assert near["distance"] == pytest.approx(near["distance_normal"], rel=0.3)
    assert near["norm_ratio"] == pytest.approx(1, abs=0.3) and abs(near["kurtosis"]) < 0.2


def test_covariances_and_variances_along_the_axes_give_the_same_errors():
    rng = np.random.default_rng(0)
    mu, s = rng.normal(size=(3, 4)), rng.uniform(0.5, 2, (3, 4))
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    plain = GaussianClasses(mu, s)
    turned = GaussianClasses(mu @ turn.T, np.stack([turn @ np.diag(v) @ turn.T for v in s]))
    centres = sampled_centres(plain, 3, 5, seed=0)
    np.testing.assert_allclose(pair_errors(plain, centres), pair_errors(turned, centres @ turn.T))
    drawn = samples(turned, 40_000, 0)
    for c in range(3):
        np.testing.assert_allclose(np.cov(drawn[c].T), turned.variances[c], atol=0.08)
    spread = sampled_centres(turned, 4, 4000, seed=1) - turned.means
    np.testing.assert_allclose(np.cov(spread[:, 1].T), turned.variances[1] / 4, atol=0.05)
    with pytest.raises(ValueError, match="not covariances"):
        moments_of_pairs(turned)


def test_the_estimate_is_the_error_of_gaussian_classes_and_not_of_others():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 2000)
    centres = 2.5 * rng.normal(size=(3, 4))
    x = centres[y] + rng.normal(size=(6000, 4)) @ np.diag([1.0, 2.0, 0.5, 1.0])
    rows = list(error_rows(x, y, (1, 5), 60, seed=0))
    assert [row["m"] for row in rows] == [1, 5, np.inf]
    assert all(abs(row["log2_ratio"]) < 0.4 for row in rows)
    heavy = centres[y] + (x - centres[y]) * rng.choice([0.4, 6.0], (6000, 1), p=[0.95, 0.05])
    assert list(error_rows(heavy, y, (5,), 20, seed=0))[-1]["log2_ratio"] > 1
