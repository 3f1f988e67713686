"""Similarities: positives close, everything spread out, and Gram matrices of class means.

Alignment and uniformity (Wang and Isola 2020, arXiv 2005.10242) are about the unit sphere: rows are
scaled to unit norm first, which changes nothing for embeddings that are. A zero row gives NaN.
"""

import math

import numpy as np
import torch
from scipy.special import betaincinv
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.measures.moments import ROWS, Features, Measure, as_moments
from supcon_theory.measures.sampling import sampled_rows


def alignment(z: Tensor | np.ndarray, power: float = 2.0) -> Measure:
    """Mean over samples and pairs of distinct views of ||z_i^l - z_i^l'||^power.

    Args:
        z: (N, K, D) rows of any length.
        power: Exponent of the distance.

    Returns:
        0 where the views of every sample agree; NaN with a reason for a single view.
    """
    rows, reason = _unit_rows(z)
    n, k, _ = rows.shape
    if k == 1:
        reason = "one view per sample: there is no positive pair"
    if reason:
        return Measure(float("nan"), reason)
    total = 0.0
    for tile in rows.split(ROWS):
        views = tile.double()
        a, b = torch.triu_indices(k, k, 1, device=views.device)
        total += (views[:, a] - views[:, b]).square().sum(2).pow(power / 2).sum().item()
    return Measure(total / (n * k * (k - 1) / 2))


def uniformity(
    z: Tensor | np.ndarray, t: float = 2.0, max_samples: int | None = None, seed: int = 0
) -> Measure:
    """Log E exp(-t ||z - z'||^2) over pairs of views of distinct samples.

    Args:
        z: (N, D) or (N, K, D) rows of any length.
        t: In (0, 20], where exp(-4 t) is a float32 number.
        max_samples: At most so many samples, drawn by `sampled_rows`: the cost is quadratic in the
            number of rows. None: all N.
        seed: Key of that draw.

    Returns:
        From -4 t (nothing is close) to 0 (all rows are one); NaN with a reason for one sample.

    Raises:
        ValueError: For t or max_samples out of range.
    """
    if not 0 < t <= 20:
        raise ValueError(f"t is {t}; choose it in (0, 20], where exp(-4 t) is a float32 number.")
    if max_samples is not None and max_samples < 2:
        raise ValueError(f"max_samples is {max_samples}; a pair takes at least 2.")
    rows, reason = _unit_rows(z, max_samples, seed)
    n, k, _ = rows.shape
    if n < 2:
        reason = "one sample: there is no pair of distinct samples"
    if reason:
        return Measure(float("nan"), reason)
    flat = rows.flatten(0, 1)
    sample = torch.arange(n, device=flat.device).repeat_interleave(k)
    tiles = [slice(a, a + ROWS) for a in range(0, n * k, ROWS)]
    total = 0.0
    for p, left in enumerate(tiles):
        for right in tiles[p:]:
            cosines = flat[left] @ flat[right].T
            kernel = ((cosines - 1) * (2 * t)).exp_()
            if right.start - left.start < ROWS + k:  # only there can rows be of the same sample
                kernel[sample[left][:, None] == sample[right]] = 0
            part = kernel.sum(dtype=torch.float64).item()
            total += part if right == left else 2 * part
    return Measure(math.log(total / (n * (n - 1) * k * k)))


def wasserstein_uniformity(
    z: Tensor | np.ndarray, max_samples: int | None = 1024, seed: int = 0
) -> Measure:
    """W_1 of the cosines between distinct samples to those of uniform directions.

    (1 + cos) / 2 of independent uniform directions in d dimensions has the law
    Beta((d-1)/2, (d-1)/2); the distance is the mean difference of quantiles (arXiv 2405.18045).

    Args:
        z: (N, D) or (N, K, D) rows of any length, D >= 2; the first view of each sample is used.
        max_samples: At most so many samples, drawn by `sampled_rows`. None: all N.
        seed: Key of that draw.

    Returns:
        From 0 (as uniform directions) to about 1 (all rows are one); NaN with a reason for one
        sample or one dimension.
    """
    rows, reason = _unit_rows(z, max_samples, seed)
    n, _, d = rows.shape
    if n < 2 or d < 2:
        reason = "one sample" if n < 2 else "one dimension: directions have no density"
    if reason:
        return Measure(float("nan"), reason)
    first = rows[:, 0].double().cpu().numpy()
    cosines = np.sort((first @ first.T)[np.triu_indices(n, 1)])
    middles = (np.arange(len(cosines)) + 0.5) / len(cosines)
    uniform = 2 * betaincinv((d - 1) / 2, (d - 1) / 2, middles) - 1
    return Measure(float(np.abs(cosines - uniform).mean()))


def class_gram(features: Features, labels=None, *, cosine: bool = True) -> Tensor:
    """Gram matrix of the class means centred at their mean.

    Args:
        features: (N, D) or (N, K, D) with labels, or their Moments.
        labels: (N,) labels of any kind, for features.
        cosine: Of unit vectors: cosines.

    Returns:
        (C, C) float64. Rows and columns of a missing class, or of one at the grand mean, are NaN
        for `cosine`.
    """
    moments = as_moments(features, labels)
    present = moments.samples > 0
    centred = moments.means - moments.means[present].mean(0)
    if cosine:
        centred = centred / centred.norm(dim=1, keepdim=True)
    return centred @ centred.T


def etf_gram(classes: int, dimension: int | None = None) -> Tensor:
    """Gram matrix of a simplex ETF of unit vectors: 1 on the diagonal, -1/(C-1) off it.

    Args:
        classes: Number C of vertices, at least 2.
        dimension: Of the space it is to fit in, if that matters.

    Returns:
        (C, C) float64.

    Raises:
        ValueError: For fewer than two classes, and when no simplex ETF of so many classes exists in
            `dimension`.
    """
    if classes < 2:
        raise ValueError(f"classes is {classes}; a simplex ETF has at least 2 vertices.")
    if dimension is not None and dimension < classes - 1:
        raise ValueError(
            f"no simplex ETF of {classes} classes exists in {dimension} dimensions; "
            f"use at least {classes - 1}."
        )
    eye = torch.eye(classes, dtype=torch.float64)
    return (classes * eye - 1) / (classes - 1)


def _unit_rows(z, most: int | None = None, seed: int = 0) -> tuple[Tensor, str]:
    """Unit rows (N, K, D) of at most `most` samples, and why some have no direction."""
    rows = inputs.features(z, "z").detach()
    rows = rows if rows.ndim == 3 else rows[:, None]
    if most is not None:
        rows = rows[torch.as_tensor(sampled_rows(len(rows), most, seed), device=rows.device)]
    if zero := int((rows == 0).all(-1).sum()):
        return rows, f"{zero} rows are zero and have no direction"
    return inputs.unit_rows(rows).to(inputs.working_dtype(rows)), ""
