"""Exact expectations over independent negatives, and bounds that hold."""

import itertools

import numpy as np
import pytest
import torch

from supcon_theory.audits.earlier_bounds import earlier_bounds_audit, expected_log_sums


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    z = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(z, dim=-1)


@pytest.mark.parametrize("tau", [1.0, 0.2, 0.05])
def test_expected_log_sums_are_those_of_all_draws_listed(tau):
    logits = torch.linspace(-1, 1, 6, dtype=torch.float64) / tau
    own = torch.tensor([True, False, False, True, False, False])
    found = expected_log_sums(logits, own, tau, [1, 3])
    for M, value in zip((1, 3), found, strict=True):
        draws = torch.tensor(list(itertools.product(logits.tolist(), repeat=M)))
        each = [
            torch.cat([p.expand(len(draws), 1), draws.double()], 1).logsumexp(1).mean()
            for p in logits[own]
        ]
        assert value.item() == pytest.approx(torch.stack(each).mean().item(), abs=3e-7 / tau)


def test_equal_logits_leave_the_log_of_the_count():
    logits = torch.full((10,), 0.7, dtype=torch.float64)
    found = expected_log_sums(logits, logits > 0, 1.0, [1, 10, 1000, 100_000])
    expected = 0.7 + np.log(np.array([2, 11, 1001, 100_001]))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-11)


@pytest.mark.parametrize("tau", [1.0, 0.5, 0.1])
def test_random_and_clustered_sets_obey_every_earlier_bound(tau):
    for spread in (0.0, 0.3, 3.0):
        y = torch.arange(5).repeat_interleave(6)
        z = torch.nn.functional.normalize(
            unit(5, 8)[y][:, None] + spread * unit(30, 2, 8, seed=1), dim=-1
        )
        for row in earlier_bounds_audit(z, y, [tau], [1, 4, 50, 2000], anchors=20):
            assert all(row[name] <= 1e-9 for name in row if name.startswith("violation")), row


def test_a_constant_encoder_has_the_supervised_loss_of_chance():
    z = unit(1, 1, 4).expand(12, 2, 4)
    for row in earlier_bounds_audit(z, torch.arange(3).repeat_interleave(4), [1.0], [2, 30]):
        assert row["loss_supervised"] == pytest.approx(row["chance"])
        assert row["loss_contrastive"] == pytest.approx(np.log(1 + row["negatives"]))


def test_unequal_classes_have_losses_but_no_bounds():
    (row,) = earlier_bounds_audit(unit(5, 2, 4), torch.tensor([0, 0, 0, 1, 1]), [1.0], [2])
    for name, value in row.items():
        assert np.isnan(value) == name.startswith(("bound_", "violation_")), name
