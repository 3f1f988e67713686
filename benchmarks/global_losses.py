"""Time and memory of the exact losses over a whole data set, beside the plain way.

    python benchmarks/global_losses.py [--quick]     90 s (quick: 15 s) on one thread

    ours     `global_losses`: tiles of the upper triangle, DCL and NSCL of every anchor
    plain    the full matrix in blocks of rows, product, exp and sum: one sum per anchor, so neither
             the labels nor the losses. `plain` uses the fastest block of 64 to 512 rows
             on this machine, `plain 1024` a block of a more usual size.
    product  the matrix products of the upper triangle alone: the floor of anything exact

Each cell runs in a process of its own, the versions taking turns there; seconds are CPU time, the
median of three runs. Memory is the peak resident set above that before the call, of `global_losses`
alone. d = 128, K = 2, C = 100 classes, tau = 1 (and tau = 1, .5 in one pass for `ours, 2 taus`).

Writes figures/benchmarks/benchmark_global_losses.{csv,png,pdf}: columns rows (N K), version,
seconds, ratio (to `plain`), extra_mb. Beyond 20,000 rows only ours is run.
"""

import os

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"  # before torch loads its BLAS

import argparse
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from time import process_time

import numpy as np
import pandas as pd
import torch

import figures
from supcon_theory.measures.losses import global_losses
from supcon_theory.pairs.tiles import TILE

FIGURES = figures.FIGURES
K, D, C = 2, 128, 100
ROWS = [2500, 5000, 10_000, 20_000, 40_000]
RUNS = 3
BLOCKS = [64, 128, 256, 512]
LARGEST_PLAIN = 20_000  # beyond, only ours: the full matrix takes minutes
LIMIT = 0.6


def plain(rows: torch.Tensor, block: int) -> torch.Tensor:
    sums = torch.empty(len(rows))
    for a in range(0, len(rows), block):
        sums[a : a + block] = (rows[a : a + block] @ rows.T).exp_().sum(1)
    return sums


def product(rows: torch.Tensor) -> None:
    tile = TILE["cpu"]
    out = torch.empty(tile, tile)
    for a in range(0, len(rows), tile):
        left = rows[a : a + tile]
        for b in range(a, len(rows), tile):
            right = rows[b : b + tile]
            torch.mm(left, right.T, out=out[: len(left), : len(right)])


def seconds(run: Callable[[], object]) -> float:
    start = process_time()
    run()
    return process_time() - start


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cell(count: int) -> list[dict[str, float | str]]:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)

    def data(N: int) -> tuple[torch.Tensor, torch.Tensor]:
        z = torch.randn(N, K, D, generator=generator)
        y = torch.arange(N)[torch.randperm(N, generator=generator)] % C
        return torch.nn.functional.normalize(z, dim=-1), y

    global_losses(*data(500), [1.0])  # libraries are loaded and warm
    z, y = data(count // K)
    before = peak_mb()
    global_losses(z, y, [1.0])
    extra = peak_mb() - before
    rows = z.view(-1, D)
    versions = {
        "ours": lambda: global_losses(z, y, [1.0]),
        "ours, 2 taus": lambda: global_losses(z, y, [1.0, 0.5]),
        "product": lambda: product(rows),
    }
    if count <= LARGEST_PLAIN:
        block = min(BLOCKS, key=lambda b: seconds(lambda: plain(rows, b)))
        versions |= {
            "plain": lambda: plain(rows, block),
            "plain 1024": lambda: plain(rows, 1024),
        }
    times: dict[str, list[float]] = {name: [] for name in versions}
    for _ in range(RUNS):
        for name, run in versions.items():
            times[name].append(seconds(run))
    reference = median(times.get("plain", [np.nan]))
    return [
        {
            "rows": count,
            "version": name,
            "seconds": median(values),
            "ratio": median(values) / reference,
            "extra_mb": extra if name == "ours" else np.nan,
        }
        for name, values in times.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="up to 10,000 rows, nothing written")
    quick = parser.parse_args().quick
    records = []
    for count in [r for r in ROWS if r <= 10_000 or not quick]:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found = pool.submit(cell, count).result()
        records += found
        print(pd.DataFrame(found).round(4).to_string(index=False, header=count == ROWS[0]))
    table = pd.DataFrame(records)
    ours = table[table.version == "ours"]
    slope = np.polyfit(np.log(ours.rows), np.log(ours.seconds), 1)[0]
    print(f"time grows as (N K)^{slope:.2f}")
    if not quick:
        FIGURES.mkdir(exist_ok=True)
        table.to_csv(FIGURES / "benchmark_global_losses.csv", index=False, float_format="%.5g")
        figures.draw(FIGURES)
        row = ours[ours.rows == 20_000].iloc[0]
        print(f"20,000 rows: {row.ratio:.2f} of plain (limit {LIMIT}), {row.extra_mb:.0f} MB extra")


if __name__ == "__main__":
    main()
