"""A null for curves over training: a random walk that moves as far as training did, but learns
nothing.
"""

import torch
from torch import Tensor


def matched_walk(z: Tensor, before: Tensor, after: Tensor, noise: Tensor) -> Tensor:
    """One step of the walk from z, all (N, K, d) unit rows; noise (N, d) is standard normal.

    The views of a sample move along geodesics towards the same random direction, by the mean angle
    between the same views `before` and `after` a stretch of training.
    """
    if not z.shape == before.shape == after.shape or noise.shape != z[:, 0].shape:
        raise ValueError(
            f"the shapes {tuple(z.shape)}, {tuple(before.shape)}, {tuple(after.shape)} must "
            f"be the same (N, K, d), and that of the noise (N, d): {tuple(noise.shape)}."
        )
    chord = torch.linalg.vector_norm(after.double() - before.double(), dim=-1)
    angle = (2 * torch.asin((chord / 2).clamp(max=1.0))).mean(1)[:, None, None]
    z, noise = z.double(), noise.double()[:, None]
    tangent = torch.nn.functional.normalize(noise - (noise * z).sum(-1, keepdim=True) * z, dim=-1)
    return torch.nn.functional.normalize(angle.cos() * z + angle.sin() * tangent, dim=-1)
