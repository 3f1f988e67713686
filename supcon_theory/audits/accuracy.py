"""How well frozen features classify, by several probes, and how far their encoder is trained."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from supcon_theory.audits.columns import ACCURACY
from supcon_theory.measures.few_shot import labelled_curve
from supcon_theory.measures.probes import draw_supports, knn_error
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.minima import MINIMA

COLUMNS, VERSION = ACCURACY.columns, ACCURACY.version
NEIGHBOURS = 10  # that vote
INSTANCES = ("dcl", "nt_xent", "hucl", "dhel", "dhel_official")  # least at the instance simplex


def accuracy_rows(
    x: Tensor,
    y: Tensor,
    queries: tuple[Tensor, Tensor],
    shots: Sequence[int],
    *,
    draws: int,
    linear_draws: int,
    inverse_l2: float,
    seed: int,
) -> list[dict[str, Any]]:
    """All-way error of nearest centre and linear probe at every m, of neighbours at the largest.

    Args:
        x: (N, d) features of labelled images.
        y: (N,) labels.
        queries: features and labels of other images.
        shots: numbers of labelled images per class.
        draws: of supports for the nearest centre.
        linear_draws: of supports for the linear probe.
        inverse_l2: of the linear probe.
        seed: key of the draws.

    Returns:
        Rows with probe, m and the columns of `ACCURACY` on probes.
    """
    C, most = len(y.unique()), max(shots)
    rows = labelled_curve(
        x,
        y,
        {"test": queries},
        shots,
        (C,),
        draws=draws,
        linear_draws=linear_draws,
        linear_shots=most,
        inverse_l2=inverse_l2,
        seed=seed,
    )
    error = neighbour_error(x, y, *queries, most, seed)
    voted = {"m": most, "split": "test", "probe": "neighbours", "ways": C, "draws": 1}
    kept = ("m", "split", "probe", "ways", "draws", "error", "unconverged")
    return [{k: row.get(k, np.nan) for k in kept} for row in (*rows, voted | {"error": error})]


def neighbour_error(
    x: Tensor, y: Tensor, queries: Tensor, of_queries: Tensor, m: int | None = None, seed: int = 0
) -> float:
    """The all-way error of ten neighbours among m labelled images of every class, drawn once.

    Args:
        x: (N, d) features of labelled images.
        y: (N,) labels.
        queries: (Q, d) features of other images.
        of_queries: (Q,) their labels.
        m: at most the size of the smallest class (None); where there are fewer than ten, all vote.
        seed: key of the draw.

    Returns:
        The error.
    """
    supports = draw_supports(y, int(y.bincount().min()) if m is None else m, 1, seed)
    k = min(NEIGHBOURS, supports[0].size)
    return float(knn_error(x, y, supports, queries, of_queries, k=k).mean())


def training_row(
    z: Tensor, y: Tensor, objective: str, tau: float, options: Mapping[str, object]
) -> dict[str, float]:
    """How far an encoder has come from chance, all similarities equal, to the least possible loss.

    Args:
        z: (N, K, d) unit embeddings of its training images.
        y: (N,) labels.
        objective: that it is trained with.
        tau: temperature that it is trained at.
        options: of the objective.

    Returns:
        Columns of `ACCURACY` on training; NaN where the minimum is unknown (classes of unequal
        size, options, a trained classifier), `left` also where d leaves no room for the simplex.
    """
    names = ("loss_train", "left", "violation_least")
    sizes = y.bincount()
    if objective not in MINIMA or options or sizes.min() != sizes.max():
        return dict.fromkeys(names, np.nan)
    loss_of, z = OBJECTIVES[objective], torch.nn.functional.normalize(z.double(), dim=-1)
    C, n, K, d = len(sizes), int(sizes[0]), *z.shape[1:]
    loss, chance = (float(loss_of(of, y, tau=tau)) for of in (z, z[:1, :1].expand_as(z)))
    least = float(MINIMA[objective](C, n, K, tau))
    room = d >= (C * n if objective in INSTANCES else C) - 1
    left = (loss - least) / (chance - least) if room else np.nan
    return dict(zip(names, (loss, left, least - loss), strict=True))
