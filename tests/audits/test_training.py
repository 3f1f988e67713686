"""What is followed along training: batch means, transfer, and nulls that learn nothing."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch

from supcon_theory.audits.batch_means import batch_means
from supcon_theory.audits.training import checkpoint_audit, matched_walk, training_audit
from supcon_theory.measures.losses import global_losses


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    z = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(z, dim=-1)


def test_batch_means_are_those_of_a_loop_over_batches():
    z, y = unit(24, 2, 5), torch.arange(4).repeat(6)
    order = np.random.default_rng(0).permutation(24)
    (row,) = batch_means(z, y, training_audit(z, y, [0.5]), 7, order)
    found = [
        global_losses(z[order[k : k + 7]], y[order[k : k + 7]], [0.5])[0.5] for k in (0, 7, 14)
    ]
    assert row["batches"] == 3
    assert row["gap"] == pytest.approx(np.mean([f.mean_gap for f in found]))
    assert row["loss_dcl"] - row["loss_nscl"] == pytest.approx(row["gap"])
    assert row["level_dcl"] == pytest.approx(row["loss_dcl"] - np.log(12))
    assert row["violation_batch"] <= 1e-12
    exact = global_losses(z, y, [0.5])[0.5]
    assert row["bias_gap"] == pytest.approx(row["gap"] - exact.mean_gap)
    level = exact.mean_dcl - np.log(2 * 23)
    assert row["bias_dcl"] == pytest.approx(row["level_dcl"] - level)


def test_one_batch_of_everything_is_the_exact_value():
    z, y = unit(12, 2, 5), torch.arange(3).repeat_interleave(4)
    (row,) = batch_means(z, y, training_audit(z, y, [1.0]), 12, np.arange(12))
    assert row["gap"] == pytest.approx(global_losses(z, y, [1.0])[1.0].mean_gap, rel=1e-12)


def test_the_expected_level_of_dcl_grows_with_the_batch_to_the_exact_one():
    z, y = unit(6, 2, 3), torch.tensor([0, 0, 1, 1, 2, 2])
    exact = global_losses(z, y, [0.5])[0.5].mean_dcl - np.log(2 * 5)
    levels, whole = [], training_audit(z, y, [0.5])
    for size in (3, 4, 5):
        subsets = [
            np.array(s)
            for s in itertools.combinations(range(6), size)
            if len(set(y[list(s)].tolist())) > 1
        ]
        levels.append(
            np.mean(
                [
                    batch_means(z[s], y[s], whole, size, np.arange(size))[0]["level_dcl"]
                    for s in subsets
                ]
            )
        )
    assert levels[0] < levels[1] < levels[2] < exact


def test_a_batch_of_one_class_has_an_infinite_supervised_loss():
    z, y = unit(4, 2, 3), torch.tensor([0, 0, 1, 1])
    (row,) = batch_means(z, y, training_audit(z, y, [1.0]), 2, np.arange(4))
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


def test_a_checkpoint_has_both_encoders_and_both_nulls():
    f, g, y = unit(12, 2, 5), unit(12, 2, 5, seed=1), torch.arange(3).repeat_interleave(4)
    taus, shuffled = [1.0, 0.3], y[torch.randperm(12, generator=torch.Generator().manual_seed(0))]
    table = pd.DataFrame(checkpoint_audit(f, g, y, shuffled, taus, unit(12, 2, 5, seed=2)))
    places = table.groupby(["protocol", "objective", "labels"]).size().to_dict()
    assert places == {
        ("exact", "dcl", "true"): 2,
        ("exact", "nscl", "true"): 2,
        ("control", "dcl", "shuffled"): 2,
        ("control", "walk", "true"): 2,
    }
    mine, partner = (table[table["objective"] == name].iloc[0] for name in ("dcl", "nscl"))
    assert mine["difference_nscl"] == pytest.approx(mine["loss_nscl"] - partner["loss_nscl"])
    assert mine["gap_partner"] == partner["gap"] and table["error_transfer"].max() < 1e-12
    shuffled_row = table[table["labels"] == "shuffled"].iloc[0]
    assert shuffled_row["gap"] == pytest.approx(global_losses(f, shuffled, [1.0])[1.0].mean_gap)
    assert (table["violation_floor"].dropna() < 0).all()


def test_batch_means_read_arrays_and_short_floats_as_the_other_audits_do():
    z, y = unit(12, 2, 5), np.array(list("abc" * 4))
    exact, order = training_audit(z, y, [0.5]), np.arange(12)
    (wanted,) = batch_means(z, torch.arange(3).repeat(4), exact, 6, order)
    for given in (z.numpy(), z.clone().requires_grad_(), z.bfloat16()):
        (row,) = batch_means(given, y, exact, 6, list(order))
        assert row["gap"] == pytest.approx(
            wanted["gap"], rel=0.05 if given.dtype.itemsize == 2 else 1e-12
        )
    with pytest.raises(ValueError, match="training_audit"):
        batch_means(z, y, [1.0], 6, order)
    with pytest.raises(TypeError, match=r"the batch size is 2\.5"):
        batch_means(z, y, exact, 2.5, order)
