"""S and D, the sums of exp(cosine / tau) over same and other classes, exactly, in memory O(N)."""

import torch
from torch import Tensor

from supcon_theory.pairs.tiles import (
    SUMMED,
    Groups,
    add_sums,
    exponentials,
    full_precision,
    mask_out,
    schedule,
)
from supcon_theory.processes import check_same, mine, total


def class_sums(z: Tensor, y: Tensor, taus: list[float]) -> dict[float, tuple[Tensor, Tensor]]:
    """S and D of every anchor at every temperature, in float64.

        S_i^l = sum over j != i with y_j  = y_i, all views l', of exp(<z_i^l, z_j^l'> / tau)
        D_i^l = sum over j      with y_j != y_i, all views l', of exp(<z_i^l, z_j^l'> / tau)

    float32 embeddings are multiplied in float32 while 1 / tau <= 80 and in float64 beyond, float64
    ones always in float64; a tile's sums are added up in float64 in either case. D is summed by
    itself, never as total - S, which would cancel where a class has collapsed. Inside of
    `shared_over_processes` each process computes its part of the tiles.

    Args:
        z: (N, K, d) unit rows, float32 or float64, without a graph.
        y: (N,) numbers of the classes.
        taus: each >= 1 / 650; nothing is checked here.

    Returns:
        {tau: (S, D)}, each (N, K) float64.
    """
    check_same(z, y, torch.tensor(taus))
    N, K, _ = z.shape
    classes = y.repeat_interleave(K).to(z.dtype)
    # A caller may have allowed TF32 or bfloat16 products, far too coarse here.
    plain = z.dtype != torch.float64 and torch.get_float32_matmul_precision() == "highest"
    by_dtype: dict[torch.dtype, list[float]] = {}
    for tau in sorted(set(taus), reverse=True):
        single = plain and 1 / tau <= SUMMED[torch.float32]
        by_dtype.setdefault(torch.float32 if single else torch.float64, []).append(tau)
    found = {}
    for dtype, group in by_dtype.items():
        x = z.flatten(0, 1).to(dtype)
        sets = [Groups(classes, K), Groups(None, classes)]  # sis, oth
        order, sets, tiles = schedule(x, sets)
        x = x if order is None else x[order]
        scales = [1 / tau for tau in group]
        memory = x.new_empty(len(scales), max(tile.cells for tile in tiles))
        sums = torch.zeros(2, len(scales), N * K, dtype=torch.float64, device=z.device)
        with full_precision(z):
            for tile in mine(tiles, lambda tile: tile.cells):
                e = tile.of(memory)
                exponentials(x, scales, tile, e)
                for sum_of, groups, partial in zip(sums, sets, tile.partial, strict=True):
                    if partial is not None:
                        part = mask_out(e.clone(), tile, groups) if partial else e
                        add_sums(sum_of, part, tile)
        total(sums)
        if order is not None:
            sums = torch.empty_like(sums).index_copy_(2, order, sums)
        found |= zip(group, zip(*sums.view(2, -1, N, K), strict=True), strict=True)
    return found
