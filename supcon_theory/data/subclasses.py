"""Images of characters with two labels: the coarse class of `data.coarser`, and the character."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from supcon_theory.data import coarser, embedded


class Hierarchy(NamedTuple):
    """Images (N, 1, 32, 32), for each the number of its class (N,) and of its character (N,)."""

    images: Tensor
    classes: np.ndarray
    characters: np.ndarray


def hierarchy(
    name: str, chosen: Sequence[int], each: int, images: int, seed: int
) -> dict[str, Hierarchy]:
    """Equally many images of equally many characters of every class, for fitting and for testing.

    Args:
        name: Of coarser classes, such as `glyphs:script`.
        chosen: Numbers of the classes that are wanted.
        each: Characters of every class, drawn by the seed.
        images: At most so many of a character in each split, the first ones.
        seed: Key of the characters drawn.

    Returns:
        Images as they are, with their nuisance, of the splits `train` and `test`.
    """
    of_character = coarser.classes(name).of_character
    dataset, rng = embedded.load(name.partition(":")[0]), np.random.default_rng((seed, each))
    drawn = {c: rng.choice(np.flatnonzero(of_character == c), each, False) for c in chosen}
    found = {}
    for split, of in (("train", dataset.train), ("test", dataset.test)):
        rows, labels = [], []
        for c, characters in drawn.items():
            for character in characters:
                mine = torch.nonzero(of.labels == int(character)).flatten()[:images]
                rows.append(mine)
                labels += [(c, character)] * len(mine)
        classes, characters = np.array(labels).T
        found[split] = Hierarchy(of.images(torch.cat(rows)), classes, characters)
    return found
