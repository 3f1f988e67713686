"""Characters with two labels, and stripes over any images."""

import numpy as np
import pytest
import torch

from supcon_theory.data import coarser, embedded
from supcon_theory.data.dataset import DataSet, Split
from supcon_theory.data.stripes import ANGLES, PERIOD, angles, striped
from supcon_theory.data.subclasses import hierarchy


def test_every_class_has_as_many_characters_and_images_and_they_are_the_stored_ones():
    chosen = [5, 1, 3]
    found = hierarchy("glyphs:script", chosen, 3, 4, seed=1)
    of_character, stored = coarser.classes("glyphs:script").of_character, embedded.load("glyphs")
    for split, of in found.items():
        assert of.images.shape == (3 * 3 * 4, 1, 32, 32)
        assert (of_character[of.characters] == of.classes).all()
        assert list(dict.fromkeys(of.classes)) == chosen
        assert set(np.unique(of.characters, return_counts=True)[1]) == {4}
        rows = torch.nonzero(getattr(stored, split).labels == int(of.characters[0])).flatten()[:4]
        assert torch.equal(getattr(stored, split).images(rows), of.images[:4])
    assert (found["train"].characters == found["test"].characters).all()
    other = hierarchy("glyphs:script", chosen, 3, 4, seed=2)
    assert (other["test"].characters != found["test"].characters).any()


def grey(N: int, channels: int = 1, size: int = 32) -> DataSet:
    def split(offset: int) -> Split:
        level = torch.full((N, channels, size, size), 0.4)
        stored = np.zeros((N, channels, size, size), np.uint8)
        return Split(torch.arange(N) % 2, offset, lambda rows: level[rows].clone(), stored)

    return DataSet("grey", channels, ("a", "b"), split(0), split(N), flips=False)


@pytest.mark.parametrize("channels", [1, 3])
def test_stripes_are_a_wave_of_their_angle_and_leave_the_rest(channels):
    dataset = striped(grey(40, channels), 0.3)
    rows = torch.tensor([7, 2, 31])
    images = dataset.train.images(rows)
    assert images.shape == (3, channels, 32, 32) and 0 <= images.min() <= images.max() <= 1
    wave = (images - 0.7 * 0.4) / 0.3  # sin^2 around 1/2
    assert -1e-5 < wave.min() < 0.05 and 0.95 < wave.max() < 1 + 1e-5
    for image, number in zip(wave[:, 0], angles(dataset.train, rows), strict=True):
        power = torch.fft.fft2(image - image.mean()).abs()
        down, across = divmod(int(power.argmax()), 32)
        wanted = np.pi / ANGLES * number
        down, across = (k - 32 if k > 16 else k for k in (down, across))
        assert np.hypot(down, across) == pytest.approx(32 / PERIOD, abs=0.8)
        turned = np.arctan2(down, across) - wanted
        assert abs((turned + np.pi / 2) % np.pi - np.pi / 2) < np.pi / ANGLES / 2


def test_angles_are_drawn_evenly_by_the_image_alone():
    data = grey(4000)
    every = angles(data.train, torch.arange(4000))
    assert set(every) == set(range(ANGLES))
    assert np.bincount(every).min() > 400
    assert (every[[5, 9]] == angles(data.train, torch.tensor([5, 9]))).all()
    assert (angles(data.test, torch.arange(4000)) != every).any()
    both = striped(data, 0.5)
    assert torch.equal(
        both.train.images(torch.tensor([3, 1]))[1], both.train.images(torch.tensor([1]))[0]
    )


def test_no_contrast_leaves_the_data_as_they_are_and_some_takes_the_stored_levels_away():
    data = grey(4)
    assert striped(data, 0.0) is data
    assert striped(data, 0.5).train.levels is None
