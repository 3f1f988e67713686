"""Cross-entropy on the same embeddings: the supervised baseline, with class weights of its own."""

from torch import Tensor
from torch.nn import functional as F

from supcon_theory.objectives.check import (
    LEAST_TAU,
    check_embeddings,
    check_labels,
    check_number,
    full_precision,
    working_dtype,
)


def cross_entropy(z: Tensor, y: Tensor, *, tau: float, weights: Tensor) -> Tensor:
    """Mean over all rows of -log softmax(W z / tau)[y], W = `weights` of shape (C, d).

    Labels must be 0 .. C-1. W is used as given: normalise its rows for a cosine classifier.
    Raises TypeError or ValueError for input that is none of this.
    """
    check_embeddings(z)
    if y is None:
        raise ValueError("y is None; cross_entropy needs labels: pass y of shape (N,)")
    check_labels(y, z)
    check_number("tau", tau, LEAST_TAU)
    if not isinstance(weights, Tensor) or not weights.is_floating_point():
        raise TypeError(f"weights is {type(weights).__name__}; pass a float tensor (C, d)")
    if weights.ndim != 2 or weights.shape[1] != z.shape[2]:
        raise ValueError(
            f"weights has shape {tuple(weights.shape)}; it must be (C, {z.shape[2]}), "
            "one row per class, as many columns as z has"
        )
    low, high = (int(end) for end in y.aminmax())
    if low < 0 or high >= len(weights):
        raise ValueError(
            f"labels lie in [{low}, {high}]; with weights of {len(weights)} classes they must lie "
            f"in [0, {len(weights) - 1}]: renumber y or pass a row for every class"
        )
    with full_precision(z):
        dtype = working_dtype(z)
        logits = z.to(dtype) @ weights.to(dtype).T / tau
        return F.cross_entropy(logits.flatten(0, 1), y.long().repeat_interleave(z.shape[1]))
