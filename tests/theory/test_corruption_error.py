"""The corruption error against a loop over kinds, and the published numbers of one table."""

import numpy as np
import pytest

from supcon_theory.theory.corruption_error import corruption_error


def loop(error, reference, clean, clean_reference) -> float:
    ratios = []
    for ours, theirs in zip(error, reference, strict=True):
        above = sum(e - clean for e in ours)
        below = sum(e - clean_reference for e in theirs)
        ratios.append(above / below)
    return sum(ratios) / len(ratios)


@pytest.mark.parametrize("clean", [(0.0, 0.0), (0.1, 0.2)])
def test_it_is_the_mean_of_ratios_of_sums(clean):
    rng = np.random.default_rng(0)
    for kinds in (1, 4, 10):
        ours, theirs = rng.uniform(0.2, 0.9, (2, kinds, 5))
        expected = loop(ours, theirs, *clean)
        assert corruption_error(ours, theirs, *clean) == pytest.approx(expected, rel=1e-13)
        assert corruption_error(theirs, theirs, clean[1], clean[1]) == pytest.approx(1)


def test_it_is_no_ratio_of_means_nor_mean_of_ratios_of_severities():
    ours, theirs = [[0.1, 0.2], [0.9, 0.9]], [[0.2, 0.2], [0.9, 1.0]]
    assert corruption_error(ours, theirs) == pytest.approx((0.3 / 0.4 + 1.8 / 1.9) / 2)


def test_a_reference_that_loses_nothing_leaves_it_undefined():
    assert np.isnan(corruption_error([[0.1]], [[0.0]]))
    assert np.isnan(corruption_error([[0.3], [0.3]], [[0.4], [0.1]], 0.1, 0.1))
    assert np.isnan(corruption_error([[np.nan]], [[0.1]]))
    assert np.isnan(corruption_error([[0.1]], [[np.nan]]))


@pytest.mark.parametrize("ours, theirs", [([0.1], [0.1]), ([[0.1]], [[0.1, 0.2]]), ([[]], [[]])])
def test_other_shapes_are_refused(ours, theirs):
    with pytest.raises(ValueError, match=r"must be \(kinds, severities\)"):
        corruption_error(ours, theirs)
