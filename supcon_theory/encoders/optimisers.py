"""Optimisers by name: `OPTIMISERS[name](parameters, lr, weight_decay)`."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

MOMENTUM = 0.9


class LARS(torch.optim.Optimizer):
    """Layer-wise adaptive rate scaling (arXiv 1708.03888), as used to train SimCLR and its kin.

    For a weight w with gradient g: u = g + weight_decay w, v <- momentum v + q u, w <- w - lr v,
    q = trust |w| / |u|. Vectors (biases and gains) get q = 1 and no decay: a bias that
    starts at zero would otherwise have q = 0 and never move.
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
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """One update; the loss of `closure`, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                update = weight.grad
                if weight.ndim > 1:
                    update = update + group["weight_decay"] * weight
                    lengths = weight.norm(), update.norm()
                    if min(lengths) > 0:
                        update = update * (group["trust"] * lengths[0] / lengths[1])
                state = self.state[weight]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].mul_(group["momentum"]).add_(update)
                weight.sub_(group["lr"] * state["momentum"])
        return loss


def _adamw(parameters, lr: float, weight_decay: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr, weight_decay=weight_decay)


def _sgd(parameters, lr: float, weight_decay: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr, MOMENTUM, weight_decay=weight_decay)


OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": _adamw,
    "sgd": _sgd,
    "lars": LARS,
}
