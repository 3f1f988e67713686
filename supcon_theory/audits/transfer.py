"""How well frozen features of classes not trained on classify, and the few-shot bounds on that."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor

from supcon_theory.audits.accuracy import accuracy_rows
from supcon_theory.audits.columns import INVERSE_L2, TRANSFER
from supcon_theory.audits.few_shot import feature_audit

COLUMNS, VERSION = TRANSFER.columns, TRANSFER.version
LABELLED, RESAMPLED = "labelled", "resampled"  # as `audits.few_shot` is used: supports are
# different images and queries held out; or the held-out features are themselves the population

Labelled = tuple[Tensor, Tensor]


def seen_rows(supports: Labelled, queries: Labelled, seed: int) -> list[dict[str, Any]]:
    """Error on classes trained on, from all labelled images of each.

    Args:
        supports: (N, d) features and (N,) labels of the labelled images.
        queries: those of held-out images of the same classes.
        seed: key of the draws.

    Returns:
        `accuracy_rows`, of protocol "labelled".
    """
    shots = (int(supports[1].bincount().min()),)
    probe = partial(accuracy_rows, draws=1, linear_draws=1, inverse_l2=INVERSE_L2, seed=seed)
    found = probe(*supports, queries, shots)
    return [{"protocol": LABELLED} | row for row in found]


def target_rows(
    supports: Labelled, queries: Labelled, shots: Sequence[int], *, draws: int, seed: int
) -> list[dict[str, Any]]:
    """Error on target classes from m labelled images of each, and every bound on its like.

    Args:
        supports: (N, d) features and (N,) labels of labelled images, as many of each class.
        queries: those of held-out images of the same classes.
        shots: numbers m of labelled images per class, fewer than there are; all are added.
        draws: of supports for the nearest centre.
        seed: key of the draws.

    Returns:
        Rows of protocol "labelled": `accuracy_rows` at each m and with all labelled images. Rows of
        protocol "resampled": `feature_audit` of the held-out features at each m, two-way and
        all-way, to which the bounds apply exactly.
    """
    every = (*shots, int(supports[1].bincount().min()))
    probe = partial(accuracy_rows, draws=draws, linear_draws=1, inverse_l2=INVERSE_L2, seed=seed)
    found = probe(*supports, queries, every)
    ways = sorted({2, len(queries[1].unique())})
    about = {"protocol": RESAMPLED, "split": "test", "probe": "nearest centre"}
    bounded = feature_audit(*queries, shots, ways, draws=draws, seed=seed)
    return [{"protocol": LABELLED} | row for row in found] + [about | row for row in bounded]
