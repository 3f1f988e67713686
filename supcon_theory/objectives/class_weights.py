"""Cross-entropy on the same embeddings: the supervised baseline, with class weights of its own."""

from torch import Tensor
from torch.nn import functional as F

from supcon_theory import inputs
from supcon_theory.pairs.tiles import products


def cross_entropy(
    z: Tensor,
    y=None,
    *,
    tau: float | Tensor,
    weights: Tensor,
    margin=0.0,
    reduction="mean",
    unit=True,
) -> Tensor:
    """-log softmax((W z - margin e_y) / tau)[y] of every row, W = `weights`.

    With a margin the true class has to win by it: the additive one of 1801.05599 and 1801.09414,
    which take unit weights, a form of the max-margin classifiers that 2004.11362 compares with.

    Convention:
        Positives: its class's row of `weights`
        Denominator: all rows of `weights` | yes | -
        Mean: rows
        Equals: torch `cross_entropy` of `z @ weights.T / tau` (no margin)
        Source: with a margin: 1801.05599, 1801.09414

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) integers 0 .. C-1: they number the rows of `weights`, so they are used as they are.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        weights: (C, d), used as given: normalise its rows for a cosine classifier.
        margin: taken off the product with the true class's weights, at least 0.
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length.

    Returns:
        The loss.

    Raises:
        TypeError: weights that are no float tensor.
        ValueError: weights of another shape, labels that they do not have, or a margin below 0.
    """
    inputs.choice(reduction, "reduction", ("mean", "none"))
    margin = inputs.number(margin, "margin", 0)
    z, tau = inputs.embeddings(z, unit=unit), inputs.temperature(tau)
    numbers, names = inputs.labels(y, len(z)), inputs.class_names(y)
    if not isinstance(weights, Tensor) or not weights.is_floating_point():
        kind = getattr(weights, "dtype", type(weights).__name__)
        raise TypeError(f"weights is {kind}; pass a float tensor (C, d).")
    if weights.ndim != 2 or weights.shape[1] != z.shape[2]:
        raise ValueError(
            f"weights has shape {tuple(weights.shape)}; it must be (C, {z.shape[2]}), "
            "one row per class, as many columns as z has."
        )
    if isinstance(names[0], (str, bytes)) or not 0 <= names[0] <= names[-1] < len(weights):
        raise ValueError(
            f"labels lie in [{names[0]}, {names[-1]}]; with weights of {len(weights)} classes they "
            f"must be integers in [0, {len(weights) - 1}]: renumber y or pass a row for each."
        )
    inputs.features(weights, "weights")
    dtype = inputs.working_dtype(z)
    logits = products(z.to(dtype), weights.to(dtype))
    rows = numbers.new_tensor([int(name) for name in names])[numbers].to(z.device)
    if margin:
        logits = logits - margin * F.one_hot(rows, len(weights)).to(logits)[:, None]
    wanted = rows[:, None].expand(z.shape[:2])
    if z.is_cuda:  # PyTorch sums classes in dimension 1 there in no fixed order
        losses = F.cross_entropy((logits / tau).flatten(0, 1), wanted.flatten(), reduction="none")
        return losses.view(wanted.shape) if reduction == "none" else losses.mean()
    return F.cross_entropy((logits / tau).movedim(-1, 1), wanted, reduction=reduction)
