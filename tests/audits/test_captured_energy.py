"""Exact errors against all draws one by one; what the audits of captured energy compare."""

import itertools

import numpy as np
import pytest
import torch

from supcon_theory.audits import whitened_laws
from supcon_theory.audits.captured_energy import balanced_tasks, energy_rows, equal_classes
from supcon_theory.audits.whitened_laws import exact_error, random_classes


@pytest.mark.parametrize("r, m", [(1, 1), (1, 3), (3, 1), (3, 2)])
def test_the_exact_error_is_that_of_all_draws_one_by_one(r, m):
    classes = random_classes(np.random.default_rng(r), r)
    found = []
    for own, other in ((0, 1), (1, 0)):
        a, b = classes[own], classes[other]
        for i in itertools.product(range(len(a)), repeat=m):
            for j in itertools.product(range(len(b)), repeat=m):
                near = np.square(a - a[list(i)].mean(0)).sum(1)
                far = np.square(a - b[list(j)].mean(0)).sum(1)
                found.append((own, np.mean(far <= near + 1e-12)))
    by_class = [np.mean([e for c, e in found if c == own]) for own in (0, 1)]
    assert exact_error(classes, m) == pytest.approx(np.mean(by_class))


def test_ties_are_errors():
    """The centre of {-1, 1} is 0 in half of the draws of two: then every point of both is a tie."""
    classes = [np.array([[0.0]]), np.array([[-1.0], [1.0]])]
    assert exact_error(classes, 2) == pytest.approx((0.5 + (0.5 + 0.25)) / 2)


def test_random_laws_are_white():
    for seed in range(20):
        classes = random_classes(np.random.default_rng(seed), 3)
        rows = np.concatenate(classes)
        np.testing.assert_allclose(rows.T @ rows / len(rows), np.eye(rows.shape[1]), atol=1e-8)


@pytest.mark.parametrize("protocol", ["axes", "enumerated"])
def test_how_whitened_features_are_turned_changes_no_row(monkeypatch, protocol):
    """Of rows of one view every turn is as good: which one LAPACK returns is its own affair."""
    rows = {"axes": lambda: whitened_laws.axes_row(3, 20, 0)} | {
        "enumerated": lambda: whitened_laws.enumerated_row(3, 2, 5, 1, 0)
    }
    plain, honest = rows[protocol](), whitened_laws.whitened
    assert plain.pop("protocol") == protocol

    def turned(x):
        found = honest(x)
        r = found.features.shape[-1]
        Q, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(r, r)))
        return found._replace(features=found.features @ Q, axes=found.axes @ Q)

    monkeypatch.setattr(whitened_laws, "whitened", turned)
    again = rows[protocol]()
    assert {name: again[name] for name in plain} == pytest.approx(plain, rel=1e-9, abs=1e-12)


def test_a_bound_that_is_too_low_is_seen(monkeypatch):
    honest = whitened_laws.captured_error_bound
    row = whitened_laws.enumerated_row(1, 3, 60, 1, seed=0)
    assert row["violation_captured"] <= 1e-12
    monkeypatch.setattr(
        whitened_laws, "captured_error_bound", lambda B, r, m: 0.2 * honest(B, r, m)
    )
    assert whitened_laws.enumerated_row(1, 3, 60, 1, seed=0)["violation_captured"] > 1e-3
    cosine = whitened_laws.axis_cosine_bound
    assert whitened_laws.axes_row(2, 100, seed=0)["violation_cosine"] <= 1e-12
    monkeypatch.setattr(whitened_laws, "axis_cosine_bound", lambda *given: 0.9 * cosine(*given))
    assert whitened_laws.axes_row(2, 100, seed=0)["violation_cosine"] > 1e-3


def test_the_energy_of_gaussian_views_is_found_again():
    for row in whitened_laws.gaussian_rows("a noisier task", (1, 6), (10,), 20_000, 20, seed=0):
        assert row["energy"] == pytest.approx(row["B"], abs=0.02)
        assert row["violation_captured"] < 0


def test_few_gaussian_views_give_no_energy_where_there_is_none():
    rows = [
        next(whitened_laws.gaussian_rows("a noisier task", (1,), (1,), 50, 2, k))
        for k in range(200)
    ]
    assert abs(np.mean([row["energy"] for row in rows])) < 0.007


def test_tasks_are_balanced_and_none_is_there_twice():
    for C in (2, 5, 10):
        tasks = balanced_tasks(C, 6, seed=0)
        assert (tasks.sum(1) == 0).all() and (tasks[:, 0] == 1).all()
        assert tasks.shape[1] == C // 2 * 2 and len(np.unique(tasks, axis=0)) == len(tasks)


def test_independent_views_of_classes_tell_their_energy_and_one_sample_a_class_is_refused():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 300)
    x = rng.normal(size=(4, 6))[y][:, None] + rng.normal(size=(1200, 2, 6))
    cut = equal_classes(torch.from_numpy(x), torch.from_numpy(y))
    true, shuffled = energy_rows(cut, seed=0)
    assert abs(true["label_free_error"]) < 0.03 < 0.3 < true["energy"]
    assert shuffled["label_free_error"] > 0.3 and abs(shuffled["energy"]) < 0.02
    with pytest.raises(ValueError, match="single sample"):
        equal_classes(torch.ones(3, 2, 2), torch.tensor([0, 0, 1]))
