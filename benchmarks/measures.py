"""Speed, memory and accuracy of the class geometry, beside a plain vectorised version and a loop.

    python benchmarks/measures.py [--quick]     about a minute (quick: 10 s); one thread, Linux

Three versions of CDNV and directional CDNV together, on the same float32 features:

    ours    `class_moments`, `cdnv`, `directional_cdnv`: float64 sums, in tiles
    plain   whole-array float32: means, residuals, one product of all residuals with all means
    loop    the definition as it reads: for each ordered pair of classes, the mean, the variance
            and the variance along the line between the means

and of NC1 with the angles of the class means: ours, and `plain` through D x D scatter matrices and
a pseudo-inverse. Seconds are CPU time of this process, the versions taking turns, medians of the
runs; memory is the peak resident set above that at the start. Only ratios mean anything on another
machine. The accuracy table moves float32 features by a common offset and compares CDNV with float64
on the same rounded features; `one-pass` is E[x^2] - E[x]^2 in float32.

Writes benchmark_measures.{csv,png,pdf} and benchmark_measures.accuracy.csv to figures/benchmarks.
"""

import os

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"  # before torch loads its BLAS

import argparse
import ctypes
from collections.abc import Callable
from statistics import median
from time import process_time

import pandas as pd
import torch
from torch import Tensor

import figures
from supcon_theory import measures

FIGURES = figures.FIGURES
SWEEPS = {  # what grows: (N, C, d) of each cell
    "N": [(n, 100, 256) for n in (2500, 5000, 10_000, 20_000, 40_000)],
    "C": [(20_000, c, 256) for c in (10, 30, 100, 300, 1000)],
    "d": [(20_000, 100, d) for d in (32, 64, 128, 256, 512, 1024)],
    "headline": [(10_000, 100, 512), (20_000, 1000, 512)],
}
LOOP_CLASSES = 100  # above so many the loop is not run: its time grows as C N d as well as C^2


def gaussian_classes(N: int, C: int, d: int) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    y = torch.arange(N)[torch.randperm(N, generator=g)] % C
    return torch.randn(N, d, generator=g).add_(torch.randn(C, d, generator=g)[y]), y


def ours(x: Tensor, y: Tensor) -> tuple[float, float]:
    moments = measures.class_moments(x, y)
    return measures.cdnv(moments).mean, measures.directional_cdnv(moments).mean


def plain(x: Tensor, y: Tensor) -> tuple[float, float]:
    C = int(y.max()) + 1
    counts = torch.bincount(y).to(x.dtype)[:, None]
    means = x.new_zeros(C, x.shape[1]).index_add_(0, y, x) / counts
    residuals = x - means[y]
    v = x.new_zeros(C).index_add_(0, y, residuals.square().sum(1)) / counts[:, 0]
    squares = torch.cdist(means, means).square().fill_diagonal_(1)
    apart = 1 - torch.eye(C, dtype=x.dtype)
    along = residuals @ means.T
    along -= along.gather(1, y[:, None])
    scatter = x.new_zeros(C, C).index_add_(0, y, along.square()) / counts
    pairs = C * (C - 1)
    return tuple(
        ((ratio * apart).sum() / pairs).item()
        for ratio in ((v[:, None] + v) / 2 / squares, scatter / squares.square())
    )


def loop(x: Tensor, y: Tensor) -> tuple[float, float]:
    C = int(y.max()) + 1
    rows = [x[y == c] for c in range(C)]
    means = [r.mean(0) for r in rows]
    variances = [(r - m).square().sum(1).mean() for r, m in zip(rows, means, strict=True)]
    whole = along = 0.0
    for i in range(C):
        for j in range(C):
            if i != j:
                line = means[j] - means[i]
                square = line @ line
                whole += ((variances[i] + variances[j]) / (2 * square)).item()
                along += ((rows[i] @ (line / square.sqrt())).var(correction=0) / square).item()
    return whole / (C * (C - 1)), along / (C * (C - 1))


def our_collapse(x: Tensor, y: Tensor) -> tuple[float, float]:
    moments = measures.class_moments(x, y)
    return measures.nc1(moments).value, measures.etf_deviation(moments).value


