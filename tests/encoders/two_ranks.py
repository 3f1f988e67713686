"""Measures training, and losses, on two processes against one; prints JSON. Run by test_ranks.py.

    python -m tests.encoders.two_ranks

Three processes of gloo on this machine: two that train together, and their parent, which trains
alone and forks them before anything has computed a gradient.
"""

import json
import time
from dataclasses import replace
from functools import partial

import torch

from supcon_theory.data.views import Policy, views
from supcon_theory.encoders import ranks
from supcon_theory.encoders import train as paired
from supcon_theory.encoders.learner import Learner
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.measures import global_losses
from supcon_theory.pairs import class_sums
from supcon_theory.processes import help_through
from tests.gloo import together

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


def losses() -> torch.Tensor:
    """Losses of 8,192 rows, enough to ask for help."""
    z = torch.randn(4100, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z = torch.nn.functional.normalize(z, dim=-1)[:4096]  # a part of what lies in memory
    found = global_losses(z, torch.arange(4096) % 3, [1.0, 0.3], pairs="distinct")
    return torch.stack([torch.from_numpy(of.nscl + 2 * of.gap) for of in found.values()])


def measure(rank: int) -> dict[str, torch.Tensor]:
    """The first process measures, then leaves in the middle; the second serves, until it fails."""
    tiles, compute = [], class_sums.exponentials
    class_sums.exponentials = lambda *given: (tiles.append(1), compute(*given))
    if rank == 0:
        help_through(paired.ask_for_losses)
        found = {"losses": losses(), "tiles": torch.tensor(len(tiles))}
        help_through(None)
        found["alone"] = losses()
        ranks.ask(None)
        help_through(paired.ask_for_losses)
        class_sums.exponentials = None
    else:
        ranks.serve(partial(paired.assist, device="cpu"))
        found = {"tiles": torch.tensor(len(tiles))}
    began, failed = time.monotonic(), False
    try:
        losses() if rank == 0 else ranks.serve(partial(paired.assist, device="cpu"))
    except (TypeError, RuntimeError):
        failed = True
    help_through(None)
    class_sums.exponentials = compute
    return found | {"failed in": torch.tensor(time.monotonic() - began if failed else torch.inf)}


def work(rank: int) -> dict[str, dict[str, torch.Tensor]]:
    found = {case: train(case) for case in CASES}
    right, ranks._Gather = ranks._Gather, OwnSlice
    found["own slice"] = train("nscl", 1)
    ranks._Gather = right
    rows = torch.arange(3.0, dtype=torch.float64) + 10 * rank
    found["gathered"] = {"rows": ranks.gather(rows[:, None])[:, 0]}
    return found | {"measured": measure(rank)}


def main() -> None:
    first, second = together(work)
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
                "helped": float((first["measured"]["losses"] - losses()).abs().max()),
                "not helped": float((first["measured"]["alone"] - losses()).abs().max()),
                "tiles": [int(part["measured"]["tiles"]) for part in (first, second)],
                "failed in": [float(part["measured"]["failed in"]) for part in (first, second)],
                "labels_alone": alone["nscl"]["y"].tolist(),
            }
        )
    )


if __name__ == "__main__":
    main()
