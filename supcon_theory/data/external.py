"""A user's own images: an `.npz` file or a folder of image files. Everything becomes 32 x 32."""

import zlib
from functools import partial
from pathlib import Path
from zipfile import BadZipFile, is_zipfile

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torchvision.datasets import ImageFolder
from torchvision.transforms.functional import pil_to_tensor

from supcon_theory.data.dataset import SIZE, DataSet, Split

_KEYS = ("x_train", "y_train", "x_test", "y_test")


def npz(path: Path) -> DataSet:
    """A file with `x_train`, `y_train`, `x_test`, `y_test`.

    Images (M, H, W), (M, H, W, channels) or (M, channels, H, W) with 1 or 3 channels, uint8 or
    floats in [0, 1], of any size; labels (M,) whole numbers 0 ... C-1, where every class occurs in
    y_train. Mirrored views are taken to be sensible for colour images only.
    Raises ValueError, one sentence, for anything else.
    """
    arrays = _arrays(path)
    images = {s: _images(path, f"x_{s}", arrays[f"x_{s}"]) for s in ("train", "test")}
    labels = {
        split: _labels(path, f"y_{split}", arrays[f"y_{split}"], len(images[split]))
        for split in ("train", "test")
    }
    channels = images["train"].shape[1]
    if images["test"].shape[1] != channels:
        raise ValueError(
            f"{path}: x_train has {channels} channels and x_test {images['test'].shape[1]}; "
            "both must have the same number, 1 or 3."
        )
    number = int(labels["train"].max()) + 1
    absent = np.setdiff1d(np.arange(number), labels["train"])
    if len(absent):
        raise ValueError(
            f"{path}: y_train goes up to {number - 1} but has no image of class {absent[0]}; "
            f"number the classes 0, 1, 2, ... without gaps."
        )
    if labels["test"].max() >= number:
        raise ValueError(
            f"{path}: y_test contains the label {labels['test'].max()}, allowed are the classes of "
            f"y_train, 0 to {number - 1}; remove or renumber these images."
        )
    first = len(images["train"])
    return DataSet(
        path.stem,
        channels,
        tuple(map(str, range(number))),
        Split(torch.from_numpy(labels["train"]), 0, partial(_read_array, images["train"])),
        Split(torch.from_numpy(labels["test"]), first, partial(_read_array, images["test"])),
        flips=channels == 3,
    )


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if not is_zipfile(path):
        raise ValueError(
            f"{path} is not an .npz file; write it with "
            f"numpy.savez(path, {', '.join(f'{key}={key}' for key in _KEYS)})."
        )
    arrays = {}
    with np.load(path, allow_pickle=False) as stored:
        for key in _KEYS:
            if key not in stored:
                raise ValueError(f"{path} has no array {key!r}; it must hold {', '.join(_KEYS)}.")
            try:
                arrays[key] = stored[key]
            except (ValueError, BadZipFile, EOFError, zlib.error) as error:
                raise ValueError(
                    f"{path}: {key} cannot be read ({error}); save it as a plain numeric array."
                ) from None
    return arrays


def _images(path: Path, key: str, x: np.ndarray) -> np.ndarray:
    """A checked view of x with shape (M, channels, H, W)."""
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
            f"{path}: {key} goes from {x.min():g} to {x.max():g}; floats must lie from 0 to 1, "
            "so rescale them or save uint8."
        )
    return x


def _labels(path: Path, key: str, y: np.ndarray, images: int) -> np.ndarray:
    if y.shape != (images,):
        raise ValueError(
            f"{path}: {key} has shape {y.shape}; it must be ({images},), one label for each image."
        )
    if y.dtype.kind not in "iu":
        raise ValueError(
            f"{path}: {key} has type {y.dtype}; labels must be whole numbers 0 ... C-1."
        )
    if y.min() < 0:
        raise ValueError(f"{path}: {key} contains the label {y.min()}; labels must be 0 ... C-1.")
    return y.astype(np.int64)


def _read_array(x: np.ndarray, index: Tensor) -> Tensor:
    rows = torch.from_numpy(np.ascontiguousarray(x[index.numpy(force=True)]))
    return _resize(rows.float() / 255 if rows.dtype == torch.uint8 else rows.float())


def _resize(images: Tensor) -> Tensor:
    if images.shape[-2:] == (SIZE, SIZE):
        return images
    small = F.interpolate(images, (SIZE, SIZE), mode="bilinear", antialias=True)
    return small.clamp_(0, 1)


def folder(path: Path) -> DataSet:
    """`path/train/<class>/*` and `path/test/<class>/*`; classes are the sorted folder names.

    Read in colour, squeezed to 32 x 32, decoded when asked for. Raises ValueError, one sentence,
    if a folder is missing or empty, if train and test differ in their classes, and, when it is
    read, for a file that is no image.
    """
    found = {}
    for split in ("train", "test"):
        if not (path / split).is_dir():
            raise ValueError(
                f"{path} has no folder {split!r}; it must hold train/<class>/* and test/<class>/*."
            )
        try:
            found[split] = ImageFolder(path / split)
        except FileNotFoundError as error:
            raise ValueError(
                f"{path / split} is not one folder of images per class: {_first_line(error)}"
            ) from None
    if found["train"].classes != found["test"].classes:
        odd = sorted(set(found["train"].classes) ^ set(found["test"].classes))[0]
        raise ValueError(
            f"{path}: class {odd!r} is only in one of train and test; both must have the same ones."
        )
    splits = [
        Split(torch.tensor(found[s].targets), offset, partial(_read_files, found[s].imgs))
        for s, offset in (("train", 0), ("test", len(found["train"])))
    ]
    return DataSet(path.resolve().name, 3, tuple(found["train"].classes), *splits, flips=True)


def _first_line(error: Exception) -> str:
    return str(error).split("Supported")[0].strip()


def _read_files(files: list[tuple[str, int]], index: Tensor) -> Tensor:
    out = torch.empty(len(index), 3, SIZE, SIZE)
    for place, row in enumerate(index.tolist()):
        name = files[row][0]
        try:
            with Image.open(name) as image:
                pixels = pil_to_tensor(image.convert("RGB"))
        except (UnidentifiedImageError, OSError) as error:
            raise ValueError(
                f"{name} cannot be read as an image ({error}); replace or remove it."
            ) from None
        out[place] = _resize(pixels[None].float() / 255)[0]
    return out
