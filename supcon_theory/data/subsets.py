"""Which classes and which images: balanced subsets of any C and n, and geometric imbalance.

All are nested: with the same seed, fewer classes or fewer images are a subset of more, and the
classes keep their new numbers. The choice of images depends on nothing but seed and row.
"""

import numpy as np
import torch
from torch import Tensor

from supcon_theory.data import random


def choose_classes(number_of_classes: int, C: int, seed: int) -> np.ndarray:
    """The classes of a run: the first C of one permutation a seed.

    Args:
        number_of_classes: that the data have.
        C: classes asked for.
        seed: of the run.

    Returns:
        (C,) distinct numbers from 0 to number_of_classes - 1.

    Raises:
        ValueError: if C < 2 or the data have fewer than C classes.
    """
    if C < 2:
        raise ValueError(
            f"C is {C}; allowed are 2 to {number_of_classes} classes, so ask for more."
        )
    if C > number_of_classes:
        raise ValueError(
            f"C is {C} but the data have {number_of_classes} classes; allowed are 2 to "
            f"{number_of_classes}, so ask for fewer or choose a larger data set."
        )
    return random.permutation(seed, "classes", 0, number_of_classes)[:C]


def held_back(number_of_classes: int, T: int, seed: int) -> np.ndarray:
    """The classes that a run trains on last: T that no `choose_classes` of the others has.

    Args:
        number_of_classes: that the data have.
        T: classes asked for.
        seed: of the run.

    Returns:
        (T,) numbers; none is among the first number_of_classes - T of the seed's permutation.

    Raises:
        ValueError: as `choose_classes`.
    """
    choose_classes(number_of_classes, T, seed)  # refuses
    return choose_classes(number_of_classes, number_of_classes, seed)[-T:]


def balanced(
    labels: Tensor, classes: np.ndarray, n: int | None, seed: int
) -> tuple[Tensor, Tensor]:
    """As many images of each of `classes`, sorted by class.

    The class `classes[k]` gets the new label k; within it the rows come in the order of their keys,
    so that fewer images are the first ones.

    Args:
        labels: (M,) of a split.
        classes: (C,) those that are wanted.
        n: images a class; None takes all of every class, which need not be balanced (test splits).
        seed: of the run.

    Returns:
        (N,) rows of the split, and their (N,) new labels; N = C n.

    Raises:
        ValueError: if n < 2 or a class has fewer than n (or, for n None, fewer than 2) images.
    """
    labels = torch.as_tensor(labels)
    if n is not None and n < 2:
        raise ValueError(
            f"n is {n} images a class; at least 2 are needed, since an anchor needs another "
            "sample of its class, so ask for more."
        )
    keys = random.uniform(seed, "images", 0, 0, np.arange(len(labels)), 1)[:, 0]
    rows = []
    for c in classes:
        mine = torch.nonzero(labels == int(c))[:, 0].numpy()
        if len(mine) < max(n or 2, 2):
            raise ValueError(
                f"class {int(c)} has {len(mine)} images; {n or 'at least 2'} are needed, "
                "so ask for fewer a class or for other classes."
            )
        rows.append(mine[np.argsort(keys[mine], kind="stable")][:n])
    new = torch.arange(len(rows)).repeat_interleave(torch.tensor([len(r) for r in rows]))
    return torch.from_numpy(np.concatenate(rows)), new


def geometric(labels: Tensor, ratio: float) -> Tensor:
    """Places in a balanced subset that leave n_c = round(n ratio^(-c / (C - 1))) of class c.

    The class sizes fall geometrically from n_max = n (class 0) to n_min = n / ratio (class C - 1,
    rounded to a whole number). Ratio 1 leaves all; a larger ratio takes a subset of a smaller one.

    Args:
        labels: (N,) sorted and balanced.
        ratio: n_max / n_min, at least 1.

    Returns:
        Places in `labels`, in order.

    Raises:
        ValueError: if the labels are not sorted and balanced, ratio < 1, or n / ratio < 2.
    """
    labels = torch.as_tensor(labels)
    sizes = torch.bincount(labels).tolist()
    if len(sizes) < 2 or len(set(sizes)) != 1 or bool((labels.diff() < 0).any()):
        raise ValueError(
            f"the class sizes are {sorted(set(sizes))} over {len(sizes)} classes; imbalance is cut "
            "from a balanced subset of at least 2 classes sorted by class, so make that first."
        )
    n, C = sizes[0], len(sizes)
    if not 1 <= ratio <= n / 2:
        raise ValueError(
            f"ratio is {ratio:g}; with {n} images a class it must be from 1 to {n / 2:g}, so that "
            "at least 2 images stay in every class."
        )
    keep = torch.round(n * ratio ** (-torch.arange(C, dtype=torch.float64) / (C - 1))).long()
    place = torch.arange(n)
    return torch.nonzero((place < keep[:, None]).flatten())[:, 0]
