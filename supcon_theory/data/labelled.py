"""Labelled text and images for models that are trained already: sources, and what they need.

A source has samples in K views and labels on one level or several, the finest first; each class of
a level lies in one class of the next. What the sources are (`SOURCES`, `content`) needs no torch.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from supcon_theory.data import emoji, pins, random, wordnet
from supcon_theory.data.fingerprint import fingerprint

if TYPE_CHECKING:
    from torch import Tensor

LEVELS = ("true", "coarse", "coarser")
"""What `labels` calls the levels of labels, the finest first."""
DEPTHS = (6, 4, 2)
"""Depths in the tree of hypernyms of these levels."""
POOL = 24
"""Classes of shipped characters that are looked at; there are 300 and 1000."""
VERSION = 1
"""Of the inputs: raise it when the same content starts to give others."""
Texts = list[tuple[str, ...]]


class Samples(NamedTuple):
    """N samples: texts, or images (N, K, channels, side, side); for each level (N,) class names."""

    inputs: "Texts | Tensor"
    levels: Mapping[str, np.ndarray]


class Source(NamedTuple):
    """What a source is, and how many classes and samples of each a run takes of it at most."""

    kind: str  # text or images
    C: int
    n: int
    views: int  # in all, about
    read: Callable[[Path], Samples]
    pins: tuple[str, ...] = ()
    inputs: str = ""  # the source that has the same inputs, if another one does

    def missing(self, folder: Path) -> str:
        """Why it cannot be read, in a sentence; empty if it can."""
        try:
            for name in self.pins:
                pins.read(name, folder)
        except ValueError as error:
            return str(error)
        return ""


def content(name: str, folder: Path) -> str:
    """What the inputs of a source are, for keys: equal content, and only that, shares it.

    Args:
        name: of the source.
        folder: where its files are.

    Returns:
        The name of the inputs and a hash.
    """
    source = SOURCES[name]
    if source.pins:
        digest = "-".join(pins.pins()[pin].sha256[:16] for pin in source.pins)
    else:
        digest = fingerprint(folder) if name == "cifar" else ""
    return f"{source.inputs or name} {VERSION} {digest}".strip()


@lru_cache(maxsize=1)
def samples(name: str, folder: Path) -> Samples:
    """The samples of a source.

    Args:
        name: of the source.
        folder: where its files are.

    Returns:
        Them, the same whenever the content is the same.
    """
    return SOURCES[name].read(folder)


def spread(labels: np.ndarray, fewest: int, most: int) -> np.ndarray:
    """Rows of every class that has at least `fewest` samples, at most `most` of each, in order.

    Args:
        labels: (N,) class names; an empty one is no class.
        fewest: samples that a class must have.
        most: samples taken of it, chosen by keyed draws.

    Returns:
        Ascending rows.
    """
    keys = random.uniform(0, "pool", 0, 0, np.arange(len(labels)), 1)[:, 0]
    rows = []
    for c in np.unique(labels[labels != ""]):
        mine = np.flatnonzero(labels == c)
        if len(mine) >= fewest:
            rows.append(mine[np.argsort(keys[mine], kind="stable")][:most])
    return np.sort(np.concatenate(rows))


def draw(
    name: str, folder: Path, C: int, n: int, seed: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Classes and samples of a source: C of the classes on the finest level, n samples of each.

    Args:
        name: of the source.
        folder: where its files are.
        C: classes.
        n: samples of each.
        seed: of the draw.

    Returns:
        (C n,) rows of the source, sorted by class, and for each level their labels as numbers; the
        finest level's are balanced.

    Raises:
        ValueError: too few classes have n samples.
    """
    import torch

    from supcon_theory.data.subsets import balanced, choose_classes

    levels = samples(name, folder).levels
    names, numbers, sizes = np.unique(levels["true"], return_inverse=True, return_counts=True)
    possible = np.flatnonzero((sizes >= n) & (names != ""))
    chosen = possible[choose_classes(len(possible), C, seed)]
    rows, y = balanced(torch.from_numpy(numbers), chosen, n, seed)
    found = {level: np.unique(of[rows], return_inverse=True)[1] for level, of in levels.items()}
    return rows.numpy(), found | {"true": y.numpy()}


