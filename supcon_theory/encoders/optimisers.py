"""Optimisers by name: `OPTIMISERS[name](parameters, lr=..., weight_decay=...)`."""

from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import nn

MOMENTUM = 0.9


class LARS(torch.optim.Optimizer):
    """Layer-wise adaptive rate scaling (arXiv 1708.03888), as used to train SimCLR and its kin.

    For a weight w with gradient g: u = g + weight_decay w, v <- momentum v + q u, w <- w - lr v,
    q = trust |w| / |u|, and q = 1 where w or u is zero: with q = 0 a weight that is zero would
    never move. Vectors (biases and gains) get q = 1 and no decay.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        weight_decay: float = 0.0,
        momentum: float = MOMENTUM,
        trust: float = 1e-3,
    ) -> None:
        super().__init__(
            parameters, dict(lr=lr, weight_decay=weight_decay, momentum=momentum, trust=trust)
        )

    @torch.no_grad()
    def step(self) -> None:
        """One update."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                update = weight.grad
                if weight.ndim > 1:
                    update = update + group["weight_decay"] * weight
                    lengths = weight.norm(), update.norm()
                    q = group["trust"] * lengths[0] / lengths[1]
                    update = update * torch.where(torch.minimum(*lengths) > 0, q, 1)
                state = self.state[weight]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].mul_(group["momentum"]).add_(update)
                weight.sub_(group["lr"] * state["momentum"])


OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "sgd": partial(torch.optim.SGD, momentum=MOMENTUM),
    "lars": LARS,
}