def plain_collapse(x: Tensor, y: Tensor) -> tuple[float, float]:
    C = int(y.max()) + 1
    means = x.new_zeros(C, x.shape[1]).index_add_(0, y, x) / torch.bincount(y)[:, None]
    residuals = x - means[y]
    centred = means - means.mean(0)
    within, between = residuals.T @ residuals / len(x), centred.T @ centred / C
    nc1 = (within @ torch.linalg.pinv(between, rtol=1e-5, hermitian=True)).trace() / C
    unit = centred / centred.norm(dim=1, keepdim=True)
    ideal = (C * torch.eye(C) - 1) / (C - 1)
    return nc1.item(), ((unit @ unit.T - ideal).norm() / ideal.norm()).item()


def one_pass(x: Tensor, y: Tensor) -> float:
    C = int(y.max()) + 1
    counts = torch.bincount(y)
    means = x.new_zeros(C, x.shape[1]).index_add_(0, y, x) / counts[:, None]
    squares = x.new_zeros(C).index_add_(0, y, x.square().sum(1)) / counts
    v = squares - means.square().sum(1)
    distances = torch.cdist(means, means).square().fill_diagonal_(torch.nan)
    return ((v[:, None] + v) / 2 / distances).nanmean().item()


def resident(field: str) -> float:
    """MB from /proc: VmRSS now, VmHWM the peak since `forget_peak`."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(field))


def extra_megabytes(call: Callable[[], object]) -> float:
    ctypes.CDLL(None).malloc_trim(0)  # what earlier calls freed must not be reused uncounted
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")  # start a new VmHWM
    before = resident("VmRSS")
    call()
    return max(0.0, resident("VmHWM") - before)


def measure(sweep: str, N: int, C: int, d: int, runs: int) -> list[dict]:
    x, y = gaussian_classes(N, C, d)
    rows = []
    for what, versions in (
        ("CDNV", {"plain": plain, "ours": ours} | ({"loop": loop} if C <= LOOP_CLASSES else {})),
        ("collapse", {"plain": plain_collapse, "ours": our_collapse}),
    ):
        memory = {name: extra_megabytes(lambda f=f: f(x, y)) for name, f in versions.items()}
        seconds: dict[str, list[float]] = {name: [] for name in versions}
        for run in range(runs):
            for name, f in versions.items():
                if name == "loop" and run:
                    continue
                start = process_time()
                f(x, y)
                seconds[name].append(process_time() - start)
        floor = median(seconds["plain"])
        rows += [
            {
                "sweep": sweep,
                "what": what,
                "N": N,
                "C": C,
                "d": d,
                "version": name,
                "cpu_seconds": median(times),
                "of_plain": median(times) / floor,
                "extra_MB": memory[name],
                "runs": len(times),
            }
            for name, times in seconds.items()
        ]
    return rows


def accuracy(N: int = 2000, C: int = 20, d: int = 128) -> pd.DataFrame:
    x, y = gaussian_classes(N, C, d)
    rows = []
    for offset in (0.0, 1e2, 1e3, 1e4):
        moved = x + offset
        exact = plain(moved.double(), y)
        for name, value in (
            ("ours", ours(moved, y)),
            ("plain", plain(moved, y)),
            ("one-pass", (one_pass(moved, y), float("nan"))),
        ):
            rows.append(
                {
                    "offset": offset,
                    "version": name,
                    "cdnv": value[0],
                    "exact_cdnv": exact[0],
                    "error": abs(value[0] / exact[0] - 1),
                    "directional_error": abs(value[1] / exact[1] - 1),
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the headline only, writing nothing")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    ours(*gaussian_classes(500, 5, 16))  # first calls load libraries
    plain_collapse(*gaussian_classes(500, 5, 16))
    sweeps = {"headline": SWEEPS["headline"]} if quick else SWEEPS
    rows = [
        row
        for sweep, cells in sweeps.items()
        for cell in cells
        for row in measure(sweep, *cell, runs=3 if quick else 5)
    ]
    table, errors = pd.DataFrame(rows), accuracy()
    print(table.to_string(index=False, float_format="{:.3g}".format))
    print(errors.to_string(index=False, float_format="{:.3g}".format))
    if not quick:
        FIGURES.mkdir(exist_ok=True)
        table.to_csv(FIGURES / "benchmark_measures.csv", index=False, float_format="%.5g")
        errors.to_csv(FIGURES / "benchmark_measures.accuracy.csv", index=False, float_format="%.5g")
        figures.draw(FIGURES)


if __name__ == "__main__":
    main()
