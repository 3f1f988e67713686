"""Second derivatives of a free-embedding objective along the spheres that its rows live on.

In the chart v -> normalize(z + v) with v tangent at every row, the ordinary Hessian at v = 0 is the
Riemannian one. Rotating all rows together changes no objective, so a critical point always has the
tangent space of its rotation orbit in the kernel; "strict minimum" means that the Hessian is
positive on the rest.
"""

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from supcon_theory.free.optimise import losses


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of the Hessian times N K (the curvature per row), ascending.

    `rotations`: dimension of the rotation orbit, the number of zero modes that say nothing.
    `smallest`: smallest eigenvalue orthogonal to the orbit. `rotation_residual`: norm of the
    Hessian on the orbit, 0 at an exact critical point: the resolution of the other numbers.
    """

    values: Tensor
    rotations: int
    smallest: float
    rotation_residual: float
    gradient_norm: float


def tangent_basis(z: Tensor) -> Tensor:
    """(R, d, d-1) orthonormal bases of the tangent spaces at R unit rows (R, d)."""
    return torch.linalg.qr(z[:, :, None], mode="complete")[0][:, :, 1:]


def hessian(objective: str, z: Tensor, y: Tensor, tau: float) -> tuple[Tensor, Tensor, Tensor]:
    """Gradient (P,), Hessian (P, P), both times N K, and bases (NK, d, d-1); P = N K (d-1)."""
    N, K, d = z.shape
    function = losses(objective, y, tau)
    rows = z.reshape(N * K, d)
    basis = tangent_basis(rows)

    def at(v: Tensor) -> Tensor:
        moved = rows + torch.einsum("rde,re->rd", basis, v.view(N * K, d - 1))
        return function(normalize(moved, dim=-1).view(1, N, K, d)).squeeze(0)

    origin = torch.zeros(N * K * (d - 1), dtype=z.dtype)
    first = torch.func.grad(at)
    unit = torch.eye(len(origin), dtype=z.dtype)
    column = torch.func.vmap(lambda t: torch.func.jvp(first, (origin,), (t,))[1], chunk_size=128)
    with warnings.catch_warnings():  # PyTorch compiles rules of its own when jvp is first used
        warnings.filterwarnings("ignore", "`torch.jit.script` is ", FutureWarning)
        second = column(unit)
    return N * K * first(origin), N * K * (second + second.T) / 2, basis


def rotation_modes(z: Tensor, basis: Tensor) -> Tensor:
    """(P, r) orthonormal tangent directions of the orbit of z under rotations of all rows."""
    # r = d(d-1)/2 - (d-k)(d-k-1)/2 for rows that span k dimensions
    rows = z.reshape(-1, z.shape[-1])
    i, j = torch.triu_indices(rows.shape[1], rows.shape[1], 1)
    turned = torch.zeros(len(i), *rows.shape, dtype=z.dtype)  # one elementary rotation each
    pair = torch.arange(len(i))
    turned[pair, :, i], turned[pair, :, j] = rows[:, j].T, -rows[:, i].T
    modes = torch.einsum("rde,mrd->mre", basis, turned).flatten(1)
    _, size, directions = torch.linalg.svd(modes, full_matrices=False)
    return directions[size > 1e-7 * size[0]].T


def complement(directions: Tensor) -> Tensor:
    """(P, P - r) orthonormal directions orthogonal to r given ones, (P, r)."""
    return torch.linalg.qr(directions, mode="complete")[0][:, directions.shape[1] :]


def spectrum(z: Tensor, gradient: Tensor, second: Tensor, basis: Tensor) -> Spectrum:
    """Eigenvalues of the `hessian` at one configuration z (N, K, d), rotations told apart."""
    orbit = rotation_modes(z, basis)
    rest = complement(orbit)
    return Spectrum(
        torch.linalg.eigvalsh(second),
        orbit.shape[1],
        float(torch.linalg.eigvalsh(rest.T @ second @ rest)[0]),
        float(torch.linalg.matrix_norm(second @ orbit, 2)),
        float(gradient.norm()),
    )


def random_directions(
    z: Tensor, count: int, generator: torch.Generator, views_together: bool
) -> Tensor:
    """(count, N, K, d) random unit tangent directions; the views of a sample alike if asked."""
    N, K, d = z.shape
    shape = (count, N, 1 if views_together else K, d)
    moves = torch.randn(shape, generator=generator, dtype=z.dtype).expand(count, N, K, d)
    moves = moves - (moves * z).sum(-1, keepdim=True) * z
    return moves / moves.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def curvature_along(second: Tensor, basis: Tensor, directions: Tensor) -> Tensor:
    """(M,) second derivatives along M unit tangent directions (M, N, K, d)."""
    d = directions.shape[-1]
    v = torch.einsum("rde,mrd->mre", basis, directions.reshape(len(directions), -1, d)).flatten(1)
    return ((v @ second) * v).sum(1)
