"""Attributes of characters that are independent by design: script, case, weight of the stroke."""

import unicodedata
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from supcon_theory.data import embedded

SCRIPTS, CASES = ("LATIN", "GREEK"), ("CAPITAL", "SMALL")
EACH = 10  # characters of each script and case
WEIGHTS = 4  # levels of the weight of the stroke
NAMES = ("script", "case", "weight")


class Factors(NamedTuple):
    """Images (N, 1, 32, 32) and for each attribute their classes (N,) 0 .. C-1."""

    images: Tensor
    attributes: dict[str, np.ndarray]


def glyph_factors(seed: int) -> Factors:
    """Held-out images of equally many characters of each script and case, in quarters of ink.

    The weight of a stroke is the ink of the clean image among those of its character, in four equal
    parts: every cell of script, case and weight has the same size.

    Args:
        seed: Key of the characters drawn.

    Returns:
        Images as they are, with their nuisance.
    """
    dataset, clean = embedded.load("glyphs"), embedded.load("glyphs", clean=True)
    rng = np.random.default_rng((seed, EACH))
    words = [unicodedata.name(name, "").split() for name in dataset.classes]
    rows, labels = [], []
    for script, case in np.ndindex(2, 2):
        found = [
            c
            for c, name in enumerate(words)
            if name[:1] == [SCRIPTS[script]] and CASES[case] in name
        ]
        for c in rng.choice(found, EACH, replace=False):
            mine = torch.nonzero(dataset.test.labels == int(c)).flatten()
            ink = clean.test.images(mine).mean((1, 2, 3)).numpy()
            mine = mine[: len(mine) // WEIGHTS * WEIGHTS]
            rank = np.argsort(np.argsort(ink[: len(mine)], kind="stable"))
            rows.append(mine)
            labels += [(script, case, of) for of in rank * WEIGHTS // len(mine)]
    columns = np.array(labels).T
    images = dataset.test.images(torch.cat(rows))
    return Factors(images, dict(zip(NAMES, columns, strict=True)))
