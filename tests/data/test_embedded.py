"""The embedded characters: shapes, packing, nuisance, offsets."""

import csv
from importlib.resources import files

import numpy as np
import pytest
import torch

from supcon_theory.data import embedded, load, nuisance

EXPECTED = {"glyphs": (300, 160, 40), "kanji": (1000, 44, 12)}
SETS = {name: load(name) for name in EXPECTED}


def _stored(name: str) -> dict:
    path = files("supcon_theory.data") / "files" / f"{name}.npz"
    with np.load(path, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_set_has_its_classes_and_images(name):
    C, train, test = EXPECTED[name]
    data = SETS[name]
    assert (data.channels, data.size, data.flips, len(set(data.classes))) == (1, 32, False, C)
    assert torch.bincount(data.train.labels).tolist() == [train] * C
    assert torch.bincount(data.test.labels).tolist() == [test] * C
    assert data.train.labels.dtype == torch.int64
    assert (data.train.offset, data.test.offset) == (0, C * train)


def test_unpacking_puts_the_high_nibble_first():
    packed = np.array([[0xA1, 0x0F]], np.uint8)
    assert embedded.unpack(packed).tolist() == [[10 * 17, 17, 0, 255]]


@pytest.mark.parametrize("name", EXPECTED)
def test_clean_images_are_the_stored_pixels_one_by_one(name):
    stored, clean = _stored(name), embedded.load(name, clean=True)
    each = stored["x_test"].shape[1]
    for row in (0, 3 * each + 5):
        image = clean.test.images([row])[0, 0]
        packed = stored["x_test"][row // each, row % each]
        for i in (0, 13, 31):
            for j in range(32):
                byte = int(packed[i, j // 2])
                level = byte // 16 if j % 2 == 0 else byte % 16
                assert image[i, j].item() == np.float32(level * 17) / np.float32(255)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_image_has_the_same_bits_in_every_request(name):
    split, again = SETS[name].train, load(name).train
    rows = torch.arange(0, len(split), len(split) // 600)
    whole = split.images(rows)
    assert whole.shape == (len(rows), 1, 32, 32) and whole.dtype == torch.float32
    assert whole.min() >= 0 and whole.max() <= 1
    some = torch.tensor([599, 3, 77])
    assert torch.equal(again.images(rows[some]), whole[some])
    assert torch.equal(again.images(rows[:1]), whole[:1])
    assert split.images(rows[:0]).shape == (0, 1, 32, 32)


@pytest.mark.parametrize("part", ["train", "test"])
def test_the_nuisance_is_keyed_by_the_index_in_the_whole_data_set(part):
    noisy = getattr(SETS["glyphs"], part)
    clean = getattr(embedded.load("glyphs", clean=True), part)
    rows = torch.tensor([0, 17, 4001])
    expected = nuisance.distort(clean.images(rows), rows.numpy() + noisy.offset, "nuisance/glyphs")
    assert torch.equal(noisy.images(rows), expected)


def test_background_foreground_and_noise_are_as_documented():
    index = np.arange(2000)
    empty = nuisance.distort(torch.zeros(2000, 1, 32, 32), index, "s")
    # the mean of uniform levels up to .3; a level's neighbour differs by the noise
    assert abs(empty.mean() - 0.15) < 0.005 and empty.max() < 0.55
    full = nuisance.distort(torch.ones(2000, 1, 32, 32), index, "s")[:, 0, 16, 16]
    assert abs(full.mean() - 0.725) < 0.02 and full.min() > 0.45 - 0.15
    rough = empty[:, 0, :, 1:-1] - (empty[:, 0, :, :-2] + empty[:, 0, :, 2:]) / 2
    inner = rough[empty[:, 0, :, 1:-1] > 0.15]  # away from the cut at 0
    assert abs(inner.std() / 1.5**0.5 - 0.03) < 0.003


def test_the_placement_is_the_chain_of_its_parts():
    """Forward, in pixels: stretch, then 1 / inverse scale, then shear, rotation, shift."""
    draws = np.random.default_rng(0).uniform(-1, 1, (40, 6))
    for u, matrix in zip(draws, nuisance.placement(draws, 32), strict=True):
        a, shear = np.deg2rad(15 * u[0]), 0.2 * u[3]
        aspect = np.exp(0.15 * u[2])  # the inverse width over the inverse height
        stretch = np.diag([aspect**-0.5, aspect**0.5])
        turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
        forward = turn @ [[1, -shear], [0, 1]] @ stretch / (1.15 + 0.2 * u[1])
        place = np.random.default_rng(1).uniform(-16, 16, 2)  # pixels from the centre
        back = (matrix[:, :2] @ (place / 16) + matrix[:, 2]) * 16
        np.testing.assert_allclose(forward @ back + 3 * u[4:], place, atol=1e-12)


def test_the_distortion_uses_the_whole_range_of_the_shift():
    dot = torch.zeros(1, 1, 32, 32)
    dot[..., 12:20, 12:20] = 1.0
    x = nuisance.distort(dot.expand(1500, -1, -1, -1), np.arange(1500), "s")[:, 0]
    ink = (x > 0.4).double()  # the least foreground is .45, the lightest background about .3
    t = torch.arange(32) - 15.5
    mass = ink.sum((1, 2))
    centre = torch.stack([(ink * t).sum((1, 2)) / mass, (ink * t[:, None]).sum((1, 2)) / mass], 1)
    assert centre.mean(0).abs().max() < 0.15
    assert (centre.std(0) - 3 / 3**0.5).abs().max() < 0.12
    assert centre.abs().quantile(0.99) < 3.3


def test_rows_that_do_not_exist_are_refused():
    for rows in ([48000], [-1], [[0]]):
        with pytest.raises(ValueError, match="from 0 to 47999"):
            SETS["glyphs"].train.images(rows)


def test_every_package_is_listed_with_a_licence():
    with (files("supcon_theory.data") / "files" / "packages.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    fonts = [row for row in rows if row["package"].startswith("fonts-")]
    assert len(rows) >= 198 and fonts and all(row["licence"] and row["version"] for row in rows)
