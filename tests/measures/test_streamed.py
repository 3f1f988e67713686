"""Rows read in tiles: the numbers that there are in memory, whatever the tiles; no whole copies."""

import numpy as np
import pytest
import torch

from supcon_theory.measures import rows as row_module
from supcon_theory.measures import spectrum
from supcon_theory.measures.class_distances import cdnv, directional_cdnv
from supcon_theory.measures.class_geometry import geometry, streamed_geometry
from supcon_theory.measures.collapse import etf_deviation, nc1, within_class_variance
from supcon_theory.measures.moments import class_moments
from supcon_theory.measures.pair_moments import fourth_moments
from supcon_theory.measures.random_losses import random_losses
from supcon_theory.measures.rows import RandomRows, each_tile, unit_rows_of
from supcon_theory.measures.sampled_losses import sampled_losses
from supcon_theory.measures.streamed_moments import streamed_moments
from supcon_theory.objectives import OBJECTIVES


@pytest.fixture(params=[1, 97, 10**6])
def tile(request, monkeypatch):
    monkeypatch.setattr(row_module, "TILE_NUMBERS", request.param)


def blobs(K, N=60, d=7, C=5, kind="f8"):
    rng = np.random.default_rng(0)
    y = np.concatenate([np.arange(C), np.arange(C), rng.integers(0, C, N - 2 * C)])
    x = rng.normal(size=(N, K, d)) + 2 * rng.normal(size=(C, 1, d))[y]
    return x.astype(kind), torch.from_numpy(y)


def unit(x):
    return torch.nn.functional.normalize(torch.as_tensor(x, dtype=torch.float64), dim=-1)


@pytest.mark.parametrize("K", [1, 3])
def test_moments_and_what_is_made_of_them(tile, K):
    x, y = blobs(K)
    labelings = [y, y.flip(0)]
    found = streamed_moments(unit_rows_of(x), labelings)
    for of, streamed in zip(labelings, found, strict=True):
        plain = class_moments(unit(x), of)
        for name in ("samples", "means", "variances", "sample_variances", "augmentation", "sums"):
            torch.testing.assert_close(getattr(streamed, name), getattr(plain, name))
        for measure in (cdnv, directional_cdnv):
            torch.testing.assert_close(
                measure(streamed).pairs, measure(plain).pairs, equal_nan=True
            )
        for measure in (nc1, etf_deviation, within_class_variance):
            assert measure(streamed).value == pytest.approx(measure(plain).value)
        with pytest.raises(ValueError, match="streamed"):
            fourth_moments(streamed)


def test_close_means_and_collapsed_classes_lose_no_digits(tile):
    """A tight class far from the origin, and two means that nearly coincide."""
    rng = np.random.default_rng(0)
    y = torch.arange(3).repeat(20)
    centre = np.eye(3, 6) + 5
    centre[1] = centre[0] + 1e-5 * rng.normal(size=6)
    x = centre[y.numpy()][:, None] + 1e-7 * rng.normal(size=(60, 1, 6))
    streamed, plain = streamed_moments(unit_rows_of(x), [y])[0], class_moments(unit(x), y)
    torch.testing.assert_close(streamed.variances, plain.variances, rtol=1e-6, atol=0)
    ours, theirs = (directional_cdnv(m).pairs for m in (streamed, plain))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=0, equal_nan=True)


@pytest.mark.parametrize("K", [1, 2])
def test_geometry_and_spectrum(tile, K):
    x, y = blobs(K)
    source, z = unit_rows_of(x), unit(x)
    plain, centred = spectrum.streamed_singular_values(source)
    for ours, centre in ((plain, False), (centred, True)):
        torch.testing.assert_close(ours, spectrum.singular_values(z, centred=centre))
    found = streamed_geometry(source, streamed_moments(source, [y])[0], plain, 0)
    assert found == pytest.approx(geometry(z, y), nan_ok=True)


def test_rows_without_views_are_those_of_one_view():
    x, _ = blobs(1)
    flat, of_views = unit_rows_of(x[:, 0]), unit_rows_of(x[:, :1])
    assert torch.equal(flat.tile(slice(2, 5)), of_views.tile(slice(2, 5)))
    assert torch.equal(flat.at(np.array([4, 1])), of_views.at(np.array([4, 1])))


