"""The losses as means over mini-batches, which is how the published curves were measured.

A batch is a set of its own: fewer negatives, other class counts. Comparable across sizes are the
gap and each loss less the log of its number of negatives; by Jensen's inequality the expectation of
the latter grows with the batch up to the exact value of the whole set (a reverse martingale under
log).
"""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from supcon_theory.measures.losses import global_losses
from supcon_theory.theory.batch_gap import batch_gap_bounds


def batch_means(
    z: Tensor, y: Tensor, taus: Sequence[float], size: int, order: np.ndarray
) -> list[dict[str, float]]:
    """A row per temperature: means over the batches of `size` samples of one epoch in this order.

    z (N, K, d), y (N,), order a permutation of 0 ... N - 1; an incomplete last batch is left out,
    as in training. `loss_dcl`, `loss_nscl`, `gap`; `level_dcl` and `level_nscl`, the losses less
    log(K (size - 1)) and log(K (size - m_c)); `violation_batch`, the worst anchor's signed excess over
    its bounds with the batch's own class counts. Where a batch has a single class, NSCL is
    infinite.
    """
    if not 2 <= size <= len(z):
        raise ValueError(f"the batch size is {size}: it must be from 2 to the {len(z)} samples.")
    K, z = z.shape[1], z.double()
    found = {tau: [] for tau in taus}
    for batch in order[: len(order) // size * size].reshape(-1, size):
        labels = y[batch]
        if len(labels.unique()) == 1:
            for tau in taus:
                found[tau].append((np.nan, np.inf, np.inf, np.nan, np.inf, np.nan))
            continue
        _, inverse, counts = np.unique(labels.numpy(), return_inverse=True, return_counts=True)
        others = np.log(K * (size - counts[inverse])).mean()
        for tau, losses in global_losses(z[batch], labels, taus).items():
            lower, upper = (bound[:, None] for bound in batch_gap_bounds(labels.numpy(), tau))
            excess = np.maximum(losses.gap - upper, lower - losses.gap).max()
            found[tau].append(
                (
                    losses.mean_dcl,
                    losses.mean_nscl,
                    losses.mean_gap,
                    losses.mean_dcl - np.log(K * (size - 1)),
                    losses.mean_nscl - others,
                    excess,
                )
            )
    names = ("loss_dcl", "loss_nscl", "gap", "level_dcl", "level_nscl")
    return [
        {"tau": tau, "batch": size, "batches": len(rows)}
        | dict(zip(names, np.array(rows)[:, :5].mean(0), strict=True))
        | {"violation_batch": np.array(rows)[:, 5].max()}
        for tau, rows in found.items()
    ]
