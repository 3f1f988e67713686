"""Losses with no logarithm of a sum: over pairs (kernels, sigmoid) and over triplets (hinge).

The letters are those of `supcon_theory.pairs.sets`; x = z / sqrt(tau), so that s_ab = <x_a, x_b>.
A batch of N samples costs N^2 cells of memory for each pair of views.
"""

import torch
from torch import Tensor

from supcon_theory.inputs import choice, number, temperature
from supcon_theory.pairs.batch import Batch, softplus
from supcon_theory.pairs.tiles import products

STRIP_CELLS = 2**18  # of the matrix of pairs, sorted at a time
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


def open_hinges(x: Tensor, classes: Tensor, margin: float) -> Tensor:
    """W_ab, in how many triplets of anchor a with an open hinge row b is n, less those as p.

    A hinge is open where s_an > s_ap - margin. With the rows b in the order of these numbers, a
    negative opens those of the positives below it, a positive those of the negatives above it: M
    log M steps an anchor, of up to M^2 / 4 triplets.

    Args:
        x: (M, d) rows.
        classes: (M,) class of each.
        margin: of the hinge.

    Returns:
        (M, M) whole numbers, of the type of x.
    """
    M = len(classes)
    strips = torch.arange(M, device=x.device).split(max(1, STRIP_CELLS // M))
    return torch.cat([_open_hinges(x, strip, classes, margin) for strip in strips], -2)


def _open_hinges(x: Tensor, anchors: Tensor, classes: Tensor, margin: float) -> Tensor:
    other = classes[anchors, None] != classes
    positive = ~other & (anchors[:, None] != torch.arange(len(classes), device=x.device))
    key = products(x.index_select(-2, anchors), x) - margin * positive.to(x)
    order = key.argsort(-1)  # at a kink either slope, the same one for both rows
    p, n = (mask.to(x).expand_as(key).gather(-1, order) for mask in (positive, other))
    above = n.sum(-1, keepdim=True) - n.cumsum(-1)
    return torch.zeros_like(key).scatter(-1, order, n * p.cumsum(-1) - p * above)


def triplet(z: Tensor, y=None, *, tau: float | Tensor, margin=0.1, reduction="mean") -> Tensor:
    """Mean over p in P, n in oth of max(0, margin + cos_an - cos_ap) / tau: FaceNet, 1503.03832.

    All triplets of the batch, none mined. Squared distances of unit rows are 2 - 2 cos, so 2 tau
    times it is FaceNet's sum with alpha = 2 margin, .2 there. The margin is one of cosines, so tau
    is a scale only, and the slope in a cosine is that of other losses, 1 / tau; margin = tau is the
    alpha = 2 tau that 2004.11362, Sec. 3.2.4, names. With one positive, one negative and no margin
    it is what `supcon` tends to for small tau.

    The least is max(0, margin - C/(C-1)) / tau, at the class simplex; up to that margin wherever
    every positive is nearer than every negative by the margin, so that classes need not collapse.

    Convention:
        Positives: P
        Denominator: none, a mean of hinges over oth | - | no
        Mean: anchors, pairs of a positive and a negative
        Equals: on balanced batches, times tau: pml `TripletMarginLoss` of cosines with
            `MeanReducer`
        Source: 1503.03832

    Args:
        z: (N, K, d) unit rows, N samples x K views.
        y: (N,) labels.
        tau: temperature, a number or a 0-dim tensor (a learned one).
        margin: by how much cosines with positives are to exceed those with negatives.
        reduction: "mean", or "none" for (N, K).

    Returns:
        The loss.
    """
    margin, tau = number(margin, "margin", 0), temperature(tau)
    b = Batch(z, y, 1.0, "P", "oth")  # so that the kinks do not move with the rounding of x
    x = b.x.flatten(0, 1).double()  # a last digit decides whether a triplet counts
    counts = open_hinges(x.detach(), b.classes.of_row, margin)
    opened = counts.clamp(min=0).sum(-1)
    total = (x * (counts @ x)).sum(-1) + margin * opened
    P, oth = (torch.as_tensor(b.size(name))[:, None] for name in ("P", "oth"))
    losses = total.unflatten(-1, (b.N, b.K)) / (P * oth).clamp(min=1)
    return b.reduce(losses.to(b.x.dtype) / tau, reduction)
