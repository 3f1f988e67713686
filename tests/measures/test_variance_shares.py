"""Shares of the variance, against a loop, and the laws that they obey."""

import numpy as np
import pytest

from supcon_theory.measures.variance_shares import variance_shares


def slow(x, coarse, fine):
    mean = x.mean(0)
    sums = np.zeros(3)
    for row, c, f in zip(x, coarse, fine, strict=True):
        of_class = x[coarse == c].mean(0)
        of_subclass = x[(coarse == c) & (fine == f)].mean(0)
        parts = (of_class - mean, of_subclass - of_class, row - of_subclass)
        sums += [part @ part for part in parts]
    return sums / ((x - mean) ** 2).sum()


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_those_of_loops_and_add_up_to_one(seed):
    rng = np.random.default_rng(seed)
    coarse, fine = rng.integers(3, size=40), rng.integers(4, size=40)  # crossed, unequal
    x = rng.normal(size=(40, 5)) + 2 * rng.normal(size=(3, 5))[coarse] + 1e4
    found = variance_shares(x, coarse, fine)
    np.testing.assert_allclose(found, slow(x, coarse, fine), atol=1e-9)
    assert sum(found) == pytest.approx(1, abs=1e-12)
    named = variance_shares(x, [f"class {c}" for c in coarse], fine)
    np.testing.assert_allclose(named, found, atol=1e-12)
    turned = variance_shares(3 * x @ np.linalg.qr(rng.normal(size=(5, 5)))[0], coarse, fine)
    np.testing.assert_allclose(turned, found, atol=1e-9)


def test_one_coarse_class_has_no_share_and_constant_features_have_none_at_all():
    x, fine = np.arange(6.0)[:, None], [0, 0, 0, 1, 1, 1]
    coarse, of_fine, rest = variance_shares(x, np.zeros(6), fine)
    assert coarse == 0 and of_fine == pytest.approx(9 / 4 * 6 / 17.5) and rest > 0
    assert np.isnan(variance_shares(np.ones((6, 2)), np.zeros(6), fine)).all()
