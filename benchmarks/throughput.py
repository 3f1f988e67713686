"""Views per second of the whole training loop, beside the encoder's bare forward and backward.

    python benchmarks/throughput.py            a minute; writes benchmarks/throughput.csv

The loop is what training does for one objective: images from memory, views, forward, loss,
backward, update. CPU times of this process on one thread, the least over repeats that take turns
with the bare passes, so that other programs count little. Of two encoders that train side by side
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

WORK = (  # encoder, channels of the images, images a step, repeats
    *(("plain", 1, 128, 80), ("plain", 3, 128, 80)),
    *(("residual", 3, 64, 20), ("resnet18", 3, 16, 7)),
)
K, CLASSES = 2, 4


def parts(encoder: str, channels: int, images: int) -> dict[str, Callable[[], object]]:
    """The parts of a step of one encoder, each ready to be called.

    Grey images are veiled and not mirrored, as characters are; colour ones have their hues turned.
    """
    x = np.random.default_rng(0).integers(0, 256, (4 * images, channels, 32, 32), np.uint8)
    y = torch.arange(len(x)) % CLASSES
    split = Split(y, 0, lambda rows: torch.from_numpy(x[rows.numpy()]).float() / 255, x)
    rows = torch.arange(len(x))
    source, chosen = keep(split, rows), rows[:images]
    recipe = Recipe(C=CLASSES, n=images, batch=images, objective="nscl", encoder=encoder)
    learner = Learner(recipe, channels, "cpu")

    def seen() -> torch.Tensor:
        policy = Policy(flips=channels == 3)
        return views(source(chosen), chosen, seed=0, epoch=0, K=K, policy=policy)

    fixed, named = seen(), torch.ones(images)

    def bare() -> None:
        learner.network.zero_grad()
        learner.network(fixed.flatten(0, 1))[1].sum().backward()

    return {
        "views": seen,
        "bare": bare,
        "update": lambda: learner.step(0, 0, fixed, y[:images], named),
        "loop": lambda: learner.step(0, 0, seen(), y[:images], named),
    }


def main() -> None:
    torch.set_num_threads(1)
    found = []
    for encoder, channels, images, repeats in WORK:
        work = parts(encoder, channels, images)
        seconds: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(repeats):
            for name, call in work.items():
                start = process_time()
                call()
                seconds[name].append(process_time() - start)
        least = pd.DataFrame(seconds).min()
        row = {f"{name}, views a second": images * K / least[name] for name in ("bare", "loop")}
        row |= {f"{name}, ms": 1e3 * least[name] for name in ("views", "update")}
        row["loop of bare"] = least["bare"] / least["loop"]
        row["of two"] = 2 * least["bare"] / (least["views"] + 2 * least["update"])
        found.append({"encoder": encoder, "channels": channels, "images a step": images} | row)
    table = pd.DataFrame(found)
    table.to_csv(Path(__file__).with_suffix(".csv"), float_format="%.4g", index=False)
    print(table.to_string(index=False, float_format=lambda value: f"{value:,.3g}"))


if __name__ == "__main__":
    main()
