"""One objective's network, optimiser and schedule: a step of training, and what is kept of it."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from supcon_theory.encoders import ranks
from supcon_theory.encoders.networks import network_of
from supcon_theory.encoders.optimisers import OPTIMISERS
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.objectives import OBJECTIVES, options_of
from supcon_theory.objectives.shares import shares_loss
from supcon_theory.runs import machine
from supcon_theory.runs.exits import Broken


def arguments(recipe: Recipe, device: str = "cpu") -> dict[str, Any]:
    """What the recipe's objective is called with besides z, y and tau.

    Its options, and of `pairs` and `weights` (the trained (C, d) matrix of a classifier) those that
    its signature has.

    Args:
        recipe: with the objective.
        device: where it is trained.

    Returns:
        arguments by name; `weights` is a new parameter, drawn from the recipe's seed.

    """
    known = options_of(recipe.objective)
    found = dict(recipe.options)
    if "pairs" in known:
        found.setdefault("pairs", recipe.pairs)
    if recipe.surface != "sphere":
        found["unit"] = False
    if "weights" in known:
        generator = torch.Generator().manual_seed(recipe.seed_of("weights"))
        weights = torch.randn(
            recipe.C, recipe.d, generator=generator, dtype=torch.float32
        ) / math.sqrt(recipe.d)
        found["weights"] = nn.Parameter(weights.to(device))
    return found


def prototypes(recipe: Recipe) -> Tensor:
    """(C, d) orthonormal rows, frozen, drawn from the recipe's seed (CLOP, arXiv 2403.18699)."""
    generator = torch.Generator().manual_seed(recipe.seed_of("weights"))
    drawn = torch.randn(recipe.d, recipe.C, generator=generator, dtype=torch.float64)
    return torch.linalg.qr(drawn)[0].T.float()


def away(z: Tensor, y: Tensor, named: Tensor, of: Tensor) -> Tensor:
    """Mean over the named samples and their views of 1 - cos(z, prototype of the class).

    Args:
        z: (B, K, d) embeddings.
        y: (B,) labels.
        named: (B,) whether the label is known here.
        of: (C, d) prototypes.

    Returns:
        The mean; 0 where no label is known.
    """
    cosines = F.cosine_similarity(z, of[y][:, None], dim=-1).mean(1)
    return ((1 - cosines) * named).sum() / named.sum().clamp(min=1)


def learning_rate(recipe: Recipe, step: int) -> float:
    """Of the update after `step` others: a linear rise, then a cosine to 0."""
    warm = min(1.0, (step + 1) / min(recipe.warm_up, recipe.steps))
    return recipe.lr * warm * (1 + math.cos(math.pi * step / recipe.steps)) / 2


def compiled(network: nn.Module) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """The network through torch.compile.

    Args:
        network: an encoder.

    Returns:
        the same function, which raises `Broken` where the machine's compiler fails.

    """
    from torch._dynamo.exc import BackendCompilerFailed

    fast = torch.compile(network)

    def forward(seen: Tensor) -> tuple[Tensor, Tensor]:
        try:
            return fast(seen)
        except BackendCompilerFailed as error:
            why = str(error.inner_exception).strip().partition("\n")[0]
            raise Broken(
                f"torch.compile failed ({why}): repair the C++ compiler, which needs Python's "
                "headers too, or leave out --compile"
            ) from None

    return forward


