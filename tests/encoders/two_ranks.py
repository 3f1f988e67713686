"""Measures training on two processes against one, in float64; prints JSON. Run by test_ranks.py.

    python -m tests.encoders.two_ranks

Three processes of gloo on this machine: two that train together, and their parent, which trains
alone and forks them before anything has computed a gradient.
"""

import json
import multiprocessing
import os
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.distributed as dist

from supcon_theory.data.views import Policy, views
from supcon_theory.encoders import ranks
from supcon_theory.encoders import train as paired
from supcon_theory.encoders.learner import Learner
from supcon_theory.encoders.recipe import Recipe

torch.set_num_threads(1)
RECIPE = Recipe(C=4, n=8, steps=10, batch=16, d=8, encoder="plain", checkpoints=(0, 10))
CASES = {  # optimiser, peak learning rate, objective
    "dcl": ("sgd", 0.5, "dcl"),
    "supcon": ("sgd", 0.5, "supcon"),
    "cross_entropy": ("sgd", 0.5, "cross_entropy"),
    "nscl": ("sgd", 0.5, "nscl"),
    "nscl, adamw": ("adamw", 0.01, "nscl"),
    "nscl, lars": ("lars", 20.0, "nscl"),
}
WORLD = 2


def learner(optimiser: str, lr: float, objective: str) -> Learner:
    recipe = replace(RECIPE, optimiser=optimiser, lr=lr, objective=objective)
    made = Learner(recipe, 1, "cpu")
    made.network.double()
    for weights in made.weights():
        weights.data = weights.data.double()
    return made


def train(case: str, steps: int = RECIPE.steps) -> dict[str, torch.Tensor]:
    """Losses of each step; the first gradient; the weights after all; labels and rows seen."""
    dataset = paired.load(RECIPE)
    rows, y = paired.training_rows(RECIPE, dataset)
    images = dataset.train.images(rows)
    made, losses, gradient, order = learner(*CASES[case]), [], None, []
    for step in range(steps):
        generator = torch.Generator().manual_seed(step)
        chosen = torch.randperm(len(y), generator=generator)[: RECIPE.batch]
        mine = ranks.part(chosen)
        seen = views(
            images[mine], rows[mine], seed=0, epoch=step, K=2, policy=Policy(flips=dataset.flips)
        )
        order.append(y[mine])
        named = torch.ones(len(chosen), dtype=torch.bool)
        losses.append(made.step(step, step, seen.double(), y[chosen], named))
        if step == 0:
            learned = [*made.network.parameters(), *made.weights()]
            gradient = torch.cat([w.grad.flatten() for w in learned])
    weights = torch.cat([w.detach().flatten() for w in made.network.parameters()])
    assert gradient is not None
    return {"loss": torch.stack(losses), "gradient": gradient, "weights": weights, "y": order[0]}


class OwnSlice(ranks._Gather):
    """The falsifier: its backward only cuts out the own part."""

    @staticmethod
    def backward(ctx, *gradients):
        return ranks.part(gradients[0])


def work(rank: int, folder: str) -> None:
    store = dist.FileStore(f"{folder}/store", WORLD)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=WORLD)
    found = {case: train(case) for case in CASES}
    right, ranks._Gather = ranks._Gather, OwnSlice
    found["own slice"] = train("nscl", 1)
    ranks._Gather = right
    rows = torch.arange(3.0, dtype=torch.float64) + 10 * rank
    found["gathered"] = {"rows": ranks.gather(rows[:, None])[:, 0]}
    torch.save(found, f"{folder}/{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


def together(folder: str) -> list[dict[str, dict[str, torch.Tensor]]]:
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=work, args=(rank, folder)) for rank in range(WORLD)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return [torch.load(f"{folder}/{rank}.pt", weights_only=True) for rank in range(WORLD)]


def main() -> None:
    with TemporaryDirectory() as folder:
        first, second = together(folder)
    alone = {case: train(case) for case in CASES}
    apart = {
        name: {
            what: max(float((part[name][what] - one[what]).abs().max()) for part in (first, second))
            for what in ("loss", "gradient", "weights")
        }
        for name, one in alone.items()
    }
    own = first["own slice"]["gradient"] @ alone["nscl"]["gradient"]
    print(
        json.dumps(
            {
                "apart": apart,
                "moved": {name: float(one["loss"].std()) for name, one in alone.items()},
                "own_slice_ratio": float(own / alone["nscl"]["gradient"].square().sum()),
                "gathered": [part["gathered"]["rows"].tolist() for part in (first, second)],
                "labels": [p["nscl"]["y"].tolist() for p in (first, second)],
                "labels_alone": alone["nscl"]["y"].tolist(),
            }
        )
    )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    main()
