"""What embeddings capture of labels, with and without looking at them; bounds made of it.

The population is the rows at hand, cut to classes of one size, so that every theorem about captured
energy applies exactly; the estimate without labels is cross-fitted between two halves.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from supcon_theory.audits.columns import CAPTURED_ENERGY
from supcon_theory.audits.whitened_laws import bound_columns
from supcon_theory.measures.captured_energy import (
    between_views,
    class_energy,
    cross_fitted,
    task_axis,
    whitened,
)
from supcon_theory.measures.class_distances import cdnv, directional_cdnv
from supcon_theory.measures.few_shot import resampled_curve
from supcon_theory.measures.moments import class_moments
from supcon_theory.theory.captured_energy import axis_cosine_bound, whitened_cdnv
from supcon_theory.theory.few_shot.certificates import certificate

COLUMNS, VERSION = CAPTURED_ENERGY.columns, CAPTURED_ENERGY.version
Row = dict[str, Any]


def equal_classes(z: Tensor, y: Tensor) -> np.ndarray:
    """The first samples of each class, as many as the smallest has.

    Args:
        z: (N, K, D) features.
        y: (N,) labels 0 .. C-1.

    Returns:
        (C, n, K, D) float64, n even.

    Raises:
        ValueError: a class has a single sample: there are no two halves.
    """
    n = int(y.bincount().min()) // 2 * 2
    if n < 2:
        raise ValueError("a class has a single sample: captured energy takes at least 2 of each.")
    return np.stack([z[y == c][:n].double().numpy() for c in range(int(y.max()) + 1)])


def energy_rows(x: np.ndarray, seed: int) -> Iterator[Row]:
    """Captured energy of the classes, labelled, without labels, and of shuffled labels.

    Args:
        x: (C, n, K, D) of `equal_classes`.
        seed: Key of the shuffle.

    Yields:
        A row for the labels "true" and one for "shuffled".
    """
    C, n, K, D = x.shape
    y = np.repeat(np.arange(C), n)
    whole = whitened(x.reshape(C * n, K, D))
    r = min(C - 1, whole.features.shape[-1])
    halves = x[:, : n // 2], x[:, n // 2 :]
    half = np.repeat(np.arange(C), n // 2)
    rng = np.random.default_rng((seed, C, n))
    labels = {"true": (y, half), "shuffled": (rng.permutation(y), rng.permutation(half))}
    found = []
    for one, other in (halves, halves[::-1]):
        one, other = (of.reshape(-1, K, D) for of in (one, other))
        found.append(cross_fitted(one, other, r))
    label_free = np.mean([between_views(of.shared, K).mean() for of in found])
    for name, (all_labels, half_labels) in labels.items():
        plain = class_energy(whole.features, all_labels, unbiased=False)
        top = whole.shared[: C - 1].sum() / (C - 1)
        estimates = [class_energy(of.features, half_labels, unbiased=True) for of in found]
        yield {
            "protocol": "views",
            "labels": name,
            "r": r,
            "B": plain,
            "shared": top,
            "violation_shared": plain - top,
            "energy": np.mean(estimates),
            "label_free": label_free,
            "label_free_error": label_free - np.mean(estimates),
        }


def balanced_tasks(C: int, count: int, seed: int) -> np.ndarray:
    """Different labels -1 and 1 of classes, half of each; for odd C the last class has none.

    Args:
        C: Classes.
        count: Tasks drawn.
        seed: Key of the draw.

    Returns:
        (count or fewer, C or for odd C one less), 1 at the first class.
    """
    rng, even = np.random.default_rng((seed, C, 5)), C // 2 * 2
    drawn = np.stack([rng.permutation(np.repeat([1, -1], even // 2)) for _ in range(count)])
    return np.unique(drawn * drawn[:, :1], axis=0)  # a task and its opposite are one


def task_rows(
    x: np.ndarray,
    dimensions: Sequence[int],
    shots: Sequence[int],
    certified: Sequence[int],
    *,
    tasks: int,
    draws: int,
    seed: int,
) -> Iterator[Row]:
    """Few-shot error of a task of half the classes against the rest; cosines of several tasks.

    Args:
        x: (C, n, K, D) of `equal_classes`.
        dimensions: Numbers r of directions, those that views share most.
        shots: Numbers m of supports per side.
        certified: The m at which the certificate is computed.
        tasks: Random tasks whose axes are compared; errors are those of the first.
        draws: Draws of the supports.
        seed: Key of tasks and draws.

    Yields:
        Rows of "few shots" and "axes".
    """
    C, n, K, D = x.shape
    sides = balanced_tasks(C, tasks, seed)
    used = sides.shape[1]
    whole = whitened(x[:used].reshape(used * n, K, D))
    for r in sorted({min(r, whole.features.shape[-1]) for r in dimensions}):
        F = whole.features[..., :r]
        Ys = [np.repeat(side, n) for side in sides]
        axes = [task_axis(F, Y) for Y in Ys]
        B = [float(axis @ axis) for axis in axes]
        yield from _axes_rows(r, Ys, axes, B)
        rows, Y = F.reshape(-1, r), np.repeat(Ys[0], K)
        moments = class_moments(torch.from_numpy(rows), torch.from_numpy(Y))
        measured = cdnv(moments, convention="half").mean, directional_cdnv(moments).mean
        ideal = [float(of) for of in whitened_cdnv(B[0], r)]
        error = max(abs(a / b - 1) for a, b in zip(measured, ideal, strict=True) if b > 0)
        classes = [rows[Y == side] for side in (-1, 1)]
        for m, errors in resampled_curve(rows, Y, shots, draws=draws, seed=seed):
            each = errors.pair.sum((1, 2)) / 2
            se = each.std(ddof=1) / np.sqrt(draws)
            row = bound_columns(min(B[0], 1.0), r, m, float(each.mean()), float(se))
            row |= {"protocol": "few shots", "draws": draws, "cdnv_error": error}
            if m in certified:
                proved = certificate(classes, m, "chernoff").two_way_error
                row["certificate_chernoff"] = proved
                row["violation_certificate_chernoff"] = proved - min(1.0, row["bound_captured"])
            yield row


def _axes_rows(
    r: int, Ys: list[np.ndarray], axes: list[np.ndarray], B: list[float]
) -> Iterator[Row]:
    for i in range(len(Ys)):
        for j in range(i):
            rho = float(np.mean(Ys[i] * Ys[j]))
            bound = float(axis_cosine_bound(rho, min(B[i], 1.0), min(B[j], 1.0)))
            cosine = abs(float(axes[i] @ axes[j])) / np.sqrt(B[i] * B[j])
            yield {
                "protocol": "axes",
                "r": r,
                "B": min(B[i], B[j]),
                "label_correlation": abs(rho),
                "cosine": cosine,
                "bound_cosine": bound,
                "violation_cosine": cosine - bound,
                "of_bound": cosine / bound,
            }
