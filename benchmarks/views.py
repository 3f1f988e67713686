"""Views per second on one thread, beside the floor of one grid_sample and a paired training step.

    python benchmarks/views.py        about a minute; prints the table, writes benchmarks/views.csv

Times are CPU times of this process (other programs do not count), medians over repeats that take
turns. Only ratios mean anything across machines: `of step` is the time against a whole training
step of CL and NSCL on 128 images, views included. resnet50 is left out: it is for a GPU.
"""

import os

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy loads its BLAS

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import process_time

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from supcon_theory.data import load
from supcon_theory.data.views import Policy, views
from supcon_theory.encoders.networks import SMALL, build
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.encoders.train import Learner

IMAGES, K, REPEATS = 128, 2, 15


def train(net: torch.nn.Module, x: Tensor) -> None:
    _, z = net(x)
    (z * z.roll(1, 0)).sum().backward()


def cases() -> dict[str, Callable[[], object]]:
    split = load("glyphs").train
    index = torch.arange(0, len(split), len(split) // IMAGES)[:IMAGES]
    grey = split.images(index)
    colour = grey.expand(-1, 3, -1, -1).contiguous()
    batch = views(grey, index, seed=0, epoch=0, K=K).flatten(0, 1)
    grid = F.affine_grid(torch.eye(2, 3).expand(len(batch), 2, 3), batch.shape, align_corners=False)
    nets = {name: build(name, 1, 128) for name in SMALL}
    recipe = Recipe(C=32, batch=IMAGES)
    learners = [Learner(replace(recipe, objective=name), 1, "cpu") for name in ("dcl", "nscl")]
    y, named = torch.arange(IMAGES) % recipe.C, torch.ones(IMAGES)

    def paired() -> None:
        seen = views(grey, index, seed=0, epoch=0, K=K)
        for learner in learners:
            learner.step(0, 0, seen, y, named)

    def make(images: Tensor, policy: Policy) -> Callable[[], Tensor]:
        return lambda: views(images, index, seed=0, epoch=0, K=K, policy=policy)

    return {
        "paired step, CL and NSCL": paired,
        "views, grey": make(grey, Policy()),
        "views, colour": make(colour, Policy(flips=True)),
        "one grid_sample, grey": lambda: F.grid_sample(batch, grid, align_corners=False),
        "nuisance, grey": lambda: split.images(torch.cat([index, index])),
        **{f"train {name}": lambda net=net: train(net, batch) for name, net in nets.items()},
    }


def main() -> None:
    torch.set_num_threads(1)
    work = cases()
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(REPEATS):
        for name, call in work.items():
            start = process_time()
            call()
            seconds[name].append(process_time() - start)
    median = pd.DataFrame(seconds).median()
    table = pd.DataFrame(
        {
            "microseconds a view": median / (IMAGES * K) * 1e6,
            "views a second": IMAGES * K / median,
            "of step": median / median["paired step, CL and NSCL"],
        }
    ).rename_axis("work")
    table.to_csv(Path(__file__).with_suffix(".csv"), float_format="%.4g")
    print(table.to_string(float_format=lambda value: f"{value:,.{0 if value >= 100 else 3}f}"))


if __name__ == "__main__":
    main()
