"""What a network is trained with: `OBJECTIVES[id](z, y, *, tau, ...) -> scalar tensor`.

Each is a function of this package as well (`from supcon_theory.objectives import dcl`).
z (N, K, d) unit rows, y (N,) labels (None where a loss uses none), tau > 0 a number or, where it is
learned, a 0-dim tensor. Each id is a function with its equation; `docs/objectives.md` has their
conventions side by side.

`reduction="none"` gives the loss of every anchor, (N, K), whose mean is the loss (where a loss
averages over pairs the anchors are scaled so). An anchor without a positive in the batch has no
loss: NaN in (N, K), left out of the mean, still in the denominators of the others. A batch in which
no anchor has a loss is an error.

`unit=False` takes rows of any length where the loss is defined without the sphere. Values and
gradients are finite while ||z||^2 (1 + beta) / tau stays below 1e38 / (N K) in float32, 1e307 /
(N K) in float64, and ||z||^2 itself is a number.

Every loss is open to torch.func.grad, jvp, vmap over z and their compositions, by the dense form.
"""

from collections.abc import Callable
from importlib import import_module

from supcon_theory.objectives.ids import IDS, MODULES, options_of

OBJECTIVES: dict[str, Callable]  # made when first asked for: the ids alone need no PyTorch

__all__ = ["IDS", "OBJECTIVES", "options_of"]


def __getattr__(name: str):
    if name in MODULES:
        return getattr(import_module(f"{__name__}.{MODULES[name]}"), name)
    if name != "OBJECTIVES":
        raise AttributeError(f"module 'supcon_theory.objectives' has no attribute {name!r}")
    globals()["OBJECTIVES"] = {id: __getattr__(id) for id in IDS}
    return globals()["OBJECTIVES"]
