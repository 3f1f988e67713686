"""The labelled examples of few-shot classification: which rows are the supports of which repeat."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from supcon_theory.inputs import class_names, whole
from supcon_theory.inputs import labels as numbered


def draw_supports(
    labels, m: int, repeats: int, seed: int, *, replace: bool = False, stream: int = 0
) -> np.ndarray:
    """Rows of m supports per class and repeat.

    The draw of one class in one repeat is a function of (seed, stream, repeat, label) and of the
    rows of that class alone. It is also a prefix of the draw for any larger m, so that one call
    with the largest m, sliced `[:, :, :m]`, serves a whole curve and errors at different m are
    compared on nested supports.

    Args:
        labels: (N,) labels of any kind, at least two classes.
        m: Supports per class, at least 1.
        repeats: Number of draws, at least 1.
        seed: Key of the draws, 0 or more.
        replace: True draws iid from the rows of the class: the sampling of the bounds, whose
            population is then the empirical law of the rows. False takes different rows, as one
            would label them.
        stream: A second key, 0 or more: other streams are independent.

    Returns:
        (repeats, C, m) row numbers, classes in ascending order of label.

    Raises:
        ValueError: For numbers out of range, and (without replacement) m above the size of the
            smallest class.
    """
    names, rows = class_rows(labels)
    m, repeats = whole(m, "m"), whole(repeats, "repeats")
    seed, stream = whole(seed, "seed", 0), whole(stream, "stream", 0)
    smallest = min(range(len(rows)), key=lambda c: len(rows[c]))
    if not replace and m > len(rows[smallest]):
        raise ValueError(
            f"m = {m} but class {names[smallest]} has {len(rows[smallest])} samples: "
            "lower m or draw with replacement."
        )
    supports = np.empty((repeats, len(rows), m), dtype=np.int64)
    for k, (key, members) in enumerate(zip(map(_key, names), rows, strict=True)):
        n = len(members)
        for r in range(repeats):
            sequence = np.random.SeedSequence((seed, stream, r, key))
            rng = np.random.Generator(np.random.PCG64(sequence))
            picked = rng.integers(n, size=m) if replace else rng.permutation(n)[:m]
            supports[r, k] = members[picked]
    return supports


def class_rows(labels, name: str = "labels") -> tuple[list, list[np.ndarray]]:
    """The labels (C,) in ascending order and, for each, its rows in ascending order.

    Args:
        labels: (N,) labels of any kind.
        name: What the argument is called in a refusal.

    Returns:
        Labels and rows, one entry per class.

    Raises:
        ValueError: For fewer than two classes.
    """
    y, names = numbered(labels, name=name).numpy(), list(class_names(labels))
    if len(names) < 2:
        raise ValueError(f"{len(names)} class: classification needs at least two.")
    return names, np.split(np.argsort(y, kind="stable"), np.cumsum(np.bincount(y))[:-1])


def support_classes(count: int, labels, supports) -> list:
    """The label (C,) of each class of `supports`, ascending, after checking them.

    Args:
        count: Number of rows of the features.
        labels: (count,) their labels.
        supports: (repeats, C, m) rows from `draw_supports`.

    Returns:
        The labels of the C classes.

    Raises:
        ValueError: For a row that does not exist, and rows that are not grouped by class.
    """
    names, supports = list(class_names(labels)), np.asarray(supports)
    y = numbered(labels, count, "labels").numpy()
    if supports.ndim != 3 or 0 in supports.shape:
        raise ValueError(
            f"supports of shape {supports.shape}: give rows (repeats, classes, m) with m >= 1, "
            "as draw_supports does."
        )
    if supports.min() < 0 or supports.max() >= count:
        raise ValueError(
            f"support row {supports.max()} of {count} features: "
            "draw the supports from the labels of these features."
        )
    classes = y[supports[0, :, 0]]
    if (y[supports] != classes[:, None]).any() or (np.diff(classes) <= 0).any():
        raise ValueError(
            "supports mix classes: draw them with draw_supports from the labels of these features."
        )
    if len(classes) < 2:
        raise ValueError(f"{len(classes)} class: classification needs at least two.")
    return [names[c] for c in classes]


def query_rows(query_labels, count: int, classes: Sequence) -> list[np.ndarray]:
    """The rows of each class among `count` queries, whose classes must be those of the supports.

    Args:
        query_labels: (count,) labels of any kind.
        count: Number of queries.
        classes: (C,) labels of the classes of the supports, ascending.

    Returns:
        The rows of each class.

    Raises:
        ValueError: Where either has a class that the other lacks.
    """
    numbered(query_labels, count, "query_labels")
    names, rows = class_rows(query_labels, "query_labels")
    if names != list(classes):
        raise ValueError(
            f"queries of {len(names)} classes against supports of {len(classes)} classes: "
            "every class needs both, so select the same classes in both."
        )
    return rows


def _key(label) -> int:
    """A number that stands for the label in the key of a draw: whole numbers for themselves."""
    if isinstance(label, int | np.integer) and label >= 0:
        return int(label)
    return int.from_bytes(blake2b(str(label).encode(), digest_size=8).digest(), "little")
