"""Critical points of free embeddings, one row each: value, geometry, Hessian, how sure it is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from supcon_theory.audits.columns import GEOMETRY, MINIMISERS
from supcon_theory.free.curvature import curvature_along, hessian, random_directions, spectrum
from supcon_theory.free.lbfgs import Minimised
from supcon_theory.measures import geometry
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory import local_minima

COLUMNS, VERSION = MINIMISERS.columns, MINIMISERS.version
RADIUS = 1e-2  # rows this close are one point
MEASURED = [name for name in GEOMETRY.names if name in MINIMISERS.names]
Row = dict[str, Any]


def measured(
    z: Tensor, y: Tensor, objective: str, tau: float, floor: float | None = None
) -> dict[str, Any]:
    """Losses and geometry of one configuration, by the reference implementations.

    Args:
        z: Configuration (N, K, d).
        y: Labels (N,).
        objective: Id of the loss reported as `loss`.
        tau: Temperature.
        floor: What the loss cannot fall below, to be reported beside it.

    Returns:
        The columns by name.
    """
    found = geometry(z, y, uniformity_samples=2)  # uniformity is not among the columns
    loss, dcl, nscl = (
        OBJECTIVES[name](z, y, tau=tau).item() for name in (objective, "dcl", "nscl")
    )
    row = {"loss": loss, "loss_dcl": dcl, "loss_nscl": nscl, "gap": dcl - nscl}
    row |= {name: found[name] for name in MEASURED}
    row["positions"] = max(len(occupied(z[y == c].flatten(0, 1))) for c in y.unique())
    row["note"] = found.reasons.get("etf_deviation", "")
    if floor is not None:
        row |= {"floor": floor, "excess": loss - floor, "violation_minimum": floor - loss}
    return row


def occupied(rows: Tensor) -> list[int]:
    """How many rows (M, d) sit at each point, points in order of their first row."""
    left, sizes = rows, []
    while len(left):
        near = (left - left[0]).norm(dim=1) < RADIUS
        sizes.append(int(near.sum()))
        left = left[~near]
    return sizes


def ends(
    z: Tensor, found: Minimised, y: Tensor, objective: str, tau: float, floor: float
) -> list[Row]:
    """Where each start ended.

    Args:
        z: Configurations (S, N, K, d).
        found: The optimiser's account of them.
        y: Labels (N,).
        objective: Id of the loss reported as `loss`.
        tau: Temperature.
        floor: What it cannot fall below; NaN if that is not known.

    Returns:
        A row per start, its number as `seed`.
    """
    rows = []
    for k in range(len(z)):
        row = measured(z[k], y, objective, tau, floor)
        account = {
            "gradient_norm": float(found.gradient_norm[k]),
            "stalled": bool(found.stalled[k]),
            "iterations": int(found.iterations[k]),
        }
        rows.append({"seed": k} | row | account)
    return rows


def curvature_row(
    z: Tensor,
    y: Tensor,
    objective: str,
    tau: float,
    *,
    floor: float | None = None,
    direction: Tensor | None = None,
) -> tuple[Row, pd.DataFrame]:
    """Hessian of one configuration. All second derivatives are times N K.

    Args:
        z: A configuration (N, K, d).
        y: Labels (N,).
        objective: Id of the loss.
        tau: Temperature.
        floor: As in `measured`.
        direction: A unit tangent direction (N, K, d), along which `along` is taken.

    Returns:
        A row, in which random directions move the views of a sample together or independently;
        and the eigenvalues as a table (`EIGENVALUES`).
    """
    gradient, second, basis = hessian(objective, z, y, tau)
    at = spectrum(z, gradient, second, basis)
    row = measured(z, y, objective, tau, floor) | {
        "critical_gradient": at.gradient_norm,
        "rotations": at.rotations,
        "zero_modes": int((at.values.abs() <= 10 * max(at.rotation_residual, 1e-9)).sum()),
        "smallest": float(at.values[0]),
        "smallest_but_rotations": at.smallest,
        "rotation_residual": at.rotation_residual,
        "occupancy": " ".join(
            "+".join(map(str, sorted(occupied(z[y == c, 0]), reverse=True))) for c in y.unique()
        ),
    }
    for name, together in (("views_together", True), ("views_independent", False)):
        generator = torch.Generator().manual_seed(0)
        values = curvature_along(second, basis, random_directions(z, 300, generator, together))
        row |= {f"{name}_min": float(values.min()), f"{name}_max": float(values.max())}
    if direction is not None:
        row["along"] = float(curvature_along(second, basis, direction[None]))
    return row, pd.DataFrame({"eigenvalue": at.values.numpy()})


def trapped(row: Row, rows: int, d: int, tau: float) -> Row:
    """Whether a local minimum near a point is proved, and how far above the floor it is.

    Args:
        row: Of `curvature_row`: its gradient and curvature, N K times those of the loss.
        rows: N K.
        d: Their dimension.
        tau: Temperature.

    Returns:
        The columns by name.
    """
    allowed = local_minima.rounding(rows, d, tau)
    gradient = row["critical_gradient"] + allowed
    curvature = row["smallest_but_rotations"] - allowed * 2 / tau
    third = rows * local_minima.third_derivative_bound(tau)
    trap = local_minima.trap(gradient, curvature, third)
    proved = row["excess"] - (trap.drop + allowed) / rows
    return {
        "newton_condition": local_minima.newton_condition(gradient, curvature, third),
        "trap_inner": trap.inner,
        "trap_outer": trap.outer,
        "excess_proved": -np.inf if np.isnan(proved) else proved,
    }


def spreading_direction(z: Tensor, y: Tensor) -> Tensor:
    """A unit tangent direction that spreads one class, its views together, off the means' span.

    Args:
        z: A configuration (N, K, d) in which no row uses the last axis.
        y: Labels (N,).

    Returns:
        (N, K, d): two samples of class 0 move oppositely along the last axis.

    Raises:
        ValueError: If the last axis is in use.
    """
    if z[..., -1].abs().max() > 1e-12:
        raise ValueError("the last axis is in use; embed the configuration in one more dimension.")
    first, second = torch.nonzero(y == 0).flatten()[:2]
    direction = torch.zeros_like(z)
    direction[first, :, -1], direction[second, :, -1] = 1.0, -1.0
    return direction / direction.norm()


def distinct(values: Sequence[float], tolerance: float = 1e-6) -> list[int]:
    """Indices of one representative of each different value, smallest value first."""
    chosen: list[int] = []
    for k in sorted(range(len(values)), key=lambda k: values[k]):
        if not chosen or values[k] - values[chosen[-1]] > tolerance:
            chosen.append(k)
    return chosen
