"""Where free optimisation ended, one row per start: value, geometry, and how sure it is."""

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

from supcon_theory.free.curvature import curvature_along, hessian, random_directions, spectrum
from supcon_theory.free.lbfgs import Minimised
from supcon_theory.measures import geometry
from supcon_theory.objectives import OBJECTIVES

COLUMNS = (
    "augmentation_variance",
    "within_class_variance",
    "cdnv",
    "directional_cdnv",
    "etf_deviation",
    "equinorm",
    "equiangularity",
)


def measured(z: Tensor, y: Tensor, objective: str, tau: float) -> dict[str, object]:
    """Losses and geometry of one configuration (N, K, d), by the reference implementations."""
    found = geometry(z, y, uniformity_samples=None)
    row = {"loss": OBJECTIVES[objective](z, y, tau=tau).item()}
    row |= {name: OBJECTIVES[name](z, y, tau=tau).item() for name in ("dcl", "nscl")}
    row["gap"] = row["dcl"] - row["nscl"]
    row |= {name: found[name] for name in COLUMNS} | {"rankme": found["rankme"]}
    row["positions"] = max(positions(z, y))
    row["note"] = found.reasons.get("etf_deviation", "")
    return row


def positions(z: Tensor, y: Tensor, radius: float = 1e-2) -> list[int]:
    """For each class, how many points its rows occupy, rows within `radius` being one point."""
    return [len(occupied(z[y == c].flatten(0, 1), radius)) for c in range(int(y.max()) + 1)]


def occupied(rows: Tensor, radius: float = 1e-2) -> list[int]:
    """How many rows (M, d) sit at each point, points in order of their first row."""
    left, sizes = rows, []
    while len(left):
        near = (left - left[0]).norm(dim=1) < radius
        sizes.append(int(near.sum()))
        left = left[~near]
    return sizes


def ends(
    z: Tensor, found: Minimised, y: Tensor, objective: str, tau: float, floor: float
) -> list[dict[str, object]]:
    """A row per start; `excess` over the floor, `shortfall` its negative (> 0 breaks a bound)."""
    rows = []
    for k in range(len(z)):
        row = {"seed": k} | measured(z[k], y, objective, tau)
        row |= {
            "floor": floor,
            "excess": row["loss"] - floor,
            "shortfall": floor - row["loss"],
            "gradient_norm": float(found.gradient_norm[k]),
            "stalled": bool(found.stalled[k]),
            "iterations": int(found.iterations[k]),
        }
        rows.append(row)
    return rows


def curvature_row(
    z: Tensor, y: Tensor, objective: str, tau: float, direction: Tensor | None = None
) -> tuple[dict[str, object], pd.DataFrame]:
    """Hessian of one configuration: a row, and its eigenvalues as a table.

    `along` is the second derivative in the unit tangent direction given; the random directions move
    the views of a sample together or independently. All times N K.
    """
    gradient, second, basis = hessian(objective, z, y, tau)
    at = spectrum(z, gradient, second, basis)
    row = measured(z, y, objective, tau) | {
        "critical_gradient": at.gradient_norm,
        "rotations": at.rotations,
        "zero_modes": int((at.values.abs() <= 10 * max(at.rotation_residual, 1e-9)).sum()),
        "smallest": float(at.values[0]),
        "smallest_but_rotations": at.smallest,
        "rotation_residual": at.rotation_residual,
        "split": " ".join(
            "+".join(map(str, sorted(occupied(z[y == c, 0]), reverse=True)))
            for c in range(int(y.max()) + 1)
        ),
    }
    for name, together in (("views_together", True), ("views_independent", False)):
        generator = torch.Generator().manual_seed(0)
        values = curvature_along(second, basis, random_directions(z, 300, generator, together))
        row |= {f"{name}_min": float(values.min()), f"{name}_max": float(values.max())}
    if direction is not None:
        row["along"] = float(curvature_along(second, basis, direction[None]))
    return row, pd.DataFrame({"eigenvalue": at.values.numpy()})


def spreading_direction(z: Tensor, y: Tensor) -> Tensor:
    """A unit tangent direction that spreads one class, its views together, off the means' span.

    Two samples of class 0 move oppositely along the last axis, which no row of z may use.
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
