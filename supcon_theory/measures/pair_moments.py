"""Higher moments of the classes and of pairs of classes: what few-shot error bounds are made of.

For an ordered pair (i, j): D = mu_j - mu_i, w = x - mu_c of class c, all moments 1/n and float64.
Each function computes one of them from the residuals, tile by tile: no C x C x D and no C x D x D
tensor. A class with fewer than two rows has no scatter: its entries are NaN.
"""

import torch
from torch import Tensor

from supcon_theory.measures.moments import ROWS, Moments

_TILE_NUMBERS = 4_000_000  # numbers in one tile of scatter matrices: 32 MB


def directional_scatter(moments: Moments) -> Tensor:
    """D' Sigma_i D with D = mu_j - mu_i; row i is the class whose scatter it is.

    Its transpose is D' Sigma_j D. One product of the residuals with the means: O(N K C D).

    Note: float32 features are multiplied in float32, which on centred rows costs no more than the
    rounding of the features did, and squared and summed in float64. Where two means are so close
    that their difference would cancel in the product, it is taken first, in float64.

    Args:
        moments: From `class_moments`.

    Returns:
        (C, C) float64, in units of the features to the fourth.
    """
    centred = moments.means - moments.means[moments.samples > 0].mean(0)
    unit = moments.scale or 1.0  # keeps the squares of huge or tiny features within range
    directions = (centred / unit).to(moments.residuals.dtype).T.contiguous()
    squares = centred.square().sum(1)
    near = moments.square_distances < 1e-2 * (squares[:, None] + squares)
    close = near.any(1)
    result, exact = centred.new_zeros(2, len(centred), len(centred))
    for owner, rows in moments.residual_tiles():
        projections = rows @ directions
        projections -= projections.gather(1, owner[:, None])
        result.index_add_(0, owner, projections.double().square_())
        for i in owner[close[owner]].unique().tolist():
            differences = centred[near[i]] - centred[i]
            exact[i, near[i]] += (rows[owner == i].double() @ differences.T).square_().sum(0)
    result *= unit**2
    result[near] = exact[near]
    return _averaged(result, moments)


def scatter_products(moments: Moments) -> Tensor:
    """tr(Sigma_i Sigma_j); the diagonal is tr Sigma_i^2.

    Either from the Gram matrix of the residuals, since n_i n_j tr(Sigma_i Sigma_j) is the squared
    Frobenius norm of W_i W_j', or from the scatter matrices a few rows at a time: whichever is
    cheaper, O(min((N K)^2 D, N K D^2 + C^2 D^2)).

    Args:
        moments: From `class_moments`.

    Returns:
        (C, C) float64, in units of the features to the fourth.
    """
    rows, d = moments.counts.sum().item(), moments.means.shape[1]
    by_gram = rows**2 < rows * d + len(moments.means) ** 2 * d
    return (_products_by_gram if by_gram else _products_by_scatter)(moments)


def _products_by_gram(moments: Moments) -> Tensor:
    flat, owners = _rows(moments)
    c = len(moments.means)
    sums = moments.means.new_zeros(c, c)
    for left in _tiles(len(flat)):
        rows = flat[left].double()
        for right in _tiles(len(flat)):
            if right.start < left.start:
                continue
            squares = (rows @ flat[right].double().T).square_()
            by_left = squares.new_zeros(c, squares.shape[1])
            by_left.index_add_(0, owners[left], squares)
            block = sums.new_zeros(c, c).index_add_(1, owners[right], by_left)
            sums += block if right == left else block + block.T
    counts = moments.counts.to(sums)
    return _blanked(sums / counts[:, None] / counts, moments)


def _products_by_scatter(moments: Moments) -> Tensor:
    flat, _ = _rows(moments)
    (c, d), counts = moments.means.shape, moments.counts.tolist()
    width = max(1, min(d, _TILE_NUMBERS // (c * d)))
    result = moments.means.new_zeros(c, c)
    for a in range(0, d, width):
        b = min(a + width, d)
        slab, start = moments.means.new_zeros(c, b - a, d - a), 0
        for i, count in enumerate(counts):
            block = flat[start : start + count, a:].double()
            # A missing class is blanked below.
            slab[i] = block[:, : b - a].T @ block / max(count, 1)
            start += count
        # The matrices are symmetric: what lies right of the square block stands for both halves.
        slab[:, :, b - a :] *= 2**0.5
        slab = slab.flatten(1)
        result += slab @ slab.T
    return _blanked(result, moments)


def fourth_moments(moments: Moments) -> Tensor:
    """M4_c = E||w||^4, (C,)."""
    flat, owners = _rows(moments)
    result = moments.means.new_zeros(len(moments.means), 1)
    for tile in _tiles(len(flat)):
        result.index_add_(0, owners[tile], flat[tile].double().square().sum(1, True).square())
    return _averaged(result, moments)[:, 0]


def third_moments(moments: Moments) -> Tensor:
    """kappa_c = E[w ||w||^2], (C, D)."""
    flat, owners = _rows(moments)
    result = torch.zeros_like(moments.means)
    for tile in _tiles(len(flat)):
        rows = flat[tile].double()
        result.index_add_(0, owners[tile], rows * rows.square().sum(1, True))
    return _averaged(result, moments)


def third_moments_along(moments: Moments) -> Tensor:
    """D' kappa_j with D = mu_j - mu_i, (C, C); column j is the class whose third moment it is."""
    kappa = third_moments(moments)
    centred = moments.means - moments.means[moments.samples > 0].mean(0)
    return (centred * kappa).sum(1) - centred @ kappa.T


def _rows(moments: Moments) -> tuple[Tensor, Tensor]:
    if len(moments.residuals) < int(moments.samples.sum()):
        raise ValueError("these moments were streamed: take a subset that fits in memory.")
    return moments.residuals.flatten(0, 1), moments.owners.repeat_interleave(moments.views)


def _tiles(rows: int) -> list[slice]:
    return [slice(a, min(a + ROWS, rows)) for a in range(0, rows, ROWS)]


def _averaged(sums: Tensor, moments: Moments) -> Tensor:
    means = sums / moments.counts[:, None]
    means[moments.counts < 2] = torch.nan
    return means


def _blanked(pairs: Tensor, moments: Moments) -> Tensor:
    pairs[moments.counts < 2] = torch.nan
    pairs[:, moments.counts < 2] = torch.nan
    return pairs
