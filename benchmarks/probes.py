"""CPU seconds of the few-shot probes, beside the matrix products that they cannot do without.

    python benchmarks/probes.py      about 25 s; writes benchmarks/probes.csv

`floor` is the bare float64 matrix product of all queries with all centres (or class weights) of
all draws, timed in the same process: only the ratio to it means anything on another machine.
The best of three runs counts. One thread.
"""

import os

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy loads its BLAS

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestCentroid

from supcon_theory.measures.centres import nearest_centre, way_error
from supcon_theory.measures.probes import knn_error, linear_probe, probe_error, ridge_probe
from supcon_theory.measures.supports import draw_supports


def gaussian_classes(C: int, n: int, d: int, spread: float, seed: int = 0):
    """Two samples of n rows per class from the same C Gaussians: (features, labels), twice."""
    rng = np.random.default_rng(seed)
    means = spread * rng.standard_normal((C, 1, d))
    y = np.repeat(np.arange(C), n)
    return [((means + rng.standard_normal((C, n, d))).reshape(-1, d), y) for _ in range(2)]


def cpu_seconds(call: Callable, runs: int = 3) -> tuple[float, object]:
    best = np.inf
    for _ in range(runs):
        start = time.process_time()
        result = call()
        best = min(best, time.process_time() - start)
    return best, result


def product_floor(repeats: int, C: int, d: int, queries: int) -> float:
    """Seconds of (repeats C, d) @ (d, queries) in float64, in pieces of about 1 M results."""
    rng = np.random.default_rng(0)
    wide = max(100, 1_000_000 // queries)
    a, b = rng.standard_normal((repeats * C, d)), rng.standard_normal((d, queries))
    piece = np.empty((wide, queries))

    def product():
        for i in range(0, len(a), wide):
            np.matmul(a[i : i + wide], b, out=piece[: len(a[i : i + wide])])

    return cpu_seconds(product)[0]


def all_way(C: int = 100, d: int = 512, n: int = 50, m: int = 5, repeats: int = 5) -> list[dict]:
    """Five repeats of every probe on 5,000 queries."""
    (x, y), (q, qy) = gaussian_classes(C, n, d, spread=0.2)
    s = draw_supports(y, m, repeats, seed=0)
    floor = product_floor(repeats, C, d, len(q))

    def linear():
        probe = linear_probe(x, y, s)
        return probe_error(probe, q, qy), probe

    def centroids():
        return [1 - NearestCentroid().fit(x[r], y[r]).score(q, qy) for r in s.reshape(repeats, -1)]

    calls = {
        "nearest centre": lambda: (way_error(nearest_centre(x, y, s, q, qy).beaten, C), None),
        "scikit-learn NearestCentroid": lambda: (centroids(), None),
        "linear probe": linear,
        "ridge": lambda: (probe_error(ridge_probe(x, y, s), q, qy), None),
        "5 nearest neighbours": lambda: (knn_error(x, y, s, q, qy, k=5), None),
    }
    limits = {"nearest centre": 0.1, "linear probe": 0.7}
    rows = []
    for name, call in calls.items():
        seconds, (error, probe) = cpu_seconds(call)
        rows.append(
            {
                "what": name,
                "C": C,
                "d": d,
                "queries": len(q),
                "m": m,
                "repeats": repeats,
                "seconds": seconds,
                "floor": floor,
                "limit": limits.get(name, np.nan),
                "error": np.mean(error),
                "gradient": probe.gradient.max() if probe else np.nan,
            }
        )
    return rows


def all_pairs(C: int = 100, d: int = 64, n: int = 160, repeats: int = 200) -> list[dict]:
    """All ordered pairs and the all-way error from 200 draws, exact over 16,000 queries."""
    (x, y), _ = gaussian_classes(C, n, d, spread=0.6)
    floor = product_floor(repeats, C, d, len(x))
    rows = []
    for m in (1, 10, 100, 500):

        def both(m=m):
            s = draw_supports(y, m, repeats, seed=0, replace=True)
            return nearest_centre(x, y, s, x, y)

        seconds, found = cpu_seconds(both)
        rows.append(
            {
                "what": "all ordered pairs, draws included",
                "C": C,
                "d": d,
                "queries": len(x),
                "m": m,
                "repeats": repeats,
                "seconds": seconds,
                "floor": floor,
                "limit": 3.0,
                "error": way_error(found.beaten, C).mean(),
                "gradient": np.nan,
            }
        )
    return rows


if __name__ == "__main__":
    table = pd.DataFrame(all_way() + all_pairs())
    table["seconds_over_floor"] = table["seconds"] / table["floor"]
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False, float_format="%.4g")
    print(table.to_string(index=False, float_format="%.3g"))
