"""The losses as means over mini-batches, which is how the published curves were measured.

A batch is a set of its own: fewer negatives, other class counts. Comparable across sizes are the
gap and each loss less the log of its number of negatives; by Jensen's inequality the expectation of
the latter grows with the batch up to the exact value of the whole set (a reverse martingale under
log).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from supcon_theory.audits.columns import BATCH_MEANS
from supcon_theory.inputs import embeddings, labels, unit_rows, whole
from supcon_theory.measures.losses import global_losses
from supcon_theory.theory.batch_gap import batch_gap_bounds

COLUMNS, VERSION = BATCH_MEANS.columns, BATCH_MEANS.version
NAMES = ("loss_dcl", "loss_nscl", "gap", "level_dcl", "level_nscl")


def batch_means(
    z: Tensor, y: Tensor, exact: Sequence[Mapping[str, float]], size: int, order: np.ndarray
) -> list[dict[str, Any]]:
    """Means over the batches of one epoch, beside the exact values of the whole set.

    Args:
        z: Embeddings (N, K, d).
        y: Labels (N,).
        exact: Rows of `training_audit` of the same set, one for each temperature wanted.
        size: Samples in a batch, B; an incomplete last batch is left out, as in training.
        order: A permutation of 0 ... N - 1.

    Returns:
        A row per temperature: `tau` and `COLUMNS`. Levels are the losses less log(K (B - 1)) and
        the mean of log(K (B - m_c)), with the batch's own class counts m_c, which the bounds of
        `violation_batch` have too. In a batch of a single class NSCL is infinite.

    Raises:
        ValueError: If the size is not from 2 to N, or `exact` are no rows.
    """
    z, y = embeddings(z), labels(y, len(z))
    if not all(isinstance(row, Mapping) for row in exact):
        raise ValueError("exact are no rows: pass those that training_audit gives for this set.")
    if not 2 <= whole(size, "the batch size") <= len(z):
        raise ValueError(f"the batch size is {size}: it must be from 2 to the {len(z)} samples.")
    K, z = z.shape[1], unit_rows(z.detach())
    order = np.asarray(order)
    taus = [row["tau"] for row in exact]
    found: dict[float, list[tuple[float, ...]]] = {tau: [] for tau in taus}
    for batch in order[: len(order) // size * size].reshape(-1, size):
        of = y[batch].cpu().numpy()
        _, inverse, counts = np.unique(of, return_inverse=True, return_counts=True)
        if len(counts) == 1:
            for rows in found.values():
                rows.append((np.nan, np.inf, np.inf, np.nan, np.inf, np.nan))
            continue
        others = np.log(K * (size - counts[inverse])).mean()
        for tau, losses in global_losses(z[batch], y[batch], taus).items():
            lower, upper = (bound[:, None] for bound in batch_gap_bounds(of, tau))
            found[tau].append(
                (
                    losses.mean_dcl,
                    losses.mean_nscl,
                    losses.mean_gap,
                    losses.mean_dcl - np.log(K * (size - 1)),
                    losses.mean_nscl - others,
                    float(np.maximum(losses.gap - upper, lower - losses.gap).max()),
                )
            )
    means = []
    for of_all, rows in zip(exact, found.values(), strict=True):
        row = {"tau": of_all["tau"], "batch": size, "batches": len(rows)}
        row |= dict(zip(NAMES, np.mean(rows, 0)[:-1].tolist(), strict=True))
        row["violation_batch"] = float(np.max(rows, 0)[-1])
        for name, column in (("dcl", "level_dcl"), ("nscl", "level_nscl"), ("gap", "gap")):
            row[f"bias_{name}"] = row[column] - of_all[column]
        means.append(row)
    return means
