"""What is measured of encoders trained on views of any strength."""

import numpy as np
import torch

from supcon_theory.audits.accuracy import training_row
from supcon_theory.audits.augmentation import measured_rows, progress_row
from supcon_theory.audits.gap import gap_audit


def rows(n: int, seed: int, noise: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Two views of three classes on the corners of a simplex."""
    y = torch.arange(3).repeat_interleave(n)
    drawn = torch.from_numpy(np.random.default_rng(seed).normal(size=(3 * n, 2, 3)))
    z = torch.eye(3, dtype=torch.float64)[y][:, None] + noise * drawn
    return torch.nn.functional.normalize(z, dim=-1), y


def test_errors_are_those_of_h_and_gap_and_geometry_those_of_views():
    (x, y), (new, of_new), (z, _) = rows(8, 0, 0.5), rows(9, 1, 0.5), rows(9, 2, 0.2)
    found = measured_rows((x[:, 0], y), (new[:, 0], of_new), (z, of_new), (1.0, 0.5), seed=0)
    h, of_z = ([row for row in found if row["layer"] == layer] for layer in "hz")
    assert {row["probe"] for row in h} == {"linear", "nearest centre", "neighbours"}
    assert {row["m"] for row in h} == {8}
    means = torch.stack([x[y == c, 0].mean(0) for c in range(3)])
    nearest = torch.cdist(new[:, 0], means).argmin(1)
    (centre,) = [row["error"] for row in h if row["probe"] == "nearest centre"]
    assert np.isclose(centre, (nearest != of_new).double().mean())
    assert [row["tau"] for row in of_z] == [1.0, 0.5]
    for row, plain in zip(of_z, gap_audit(z, of_new, (1.0, 0.5)), strict=True):
        assert row["gap"] == plain["gap"] and row["r"] == plain["r"]
        varies = (z - z.mean(1, keepdim=True)).square().sum(-1).mean()
        assert np.isclose(row["augmentation_variance"], varies)


def test_progress_is_that_of_the_views_trained_on_and_unknown_where_images_are_mixed():
    z, y = rows(8, 0, 0.2)
    row = progress_row(z, y, "supcon", 0.5)
    assert row == training_row(z, y, "supcon", 0.5, {}) | {"own_variance": row["own_variance"]}
    assert row["own_variance"] > 0 and 0 < row["left"] < 1
    still = z[:, :1].expand_as(z)
    assert progress_row(still, y, "supcon", 0.5)["own_variance"] == 0
    mixed = progress_row(z, y, "supcon", 0.5, "mixup")
    assert mixed.pop("own_variance") == row["own_variance"] and np.isnan(list(mixed.values())).all()
