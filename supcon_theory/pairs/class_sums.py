"""Sums of exp(cosine / tau) over the same and over other classes, exactly, in memory O(N).

With the samples sorted by class, "same class" is a slice of a tile instead of a mask, and as the
matrix of cosines is symmetric a tile above the diagonal serves its rows and its columns. Tiles fit
in a core's cache, so what follows the matrix product costs little.
"""

from bisect import bisect_right

import torch

# Rows of a tile: 384 x 384 float32 is .6 MB, which stays in a core's cache between the product, the
# exponential and the sums. An accelerator wants fewer, larger tiles; 2048 exp(80) < 3.4e38.
TILE = {"cpu": 384}
TILE_ELSEWHERE = 2048
# Without a shift float32 holds exp(+-80) and sums of a tile's width of them.
FLOAT32_LIMIT = 80.0
# exp(650) times 10^18 terms still fits in float64, exp(-650) is still a normal number.
FLOAT64_LIMIT = 650.0
LARGEST_POWER = 6


def same_and_different_sums(
    z: torch.Tensor, y: torch.Tensor, taus: list[float]
) -> dict[float, tuple[torch.Tensor, torch.Tensor]]:
    """S and D of every anchor: {tau: (S, D)}, each (N, K) float64.

        S_i^l = sum over j != i with y_j  = y_i, all views l', of exp(<z_i^l, z_j^l'> / tau)
        D_i^l = sum over j      with y_j != y_i, all views l', of exp(<z_i^l, z_j^l'> / tau)

    z (N, K, d) unit rows, y (N,) integers, every tau >= 1 / 650; nothing is checked here. float32
    embeddings are multiplied in float32 while 1 / tau <= 80 and in float64 beyond, float64 ones
    always in float64; a tile's sums are added up in float64 in either case. D is summed by itself,
    never as total - S, which would cancel where a class has collapsed.
    """
    order = torch.argsort(y, stable=True)
    counts = torch.unique_consecutive(y[order], return_counts=True)[1].tolist()
    sums = {}
    by_dtype: dict[torch.dtype, list[float]] = {}
    # A caller may have allowed TF32 or bfloat16 products, far too coarse here.
    plain = z.dtype != torch.float64 and torch.get_float32_matmul_precision() == "highest"
    for tau in sorted(set(taus), reverse=True):
        single = plain and 1 / tau <= FLOAT32_LIMIT
        by_dtype.setdefault(torch.float32 if single else torch.float64, []).append(tau)
    for dtype, group in by_dtype.items():
        S, D = _upper_triangle(z[order].to(dtype), counts, group)
        for t, tau in enumerate(group):
            back = [torch.empty_like(x[t]).index_copy_(0, order, x[t]) for x in (S, D)]
            sums[tau] = (back[0], back[1])
    return sums


def _upper_triangle(
    z: torch.Tensor, counts: list[int], taus: list[float]
) -> tuple[torch.Tensor, torch.Tensor]:
    """S and D, each (len(taus), N, K), of samples sorted into classes of the given sizes."""
    N, K, d = z.shape
    rows = z.reshape(N * K, d)
    tile = max(1, TILE.get(z.device.type, TILE_ELSEWHERE) // K) * K
    S, D = torch.zeros((2, len(taus), N * K), dtype=torch.float64, device=z.device)
    tiles = [torch.empty(min(tile, N * K) ** 2, dtype=z.dtype, device=z.device) for _ in taus]
    recipe = _recipe(taus)
    # The logits are overwritten by the first exponentials unless another tau still needs them.
    logits = tiles[0] if all(power for _, power in recipe[1:]) else torch.empty_like(tiles[0])
    edges = torch.tensor([0, *counts]).cumsum(0).mul(K).tolist()
    for a in range(0, N * K, tile):
        left = rows[a : a + tile]
        for b in range(a, N * K, tile):
            right = rows[b : b + tile]
            shape = (len(left), len(right))
            X, *E = [x[: shape[0] * shape[1]].view(shape) for x in (logits, *tiles)]
            torch.addmm(X, left, right.T, beta=0, alpha=1 / taus[0], out=X)
            if a == b:  # all K views of the anchor's own sample are in neither sum
                own = X.view(shape[0] // K, K, shape[1] // K, K).diagonal(dim1=0, dim2=2)
                own.fill_(float("-inf"))
            for t, (source, power) in enumerate(recipe):
                if power:
                    _integer_power(E[source], power, out=E[t])
                elif t:
                    torch.mul(X, taus[0] / taus[t], out=E[t]).exp_()
                else:
                    torch.exp(X, out=E[t])
            shared = _shared_classes(edges, a, b, shape)
            for t, e in enumerate(E):
                for r, c in shared:
                    block = e[r, c]
                    S[t, a : a + tile][r] += block.sum(1)
                    if b > a:
                        S[t, b : b + tile][c] += block.sum(0)
                    block.zero_()
                D[t, a : a + tile] += e.sum(1)
                if b > a:
                    D[t, b : b + tile] += e.sum(0)
    return S.view(-1, N, K), D.view(-1, N, K)


def _recipe(taus: list[float]) -> list[tuple[int, int]]:
    """For each of the descending taus (s, m): its tile is the m-th power of tile s; m = 0: an exp.

    The power costs no accuracy: a rounding error e of the logits at tau is m e at tau / m, whether
    the logits are scaled before the exponential or the exponential is raised to the m-th power.
    """
    recipe = []
    for t, tau in enumerate(taus):
        powers = [(round(taus[s] / tau), s) for s in range(t)]
        usable = [
            (m, s) for m, s in powers if m <= LARGEST_POWER and abs(taus[s] / tau - m) <= 1e-14 * m
        ]
        recipe.append(min(usable)[::-1] if usable else (0, 0))
    return recipe


def _integer_power(x: torch.Tensor, m: int, *, out: torch.Tensor) -> None:
    """Out = x^m for m >= 2 by squaring: up to m = 6 cheaper than an exponential."""
    power = x
    for bit in f"{m:b}"[1:]:
        torch.mul(power, power, out=out)
        if bit == "1":
            out.mul_(x)
        power = out


def _shared_classes(
    edges: list[int], a: int, b: int, shape: tuple[int, int]
) -> list[tuple[slice, slice]]:
    """Slices (of rows, of columns) of each class present on both sides of the tile at (a, b)."""
    found = []
    k = bisect_right(edges, b) - 1  # the class of the tile's first column
    while k + 1 < len(edges) and edges[k] < a + shape[0]:
        r = slice(max(edges[k] - a, 0), min(edges[k + 1] - a, shape[0]))
        c = slice(max(edges[k] - b, 0), min(edges[k + 1] - b, shape[1]))
        found.append((r, c))
        k += 1
    return found
