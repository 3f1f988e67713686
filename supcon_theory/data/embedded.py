"""The character sets that ship with the package: 300 glyphs and 1000 kanji in many typefaces.

Stored as 4-bit grey levels, two a byte (see docs/data_card.md). The packed bytes stay packed; a
request for rows unpacks those rows and adds their fixed nuisance.
"""

from functools import partial
from importlib.resources import as_file, files

import numpy as np
import torch
from torch import Tensor

from supcon_theory.data import coarser, nuisance
from supcon_theory.data.dataset import DataSet, Split


def load(name: str, clean: bool = False) -> DataSet:
    """A set that ships with the package, its rows sorted by character.

    Args:
        name: "glyphs" or "kanji", or coarser classes of one (`data.coarser`).
        clean: leave the nuisance out (to look at, not to train on).

    Returns:
        The data set; global indices count the training rows first, then the test rows.
    """
    base, found = name.partition(":")[0], coarser.classes(name)
    resource = files("supcon_theory.data") / "files" / f"{base}.npz"
    with as_file(resource) as path, np.load(path, allow_pickle=False) as stored:
        packed = {split: stored[f"x_{split}"] for split in ("train", "test")}
    stream = None if clean else f"nuisance/{base}"
    offset = packed["train"].shape[0] * packed["train"].shape[1]
    of_character = torch.from_numpy(found.of_character)
    train, test = (
        _split(packed[s], of_character, o, stream) for s, o in (("train", 0), ("test", offset))
    )
    return DataSet(name, channels=1, classes=found.names, train=train, test=test, flips=False)


def _split(packed: np.ndarray, of_character: Tensor, offset: int, stream: str | None) -> Split:
    """packed: (characters, n, 32, 16) uint8; of_character: the class of each."""
    labels = of_character.repeat_interleave(packed.shape[1])
    rows = packed.reshape(-1, *packed.shape[2:])
    return Split(labels, offset, partial(_read, rows, offset, stream))


def _read(packed: np.ndarray, offset: int, stream: str | None, index: Tensor) -> Tensor:
    out = torch.empty((len(index), 1, packed.shape[1], 2 * packed.shape[2]), dtype=torch.float32)
    for start in range(0, len(index), 512):  # what a chunk needs stays in the cache
        rows = index[start : start + 512].numpy(force=True)
        ink = torch.from_numpy(unpack(packed[rows]))[:, None].float() / 255
        if stream is not None:
            ink = nuisance.distort(ink, rows + offset, stream)
        out[start : start + 512] = ink
    return out


def unpack(packed: np.ndarray) -> np.ndarray:
    """(..., 16) bytes -> (..., 32) grey levels 0 ... 255; the high nibble is the left pixel."""
    pixels = np.stack([packed >> 4, packed & 15], -1) * np.uint8(17)
    return pixels.reshape(*packed.shape[:-1], 2 * packed.shape[-1])
