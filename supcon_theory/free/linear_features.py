"""The spectral loss of a linear encoder on four points, minimised: `theory.features` in numbers."""

import itertools

import torch
from torch import Tensor

from supcon_theory.free.lbfgs import minimise

SIGNS = torch.tensor(list(itertools.product((1.0, -1.0), repeat=2)), dtype=torch.float64)  # y, s


def spectral_loss(z: Tensor, own: float, other_class: bool) -> Tensor:
    """-2 E <z, z+> + E <z, z->^2 over all pairs of four points, (starts, 4, d) -> (starts,).

    Args:
        z: Embeddings of the points (y, s) of `SIGNS`.
        own: Weight of the point itself among its positives; the rest are of its class.
        other_class: Negatives are of the other class only; else any point.

    Returns:
        The loss.
    """
    g = z @ z.transpose(1, 2)
    y = SIGNS[:, 0]
    same = (y[:, None] == y).to(z)
    positive = own * torch.eye(4, dtype=z.dtype) / 4 + (1 - own) * same / same.sum()
    negative = 1 - same if other_class else torch.ones_like(same)
    return -2 * (g * positive).sum((1, 2)) + (g.square() * negative).sum((1, 2)) / negative.sum()


def learnt_energies(
    own: float,
    other_class: bool,
    strengths: tuple[float, float],
    starts: int,
    seed: int,
    d: int = 3,
) -> tuple[Tensor, Tensor]:
    """Energies of class and subclass where L-BFGS takes a linear encoder.

    Args:
        own: As in `spectral_loss`.
        other_class: As there.
        strengths: f1, f2 of class and subclass in the points.
        starts: Gaussian encoders.
        seed: Of the starts.
        d: Dimensions of the embedding.

    Returns:
        (starts, 2) energies |u|^2 and |v|^2, and (starts,) losses.
    """
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(starts, 2 * d, generator=generator, dtype=torch.float64)
    points = SIGNS * torch.tensor(strengths, dtype=torch.float64)

    def loss(flat: Tensor) -> Tensor:
        return spectral_loss(points @ flat.view(-1, 2, d), own, other_class)

    found = minimise(loss, x, 500)
    scale = torch.tensor(strengths, dtype=torch.float64)
    return found.x.view(-1, 2, d).norm(dim=2).mul(scale).square(), found.value
