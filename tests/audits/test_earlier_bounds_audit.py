"""Exact expectations over independent negatives, batch means, and the walk that learns nothing."""

import itertools

import numpy as np
import pytest
import torch

from supcon_theory.audits.batch_means import batch_means
from supcon_theory.audits.earlier_bounds import expected_log_sums, surrogate_audit
from supcon_theory.audits.matched_walk import matched_walk
from supcon_theory.measures.losses import global_losses


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
        for row in surrogate_audit(z, y, tau, [1, 4, 50, 2000], anchors=20):
            assert all(row[name] <= 1e-9 for name in row if name.startswith("excess")), row


def test_a_constant_encoder_has_the_supervised_loss_of_chance():
    z = unit(1, 1, 4).expand(12, 2, 4)
    for row in surrogate_audit(z, torch.arange(3).repeat_interleave(4), 1.0, [2, 30]):
        assert row["loss_supervised"] == pytest.approx(row["chance"])
        assert row["loss_contrastive"] == pytest.approx(np.log(1 + row["negatives"]))


def test_the_earlier_bounds_refuse_unequal_classes():
    with pytest.raises(ValueError, match="balanced"):
        surrogate_audit(unit(5, 2, 4), torch.tensor([0, 0, 0, 1, 1]), 1.0, [2])


def test_batch_means_are_those_of_a_loop_over_batches():
    z, y = unit(24, 2, 5), torch.arange(4).repeat(6)
    order = np.random.default_rng(0).permutation(24)
    (row,) = batch_means(z, y, [0.5], 7, order)
    found = [
        global_losses(z[order[k : k + 7]], y[order[k : k + 7]], [0.5])[0.5] for k in (0, 7, 14)
    ]
    assert row["batches"] == 3
    assert row["gap"] == pytest.approx(np.mean([f.mean_gap for f in found]))
    assert row["loss_dcl"] - row["loss_nscl"] == pytest.approx(row["gap"])
    assert row["level_dcl"] == pytest.approx(row["loss_dcl"] - np.log(12))
    assert row["excess_batch"] <= 1e-12


def test_one_batch_of_everything_is_the_exact_value():
    z, y = unit(12, 2, 5), torch.arange(3).repeat_interleave(4)
    (row,) = batch_means(z, y, [1.0], 12, np.arange(12))
    assert row["gap"] == pytest.approx(global_losses(z, y, [1.0])[1.0].mean_gap, rel=1e-12)


def test_the_expected_level_of_dcl_grows_with_the_batch_to_the_exact_one():
    z, y = unit(6, 2, 3), torch.tensor([0, 0, 1, 1, 2, 2])
    exact = global_losses(z, y, [0.5])[0.5].mean_dcl - np.log(2 * 5)
    levels = []
    for size in (3, 4, 5):
        subsets = [
            np.array(s)
            for s in itertools.combinations(range(6), size)
            if len(set(y[list(s)].tolist())) > 1
        ]
        levels.append(
            np.mean(
                [
                    batch_means(z[s], y[s], [0.5], size, np.arange(size))[0]["level_dcl"]
                    for s in subsets
                ]
            )
        )
    assert levels[0] < levels[1] < levels[2] < exact


def test_a_batch_of_one_class_has_an_infinite_supervised_loss():
    z, y = unit(4, 2, 3), torch.tensor([0, 0, 1, 1])
    (row,) = batch_means(z, y, [1.0], 2, np.arange(4))
    assert np.isinf(row["loss_nscl"]) and np.isinf(row["gap"])


def test_the_walk_moves_each_sample_as_far_as_training_and_elsewhere():
    before = unit(50, 1, 8)
    after = torch.nn.functional.normalize(before + 0.3 * unit(50, 1, 8, seed=1), dim=-1)
    noise = torch.randn(50, 8, generator=torch.Generator().manual_seed(2))
    walked = matched_walk(before, before, after, noise)
    torch.testing.assert_close((walked * before).sum(-1), (after * before).sum(-1))
    assert (walked - after).norm(dim=-1).min() > 0.05
    torch.testing.assert_close(matched_walk(before, after, after, noise), before)


def test_the_walk_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="same"):
        matched_walk(unit(4, 2, 3), unit(4, 2, 3), unit(5, 2, 3), torch.zeros(4, 3))
