"""Each corruption against SciPy, Pillow, torchvision or the published formula, image by image."""

from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as reference

from supcon_theory import data
from supcon_theory.data import corruptions
from supcon_theory.data.corruptions import KINDS, corrupt
from supcon_theory.data.random import uniform
from supcon_theory.data.severities import AMOUNTS, SEVERITIES

N, SIZE = 5, 32
INDEX = np.array([3, 0, 7, 12_000, 41])


def images(channels: int = 1, size: int = SIZE) -> torch.Tensor:
    x = torch.rand(N, channels, size, size, generator=torch.Generator().manual_seed(channels))
    x[0, :, :4] = 0  # where no photon comes
    x[1, :, :4] = 1
    return x


def draws(kind: str, x: torch.Tensor) -> np.ndarray:
    count = KINDS[kind].draws(x[:1])
    return uniform(0, f"corruption/{kind}", 0, 0, INDEX, count)


def each(kind: str, channels: int = 1):
    """Images, their draws and every severity's amount, with what comes out: image by image."""
    x = images(channels)
    u = draws(kind, x)
    for amount in AMOUNTS[kind]:
        ours = KINDS[kind].apply(x.clone(), u, amount)
        assert ours.shape == x.shape
        for i in range(N):
            yield x[i].numpy(), u[i], amount, ours[i].numpy()


