"""Views per second of the whole training loop, beside the encoder's bare forward and backward.

    python benchmarks/throughput.py            two minutes; writes benchmarks/throughput.csv

The loop is what training does for one objective: images from memory, views, forward, loss,
backward, update. CPU times of this process on one thread, medians over repeats that take turns with
the bare passes, so that other programs count little. Of two encoders that train side by side
(`of two`) the views are made once.
"""

import os

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy loads its BLAS

from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import torch

from supcon_theory.data.dataset import Split
from supcon_theory.data.kept import keep
from supcon_theory.data.views import Policy, views
from supcon_theory.encoders.learner import Learner
from supcon_theory.encoders.recipe import Recipe

BATCH = {"plain": (128, 25), "residual": (64, 12), "resnet18": (16, 5)}  # images, repeats
K, CLASSES = 2, 4


def parts(encoder: str, images: int) -> dict[str, Callable[[], object]]:
    """The parts of a step of one encoder on colour images, each ready to be called."""
    x = np.random.default_rng(0).integers(0, 256, (4 * images, 3, 32, 32), np.uint8)
    y = torch.arange(len(x)) % CLASSES
    split = Split(y, 0, lambda rows: torch.from_numpy(x[rows.numpy()]).float() / 255, x)
    rows = torch.arange(len(x))
    source, chosen = keep(split, rows), rows[:images]
    recipe = Recipe(C=CLASSES, n=images, batch=images, objective="nscl", encoder=encoder)
    learner = Learner(recipe, 3, "cpu")

    def seen() -> torch.Tensor:
        return views(
            source(chosen), chosen, seed=0, epoch=0, K=K, policy=Policy(flips=True)
        )  # fmt: skip

    fixed = seen()

    def bare() -> None:
        learner.network.zero_grad()
        learner.network(fixed.flatten(0, 1))[1].sum().backward()

    return {
        "views": seen,
        "bare": bare,
        "update": lambda: learner.step(0, 0, fixed, y[:images]),
        "loop": lambda: learner.step(0, 0, seen(), y[:images]),
    }


def main() -> None:
    torch.set_num_threads(1)
    found = []
    for encoder, (images, repeats) in BATCH.items():
        work = parts(encoder, images)
        seconds: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(repeats):
            for name, call in work.items():
                start = process_time()
                call()
                seconds[name].append(process_time() - start)
        median = pd.DataFrame(seconds).iloc[1:].median()
        row = {f"{name}, views a second": images * K / median[name] for name in ("bare", "loop")}
        row |= {f"{name}, ms": 1e3 * median[name] for name in ("views", "update")}
        row["loop of bare"] = median["bare"] / median["loop"]
        row["of two"] = 2 * median["bare"] / (median["views"] + 2 * median["update"])
        found.append({"encoder": encoder, "images a step": images} | row)
    table = pd.DataFrame(found)
    table.to_csv(Path(__file__).with_suffix(".csv"), float_format="%.4g", index=False)
    print(table.to_string(index=False, float_format=lambda value: f"{value:,.3g}"))


if __name__ == "__main__":
    main()
