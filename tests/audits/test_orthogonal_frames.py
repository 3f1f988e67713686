"""Trained class means at an orthogonal frame, and at the simplex."""

import numpy as np
import pytest
import torch

from supcon_theory.audits.orthogonal_frames import frame_row, new_row
from supcon_theory.theory.simplex import class_simplex


@pytest.mark.parametrize("counts", [[3, 3, 3], [6, 3, 2]])
def test_a_frame_attains_its_loss_for_any_class_sizes_and_has_full_rank(counts):
    y = torch.arange(3).repeat_interleave(torch.tensor(counts))
    z = torch.eye(3).double()[y][:, None].expand(-1, 2, -1)
    row = frame_row(z, y, 0.5, "positive")
    assert row["violation_frame"] == pytest.approx(0, abs=1e-12)
    assert row["frame_distance"] == row["spread"] == row["cosine"] == 0
    assert row["means_rank"] == pytest.approx(3)
    assert row["equal_products"] == pytest.approx(0.5)
    mixed = torch.nn.functional.normalize(z + 0.3, dim=-1)
    assert frame_row(mixed, y, 0.5, "positive")["violation_frame"] < -0.01


def test_a_simplex_has_less_rank_is_below_that_loss_and_promises_nothing():
    z, y = map(torch.from_numpy, class_simplex([3, 3, 3], 2, 4))
    row = frame_row(z, y, 0.5, "sphere")
    frame = frame_row(torch.eye(3).double()[y][:, None].expand(-1, 2, -1), y, 0.5, "positive")
    assert row["loss"] < frame["loss"] and np.isnan(row["violation_frame"])
    assert row["means_rank"] == pytest.approx(2) and row["cosine"] == pytest.approx(-0.5)
    assert row["equal_products"] == pytest.approx(0, abs=1e-9)
    new = new_row(z, y, (z, z), y)
    assert new["error"] == 0 and new["rankme"] == pytest.approx(2)


def test_errors_on_new_images_are_of_features_and_the_rank_is_of_embeddings():
    z, y = map(torch.from_numpy, class_simplex([3, 3, 3], 2, 4))
    h = torch.eye(4).double()[y][:, None].expand(-1, 2, -1)
    one_point = torch.ones_like(z)  # a rank of 1, and nothing to tell classes apart by
    found = new_row(h, y, (h, z), y), new_row(h, y, (h, one_point), y)
    assert [row["rankme"] for row in found] == pytest.approx([2, 1])
    assert [row["error"] for row in found] == [0, 0]
    assert new_row(h, y, (one_point, z), y)["error"] > 0.5
