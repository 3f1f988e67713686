"""Axes of independent tasks in one representation beside the bound on their cosine.

*factors*: random laws with independent labelings. *constructed*: a law on which the bound fails if
variances are averaged over the two classes of a pair only. *encoder*: attributes of characters.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from supcon_theory.audits.columns import MULTITASK
from supcon_theory.measures.centres import way_error
from supcon_theory.measures.few_shot import resampled_curve
from supcon_theory.measures.task_axes import cell_variance, class_axes
from supcon_theory.theory.multitask import axis_bound

COLUMNS, VERSION = MULTITASK.columns, MULTITASK.version
Row = dict[str, Any]


def axes_row(x: np.ndarray, y1: np.ndarray, y2: np.ndarray) -> Row:
    """The axes of all pairs of classes of two cell-balanced labelings: worst and median cosine.

    Args:
        x: (N, D) features.
        y1: (N,) classes 0 .. C1-1.
        y2: (N,) classes 0 .. C2-1, in the same number in each class of y1.

    Returns:
        A row of `MULTITASK`; `over_*` is the largest cosine over bound.
    """
    one, two = class_axes(x, y1), class_axes(x, y2)
    C1, C2 = int(y1.max()) + 1, int(y2.max()) + 1
    cosines = np.abs(one.axes @ two.axes.T)
    cells = cell_variance(x, y1, y2, one.axes), cell_variance(x, y2, y1, two.axes)
    variances = {
        "all": (one.of_all(), two.of_all()),
        "cells": cells,
        "pair": (one.of_pair(), two.of_pair()),
    }
    row: Row = {"C1": C1, "C2": C2, "cosine": float(np.median(cosines))}
    bounds = {
        name: axis_bound(one.distances[:, None], two.distances, C1, C2, s1[:, None], s2)
        for name, (s1, s2) in variances.items()
    }
    for name, bound in bounds.items():
        row[f"bound_{name}"] = float(np.median(bound))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(cosines > 0, cosines / bound, 0.0)
        row[f"over_{name}"] = float(ratio.max())
    row["violation_axes"] = float((cosines - bounds["all"]).max())
    row["violation_cells"] = float((cosines - bounds["cells"]).max())
    row["violation_order"] = float((bounds["cells"] - bounds["all"]).max())
    return row


def factor_rows(
    C1: int, C2: int, laws: int, seed: int, dimensions: Sequence[int] = (1, 2, 6)
) -> Iterator[Row]:
    """Random laws of independent labelings with interactions, from tight to noisy: the worst.

    Args:
        C1: Classes of one labeling.
        C2: Classes of the other.
        laws: Random laws of each dimension.
        seed: Key of the laws.
        dimensions: Of the features.

    Yields:
        A row for each dimension: the largest of every `over_*` and `violation_*`.
    """
    rng = np.random.default_rng((seed, C1, C2))
    y1, y2 = (of.ravel() for of in np.mgrid[:C1, :C2])
    for d in dimensions:
        rows = []
        for _ in range(laws):
            scale = np.exp(2 * rng.normal(size=4))
            cells = (
                scale[0] * rng.normal(size=(C1, d))[y1] + scale[1] * rng.normal(size=(C2, d))[y2]
            )
            cells = cells + scale[2] * rng.normal(size=(C1 * C2, d)) * (rng.random() < 0.7)
            noise = scale[3] * rng.normal(size=(4, C1 * C2, d)) * (rng.random() < 0.5)
            x = (cells + noise).reshape(-1, d)
            rows.append(axes_row(x, np.tile(y1, 4), np.tile(y2, 4)))
        worst = {name: max(row[name] for row in rows) for name in rows[0]}
        worst |= {name: np.median([r[name] for r in rows]) for name in rows[0] if "bound" in name}
        yield {"protocol": "factors", "d": d, "laws": laws} | worst


def constructed_row(spread: float, width: float = 1.0) -> Row:
    """Three classes on a line, two of them thin, the third spread by the other label.

    Classes 0 and 1 of the first labeling lie at -1 and 1, moved by `spread` with the second label,
    the third at 0 moved by `width`: both axes are the line, so their cosine is 1, while the
    variance within classes 0 and 1 is spread^2.

    Args:
        spread: How far the second label moves classes 0 and 1; tends to 0.
        width: How far it moves class 2.

    Returns:
        A row of `MULTITASK`, of the axis between classes 0 and 1.
    """
    y1, y2 = np.repeat([0, 1, 2], 2), np.tile([0, 1], 3)
    moved = np.array([spread, spread, width])[y1] * (2 * y2 - 1)
    x = (np.array([-1.0, 1.0, 0.0])[y1] + moved)[:, None]
    one, two = class_axes(x, y1), class_axes(x, y2)
    d1, d2, s2 = one.distances[:1], two.distances, two.of_all()
    row: Row = {"protocol": "constructed", "C1": 3, "C2": 2, "d": 1, "spread": spread}
    row["cosine"] = float(abs(one.axes[0] @ two.axes[0]))
    for name, s1 in (("all", one.of_all()), ("pair", one.of_pair())):
        row[f"bound_{name}"] = float(axis_bound(d1, d2, 3, 2, s1[:1], s2)[0])
        row[f"over_{name}"] = row["cosine"] / row[f"bound_{name}"]
    row["violation_axes"] = row["cosine"] - row["bound_all"]
    return row


def attribute_rows(
    x: np.ndarray,
    attributes: Mapping[str, np.ndarray],
    shots: Sequence[int],
    draws: int,
    seed: int,
) -> Iterator[Row]:
    """All pairs of attributes, and the few-shot error of each, from one set of features.

    Args:
        x: (N, D) features.
        attributes: For each the classes (N,) 0 .. C-1, all cells of two of them of the same size.
        shots: Numbers m of supports of each class, drawn with replacement.
        draws: Draws of the supports.
        seed: Key of the draws.

    Yields:
        Rows of `MULTITASK` of the protocols "axes" and "few shots".
    """
    for one, other in combinations(attributes, 2):
        about = {"protocol": "axes", "attribute": f"{one} and {other}"}
        yield about | axes_row(x, attributes[one], attributes[other])
    for name, y in attributes.items():
        C = int(y.max()) + 1
        for m, errors in resampled_curve(x, y, shots, draws=draws, seed=seed):
            each = way_error(errors.beaten, C)
            about = {"protocol": "few shots", "attribute": name, "C1": C, "m": m, "draws": draws}
            yield about | {
                "error": float(each.mean()),
                "of_chance": float(each.mean() * C / (C - 1)),
            }
