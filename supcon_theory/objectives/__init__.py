"""What a network is trained with: `OBJECTIVES[name](z, y, *, tau, ...) -> scalar tensor`.

z (N, K, d) unit rows, y (N,) integer labels (None where the id uses none), tau > 0 a number.
`named.py` defines every id on one page, `docs/objectives.md` compares them with public code.

An anchor without a positive or without a negative is an error by default; `invalid="skip"` makes
the return value a pair: the mean over the other anchors, and the number of anchors left out.
"""

import functools
import inspect
from collections.abc import Callable

from torch import Tensor

from supcon_theory.objectives.check import (
    LEAST_TAU,
    check_choice,
    check_embeddings,
    check_labels,
    check_number,
    full_precision,
    working_dtype,
)
from supcon_theory.objectives.cross_entropy import cross_entropy
from supcon_theory.objectives.named import PER_ANCHOR
from supcon_theory.pairs.batch import Batch

__all__ = ["OBJECTIVES", "per_anchor"]


def _evaluate(
    function: Callable, z: Tensor, y: Tensor | None, tau: float, invalid: str, options: dict
) -> tuple[Tensor, Tensor | None, Batch]:
    """Checks; then the losses of all anchors, times their weights (None: equal), and the batch."""
    check_choice("invalid", invalid, ("error", "skip"))
    check_embeddings(z)
    check_labels(y, z)
    check_number("tau", tau, LEAST_TAU)
    with full_precision(z):
        batch = Batch(z.to(working_dtype(z)), y, function.__name__, invalid)
        losses = function(batch, tau=tau, **options)
    return *(losses if isinstance(losses, tuple) else (losses, None)), batch


def per_anchor(name: str, z: Tensor, y: Tensor | None, *, tau: float, **options) -> Tensor:
    """The loss of every anchor, (N, K), differentiable; all anchors must be valid.

    The objective is the mean of these, weighted by the number of positives for the ids that
    average over pairs. `dhel` with anchors="first_view" gives (N, 1).
    """
    check_choice("name", name, tuple(PER_ANCHOR))
    losses, weights, _ = _evaluate(PER_ANCHOR[name], z, y, tau, "error", options)
    return losses if weights is None else losses / weights


def _averaged(function: Callable) -> Callable:
    """The objective: checks, the loss of every anchor, the mean over valid anchors."""

    @functools.wraps(function)
    def objective(z: Tensor, y: Tensor | None, *, invalid: str = "error", **options):
        tau = options.pop("tau", default_tau)
        if tau is inspect.Parameter.empty:
            raise TypeError(f"{function.__name__} needs a temperature: pass tau, a number > 0")
        losses, weights, batch = _evaluate(function, z, y, tau, invalid, options)
        if batch.valid is not None:
            losses = losses[batch.valid]
            weights = None if weights is None else weights[batch.valid]
        if weights is None:
            loss = losses.mean()
        else:
            loss = losses.sum() / (weights.sum() * (losses.numel() // weights.numel()))
        if invalid == "error":
            return loss
        skipped = 0 if batch.valid is None else int((~batch.valid).sum()) * batch.K
        return loss, skipped

    known = inspect.signature(function)
    default_tau = known.parameters["tau"].default
    both = inspect.Parameter.POSITIONAL_OR_KEYWORD
    objective.__signature__ = known.replace(
        parameters=[
            inspect.Parameter("z", both, annotation=Tensor),
            inspect.Parameter("y", both, annotation=Tensor | None),
            *list(known.parameters.values())[1:],
            inspect.Parameter("invalid", inspect.Parameter.KEYWORD_ONLY, default="error"),
        ],
        return_annotation=Tensor,
    )
    return objective


OBJECTIVES = {name: _averaged(function) for name, function in PER_ANCHOR.items()}
OBJECTIVES["cross_entropy"] = cross_entropy