# ---- text ----------------------------------------------------------------------------------------
def _glosses(folder: Path) -> tuple[Texts, list[str], dict[str, wordnet.Sense]]:
    """Gloss and first example of every noun sense that has an example."""
    found = wordnet.senses(pins.read("wordnet", folder).decode())
    offsets = [offset for offset, sense in found.items() if sense.examples and sense.gloss]
    return [(found[o].gloss, found[o].examples[0]) for o in offsets], offsets, found


def _categories(folder: Path) -> Samples:
    texts, offsets, found = _glosses(folder)
    return Samples(texts, {"true": np.array([found[o].category for o in offsets])})


def _hypernyms(folder: Path) -> Samples:
    texts, offsets, found = _glosses(folder)
    labels = {
        level: wordnet.ancestors(found, offsets, depth)
        for level, depth in zip(LEVELS, DEPTHS, strict=True)
    }
    return Samples(texts, labels)


# ---- images --------------------------------------------------------------------------------------
def _emoji(folder: Path) -> Samples:
    import torch

    archives = {name: pins.read(f"emoji_{name}", folder) for name in emoji.VENDORS}
    found, images = emoji.read(archives)
    subgroups = np.array([f"{e.group}: {e.subgroup}" for e in found])
    rows = spread(subgroups, SOURCES["emoji"].n, 2 * SOURCES["emoji"].n)
    groups = np.array([e.group for e in found])
    return Samples(
        torch.from_numpy(images[rows]), {"true": subgroups[rows], "coarse": groups[rows]}
    )


def _characters(name: str, split: str) -> Callable[[Path], Samples]:
    def read(folder: Path) -> Samples:
        import torch

        from supcon_theory.data.embedded import load

        found = load(name)
        part = getattr(found, split)
        names = np.array(found.classes)[part.labels.numpy()]
        chosen = random.permutation(0, "pool", 0, len(found.classes))[: 2 * POOL]
        names = np.where(np.isin(part.labels.numpy(), chosen), names, "")
        rows = spread(names, SOURCES[name].n, SOURCES[name].n)
        return Samples(part.images(torch.from_numpy(rows))[:, None], {"true": names[rows]})

    return read


def _digits(folder: Path) -> Samples:
    import torch
    from sklearn.datasets import load_digits

    found: Any = load_digits()
    images = torch.from_numpy(found.images.astype(np.float32) / 16)
    return Samples(images[:, None, None], {"true": found.target.astype(str)})


def _folder(folder: Path) -> Samples:
    import torch

    from supcon_theory.data.loading import load

    found = load(folder)
    names = np.array(found.classes)[found.test.labels.numpy()]
    source = SOURCES["cifar"]
    rows = spread(names, source.n, 2 * source.n)
    return Samples(found.test.images(torch.from_numpy(rows))[:, None], {"true": names[rows]})


SOURCES = {
    "wordnet": Source("text", 12, 100, 17484, _categories, ("wordnet",)),
    "hypernyms": Source("text", 24, 20, 17484, _hypernyms, ("wordnet",), "wordnet"),
    "emoji": Source("images", 24, 12, 3174, _emoji, tuple(f"emoji_{v}" for v in emoji.VENDORS)),
    "glyphs": Source("images", POOL, 40, 1920, _characters("glyphs", "test")),
    "kanji": Source("images", POOL, 40, 1920, _characters("kanji", "train")),
    "digits": Source("images", 8, 100, 1797, _digits),
    "cifar": Source("images", 8, 100, 2000, _folder),
}
"""wordnet and hypernyms: gloss and example of WordNet's nouns by category or by hypernym; emoji:
three vendors' drawings by subgroup and group; glyphs, kanji: as shipped; cifar: a user's folder."""
