"""Nearest other samples and their votes against slow loops; samples that lie with another class."""

import numpy as np
import pytest
import torch

from supcon_theory.audits.opened import opened
from supcon_theory.measures import rows as row_module
from supcon_theory.measures.misplaced import ROBUST, misplaced
from supcon_theory.measures.neighbours import nearest_others, vote_error
from supcon_theory.measures.rows import unit_rows_of


@pytest.mark.parametrize("tile", [1, 50, 10**6])
def test_nearest_others_are_those_of_a_sort(tile, monkeypatch):
    monkeypatch.setattr(row_module, "TILE_NUMBERS", tile)
    x = np.random.default_rng(0).normal(size=(40, 2, 5))
    samples = np.array([0, 7, 39, 12])
    found = nearest_others(unit_rows_of(x), samples, 6)
    z = x[:, 0] / np.linalg.norm(x[:, 0], axis=1, keepdims=True)
    for i, near in zip(samples, found, strict=True):
        order = [j for j in np.argsort(-z @ z[i]) if j != i]
        assert near.tolist() == order[:6]
    with pytest.raises(ValueError, match="from 1 to 39"):
        nearest_others(unit_rows_of(x), samples, 40)


def test_votes_are_counted_and_ties_shared():
    y = np.array([0, 0, 1, 1, 2])
    voters = np.array([[0, 1, 2], [0, 2, 3], [0, 2, 4], [4, 0, 2]])
    own = np.array([0, 0, 0, 1])
    # right; wrong; one of three; one of three
    assert vote_error(voters, y, own) == pytest.approx((0 + 1 + 2 / 3 + 2 / 3) / 4)
    assert vote_error(np.array([[2, 3, 0]]), y[:4], np.array([1])) == 0


def found_in(x, y):
    of = opened(x, y, exact=10**6, seed=0)
    return misplaced(of.source, of.y, of.moments)


def test_distances_and_scores_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 2, 6)), np.arange(40) % 3
    z = (x / np.linalg.norm(x, axis=-1, keepdims=True)).mean(1)
    found = found_in(x, y)
    margin = np.empty(40)
    for i in range(40):
        others = (y == y[i]) & (np.arange(40) != i)
        own = np.linalg.norm(z[i] - z[others].mean(0))
        away = {c: np.linalg.norm(z[i] - z[y == c].mean(0)) for c in range(3) if c != y[i]}
        nearest = min(away, key=away.__getitem__)
        assert found.nearest[i] == nearest
        assert (found.own[i], found.other[i]) == pytest.approx((own, away[nearest]), rel=1e-5)
        apart = np.linalg.norm(z[y == nearest].mean(0) - z[y == y[i]].mean(0))
        margin[i] = (away[nearest] ** 2 - own**2) / (2 * apart)
    below = np.array([np.median(margin[y == y[i]]) - margin[i] for i in range(40)])
    spread = [max(np.median(np.abs(below[y == c])), np.median(np.abs(below))) for c in y]
    assert found.score == pytest.approx(below / (ROBUST * np.array(spread)), rel=1e-4)


@pytest.mark.parametrize(("C", "d"), [(5, 5), (20, 50)])
@pytest.mark.parametrize("apart", [0.0, 1.0, 3.0])
def test_clean_classes_have_few_candidates_and_wrong_labels_are_found(C, d, apart):
    rng = np.random.default_rng(0)
    true = np.arange(2000) % C
    x = apart * rng.normal(size=(C, d))[true] + rng.normal(size=(2000, d))
    assert len(found_in(x, true).candidates) <= 4  # the .2 % of the docstring
    given, wrong = true.copy(), rng.choice(2000, 40, replace=False)
    given[wrong] = (true[wrong] + 1 + rng.integers(C - 1, size=40)) % C
    caught = set(found_in(x, given).candidates) & set(wrong)
    if apart == 3 and d == 50:
        assert len(caught) == 40


def test_classes_too_small_for_a_spread_have_no_candidate():
    y = np.array([0] * 4 + [1] * 30)
    x = torch.nn.functional.normalize(
        torch.randn(34, 4, generator=torch.Generator().manual_seed(0))
    )
    found = found_in(x, y)
    assert np.isnan(found.score[:4]).all() and np.isfinite(found.score[4:]).all()
    lone = found_in(x, np.array([0] + [1] * 33))
    assert 0 not in lone.candidates
