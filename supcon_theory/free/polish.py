"""Newton's method from where L-BFGS stopped: a critical point to the rounding of its gradient."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from supcon_theory.free.curvature import complement, hessian, rotation_modes

STEPS = 8


def polished(objective: str, z: Tensor, y: Tensor, tau: float) -> Tensor:
    """Newton steps orthogonal to the rotations, as long as they shorten the gradient.

    Args:
        objective: Id of the loss.
        z: A configuration (N, K, d) near a critical point, float64.
        y: Labels (N,).
        tau: Temperature.

    Returns:
        The configuration with the shortest gradient that was met.
    """
    gradient, second, basis = hessian(objective, z, y, tau)
    for _ in range(STEPS):
        rest = complement(rotation_modes(z, basis))
        step = rest @ torch.linalg.solve(rest.T @ second @ rest, rest.T @ gradient)
        d = z.shape[-1]
        moved = z.reshape(-1, d) - torch.einsum("rde,re->rd", basis, step.view(-1, d - 1))
        trial = normalize(moved, dim=-1).view(z.shape)
        found = hessian(objective, trial, y, tau)
        if not found[0].norm() < gradient.norm():
            break
        z, (gradient, second, basis) = trial, found
    return z
