"""Each elementary operation against torchvision's functional one, image by image."""

import math

import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as reference

from supcon_theory.data import colour, filters, geometry

N, SIZE = 12, 32
DRAW = np.random.default_rng(0)


def _images(channels: int) -> torch.Tensor:
    return torch.rand(N, channels, SIZE, SIZE, generator=torch.Generator().manual_seed(channels))


@pytest.mark.parametrize("channels", [1, 3])
def test_affine_is_torchvisions(channels):
    """To 2e-5: both interpolate in float32, at coordinates computed in another order."""
    x = _images(channels)
    angle, shear_x, shear_y = DRAW.uniform(-40, 40, (3, N))
    scale, tx, ty = DRAW.uniform(0.6, 1.6, N), *DRAW.integers(-6, 7, (2, N))
    a, sx, sy = map(np.deg2rad, (angle, shear_x, shear_y))
    ours = geometry.warp(x, geometry.affine(a, tx, ty, scale, sx, sy, SIZE))
    for i in range(N):
        expected = reference.affine(
            x[i : i + 1],
            angle[i],
            [tx[i], ty[i]],
            scale[i],
            [shear_x[i], shear_y[i]],
            InterpolationMode.BILINEAR,
        )
        torch.testing.assert_close(ours[i : i + 1], expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_crop_is_torchvisions_resized_crop(channels):
    """To 2e-5 where the four pixels read lie inside the crop.

    In the half-pixel frame around, torchvision repeats the crop's edge and we read the image beyond
    it, as a fused resampling must; there the test cuts a crop whose surroundings repeat its edge.
    """
    x = _images(channels)
    for i in range(N):
        height, width = DRAW.integers(8, SIZE - 2, 2)
        top, left = DRAW.integers(1, SIZE - height), DRAW.integers(1, SIZE - width)
        inside = x[i : i + 1, :, top : top + height, left : left + width]
        around = (left, SIZE - left - width, top, SIZE - top - height)
        image = torch.nn.functional.pad(inside, [int(p) for p in around], mode="replicate")
        expected = reference.resized_crop(
            x[i : i + 1], top, left, height, width, [SIZE, SIZE], antialias=True
        )
        matrix = geometry.crop(top, left, height, width, SIZE)
        torch.testing.assert_close(geometry.warp(image, matrix), expected, atol=2e-5, rtol=0)
        frame = [math.ceil(SIZE / 2 / side) for side in (height, width)]
        middle = (..., slice(frame[0], -frame[0]), slice(frame[1], -frame[1]))
        ours = geometry.warp(x[i : i + 1], matrix)
        torch.testing.assert_close(ours[middle], expected[middle], atol=2e-5, rtol=0)


def test_mirror_is_torchvisions_flip():
    x, flip = _images(3), np.arange(N) % 2 == 0
    ours = geometry.warp(x, geometry.mirror(flip))
    expected = torch.where(torch.tensor(flip)[:, None, None, None], reference.horizontal_flip(x), x)
    torch.testing.assert_close(ours, expected, atol=2e-5, rtol=0)


def test_a_composed_map_is_one_map_after_the_other():
    """On points, exactly: output point p comes from first(second(p)) of the input."""
    first = geometry.affine(*DRAW.uniform(-0.5, 0.5, (3, N)), np.full(N, 1.2), 0.2, 0.1, SIZE)
    second = geometry.crop(3.5, 2.0, DRAW.uniform(10, 20, N), 15.0, SIZE)
    p = DRAW.uniform(-1, 1, (N, 2))

    def move(m, q):
        return np.einsum("nij,nj->ni", m[:, :, :2], q) + m[:, :, 2]

    np.testing.assert_allclose(
        move(geometry.compose(first, second), p), move(first, move(second, p)), atol=1e-14
    )


def test_a_composed_warp_crops_the_rotated_image():
    """On a smooth image, where resampling twice is nearly resampling once."""
    t = torch.linspace(0, 3, SIZE)
    x = (0.5 + 0.4 * torch.sin(t)[:, None] * torch.cos(t)).expand(1, 1, SIZE, SIZE).contiguous()
    turn = geometry.affine(0.2, 1.0, -1.0, 1.0, 0.1, 0.0, SIZE)
    cut = geometry.crop(8, 8, 14, 17, SIZE)
    twice = geometry.warp(geometry.warp(x, turn), cut)
    once = geometry.warp(x, geometry.compose(turn, cut))
    torch.testing.assert_close(once, twice, atol=3e-3, rtol=0)


@pytest.mark.parametrize(
    "name, channels",
    [("brightness", 1), ("brightness", 3), ("contrast", 1), ("contrast", 3), ("saturation", 3),
     ("hue", 3)],
)  # fmt: skip
def test_colour_is_torchvisions(name, channels):
    """To 1e-6, hue to 1e-5 (another formula for the same colour)."""
    x = _images(channels)
    x[0] = 0.3  # grey: no hue
    factor = torch.tensor(DRAW.uniform(*((-0.5, 0.5) if name == "hue" else (0, 2)), N)).float()
    ours = getattr(colour, f"adjust_{name}")(x, factor)
    for i in range(N):
        expected = getattr(reference, f"adjust_{name}")(x[i], factor[i].item())
        atol = 1e-5 if name == "hue" else 1e-6
        torch.testing.assert_close(ours[i], expected, atol=atol, rtol=0)


def test_luminance_is_torchvisions_grayscale():
    x = _images(3)
    expected = reference.rgb_to_grayscale(x)
    torch.testing.assert_close(colour.luminance(x), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("taps", [3, 5, 9])
def test_blur_is_torchvisions(taps, channels):
    """To 1e-6: the same sums in another order."""
    x, sigma = _images(channels), torch.linspace(0.2, 3, N)
    ours = filters.gaussian_blur(x, sigma, taps)
    for i in range(N):
        expected = reference.gaussian_blur(x[i], [taps, taps], [sigma[i].item()] * 2)
        torch.testing.assert_close(ours[i], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("taps", [4, 65])
def test_blur_refuses_an_even_or_too_long_kernel(taps):
    with pytest.raises(ValueError, match=f"taps is {taps}"):
        filters.gaussian_blur(_images(1), torch.ones(N), taps)


@pytest.mark.parametrize("channels", [1, 3])
def test_erase_is_torchvisions(channels):
    x = _images(channels)
    height, width = torch.tensor(DRAW.integers(1, 12, (2, N)))
    top, left = torch.tensor(DRAW.integers(0, 20, (2, N)))
    value = torch.rand(N, generator=torch.Generator().manual_seed(0))
    ours = filters.erase(x, top, left, height, width, value)
    for i in range(N):
        box = [v[i].item() for v in (top, left, height, width)]
        expected = reference.erase(x[i], *box, value[i].expand(channels, box[2], box[3]))
        assert torch.equal(ours[i], expected)


def test_the_veil_is_a_bicubically_enlarged_light():
    """To 1e-6 against torchvision's bicubic resize."""
    x, levels = _images(1), torch.rand(N, 4, 4, generator=torch.Generator().manual_seed(1))
    light = reference.resize(levels, [SIZE, SIZE], InterpolationMode.BICUBIC, antialias=False)
    torch.testing.assert_close(filters.enlarge(levels, SIZE)[:, 0], light, atol=1e-6, rtol=0)
    expected = (x + (1 - x) * light[:, None]).clamp(0, 1)
    torch.testing.assert_close(filters.veil(x, levels), expected, atol=1e-6, rtol=0)
