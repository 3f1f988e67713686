"""Similarities: positives close, everything spread out, and Gram matrices of class means.

Alignment and uniformity (Wang and Isola 2020, arXiv 2005.10242) are about the unit sphere: rows are
scaled to unit norm first, which changes nothing for embeddings that are. A zero row gives NaN.
"""

import math

import torch
from torch import Tensor

from supcon_theory.measures.labels import check_floating
from supcon_theory.measures.moments import ROWS, Measure, Moments, as_moments


def alignment(z: Tensor, power: float = 2.0) -> Measure:
    """Mean over samples and pairs of distinct views of ||z_i^l - z_i^l'||^power.

    z (N, K, D); NaN for a single view.
    """
    rows, reason = _unit_rows(z)
    k = rows.shape[1]
    if k == 1:
        reason = "one view per sample: there is no positive pair"
    if reason:
        return Measure(float("nan"), reason)
    total = 0.0
    for tile in rows.split(ROWS):
        views = tile.double().unbind(1)
        for a in range(k):
            for b in range(a + 1, k):
                squares = (views[a] - views[b]).square().sum(1)
                total += squares.pow(power / 2).sum().item()
    return Measure(total / (len(rows) * k * (k - 1) / 2))


def uniformity(z: Tensor, t: float = 2.0, max_samples: int | None = None) -> Measure:
    """Log E exp(-t ||z - z'||^2) over pairs of views of distinct samples.

    z (N, D) or (N, K, D). The cost is quadratic in the number of rows; `max_samples` keeps that many
    samples, evenly spaced in the order given (no draw), instead of all N.
    """
    if not 0 < t <= 20:
        raise ValueError(f"t is {t}; choose it in (0, 20], where exp(-4 t) is a float32 number.")
    rows, reason = _unit_rows(z if max_samples is None else _evenly_spaced(z, max_samples))
    n, k, _ = rows.shape
    if n < 2:
        reason = "one sample: there is no pair of distinct samples"
    if reason:
        return Measure(float("nan"), reason)
    flat = rows.flatten(0, 1)
    sample = torch.arange(n, device=z.device).repeat_interleave(k)
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


def class_gram(
    features: Tensor | Moments, labels: Tensor | None = None, *, cosine: bool = True
) -> Tensor:
    """Gram matrix of the class means centred at their mean, (C, C); `cosine`: of unit vectors.

    Rows and columns of a missing class, or of one at the grand mean, are NaN for `cosine`.
    """
    moments = as_moments(features, labels)
    present = moments.samples > 0
    centred = moments.means - moments.means[present].mean(0)
    if cosine:
        centred = centred / centred.norm(dim=1, keepdim=True)
    return centred @ centred.T


def etf_gram(classes: int, dimension: int | None = None) -> Tensor:
    """Gram matrix of a simplex ETF of unit vectors: 1 on the diagonal, -1/(C-1) off it, float64.

    Raises ValueError for fewer than two classes, and when `dimension` is given and no simplex ETF
    of so many classes exists there.
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


def _unit_rows(z: Tensor) -> tuple[Tensor, str]:
    check_floating("z is", z)
    if z.ndim not in (2, 3) or 0 in z.shape:
        raise ValueError(f"z has shape {tuple(z.shape)}; pass (N, D) or (N, K, D), none of them 0.")
    z = z.detach() if z.ndim == 3 else z.detach()[:, None]
    z = z.to(torch.promote_types(z.dtype, torch.float32))
    norms = z.norm(dim=-1, keepdim=True)
    if not norms.isfinite().all():
        raise ValueError(
            f"{(~norms.isfinite()).sum().item()} rows of z are NaN or infinite, or too "
            f"large for {z.dtype}; remove them or find their cause."
        )
    zero = (norms == 0).sum().item()
    return z / norms, f"{zero} rows are zero and have no direction" if zero else ""


def _evenly_spaced(z: Tensor, count: int) -> Tensor:
    if count < 2:
        raise ValueError(f"max_samples is {count}; a pair takes at least 2.")
    if count >= len(z):
        return z
    return z[torch.arange(count, device=z.device) * len(z) // count]