@pytest.mark.parametrize("K", [1, 2, 3])
def test_losses_of_drawn_anchors_are_those_of_the_objectives(tile, K):
    x, y = blobs(K)
    source, z, labelings = unit_rows_of(x), unit(x), [y, y.flip(0)]
    anchors = np.array([0, 5, 5, 60 * K - 1, 17])
    sums = [m.sums for m in streamed_moments(source, labelings)]
    done = []
    found = sampled_losses(source, labelings, sums, anchors, [1.0, 0.2, 0.01], done.append)
    assert done[-1] == 1 and done == sorted(done)
    for of, by_tau in zip(labelings, found, strict=True):
        assert list(by_tau) == [1.0, 0.2, 0.01]
        for tau, losses in by_tau.items():
            expected = {
                name: OBJECTIVES[name](z, of, tau=tau, reduction="none").flatten()[anchors].numpy()
                for name in ("dcl", "nscl", "supcon")
            }
            for name, values in expected.items():
                assert getattr(losses, name) == pytest.approx(values, rel=1e-9), (name, tau)
            assert losses.gap == pytest.approx(expected["dcl"] - expected["nscl"], abs=1e-9)
    with pytest.raises(ValueError, match=r"tau is 0\.001"):
        sampled_losses(source, labelings, sums, anchors, [1.0, 0.001])


def test_a_class_of_one_row_has_no_positive():
    x, y = blobs(1)
    y = y + 1
    y[3] = 0
    source = unit_rows_of(x)
    found = sampled_losses(
        source, [y], [streamed_moments(source, [y])[0].sums], np.arange(60), [1.0]
    )
    losses = found[0][1.0]
    assert np.isnan(losses.supcon[3]) and np.isfinite(np.delete(losses.supcon, 3)).all()
    assert losses.gap[3] == 0


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, ">f4"])
def test_a_memory_map_is_read_and_never_copied_whole(tmp_path, kind):
    x = blobs(2, kind=kind)[0]
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    source = unit_rows_of(mapped)
    assert source.given is mapped
    rows = torch.cat([part for _, part in each_tile(source)])
    torch.testing.assert_close(rows.double(), unit(x.astype("f8")), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(source.at(np.array([3, 3, 59])), rows[[3, 3, 59]])
    norms = np.linalg.norm(x.astype("f8"), axis=-1)
    assert source.norms.numpy() == pytest.approx(norms)


def test_bad_rows_are_named_by_their_number_in_the_whole(tile):
    x, _ = blobs(2)
    x[41, 1] = 0
    with pytest.raises(ValueError, match=r"row \[41, 1\]"):
        unit_rows_of(x)
    x[33, 0, 2] = np.nan
    with pytest.raises(ValueError, match=r"first in 33"):
        unit_rows_of(x)
    with pytest.raises(ValueError, match="float32 does not hold"):
        unit_rows_of(np.full((3, 2), 1e300))
    with pytest.raises(ValueError, match="shape"):
        unit_rows_of(x[0, 0])
    with pytest.raises(TypeError, match="complex"):
        unit_rows_of(x.astype(complex))


def test_random_rows_are_the_same_each_time_and_have_no_direction():
    source = RandomRows((3000, 2, 8), 3)
    first, again = (torch.cat([x for _, x in each_tile(source)]) for _ in range(2))
    assert torch.equal(first, again)
    assert (first.norm(dim=-1) - 1).abs().max() < 1e-6
    assert first.mean((0, 1)).norm() < 0.05
    cosines = torch.einsum("nd,nd->n", first[:, 0], first[:, 1])
    assert cosines.mean().abs() < 0.03 and cosines.var() == pytest.approx(1 / 8, rel=0.1)
    assert not torch.equal(
        first[0], torch.cat([x for _, x in each_tile(RandomRows((9, 2, 8), 4))])[0]
    )


def test_an_anchor_alone_in_its_class_has_no_supcon_loss_among_random_directions():
    sizes = np.array([1] * 40 + [2] * 80)
    alone, pair = (random_losses((200, K, 3), sizes, 0.3, 0).supcon for K in (1, 2))
    assert 0 < np.isnan(alone).mean() < 0.5 and np.isfinite(alone[~np.isnan(alone)]).all()
    assert np.isfinite(pair).all()  # its other view is a positive


@pytest.mark.parametrize(("K", "d"), [(1, 6), (2, 3)])
def test_losses_of_random_directions_are_those_of_random_rows(K, d):
    counts, tau = np.array([300, 150, 50]), 0.3
    found = random_losses((500, K, d), counts, tau, 0)
    z = torch.cat([x for _, x in each_tile(RandomRows((500, K, d), 0))])
    y = torch.arange(3).repeat_interleave(torch.from_numpy(counts))
    for name in ("dcl", "nscl", "supcon"):
        expected = OBJECTIVES[name](z, y, tau=tau).item()
        assert getattr(found, name).mean() == pytest.approx(expected, abs=0.1), name
