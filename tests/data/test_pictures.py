"""What a picture file says, as a viewer shows it; one reason in words for what cannot be read."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from supcon_theory.data import pictures

RNG = np.random.default_rng(0)
RAMP = np.tile(np.linspace(0, 1, 32), (32, 1))


def _saved(image: Image.Image, kind: str, **options) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def _levels(x: np.ndarray) -> np.ndarray:
    return x / 255 if x.dtype == np.uint8 else x


@pytest.mark.parametrize(
    "image, kind, deep",
    [
        (Image.fromarray(np.rint(RAMP * 255).astype(np.uint8)), "PNG", False),
        (Image.fromarray(np.rint(RAMP * 255).astype(np.uint8)).convert("RGB"), "WEBP", False),
        (Image.fromarray(np.rint(RAMP * 65535).astype(np.uint16)), "PNG", True),
        (Image.fromarray(np.rint(RAMP * 65535).astype(np.uint16)), "TIFF", True),
        (Image.fromarray(np.rint(RAMP * 65535).astype(">u2")), "TIFF", True),
        (Image.fromarray(np.rint(RAMP * 65535).astype(np.uint16)), "PPM", True),
        (Image.fromarray(np.rint(RAMP * 65535).astype(np.uint16)), "JPEG2000", True),
        (Image.fromarray(np.rint(RAMP * (2**31 - 1)).astype(np.int32)), "TIFF", True),
        (Image.fromarray(RAMP.astype(np.float32)), "TIFF", True),
    ],
)
def test_grey_levels_count_by_the_full_scale_of_their_type(image, kind, deep):
    file = _saved(image, kind, **({"lossless": True} if kind == "WEBP" else {}))
    assert pictures.header(file) == deep
    x = pictures.colours(file)
    assert x.shape == (3, 32, 32) and x.dtype == (np.float32 if deep else np.uint8)
    step = 0.51 / (65535 if deep else 255)
    np.testing.assert_allclose(_levels(x), np.broadcast_to(RAMP, (3, 32, 32)), atol=step)


def test_unsigned_whole_numbers_of_32_bits_reach_twice_as_far():
    x = np.rint(RAMP * (2**32 - 1)).astype(np.uint32)
    image = Image.fromarray(x.view(np.int32))
    signed, unsigned = (struct.pack("<HHIH", 339, 3, 1, kind) for kind in (2, 1))  # SampleFormat
    file = io.BytesIO(_saved(image, "TIFF").read().replace(signed, unsigned))
    np.testing.assert_allclose(pictures.colours(file)[0], RAMP, atol=1e-6)


@pytest.mark.parametrize(
    "pixels, reason",
    [
        (RAMP.astype(np.float32) * 255, "floats go from 0 to 255"),
        (RAMP.astype(np.float32) - 0.5, "floats go from -0.5 to 0.5"),
        (np.full((32, 32), np.nan, np.float32), "floats are NaN or infinite"),
        ((RAMP * 65535).astype(np.int32), "whole numbers go from 0 to 65535"),
        ((RAMP * -(10**6)).astype(np.int32), "whole numbers go from -1000000 to 0"),
    ],
)
def test_numbers_without_a_known_scale_are_refused(pixels, reason):
    with pytest.raises(ValueError, match=reason):
        pictures.colours(_saved(Image.fromarray(pixels), "TIFF"))


@pytest.mark.parametrize("mode", ["RGB", "I;16"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_shown_as_it_was_seen(mode, kind, orientation):
    """EXIF 2.3, table 6: where the first row and the first column of the stored picture lie."""
    seen = np.zeros((32, 32))
    seen[:8], seen[:, :4] = 0.4, 1.0
    to_stored = {
        1: seen, 2: seen[:, ::-1], 3: seen[::-1, ::-1], 4: seen[::-1],
        5: seen.T, 6: seen.T[::-1], 7: seen[::-1, ::-1].T, 8: seen.T[:, ::-1],
    }[orientation]  # fmt: skip
    full, dtype = (255, np.uint8) if mode == "RGB" else (65535, np.uint16)
    image = Image.fromarray(np.rint(to_stored * full).astype(dtype))
    image = image.convert("RGB") if mode == "RGB" else image
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"tiffinfo": exif} if kind == "TIFF" else {"exif": exif}
    x = _levels(pictures.colours(_saved(image, kind, **options)))
    np.testing.assert_allclose(x[0], seen, atol=1 / 255)


def test_a_damaged_orientation_is_none():
    image = Image.fromarray(np.rint(RAMP * 255).astype(np.uint8))
    file = _saved(image, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(40), quality=100)
    np.testing.assert_allclose(_levels(pictures.colours(file))[0], RAMP, atol=0.02)


def _ink(colour, alpha: np.ndarray, hidden=(0, 0, 0)) -> Image.Image:
    """A drawing in one colour; where nothing is drawn there is another colour, not to be seen."""
    x = np.zeros((32, 32, 4), np.uint8)
    x[..., :3] = np.where(alpha[..., None] > 0, colour, hidden)
    x[..., 3] = alpha
    return Image.fromarray(x)


ALPHA = np.zeros((32, 32), np.uint8)
ALPHA[8:24, 8:24] = np.linspace(40, 255, 16)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    "colour, paper",
    [((0, 0, 0), 1), ((200, 60, 30), 1), ((255, 255, 255), 0), ((250, 255, 240), 0)],
)
def test_a_drawing_in_the_alpha_channel_survives(kind, colour, paper):
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    found = [
        pictures.colours(_saved(_ink(colour, ALPHA, hidden), kind, **options))
        for hidden in ((0, 0, 0), (255, 255, 255), (9, 200, 77))
    ]
    a = ALPHA / 255
    for channel, level in enumerate(colour):
        expected = a * level / 255 + (1 - a) * paper
        np.testing.assert_allclose(_levels(found[0])[channel], expected, atol=1 / 255)
    assert all(np.array_equal(other, found[0]) for other in found)


def test_nothing_drawn_is_white_paper():
    assert (pictures.colours(_saved(_ink((0, 0, 0), 0 * ALPHA), "PNG")) == 255).all()


@pytest.mark.parametrize("mode", ["LA", "PA", "P", "L", "RGB", "1"])
def test_every_kind_of_transparency_lies_on_white(mode):
    """A black square, and around it what is transparent and would be black too if it were drawn."""
    drawn = np.zeros((32, 32), bool)
    drawn[8:24, 8:24] = True
    alpha = Image.fromarray(np.where(drawn, 255, 0).astype(np.uint8))
    options = {}
    if mode in ("LA", "PA"):
        image = Image.merge("LA", (Image.new("L", (32, 32)), alpha))
    elif mode == "P":  # two entries of the palette are black, one of them is transparent
        image = Image.fromarray(drawn.astype(np.uint8), "P")
        image.putpalette([0, 0, 0, 0, 0, 0])
        options = {"transparency": 0}
    else:
        level = np.where(drawn, 0, 1 if mode != "1" else 255).astype(np.uint8)
        image = Image.fromarray(level).convert(mode)
        options = {"transparency": {"L": 1, "RGB": (1, 1, 1), "1": 255}[mode]}
    x = pictures.colours(_saved(image, "PNG", **options))
    assert np.array_equal(x == 0, np.broadcast_to(drawn, (3, 32, 32))) and set(x.flat) == {0, 255}


def test_print_colours_and_palettes_are_what_they_look_like():
    red = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    assert pictures.colours(_saved(red, "TIFF"))[:, 3, 3].tolist() == [255, 0, 0]
    colours = RNG.integers(0, 256, (8, 3), np.uint8)
    image = Image.fromarray((np.arange(1024) % 8).astype(np.uint8).reshape(32, 32), "P")
    image.putpalette(colours.ravel().tolist())
    x = pictures.colours(_saved(image, "GIF"))
    np.testing.assert_array_equal(x[:, 0, :8].T, colours)


def test_other_sizes_are_averaged_before_they_are_thinned():
    fine = np.tile([0, 255], 64).astype(np.uint8)  # a stripe each pixel
    x = pictures.colours(_saved(Image.fromarray(np.tile(fine, (96, 1))), "PNG"))
    assert np.abs(x[:, :, 2:-2].astype(int) - 127.5).max() < 2
    deep = Image.fromarray(np.tile(fine.astype(np.float32) / 255, (96, 1)))
    assert np.abs(pictures.colours(_saved(deep, "TIFF"))[:, :, 2:-2] - 0.5).max() < 0.01


def _cut(kind: str) -> bytes:
    return _saved(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), np.uint8)), kind).read()[:-700]


@pytest.mark.parametrize(
    "content",
    [b"", b"no image", b"\x89PNG\r\n\x1a\n", *map(_cut, ("PNG", "JPEG", "GIF", "WEBP", "TIFF"))],
)
def test_damage_is_a_reason_in_words(content):
    with pytest.raises(ValueError) as error:
        pictures.colours(io.BytesIO(content))
    assert str(error.value) and "\n" not in str(error.value) and "BytesIO" not in str(error.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "TGA"])
def test_random_damage_is_read_or_a_reason_in_words(kind):
    whole = _saved(Image.fromarray(RNG.integers(0, 256, (40, 40, 3), np.uint8)), kind).read()
    rng = np.random.default_rng(1)
    for _ in range(60):
        content = bytearray(whole)
        for place in rng.integers(0, len(whole), 5):
            content[place if rng.random() < 0.5 else place % 64] = rng.integers(256)
        try:
            pictures.header(io.BytesIO(content))
            assert pictures.colours(io.BytesIO(content)).shape == (3, 32, 32)
        except ValueError as error:
            assert str(error) and "\n" not in str(error)


def test_a_picture_too_large_to_be_one_is_refused():
    head = b"P6 30000 30000 255\n"
    with pytest.raises(ValueError, match="exceeds limit"):
        pictures.colours(io.BytesIO(head))