@pytest.mark.parametrize("channels", [1, 3])
def test_gaussian_noise_is_added_and_cut(channels):
    """To 1e-6: float32."""
    for x, u, amount, ours in each("gaussian noise", channels):
        noise = scipy.stats.norm.ppf(u).reshape(x.shape)
        np.testing.assert_allclose(ours, np.clip(x + amount * noise, 0, 1), atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_shot_noise_is_scipys_poisson(channels):
    """Counts are the same, exactly."""
    for x, u, amount, ours in each("shot noise", channels):
        count = scipy.stats.poisson.ppf(u, amount * x.astype(float).ravel()).reshape(x.shape)
        expected = np.clip(np.where(x > 0, count, 0) / amount, 0, 1)
        np.testing.assert_array_equal(ours, expected.astype(np.float32))


def test_impulse_noise_is_salt_and_pepper_in_equal_parts():
    for x, u, amount, ours in each("impulse noise", 3):
        u = u.reshape(x.shape)
        for at in np.ndindex(x.shape):
            salt, pepper = u[at] >= 1 - amount / 2, u[at] < amount / 2
            assert ours[at] == (1 if salt else 0 if pepper else x[at])


def test_gaussian_blur_is_scipys():
    """To 1e-6, in the published cut at four standard deviations; edges are mirrored."""
    for x, _, amount, ours in each("gaussian blur", 3):
        radius = int(np.ceil(4 * amount))
        for channel, found in zip(x, ours, strict=True):
            expected = scipy.ndimage.gaussian_filter(channel, amount, mode="mirror", radius=radius)
            np.testing.assert_allclose(found, expected, atol=1e-6)


def test_motion_blur_is_a_mean_along_a_line():
    """To 2e-5: SciPy interpolates in float64."""
    down, across = np.mgrid[:SIZE, :SIZE]
    for x, u, amount, ours in each("motion blur"):
        angle = np.deg2rad(-45 + 90 * u[0])
        steps = np.arange(2 * amount + 1) / 2 - amount / 2
        dy, dx = np.sin(angle), np.cos(angle)
        places = [[down + t * dy, across + t * dx] for t in steps]
        read = [scipy.ndimage.map_coordinates(x[0], p, order=1, mode="nearest") for p in places]
        np.testing.assert_allclose(ours[0], np.mean(read, axis=0), atol=2e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_contrast_is_torchvisions_and_of_grey_images_the_published(channels):
    for x, _, amount, ours in each("contrast", channels):
        expected = reference.adjust_contrast(torch.from_numpy(x), amount)
        np.testing.assert_allclose(ours, expected, atol=1e-6)
        if channels == 1:
            mean = x.mean(axis=(1, 2), keepdims=True)
            np.testing.assert_allclose(ours, np.clip((x - mean) * amount + mean, 0, 1), atol=1e-6)


def test_brightness_of_a_grey_image_is_its_value_in_hsv_moved():
    for x, _, amount, ours in each("brightness"):
        np.testing.assert_array_equal(ours, np.minimum(x + np.float32(amount), 1))


@pytest.mark.parametrize("size", [32, 48])
def test_pixelating_is_pillows_box_filter_there_and_back(size):
    """To 1e-6, Pillow in floats; blocks are kept by doing it again, and so is the mean.

    Of other sizes a pixel's centre can be the edge of a block, where Pillow shrinks one way and
    enlarges the other.
    """
    x = images(1, size)
    for amount in AMOUNTS["pixelate"]:
        ours = corruptions.pixelate(x, draws("pixelate", x), amount)
        m = int(size * amount)
        for image, found in zip(x, ours, strict=True):
            small = Image.fromarray(image[0].numpy(), "F").resize((m, m), Image.Resampling.BOX)
            back = np.asarray(small.resize((size, size), Image.Resampling.BOX))
            np.testing.assert_allclose(found[0], back, atol=1e-6)
        again = corruptions.pixelate(ours, draws("pixelate", x), amount)
        torch.testing.assert_close(again, ours, atol=1e-6, rtol=0)
        torch.testing.assert_close(ours.mean((1, 2, 3)), x.mean((1, 2, 3)), atol=1e-6, rtol=0)


def test_occlusion_is_one_square_of_one_level_at_any_place():
    for x, u, amount, ours in each("occlusion", 3):
        side = round(SIZE * amount**0.5)
        top, left = (int((SIZE + 1 - side) * draw) for draw in u[:2])
        expected = x.copy()
        expected[:, top : top + side, left : left + side] = np.float32(u[2])
        np.testing.assert_array_equal(ours, expected)
    x = images()
    corners = np.array([[0.0, 0.0, 0.5], [1 - 2**-53, 1 - 2**-53, 0.5]])
    first, last = corruptions.occlusion(x[:2], corners, 0.25)
    assert (first[0, 0, 0], last[0, -1, -1]) == (0.5, 0.5)
    assert (first == 0.5).sum() == (last == 0.5).sum() == (SIZE // 2) ** 2


def test_elastic_displaces_by_scipys_smooth_field():
    """To 1e-4: an interpolated pixel moves by the rounding of its place in float32."""
    sigma, half = SIZE / 8, int(3 * SIZE / 8)
    weight = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    scale = ((weight / weight.sum()) ** 2).sum()
    down, across = np.mgrid[:SIZE, :SIZE]
    for x, u, amount, ours in each("elastic"):
        noise = scipy.stats.norm.ppf(u).reshape(2, SIZE, SIZE)
        dx, dy = (
            amount / scale * scipy.ndimage.gaussian_filter(of, sigma, mode="mirror", radius=half)
            for of in noise
        )
        where = [down + dy, across + dx]
        expected = scipy.ndimage.map_coordinates(x[0], where, order=1, mode="nearest")
        np.testing.assert_allclose(ours[0], expected, atol=1e-4)


def test_elastic_displaces_by_the_amount_that_is_said():
    """Within 5 %, over 1500 images of a ramp, whose grey level says where a pixel was read."""
    ramp = (torch.arange(SIZE) / SIZE).expand(1500, 1, SIZE, SIZE).double()
    u = uniform(1, "ramp", 0, 0, np.arange(1500), 2 * SIZE * SIZE)
    moved = (corruptions.elastic(ramp, u, 1.0) - ramp)[..., 14:18, 14:18] * SIZE
    assert moved.square().mean().sqrt() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_worse_with_severity_and_a_function_of_seed_and_image(kind):
    split = data.load("glyphs").test
    rows = torch.arange(0, len(split), 500)
    x, index = split.images(rows), rows.numpy() + split.offset
    far = []
    for severity in range(1, SEVERITIES + 1):
        found = corrupt(x.clone(), index, kind, severity, 0)
        assert found.min() >= 0 and found.max() <= 1
        torch.testing.assert_close(found * 255, (found * 255).round(), atol=1e-3, rtol=0)
        far.append((found - x).square().mean().item())
        alone = torch.cat(
            [corrupt(x[i : i + 1], index[i : i + 1], kind, severity, 0) for i in (5, 0)]
        )
        torch.testing.assert_close(alone, found[[5, 0]], atol=1e-6 + 1 / 255, rtol=0)
    assert far == sorted(far) and far[0] > 0
    drawn = KINDS[kind].draws(x) > 0
    assert drawn == (not torch.equal(corrupt(x, index, kind, 3, 1), corrupt(x, index, kind, 3, 0)))


def test_what_is_corrupted_stays_as_it_was():
    for kind in KINDS:
        x = images()
        corrupt(x, INDEX, kind, 5, 0)
        assert torch.equal(x, images()), kind


@pytest.mark.parametrize("kind, severity", [("fog", 1), ("contrast", 0), ("contrast", 6)])
def test_an_unknown_kind_or_severity_is_refused(kind, severity):
    with pytest.raises(ValueError, match="fog" if kind == "fog" else f"severity is {severity}"):
        corrupt(images(), INDEX, kind, severity, 0)


def test_the_data_card_has_every_amount():
    card = (Path(__file__).parents[2] / "docs" / "data_card.md").read_text()
    for kind, amounts in AMOUNTS.items():
        assert f"| {kind} | {', '.join(map(str, amounts))} |" in card


def test_amounts_are_those_of_the_kinds_and_rise_or_fall():
    assert list(AMOUNTS) == list(KINDS)
    for amounts in AMOUNTS.values():
        assert len(amounts) == SEVERITIES
        assert list(amounts) in (sorted(amounts), sorted(amounts, reverse=True))
