"""One picture file -> 32 x 32 colours, as a viewer shows it.

Whole numbers of 8 bits and more count by their full scale, floats are taken as they are. A stored
orientation (EXIF) is applied. What is transparent lies on white paper; a drawing that would vanish
there because nothing it shows is darker than `_PALE` (white ink) lies on black. So what is drawn in
the alpha channel alone survives, and pictures that look the same load the same. Of several frames
the first is read; colour profiles are not applied.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

SIZE = 32
_PALE = 230  # of 255
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION, _SAMPLE_FORMAT = 0x0112, 339  # tags of EXIF and TIFF


def header(file: BinaryIO) -> bool:
    """Whether a picture has more than 8 bits a channel; only its first bytes are read.

    Args:
        file: an open file.

    Returns:
        True for 16 and 32 bits and floats.

    Raises:
        ValueError: the reason, if Pillow cannot open it.
    """
    with _in_words():
        return _deep(Image.open(file))


def colours(file: BinaryIO, size: int = SIZE) -> np.ndarray:
    """The picture, resized to a square with antialiasing, its aspect not kept.

    Args:
        file: an open file.
        size: side of the square in pixels.

    Returns:
        (3, size, size) uint8, or float32 in [0, 1] if it has more than 8 bits a channel.

    Raises:
        ValueError: the reason, if it cannot be read, or if its numbers have no known scale.
    """
    with _in_words():
        image = _upright(opened := Image.open(file))
        if _deep(image):
            grey = Image.fromarray(_grey(image, opened.format)).resize(
                (size, size), Image.Resampling.BILINEAR
            )
            return np.broadcast_to(np.asarray(grey).clip(0, 1), (3, size, size))
        image = _opaque(image).resize((size, size), Image.Resampling.BILINEAR)
        return np.moveaxis(np.asarray(image), 2, 0)


@contextmanager
def _in_words() -> Iterator[None]:
    """Whatever Pillow raises is a reason in words; what it only warns of is not told."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UnidentifiedImageError:
        raise ValueError("Pillow knows no such picture") from None
    except Exception as error:  # plugins raise nearly everything on damaged files
        reason = " ".join(str(error).split()).rstrip(".")
        raise ValueError(reason or type(error).__name__) from None


def _deep(image: Image.Image) -> bool:
    return image.mode[0] in "IF"  # I;16, I;16B, I, F


def _upright(image: Image.Image) -> Image.Image:
    image.load()  # TIFF turns itself, and forgets the tag, when its pixels are read
    try:
        turn = _TURN.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # viewers show a picture whose EXIF is damaged as it is stored
        turn = None
    return image if turn is None else image.transpose(turn)


def _grey(image: Image.Image, kind: str | None) -> np.ndarray:
    """(H, W) float32 in [0, 1] of a picture with one deep channel from a file of this kind."""
    if "transparency" in image.info:
        raise ValueError("it has a transparent level of grey: save it with 8 bits, or without")
    x = np.asarray(image)
    if image.mode == "F":
        if not np.isfinite(x).all():
            raise ValueError("some of its floats are NaN or infinite: fill them in")
        if x.min() < 0 or x.max() > 1:
            raise ValueError(
                f"its floats go from {x.min():.8g} to {x.max():.8g} and must lie from 0 to 1: "
                "rescale them"
            )
        return x
    if image.mode != "I" or kind in ("PNG", "PPM"):  # files of 16 bits, whatever the mode
        return x / np.float32(65535)
    full = 2**31 - 1
    if kind == "TIFF" and image.tag_v2.get(_SAMPLE_FORMAT, (1,))[0] == 1:  # pyright: ignore
        x, full = x.view(np.uint32), 2**32 - 1
    low, high = int(x.min()), int(x.max())
    if low < 0 or 0 < high <= 65535:
        raise ValueError(
            f"its whole numbers go from {low} to {high}, and with 32 bits {full} is white: save it "
            "with 8 or 16 bits"
        )
    return (x / np.float64(full)).astype(np.float32)


def _opaque(image: Image.Image) -> Image.Image:
    """RGB, 8 bits a channel; see the rule at the top of this file."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white, black = (Image.new("RGBA", image.size, paper) for paper in ("white", "black"))
    shown = Image.alpha_composite(white, image).convert("RGB")
    if np.asarray(shown).min() < _PALE:
        return shown
    if not np.asarray(image.getchannel("A")).any():
        return shown  # nothing is drawn at all
    return Image.alpha_composite(black, image).convert("RGB")
