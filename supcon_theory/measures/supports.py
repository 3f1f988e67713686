"""The labelled examples of few-shot classification: which rows are the supports of which repeat."""

import numpy as np


def draw_supports(
    labels, m: int, repeats: int, seed: int, *, replace: bool = False, stream: int = 0
) -> np.ndarray:
    """Row indices (repeats, C, m) of m supports per class; classes in ascending order of label.

    The draw of one class in one repeat is a function of (seed, stream, repeat, label) and of the
    rows of that class alone. It is also a prefix of the draw for any larger m, so that one call
    with the largest m, sliced `[:, :, :m]`, serves a whole curve and errors at different m are
    compared on nested supports.

    labels (N,) integers >= 0. replace=True draws iid from the rows of the class: the sampling of
    the bounds, whose population is then the empirical law of the rows. replace=False takes
    different rows, as one would label them.

    Raises ValueError for fewer than two classes, a negative label, m < 1, repeats < 1, a negative
    seed or stream, and (without replacement) m above the size of the smallest class.
    """
    rows = class_rows(labels)
    if m < 1 or repeats < 1:
        raise ValueError(f"m = {m}, repeats = {repeats}: both must be at least 1.")
    if seed < 0 or stream < 0:
        raise ValueError(f"seed = {seed}, stream = {stream}: neither may be negative.")
    smallest = min(rows, key=lambda c: len(rows[c]))
    if not replace and m > len(rows[smallest]):
        raise ValueError(
            f"m = {m} but class {smallest} has {len(rows[smallest])} samples: "
            "lower m or draw with replacement."
        )
    supports = np.empty((repeats, len(rows), m), dtype=np.int64)
    for r in range(repeats):
        for k, (c, members) in enumerate(rows.items()):
            rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, stream, r, c))))
            n = len(members)
            picked = rng.integers(n, size=m) if replace else rng.permutation(n)[:m]
            supports[r, k] = members[picked]
    return supports


def class_rows(labels) -> dict[int, np.ndarray]:
    """{label: its rows in ascending order}, labels ascending; at least two classes."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"labels of shape {labels.shape} and type {labels.dtype}: give one integer per sample."
        )
    if labels.size and labels.min() < 0:
        raise ValueError(f"label {labels.min()}: labels are integers from 0 on.")
    classes = np.unique(labels)
    if len(classes) < 2:
        raise ValueError(f"{len(classes)} class: classification needs at least two.")
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], classes[1:])
    return dict(zip(classes.tolist(), np.split(order, bounds), strict=True))


def feature_matrix(features, name: str = "features") -> np.ndarray:
    """`features` as a finite float64 matrix (N, d)."""
    x = np.asarray(features, dtype=np.float64)
    if x.ndim != 2:
        raise ValueError(f"{name} of shape {x.shape}: give a matrix of (samples, dimensions).")
    if not np.isfinite(x).all():
        row = int(np.flatnonzero(~np.isfinite(x).all(axis=1))[0])
        raise ValueError(f"{name} has NaN or infinity in row {row}: remove or repair such rows.")
    return x


def support_classes(features: np.ndarray, labels, supports) -> np.ndarray:
    """The label (C,) of each class of `supports` (repeats, C, m), ascending, after checking them."""
    labels, supports = np.asarray(labels), np.asarray(supports)
    if len(labels) != len(features):
        raise ValueError(f"{len(labels)} labels for {len(features)} features: give one each.")
    if supports.ndim != 3 or 0 in supports.shape:
        raise ValueError(
            f"supports of shape {supports.shape}: give rows (repeats, classes, m) with m >= 1, "
            "as draw_supports does."
        )
    if supports.min() < 0 or supports.max() >= len(features):
        raise ValueError(
            f"support row {supports.max()} of {len(features)} features: "
            "draw the supports from the labels of these features."
        )
    classes = labels[supports[0, :, 0]]
    if (labels[supports] != classes[:, None]).any() or (np.diff(classes) <= 0).any():
        raise ValueError(
            "supports mix classes: draw them with draw_supports from the labels of these features."
        )
    if len(classes) < 2:
        raise ValueError(f"{len(classes)} class: classification needs at least two.")
    return classes
