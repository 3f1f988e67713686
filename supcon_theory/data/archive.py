"""A user's `.npz`, read and checked without torch: images and labels of both splits."""

import os
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path

import numpy as np

from supcon_theory.data.cache import version

_KEYS = ("x_train", "y_train", "x_test", "y_test")
HEADERS = {  # of an array, by the version of its format
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_DEFLATE = 1100  # no archive unpacks to more than this multiple of its size


@dataclass(frozen=True, eq=False)
class Archive:
    """Checked arrays; classes are the distinct training labels in sorted order."""

    images: tuple[np.ndarray, np.ndarray]  # training, test: (M, channels, H, W) uint8 or floats
    labels: tuple[np.ndarray, np.ndarray]  # (M,) int64 places in `classes`
    classes: tuple[str, ...]


def read(path: Path) -> Archive:
    """The arrays of a file with `x_train`, `y_train`, `x_test`, `y_test`.

    Args:
        path: the file. Images (M, H, W), (M, H, W, channels) or (M, channels, H, W) with 1 or 3
            channels, uint8 or floats in [0, 1] of any width and byte order, of any size; labels
            (M,) whole numbers or strings, renumbered in sorted order, where every label of y_test
            occurs in y_train too.

    Returns:
        The arrays, read once in a process as long as the file stays as it is.

    Raises:
        ValueError: one sentence, for anything else; a file whose headers claim more than it holds
            is refused before memory is asked for.
    """
    return _read(path, version(path))


@lru_cache(maxsize=1)
def _read(path: Path, _version: tuple[int, ...]) -> Archive:
    arrays = _arrays(path)
    train, test = (_images(path, key, arrays[key]) for key in ("x_train", "x_test"))
    if train.shape[1] != test.shape[1]:
        raise ValueError(
            f"{path}: x_train has {train.shape[1]} channels and x_test {test.shape[1]}; "
            "both must have the same number, 1 or 3."
        )
    classes, labels = _distinct(path, "y_train", arrays["y_train"], len(train))
    number = {label: k for k, label in enumerate(classes)}
    tested, rows = _distinct(path, "y_test", arrays["y_test"], len(test))
    if odd := [label for label in tested if label not in number]:
        raise ValueError(
            f"{path}: y_test contains the label {odd[0]}, which none of the images of y_train has; "
            "remove or relabel these images."
        )
    renumbered = np.array([number[label] for label in tested])[rows]
    return Archive((train, test), (labels, renumbered), tuple(map(str, classes)))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"{path} is not an .npz file; write it with "
            f"numpy.savez(path, {', '.join(f'{key}={key}' for key in _KEYS)})."
        )
    arrays, key = {}, "the list of its arrays"
    try:
        with zipfile.ZipFile(path) as stored:
            names = set(stored.namelist())
            for key in _KEYS:
                if f"{key}.npy" not in names:
                    raise _Refusal(f"{path} has no array {key!r}; it must hold {', '.join(_KEYS)}.")
                shape(stored, key)
            size = sum(stored.getinfo(f"{key}.npy").file_size for key in _KEYS)
            if size > (there := memory()):
                raise _Refusal(
                    f"{path} unpacks to {size / 1e9:.1f} GB and this machine has {there / 1e9:.1f} "
                    "GB of memory: save fewer or smaller images."
                )
            for key in _KEYS:
                with stored.open(f"{key}.npy") as file:
                    arrays[key] = np.lib.format.read_array(file, allow_pickle=False)
    except _Refusal:
        raise
    except Exception as error:  # NumPy, zipfile and zlib raise nearly everything on damage
        raise ValueError(
            f"{path}: {key} cannot be read ({reason(error)}); save it as a plain numeric array."
        ) from None
    return arrays


def memory() -> float:
    """Bytes of memory that this machine has; infinitely many where the system does not say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return float("inf")


def reason(error: Exception) -> str:
    """What a library says of a broken file, without its advice, which may be to trust the file."""
    sentence = " ".join(str(error).split())
    return sentence.split(". ")[0] or type(error).__name__


class _Refusal(ValueError):
    """A sentence that is complete."""


def shape(stored: zipfile.ZipFile, key: str) -> tuple[int, ...]:
    """The shape of an array of an open archive by its header, which must tell the truth.

    Args:
        stored: the archive.
        key: name of the array.

    Returns:
        The shape; nothing is unpacked for it.

    Raises:
        ValueError: if the header claims another size than the array has, or more than the archive
            can hold, or asks for objects.
    """
    member = stored.getinfo(f"{key}.npy")
    with stored.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in HEADERS:
            raise ValueError("its header is of an unknown version")
        claimed, _, dtype = HEADERS[version](file)
        start = file.tell()
    size = prod(map(int, claimed)) * dtype.itemsize
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    if min(claimed, default=0) < 0 or start + size != member.file_size:
        raise ValueError(
            f"its header claims {size:,} bytes and {member.file_size - start:,} are there"
        )
    if member.file_size > _DEFLATE * max(member.compress_size, 1):
        raise ValueError(f"{member.compress_size:,} bytes cannot hold the {size:,} it claims")
    return claimed


def _images(path: Path, key: str, x: np.ndarray) -> np.ndarray:
    """A checked view of x with shape (M, channels, H, W), in this machine's byte order."""
    if x.ndim == 3:
        x = x[:, None]
    elif x.ndim == 4 and x.shape[1] not in (1, 3) and x.shape[3] in (1, 3):
        x = np.moveaxis(x, 3, 1)
    if x.ndim != 4 or x.shape[1] not in (1, 3) or 0 in x.shape:
        raise ValueError(
            f"{path}: {key} has shape {x.shape}; allowed are (M, H, W), (M, H, W, channels) and "
            "(M, channels, H, W) with at least one image and 1 or 3 channels."
        )
    if x.dtype == np.uint8:
        return x
    if x.dtype.kind != "f":
        raise ValueError(
            f"{path}: {key} has type {x.dtype}; save uint8 (0 to 255) or floats from 0 to 1."
        )
    if not np.isfinite(x).all():
        raise ValueError(
            f"{path}: {key} contains NaN or infinity in image "
            f"{int(np.argmin(np.isfinite(x).all((1, 2, 3))))}; allowed are floats from 0 to 1, "
            "so repair or remove such images."
        )
    if x.min() < 0 or x.max() > 1:
        raise ValueError(
            f"{path}: {key} goes from {x.min():.8g} to {x.max():.8g}; floats must lie from 0 to 1, "
            "so rescale them or save uint8."
        )
    return x.astype(np.float16 if x.dtype.itemsize == 2 else np.float32, copy=False)


def _distinct(
    path: Path, key: str, y: np.ndarray, images: int
) -> tuple[list[int | str], np.ndarray]:
    """The distinct labels, sorted, and the place of each image's label among them."""
    if y.shape != (images,):
        raise ValueError(
            f"{path}: {key} has shape {y.shape}; it must be ({images},), one label for each image."
        )
    if y.dtype.kind not in "biuUS":
        raise ValueError(
            f"{path}: {key} has type {y.dtype}; labels must be whole numbers or strings."
        )
    if y.dtype.kind == "S":
        y = np.char.decode(y, "utf-8", "backslashreplace")
    distinct, places = np.unique(y, return_inverse=True)
    for label in distinct.tolist():
        try:
            str(label).encode()
        except UnicodeEncodeError:
            raise ValueError(f"{path}: {key} has the label {label!r}, which is no text.") from None
    return distinct.tolist(), places
