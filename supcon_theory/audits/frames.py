"""Free embeddings under constraints and pulls: no negative entry, fixed batches, prototypes.

Rows of `LOSS_FAMILIES`, told apart by `part`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from supcon_theory.free.lbfgs import Minimised, minimise
from supcon_theory.free.optimise import gap, gaussian_starts, kept_long, losses, onto_sphere
from supcon_theory.measures import singular_values
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.pairs.batch import softplus
from supcon_theory.theory.frames import frame_minimum
from supcon_theory.theory.simplex import labels_of

Row = dict[str, Any]
RANK = 1e-3  # of the largest singular value: what counts as one
COUNTEREXAMPLE = 0.01  # frame_error that a counterexample needs
ROWS: dict[str, Callable[[Tensor], Tensor]] = {
    "sphere": onto_sphere,
    "not negative": lambda x: onto_sphere(x.square()),  # every unit row without a sign
}
DESIGNS = {  # samples of each of four classes of four in the fixed batches, by number in the class
    "halves": [{c: (0, 1) for c in range(4)}, {c: (2, 3) for c in range(4)}],
    "bound": [{c: (0, 1) for c in range(4)}, {c: (0, 2, 3) for c in range(4)}],
    "apart": [{0: (0, 1, 2, 3), 1: (0, 1, 2, 3)}, {2: (0, 1, 2, 3), 3: (0, 1, 2, 3)}],
}


def frame_audit(
    objective: str, counts: Sequence[int], rows_are: str, tau: float, starts: int
) -> list[Row]:
    """Where L-BFGS takes a loss when no entry of a row may be negative, or on the sphere.

    Args:
        objective: Its id; of `supcon` the orthogonal frame is the minimum of rows not negative.
        counts: Class sizes.
        rows_are: One of `ROWS`.
        tau: Temperature.
        starts: Gaussian starts.

    Returns:
        A row per start.
    """
    y = torch.from_numpy(labels_of(counts))
    function = losses(objective, y, tau)
    z, found = _minimised(function, len(y), len(counts) + 1, starts, rows_are)
    about = {"part": "frame", "objective": objective, "rows": rows_are, "tau": tau}
    about |= {"counts": " ".join(map(str, counts)), "C": len(counts)}
    proved = objective == "supcon" and rows_are == "not negative"
    least = frame_minimum(counts, 1, tau) if proved else np.nan
    rows = []
    for k in range(starts):
        excess = float(found.value[k]) - least
        row = {"seed": k, "floor": least, "excess": excess, "violation_minimum": -excess}
        row["gap"] = float(gap(z[k], y, tau=tau))
        rows.append(about | row | _measured(z[k], y, found, k))
    return rows


def batches_frame_audit(design: str, rows_are: str, tau: float, starts: int) -> list[Row]:
    """Where L-BFGS takes the mean SupCon loss of fixed batches, of four classes of four.

    Args:
        design: One of `DESIGNS`.
        rows_are: One of `ROWS`.
        tau: Temperature.
        starts: Gaussian starts.

    Returns:
        A row per start.
    """
    y = torch.arange(4).repeat_interleave(4)
    batches = [
        torch.tensor([4 * c + k for c, some in batch.items() for k in some])
        for batch in DESIGNS[design]
    ]
    of = [losses("supcon", y[batch], tau) for batch in batches]

    def function(z: Tensor) -> Tensor:
        found = [f(z[:, batch]) for f, batch in zip(of, batches, strict=True)]
        return torch.stack(found).mean(0)

    z, found = _minimised(function, 16, 5, starts, rows_are)
    least = np.mean(
        [frame_minimum(np.unique(y[b], return_counts=True)[1].tolist(), 1, tau) for b in batches]
    )
    about = {"part": "fixed batches", "objective": "supcon", "design": design, "rows": rows_are}
    rows = []
    for k in range(starts):
        excess = float(found.value[k]) - float(least) if rows_are == "not negative" else np.nan
        row = {"seed": k, "tau": tau, "excess": excess, "violation_minimum": -excess}
        row |= _measured(z[k], y, found, k)
        rows.append(about | row | {"not_frame": COUNTEREXAMPLE - row["frame_error"]})
    return rows


def prototypes_audit(
    C: int, n: int, tau: float, penalties: Sequence[float], starts: int
) -> list[Row]:
    """SupCon with a pull of weight lambda to frozen orthonormal prototypes (CLOP): its rank.

    The prototypes are the first C axes: any others are a rotation of them.

    Args:
        C: Classes.
        n: Samples in each.
        tau: Temperature.
        penalties: Weights lambda.
        starts: Gaussian starts.

    Returns:
        A row per weight and start.
    """
    y, rows = torch.arange(C).repeat_interleave(n), []
    base = losses("supcon", y, tau)
    for penalty in penalties:

        def function(z: Tensor, weight: float = penalty) -> Tensor:
            near = z.mean(2).gather(2, y[None, :, None].expand(len(z), -1, 1)).mean((1, 2))
            return base(z) + weight * (1 - near)

        z, found = _minimised(function, C * n, C + 1, starts, "sphere")
        for k in range(starts):
            means = torch.stack([z[k][y == c].mean((0, 1)) for c in range(C)])
            values = singular_values(means)
            rank = int((values > RANK * values[0]).sum())
            row = {"part": "prototypes", "objective": "supcon", "seed": k, "penalty": penalty}
            row |= {"C": C, "tau": tau, "means_rank": rank}
            row["rank_error"] = abs(rank - (C if penalty else C - 1))
            rows.append(row | _measured(z[k], y, found, k))
    return rows


def learned_audit(N: int, d: int, starts: int, iterations: int = 300) -> list[Row]:
    """The sigmoid loss with temperature and bias learned beside free embeddings.

    With m half the difference between the least own cosine and the largest other one and the bias
    in their middle, every term is at most softplus(-m/tau): the loss at most N times that.

    Args:
        N: Samples, of two views.
        d: Dimensions, fewer than the simplex needs.
        starts: Gaussian starts.
        iterations: Of L-BFGS; the infimum 0 is at an infinite 1/tau.

    Returns:
        A row per start.
    """
    z = gaussian_starts(starts, N, 2, d, 0)
    first = torch.tensor([np.log(10.0), -10.0], dtype=z.dtype).expand(starts, 2)  # as SigLIP's
    x = torch.cat([z.flatten(1), first], 1)

    def of(rows: Tensor, learned: Tensor) -> Tensor:
        scaled = onto_sphere(rows) * torch.exp(learned[0] / 2)  # 1/tau in the lengths
        return OBJECTIVES["sigmoid"](scaled, None, tau=1.0, bias=learned[1], unit=False)

    def function(flat: Tensor) -> Tensor:
        rows = flat[:, :-2].view(-1, N, 2, d)
        return kept_long(torch.func.vmap(of)(rows, flat[:, -2:]), rows)

    found, rows = minimise(function, x, iterations), []
    for k in range(starts):
        unit = onto_sphere(found.x[k, :-2].view(N, 2, d))
        cosines = unit[:, 0] @ unit[:, 1].T
        off = ~torch.eye(N, dtype=torch.bool)
        least, most = float(cosines.diagonal().min()), float(cosines[off].max())
        margin, inverse = (least - most) / 2, float(found.x[k, -2].exp())
        middle = -(least + most) / 2 * inverse
        at = float(OBJECTIVES["sigmoid"](unit, None, tau=1 / inverse, bias=middle))
        bound = N * float(softplus(torch.tensor(-margin * inverse, dtype=torch.float64)))
        row = {"part": "learned", "objective": "sigmoid", "seed": k, "n": N, "d": d}
        row |= {"loss": float(found.value[k]), "margin": margin, "no_margin": -margin}
        rows.append(row | {"inverse_tau": inverse, "violation_margin": at - bound})
    return rows


def _minimised(
    function: Callable[[Tensor], Tensor], N: int, d: int, starts: int, rows_are: str
) -> tuple[Tensor, Minimised]:
    z, onto = gaussian_starts(starts, N, 1, d, 0), ROWS[rows_are]

    def flat(x: Tensor) -> Tensor:
        x = x.view(-1, N, 1, d)
        return kept_long(function(onto(x)), x)

    found = minimise(flat, z.flatten(1), 2000)
    return onto(found.x.view(starts, N, 1, d)), found


def _measured(z: Tensor, y: Tensor, found: Minimised, k: int) -> Row:
    """Loss, distance from the orthogonal frame, and cosines of class means, of one start."""
    rows = z[:, 0]
    same = (y[:, None] == y).to(rows)
    means = normalize(torch.stack([rows[y == c].mean(0) for c in y.unique()]), dim=-1)
    off = (means @ means.T)[~torch.eye(len(means), dtype=torch.bool)]
    return {
        "loss": float(found.value[k]),
        "frame_error": float((rows @ rows.T - same).abs().max()),
        "least_cosine": float(off.min()),
        "most_cosine": float(off.max()),
        "gradient_norm": float(found.gradient_norm[k]),
        "stalled": bool(found.stalled[k]),
    }
