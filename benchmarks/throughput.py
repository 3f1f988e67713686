"""Views per second of the whole training loop, beside the encoder's bare forward and backward.

    python benchmarks/throughput.py                  a minute; writes benchmarks/throughput.csv
    python benchmarks/throughput.py --device cuda    a minute; writes benchmarks/throughput_gpu.csv

The loop is what training does for one objective: images from memory, views, forward, loss,
backward, update. CPU times of this process on one thread, on a GPU the clock's after its work, the
least over repeats that take turns with the bare passes, so that other programs count little. Of two
encoders that train side by side (`of two`) the views are made once. The encoder's bare passes are
in the precision of the loop.
"""

import os

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy loads its BLAS

import argparse
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pandas as pd
import torch

from supcon_theory.data.dataset import Split
from supcon_theory.data.kept import keep
from supcon_theory.data.views import Policy, views
from supcon_theory.encoders.learner import Learner
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.encoders.repeatable import repeatable

WORK = (  # encoder, channels of the images, images a step, precision, repeats
    *(("plain", 1, 128, "float32", 80), ("plain", 3, 128, "float32", 80)),
    *(("residual", 3, 64, "float32", 20), ("resnet18", 3, 16, "float32", 7)),
)
ON_GPU = (
    *(("plain", 3, 1024, "float32", 8), ("resnet18", 3, 1024, "float32", 8)),
    *(("resnet18", 3, 1024, "bfloat16", 8), ("resnet50", 3, 1024, "float32", 5)),
    ("resnet50", 3, 1024, "bfloat16", 5),
)
K, CLASSES = 2, 4


def parts(
    encoder: str, channels: int, images: int, precision: str = "float32", device: str = "cpu"
) -> dict[str, Callable[[], object]]:
    """The parts of a step of one encoder, each ready to be called.

    Grey images are veiled and not mirrored, as characters are; colour ones have their hues turned.
    """
    x = np.random.default_rng(0).integers(0, 256, (4 * images, channels, 32, 32), np.uint8)
    y = torch.arange(len(x)) % CLASSES
    split = Split(y, 0, lambda rows: torch.from_numpy(x[rows.numpy()]).float() / 255, x)
    rows = torch.arange(len(x))
    source, chosen, y = keep(split, rows, device), rows[:images], y.to(device)
    recipe = Recipe(
        C=CLASSES, n=images, batch=images, objective="nscl", encoder=encoder, precision=precision
    )
    learner = Learner(recipe, channels, device)

    def seen() -> torch.Tensor:
        policy = Policy(flips=channels == 3)
        return views(source(chosen), chosen, seed=0, epoch=0, K=K, policy=policy)

    fixed, named = seen(), torch.ones(images, device=device)

    def bare() -> None:
        learner.network.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
            z = learner.network(fixed.flatten(0, 1))[1]
        z.float().sum().backward()

    return {
        "views": seen,
        "bare": bare,
        "update": lambda: learner.step(0, 0, fixed, y[:images], named),
        "loop": lambda: learner.step(0, 0, seen(), y[:images], named),
    }


def seconds_of(call: Callable[[], object], device: str) -> float:
    """CPU seconds of a call, or the clock's until the GPU has done it."""
    if device == "cpu":
        start = process_time()
        call()
        return process_time() - start
    torch.cuda.synchronize()
    start = perf_counter()
    call()
    torch.cuda.synchronize()
    return perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    device = parser.parse_args().device
    torch.set_num_threads(1)
    found = []
    for encoder, channels, images, precision, repeats in ON_GPU if device == "cuda" else WORK:
        work = parts(encoder, channels, images, precision, device)
        seconds: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(repeats):
            for name, call in work.items():
                with repeatable(device):  # as training does
                    seconds[name].append(seconds_of(call, device))
        least = pd.DataFrame(seconds).min()
        row = {f"{name}, views a second": images * K / least[name] for name in ("bare", "loop")}
        row |= {f"{name}, ms": 1e3 * least[name] for name in ("views", "update")}
        row["loop of bare"] = least["bare"] / least["loop"]
        row["of two"] = 2 * least["bare"] / (least["views"] + 2 * least["update"])
        about = {"encoder": encoder, "channels": channels, "images a step": images}
        found.append(about | {"precision": precision} | row)
        if device == "cuda":
            found[-1] |= {"device": torch.cuda.get_device_name()}
    table = pd.DataFrame(found)
    suffix = "_gpu.csv" if device == "cuda" else ".csv"
    path = Path(__file__).with_name(Path(__file__).stem + suffix)
    table.to_csv(path, float_format="%.4g", index=False)
    print(table.to_string(index=False, float_format=lambda value: f"{value:,.3g}"))


if __name__ == "__main__":
    main()
