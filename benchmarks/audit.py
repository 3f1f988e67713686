"""Time and peak memory of `supcon_theory.audit` on long sets: python benchmarks/audit.py [--quick].

Clustered float32 rows in 100 classes are written to a memory map, tile by tile; each size is
audited in a process of its own, on one thread; seconds are of CPU time, by part. The peak counts
the pages of the file that are in memory, which the system may drop.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # before torch loads its BLAS

import argparse
import resource
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pandas as pd

import supcon_theory

SIZES = [(50_000, 512), (1_000_000, 512)]
QUICK = [(20_000, 64), (100_000, 64)]
C = 100
SEPARATION = 0.3  # of the class means, in units of the noise
TILE = 10_000
TABLE = Path(__file__).with_suffix(".csv")


def write(path: Path, N: int, d: int) -> np.ndarray:
    """Rows on disk; returns the labels."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, C, N)
    means = SEPARATION * rng.standard_normal((C, d), dtype=np.float32)
    rows = np.lib.format.open_memmap(path, "w+", np.float32, (N, d))
    for a in range(0, N, TILE):
        of = y[a : a + TILE]
        rows[a : a + TILE] = means[of] + rng.standard_normal((len(of), d), dtype=np.float32)
    rows.flush()
    return y


def cell(path: Path, y: np.ndarray, N: int, d: int) -> list[dict[str, object]]:
    """Audit one file; a row per part."""
    seen: dict[str, float] = {}
    start, last = perf_counter(), process_time()
    before = "reading"

    def progress(what: str, share: float) -> None:
        nonlocal last, before
        now = process_time()
        seen[before] = seen.get(before, 0.0) + now - last
        last, before = now, what

    tables = supcon_theory.audit(np.load(path, mmap_mode="r"), y, progress=progress)
    seen["all"] = process_time()
    seen["all, wall clock"] = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    row = tables["gap"].iloc[0]
    about = {"rows": N, "d": d, "peak_gb": peak, "gap": row["gap"]}
    about |= {"gap_low": row["gap_low"], "gap_high": row["gap_high"], "anchors": row["anchors"]}
    return [about | {"part": part, "seconds": seconds} for part, seconds in seen.items()]


def main() -> None:
    """Every size; the table is written unless --quick."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="short sets, nothing written")
    parser.add_argument("--folder", default=None, help="where the memory maps are put and deleted")
    flags = parser.parse_args()
    found = []
    for N, d in QUICK if flags.quick else SIZES:
        with tempfile.TemporaryDirectory(dir=flags.folder) as folder:
            path = Path(folder) / "rows.npy"
            y = write(path, N, d)
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                rows = pool.submit(cell, path, y, N, d).result()
        found += rows
        print(pd.DataFrame(rows).round(4).to_string(index=False), flush=True)
    if not flags.quick:
        pd.DataFrame(found).to_csv(TABLE, index=False, float_format="%.5g")


if __name__ == "__main__":
    main()
