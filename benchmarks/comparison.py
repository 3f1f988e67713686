"""CKA and RSA beside rsatoolbox (extra `bench`), and their time and memory beside N x N kernels.

    python benchmarks/comparison.py [--quick]     seconds; one thread, Linux

rsatoolbox compares representational dissimilarity matrices. On unit rows squared Euclidean
distances are 2 - 2 cosine, so its correlation (`corr`) is our RSA; its whitened cosine of
Euclidean distances (`cosine_cov`) is linear CKA (Diedrichsen et al. 2020, arXiv 2007.02789). It
holds N (N-1)/2 distances, ours nothing of that size. Seconds are CPU time of this process.
"""

import os

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"  # before torch loads its BLAS

import sys
from time import process_time

import numpy as np
import rsatoolbox

from supcon_theory.measures.comparison import cka, rsa

SHAPES = [(20, 8, 5), (60, 40, 8), (200, 64, 128), (1000, 256, 64)]
LARGE = [(20_000, 512, 512)]


def draw(N: int, p: int, q: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng((N, p, q))
    x = rng.normal(size=(N, p)) + 0.5
    y = x[:, : min(p, q)] @ rng.normal(size=(min(p, q), q)) / p**0.5 + rng.normal(size=(N, q))
    return tuple(z / np.linalg.norm(z, axis=1, keepdims=True) for z in (x, y))


def toolbox(x: np.ndarray, y: np.ndarray, method: str) -> float:
    rdms = [rsatoolbox.rdm.calc_rdm(rsatoolbox.data.Dataset(z), method="euclidean") for z in (x, y)]
    return float(rsatoolbox.rdm.compare(*rdms, method=method)[0, 0])


def timed(function, *arguments) -> tuple:
    start = process_time()
    value = function(*arguments)
    return value, process_time() - start


def main() -> None:
    print("    N     p    q  measure       ours   rsatoolbox  difference   s ours  s rsatoolbox")
    worst = 0.0
    for shape in SHAPES:
        x, y = draw(*shape)
        for name, measure, method in (("cka", cka, "cosine_cov"), ("rsa", rsa, "corr")):
            ours, seconds = timed(measure, x, y)
            ours = ours.biased.value
            theirs, slower = timed(toolbox, x, y, method)
            worst = max(worst, abs(ours - theirs))
            sizes = "{:5d} {:5d} {:4d}".format(*shape)
            print(
                f"{sizes}  {name:7s} {ours:10.6f}  {theirs:10.6f}  {abs(ours - theirs):10.1e}"
                f" {seconds:8.4f}  {slower:8.4f}"
            )
    for shape in [] if "--quick" in sys.argv else LARGE:
        x, y = draw(*shape)
        for measure in (cka, rsa):
            value, seconds = timed(measure, x, y)
            print(
                "{:5d} {:5d} {:4d}".format(*shape),
                f" {measure.__name__}: {value.biased.value:.6f}, {seconds:.2f} s",
            )
    if worst > 1e-10:
        sys.exit(f"the largest difference is {worst:.1e}, above 1e-10")


if __name__ == "__main__":
    main()
