"""What an encoder learns from views of some strength: accuracy, gap and geometry, and how far."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from supcon_theory.audits.accuracy import accuracy_rows, training_row
from supcon_theory.audits.collapse import geometry_row
from supcon_theory.audits.columns import AUGMENTATION, INVERSE_L2
from supcon_theory.audits.gap import gap_audit

COLUMNS, VERSION = AUGMENTATION.columns, AUGMENTATION.version
Labelled = tuple[Tensor, Tensor]


def measured_rows(
    clean: Labelled, held_out: Labelled, views: Labelled, taus: Sequence[float], seed: int
) -> list[dict[str, Any]]:
    """Errors of probes on h, and the gap and the geometry of z, of held-out images.

    Views are of one strength whatever an encoder was trained with, so that encoders compare.

    Args:
        clean: (N, D) features h and (N,) labels of training images as they are.
        held_out: those of held-out images.
        views: (N, K, d) unit embeddings z and (N,) labels of views of held-out images.
        taus: temperatures of the gap.
        seed: key of the draws.

    Returns:
        Rows of layer "h": `accuracy_rows` with all labelled images. Rows of layer "z": at each
        temperature the columns of `GAP` and of `GEOMETRY`.
    """
    shots = (int(clean[1].bincount().min()),)
    probe = partial(accuracy_rows, draws=1, linear_draws=1, inverse_l2=INVERSE_L2, seed=seed)
    probed = probe(*clean, held_out, shots)
    geometry = geometry_row(*views)
    found = [{"layer": "z", "split": "test"} | row | geometry for row in gap_audit(*views, taus)]
    return [{"layer": "h"} | row for row in probed] + found


def progress_row(
    z: Tensor, y: Tensor, objective: str, tau: float, mix: str | None = None
) -> dict[str, float]:
    """How far training has come, on views as strong as those trained on, and how these vary.

    Args:
        z: (N, K, d) unit embeddings of such views of training images.
        y: (N,) labels.
        objective: that it is trained with.
        tau: temperature that it is trained at.
        mix: how images were mixed in training: then z, of single images, is not what it was about.

    Returns:
        `training_row`, NaN where images were mixed, and `own_variance`, which is 0 where views are
        their image.
    """
    own = geometry_row(z, y)["augmentation_variance"]
    row = training_row(z, y, objective, tau, {})
    return (dict.fromkeys(row, np.nan) if mix else row) | {"own_variance": own}
