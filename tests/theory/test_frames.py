"""The orthogonal frame: a floor of SupCon for rows without a negative entry, and attained."""

import numpy as np
import pytest
import torch

from supcon_theory.audits.frames import DESIGNS, batches_frame_audit, frame_audit, prototypes_audit
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.frames import frame_minimum
from supcon_theory.theory.simplex import labels_of


@pytest.mark.parametrize("counts", [[3, 3, 3], [9, 2, 2], [2, 5]])
@pytest.mark.parametrize("K", [1, 2])
def test_the_frame_has_the_minimum_and_rows_without_negative_entries_are_not_below(counts, K):
    y, tau = torch.from_numpy(labels_of(counts)), 0.4
    least = frame_minimum(counts, K, tau)
    frame = torch.eye(len(counts), dtype=torch.float64)[y][:, None].expand(-1, K, -1)
    assert float(OBJECTIVES["supcon"](frame, y, tau=tau)) == pytest.approx(least, abs=1e-12)
    for seed in range(20):
        noise = torch.rand(len(y), K, len(counts), generator=torch.Generator().manual_seed(seed))
        z = torch.nn.functional.normalize(frame + (0.01, 0.3, 9.0)[seed % 3] * noise, dim=-1)
        assert float(OBJECTIVES["supcon"](z, y, tau=tau)) > least


def test_signs_are_needed_to_be_below_the_frame():
    (free,) = frame_audit("supcon", (4, 2), "sphere", 0.5, 1)
    (frame,) = frame_audit("supcon", (4, 2), "not negative", 0.5, 1)
    assert free["loss"] < frame["loss"] - 0.1 and frame["frame_error"] < 1e-6
    assert free["most_cosine"] == pytest.approx(-1, abs=1e-5)


@pytest.mark.parametrize("design", DESIGNS)
def test_one_frame_needs_a_shared_image(design):
    rows = batches_frame_audit(design, "not negative", 0.5, 2)
    best = min(rows, key=lambda row: row["loss"])
    assert best["excess"] == pytest.approx(0, abs=1e-8)
    assert (best["frame_error"] < 1e-5) == (design == "bound")


def test_fixed_batches_hold_every_image_and_none_twice_at_a_time():
    for design, batches in DESIGNS.items():
        assert all(len(set(some)) == len(some) for batch in batches for some in batch.values())
        for c in range(4):
            images = [image for batch in batches for image in batch.get(c, ())]
            assert set(images) == set(range(4)), (design, c)
        shared = set(batches[0]) & set(batches[1])
        assert (design == "apart") == (not shared)


def test_prototypes_give_the_last_dimension_back():
    rows = prototypes_audit(3, 2, 0.5, (0.0, 1.0), 1)
    assert [row["means_rank"] for row in rows] == [2, 3]
    assert [row["rank_error"] for row in rows] == [0, 0]


def test_a_class_of_one_row_is_refused():
    with pytest.raises(ValueError, match="another row"):
        frame_minimum([3, 1], 1, 0.5)


def test_uniform_directions_are_at_no_distance_from_the_law_of_their_cosines():
    from supcon_theory.measures import wasserstein_uniformity

    z = np.random.default_rng(0).standard_normal((900, 1, 6))
    assert wasserstein_uniformity(z).value < 0.01
    assert wasserstein_uniformity(z * 7).value == pytest.approx(wasserstein_uniformity(z).value)
    one = np.ones((50, 1, 6))
    law = np.random.default_rng(1).standard_normal((2, 200_000, 6))
    law /= np.linalg.norm(law, axis=-1, keepdims=True)
    cosines = (law[0] * law[1]).sum(-1)
    assert wasserstein_uniformity(one).value == pytest.approx((1 - cosines).mean(), abs=0.01)
    assert np.isnan(wasserstein_uniformity(z[:1]).value)
    assert np.isnan(wasserstein_uniformity(z[..., :1]).value)
