"""Losses that are sums over pairs, with no logarithm of a sum: kernels and the sigmoid loss.

The letters are those of `supcon_theory.pairs.sets`; x = z / sqrt(tau), so that s_ab = <x_a, x_b>.
A batch of N samples costs N^2 cells of memory for each pair of views.
"""

import torch
from torch import Tensor

from supcon_theory.inputs import choice, number
from supcon_theory.pairs.batch import Batch, softplus
from supcon_theory.pairs.tiles import products

KERNELS = ("gaussian", "inverse_multiquadric")


def kernel(square_distance: Tensor, name: str) -> Tensor:
    """e^{-D} or (1 + D)^{-1/2} with D = |x_a - x_b|^2 / 2: (1 - cos) / tau for unit rows."""
    half = square_distance / 2
    return torch.exp(-half) if name == "gaussian" else (1 + half).rsqrt()


def kcl(
    z: Tensor,
    y=None,
    *,
    tau: float | Tensor,
    gamma=16.0,
    kernel_name="gaussian",
    reduction="mean",
    unit=True,
) -> Tensor:
    """Mean of 2 gamma mean of k_ab over b in view - 2 k_ap: kernel contrastive, arXiv 2405.18045.

    k is e^{-t |z_a - z_b|^2}, tau = 1 / (2 t): .25 as released. Its mean over batches drawn from a
    data set does not depend on their size.

    Convention:
        Positives: own
        Denominator: none, a mean of kernels over view | - | yes, same view
        Mean: anchors, positives
        Equals: the released code of 2405.18045 with its Gaussian kernel (K = 2)
        Source: 2405.18045

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels, not used.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        gamma: weight of the negatives.
        kernel_name: "gaussian", or "inverse_multiquadric", (1 + |z_a - z_b|^2 / (2 tau))^{-1/2}.
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    choice(kernel_name, "kernel_name", KERNELS)
    number(gamma, "gamma", 0)
    b = Batch(z, y, tau, "own", "view", unit=unit)
    x = b.x.transpose(0, 1)  # (K, N, d)
    long = x.double()  # a difference of large numbers; and autocast leaves it alone
    squares = long.square().sum(-1)
    apart = squares[:, :, None] + squares[:, None] - 2 * products(long, long)
    apart = apart.clamp(min=0).to(x.dtype)
    other = ~torch.eye(b.N, dtype=torch.bool, device=x.device)
    far = (kernel(apart, kernel_name) * other).sum(-1).transpose(0, 1) / (b.N - 1)
    # own views are near: their differences are exact where squares less products are not
    steps = [(b.x - b.x.roll(-j, 1)).square().sum(-1) for j in range(1, b.K)]
    near = torch.stack([kernel(step, kernel_name) for step in steps]).mean(0)
    return b.reduce(2 * gamma * far - 2 * near, reduction)


def sigmoid(
    z: Tensor,
    y=None,
    *,
    tau: float | Tensor,
    bias: float | Tensor = -10.0,
    reduction="mean",
    unit=True,
) -> Tensor:
    """Mean over p of softplus(-s_ap - b) + sum over p's view of softplus(s_an + b): SigLIP.

    Pairs of different views only, own ones against those of other samples, each judged by itself:
    arXiv 2303.15343. Where temperature and bias are learned the least value is 0 for whatever
    embeddings have every own pair nearer than every other (arXiv 2509.18552).

    Convention:
        Positives: own
        Denominator: none, a sum of softplus(s + b) over ins of other views | - | yes
        Mean: anchors, positives
        Equals: SigLIP's loss, the mean over both directions (K = 2)
        Source: 2303.15343

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels, not used.
        tau: temperature, a number or a 0-dim tensor (a learned one); .1 at SigLIP's start.
        bias: b, a number or a 0-dim tensor (a learned one).
        reduction: "mean", or "none" for (N, K).
        unit: False takes rows of any length (see the package for the range).

    Returns:
        The loss.
    """
    if not isinstance(bias, Tensor):
        number(bias, "bias", -float("inf"))
    b = Batch(z, y, tau, "own", "ins", unit=unit)
    x = b.x.transpose(0, 1).flatten(0, 1)
    s = products(x, x).unflatten(1, (b.K, b.N)).unflatten(0, (b.K, b.N)) + bias
    other_view = ~torch.eye(b.K, dtype=torch.bool, device=s.device)[:, None, :, None]
    other_sample = ~torch.eye(b.N, dtype=torch.bool, device=s.device)[None, :, None]
    apart = (softplus(s) * (other_view & other_sample)).sum((2, 3)).transpose(0, 1)
    own = softplus(-b.own() - bias).sum(-1)
    return b.reduce((own + apart) / (b.K - 1), reduction)