class Learner:
    """One objective's network, optimiser and schedule, on one process or on all of `ranks`."""

    def __init__(self, recipe: Recipe, channels: int, device: str) -> None:
        self.recipe, self.device = recipe, device
        self.devices = [machine.device_name(device)]  # that it was trained on, in this order
        self.network = network_of(recipe, channels).to(device)
        self.extra = arguments(recipe, device)
        self.prototypes = prototypes(recipe).to(device) if recipe.pull else None
        learned = [*self.network.parameters(), *self.weights()]
        optimiser = OPTIMISERS[recipe.optimiser]
        self.optimiser = optimiser(learned, lr=recipe.lr, weight_decay=recipe.weight_decay)
        kind = torch.device(device).type
        self.scaler = torch.amp.GradScaler(kind, enabled=recipe.precision == "float16")
        self.skipped = 0  # updates left out by it, where a gradient was beyond float16
        self.forward = None  # the network as it is called: compiled, on all ranks

    def weights(self) -> list[nn.Parameter]:
        """What is trained besides the network."""
        return [value for value in self.extra.values() if isinstance(value, nn.Parameter)]

    def embed(self, seen: Tensor) -> Tensor:
        """Embeddings (B, K, d) of the whole batch, from views of this process' part of it."""
        if self.forward is None:
            self.forward = ranks.parallel(self.network)
            if self.recipe.compile:
                self.forward = compiled(self.forward)
        kind, dtype = torch.device(self.device).type, getattr(torch, self.recipe.precision)
        with torch.autocast(kind, dtype, enabled=dtype != torch.float32):
            _, z = self.forward(seen.flatten(0, 1))
        return ranks.gather(z.unflatten(0, seen.shape[:2]))

    def loss(self, step: int, epoch: int, z: Tensor, y: Tensor, named: Tensor) -> Tensor:
        """The loss of embeddings z (B, K, d), refused where it is not finite."""
        recipe, objective = self.recipe, OBJECTIVES[self.recipe.objective]
        if recipe.mix:
            objective = partial(shares_loss, recipe.objective)
        finite = torch.isfinite(z).all()  # objectives refuse embeddings that are not
        try:
            loss = objective(z, y, tau=recipe.tau, **self.extra) if finite else z.sum()
        except ValueError as error:  # a batch of one class, say
            raise FloatingPointError(
                f"epoch {epoch}, step {step}: {error}; or use a larger batch than {recipe.batch}"
            ) from None
        if finite and self.prototypes is not None:
            loss = loss + recipe.pull * away(z, y, named, self.prototypes)
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"the {recipe.objective} loss is {loss.item()} at epoch {epoch}, "
                f"step {step}: try a smaller lr than {recipe.lr:g}"
            )
        return loss

    def step(self, step: int, epoch: int, seen: Tensor, y: Tensor, named: Tensor) -> Tensor:
        """One update; returns the loss.

        Args:
            step: number of updates before.
            epoch: of the batch.
            seen: (b, K, channels, size, size) views of this process' part of the batch.
            y: (B,) labels of the whole batch, or (B, C) shares of classes where images are mixed.
            named: (B,) whether the pull to prototypes knows them.

        Returns:
            the loss of the whole batch.

        """
        recipe = self.recipe
        self.network.train()
        loss = self.loss(step, epoch, self.embed(seen), y, named)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(recipe, step)
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        ranks.mean([w.grad for w in self.weights() if w.grad is not None])
        before = self.scaler.get_scale()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.skipped += self.scaler.get_scale() < before
        return loss.detach()

    def state(self, step: int) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The weights after `step` updates, and all that is needed to go on from there.

        Args:
            step: number of updates.

        Returns:
            weights and state.

        Raises:
            FloatingPointError: a weight is not finite.

        """
        weights = {name: value.cpu() for name, value in self.network.state_dict().items()}
        if odd := [name for name, value in weights.items() if not torch.isfinite(value).all()]:
            raise FloatingPointError(
                f"{odd[0]} of the {self.recipe.objective} encoder is not finite after step {step}: "
                f"try a smaller lr than {self.recipe.lr:g}"
            )
        state = {
            "step": step,
            "recipe": self.recipe.key,
            "network": weights,
            "optimiser": self.optimiser.state_dict(),
            "extra": [value.data for value in self.weights()],
            "devices": self.devices,
        }
        if self.scaler.is_enabled():
            state |= {"scaler": self.scaler.state_dict(), "skipped": self.skipped}
        return weights, state

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave, which may have been on another device."""
        before = state.get("devices", [])
        self.devices = before if before[-1:] == self.devices else before + self.devices
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        for value, stored in zip(self.weights(), state["extra"], strict=True):
            value.data.copy_(stored)
        if "scaler" in state:
            self.scaler.load_state_dict(state["scaler"])
            self.skipped = state["skipped"]
