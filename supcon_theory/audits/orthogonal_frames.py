"""Trained class means beside an orthogonal frame and a simplex; rows of `ORTHOGONAL_FRAMES`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from supcon_theory.audits.accuracy import neighbour_error
from supcon_theory.audits.columns import ORTHOGONAL_FRAMES
from supcon_theory.measures import class_moments, means_geometry, singular_values
from supcon_theory.measures.spectrum import rankme
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.frames import frame_minimum

COLUMNS, VERSION = ORTHOGONAL_FRAMES.columns, ORTHOGONAL_FRAMES.version
Row = dict[str, Any]


def frame_row(z: Tensor, y: Tensor, tau: float, surface: str) -> Row:
    """SupCon's loss beside that of the frame; class means, not centred.

    Args:
        z: (N, K, d) embeddings of training images.
        y: (N,) labels, 0 .. C-1.
        tau: Temperature.
        surface: Where embeddings may lie; a frame is the least only of "positive" ones.

    Returns:
        Columns of `ORTHOGONAL_FRAMES`.
    """
    z = z.double()
    loss = float(OBJECTIVES["supcon"](z, y, tau=tau, unit=False))
    least = frame_minimum(y.bincount().tolist(), z.shape[1], tau)
    moments = class_moments(z, y)
    unit = torch.nn.functional.normalize(moments.means, dim=1)
    cosines = (unit @ unit.T)[~torch.eye(len(unit), dtype=torch.bool)]
    at = means_geometry(moments)
    return {
        "loss": loss,
        "violation_frame": least - loss if surface == "positive" else np.nan,
        "means_rank": rankme(singular_values(moments.means)),
        "cosine": at.cosine,
        "spread": at.spread,
        "frame_distance": float(cosines.abs().mean()),
        "equal_products": at.equal_products,
    }


def new_row(h: Tensor, y: Tensor, new: Sequence[Tensor], of_new: Tensor) -> Row:
    """The error of neighbours in h and the effective rank of z, on new images.

    Args:
        h: (N, K, D) features of training images, of which the first view is a neighbour.
        y: (N,) labels.
        new: h (Q, K, D) and z (Q, K, d) of new images.
        of_new: (Q,) labels.

    Returns:
        Columns of `ORTHOGONAL_FRAMES`.
    """
    error = neighbour_error(h[:, 0], y, new[0][:, 0], of_new)
    return {"error": error, "rankme": rankme(singular_values(new[1]))}
