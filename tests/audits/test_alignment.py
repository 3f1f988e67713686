"""The surrogate against automatic differentiation; what the audits of alignment would see."""

import numpy as np
import pytest
import torch

from supcon_theory.audits import alignment, surrogate
from supcon_theory.audits.alignment import (
    anchor_row,
    opposed_row,
    pair_row,
    random_pair_rows,
    weight_rows,
)
from supcon_theory.audits.surrogate import published_rows, surrogate_row


@pytest.mark.parametrize("tau", [0.2, 1.0])
def test_a_step_descends_the_mean_of_both_losses_and_tells_their_gap(tau):
    rng = np.random.default_rng(0)
    y = np.array([0, 1, 0, 2, 1, 0])
    one, other = (rng.uniform(-0.5, 0.5, (6, 6)) for _ in range(2))
    found = one.copy(), other.copy()
    gaps = surrogate.step(*found, y, 0.3, tau)
    everyone = ~torch.eye(6, dtype=torch.bool)
    different = torch.as_tensor(y[:, None] != y)
    losses = []
    for start, candidates, end in ((one, everyone, found[0]), (other, different, found[1])):
        s = torch.tensor(start, requires_grad=True)
        each = (s / tau).masked_fill(~candidates, -torch.inf).logsumexp(1)
        each.mean().backward()
        np.testing.assert_allclose(end, start - 0.3 * s.grad.numpy(), atol=1e-12)
        losses.append(each.detach().numpy())
    D = torch.tensor(one / tau).masked_fill(~different, -torch.inf).logsumexp(1).numpy()
    np.testing.assert_allclose(gaps, losses[0] - D, atol=1e-12)


def test_similarities_stay_between_minus_one_and_one():
    one, other = np.full((4, 4), -0.99), np.full((4, 4), 0.99)
    surrogate.step(one, other, np.array([0, 1, 0, 1]), 100.0, 0.5)
    assert min(one.min(), other.min()) == -1


@pytest.mark.parametrize("C, tau", [(2, 1.0), (10, 0.5), (50, 0.1)])
def test_the_surrogate_obeys_its_bounds_and_a_bound_that_is_too_low_is_seen(C, tau, monkeypatch):
    row = surrogate_row(C, tau, 10.0, 40, seed=0)
    assert row["violation_composition"] < 0 and row["violation_gaps"] < 0
    assert row["log_bound_gaps"] <= row["log_bound_composition"] <= row["log_bound_drift"]
    honest = surrogate.log_drift
    monkeypatch.setattr(surrogate, "log_drift", lambda *of: honest(*of) - 4)
    low = surrogate_row(C, tau, 10.0, 40, seed=0)
    assert low["violation_gaps"] > 0


def test_the_published_settings_are_mostly_beyond_what_can_be():
    rows = list(published_rows((1.0, 0.1)))
    beyond = [row["log_bound_drift"] > row["log_cap"] for row in rows]
    assert len(rows) == 6 and sum(beyond) == 5
    (first,) = (r for r in rows if (r["data"], r["tau"]) == ("CIFAR-100", 1.0))
    assert first["log_bound_drift"] == pytest.approx(10.4, abs=0.1)


def test_no_pair_is_below_its_floors_and_one_that_is_too_high_is_seen(monkeypatch):
    rows = list(random_pair_rows(200, seed=1))
    assert max(row["violation_cka"] for row in rows) < 1e-9
    inside = [row for row in rows if row["pairs_apart"] <= 1]
    assert len(inside) > 20 and max(row["violation_rsa"] for row in inside) < 1e-9
    honest = alignment.cosine_floor
    monkeypatch.setattr(alignment, "cosine_floor", lambda x, least: honest(0.8 * x, least))
    assert max(row["violation_cka"] for row in random_pair_rows(200, seed=1)) > 1e-3


@pytest.mark.parametrize("spread", [1.0, 1.5, 2.0])
def test_the_opposed_pair_is_below_the_published_floor_beyond_one(spread):
    row = opposed_row(spread)
    assert row["pairs_apart"] > 1 and row["rsa"] < row["published_rsa"] < 0
    assert row["violation_rsa"] < 0 and row["violation_cka"] < 0


def test_an_embedding_and_itself_are_one():
    x = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    row = pair_row(x, 2 * x, 3)
    for name in ("cka", "cka_debiased", "rsa", "rsa_debiased", "shared_directions"):
        assert row[name] == pytest.approx(1)
    assert row["largest_angle"] == pytest.approx(0, abs=1e-2) and row["log_drift"] == -np.inf


def test_anchors_and_weights():
    generator = torch.Generator().manual_seed(0)
    z = torch.nn.functional.normalize(torch.randn(12, 2, 5, generator=generator), dim=2)
    y = torch.arange(3).repeat_interleave(4)
    row = anchor_row(z, y, 0.5)
    assert row["distance_error"] < 1e-12 and 0 < row["reweighting"] < 2
    one = {"a.weight": torch.ones(2, 2), "b.weight": torch.ones(2, 2), "b.bias": torch.ones(2)}
    other = one | {"b.weight": -torch.ones(2, 2)}
    mean, *each = weight_rows(one, other)
    assert mean == {"weight_gap": 1.0} and [row["weight_gap"] for row in each] == [0, 2]
