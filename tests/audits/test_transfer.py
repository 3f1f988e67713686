"""Errors on target classes beside loops, and the bounds on the population they are about."""

import numpy as np
import torch

from supcon_theory.audits.transfer import LABELLED, RESAMPLED, seen_rows, target_rows


def features(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Three loose classes on the corners of a simplex."""
    y = torch.arange(3).repeat_interleave(n)
    noise = torch.from_numpy(np.random.default_rng(seed).normal(size=(3 * n, 3)))
    return torch.eye(3, dtype=torch.float64)[y] + 0.6 * noise, y


def by_means(supports, queries) -> float:
    """The share of queries whose nearest class mean is another class's."""
    (x, y), (z, of_z) = supports, queries
    means = [x[y == c].mean(0) for c in range(3)]
    nearest = [min(range(3), key=lambda c: float((q - means[c]).norm())) for q in z]
    return float(np.mean([found != int(c) for found, c in zip(nearest, of_z, strict=True)]))


def test_with_all_labelled_images_the_error_is_that_of_the_class_means():
    supports, queries = features(12, 0), features(20, 1)
    rows = target_rows(supports, queries, (1, 5), draws=4, seed=0)
    labelled = [row for row in rows if row["protocol"] == LABELLED]
    assert {row["m"] for row in labelled} == {1, 5, 12}
    wanted = by_means(supports, queries)
    assert 0.05 < wanted < 0.6
    for found in (labelled, seen_rows(supports, queries, 0)):
        (whole,) = [r for r in found if r["m"] == 12 and r["probe"] == "nearest centre"]
        assert np.isclose(whole["error"], wanted)
        assert {r["probe"] for r in found if r["m"] == 12} >= {"linear", "neighbours"}


def test_the_bounds_are_about_the_held_out_features_two_way_and_all_way():
    supports, queries = features(12, 0), features(20, 1)
    rows = target_rows(supports, queries, (1, 5), draws=50, seed=0)
    bounded = [row for row in rows if row["protocol"] == RESAMPLED]
    assert {(row["m"], row["ways"]) for row in bounded} == {
        *((m, ways) for m in (1, 5) for ways in (2, 3)),
        (np.inf, 2),
    }
    of_others = target_rows(features(12, 7), queries, (1, 5), draws=50, seed=0)
    assert [r["error"] for r in of_others if r["protocol"] == RESAMPLED] == [
        row["error"] for row in bounded
    ]
    finite = [row for row in bounded if np.isfinite(row["m"])]
    assert all(row["violation_cantelli"] <= 1e-9 for row in finite)
