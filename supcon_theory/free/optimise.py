"""Free embeddings: the unit rows themselves are optimised, many starts at once, in float64.

`losses` computes five of the objectives for a whole batch of configurations by dense matrix
products. It repeats formulas of `supcon_theory.objectives` (tests hold them equal) because those
take one configuration at a time and are not open to `torch.func`, while here a hundred small
configurations are evaluated together and differentiated twice by it.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize, softplus

from supcon_theory.free.lbfgs import Minimised, minimise

# id: (who pulls, who pushes, the positive itself in its own denominator)
WHO = {
    "dcl": ("own and self", "other samples", False),
    "nscl": ("own and self", "other classes", False),
    "nt_xent": ("own", "other samples", True),
    "nscl_coupled": ("own", "other classes", True),
    "supcon": ("class", "all but self", False),
}


def _masks(y: Tensor, K: int) -> dict[str, Tensor]:
    """(NK, NK) Boolean matrices, rows (i, l) in C order: who is what to an anchor."""
    sample = torch.arange(len(y)).repeat_interleave(K)
    label = y.repeat_interleave(K)
    same_sample = sample[:, None] == sample[None, :]
    same_class = label[:, None] == label[None, :]
    eye = torch.eye(len(sample), dtype=torch.bool)
    return {
        "own and self": same_sample,
        "own": same_sample & ~eye,
        "class": same_class & ~eye,
        "other samples": ~same_sample,
        "other classes": ~same_class,
        "all but self": ~eye,
    }


def losses(objective: str, y: Tensor, K: int, tau: float) -> Callable[[Tensor], Tensor]:
    """The function (S, N, K, d) unit embeddings -> (S,) losses, twice differentiable.

    Per anchor a: mean over positives p of log(c e^{s_ap} + sum_{b pushes} e^{s_ab}) - s_ap with
    s = <z_a, z_b> / tau and c in {0, 1}; then the mean over anchors. `objective="gap"` is
    dcl - nscl = mean over anchors of log(1 + S / D).
    """
    if not tau >= 0.01:
        raise ValueError(f"tau = {tau}: without a shift of the exponents needed is tau >= 0.01.")
    masks = _masks(y, K)
    if objective == "gap":
        sis, oth = masks["other samples"] & ~masks["other classes"], masks["other classes"]
        sis, oth = sis.double(), oth.double()

        def gap(z: Tensor) -> Tensor:
            similar = _similarities(z, tau).exp()
            return torch.log1p((similar * sis).sum(2) / (similar * oth).sum(2)).mean(1)

        return gap
    if objective not in WHO:
        raise ValueError(f"objective {objective!r}: one of {', '.join(WHO)} or 'gap'.")
    pulls, pushes, coupled = WHO[objective]
    pull, push = masks[pulls], masks[pushes].double()
    if not (pull.any(1).all() and masks[pushes].any(1).all()):
        raise ValueError(
            f"{objective}: some anchor has no positive or no negative in these labels."
        )
    weight = pull.double() / pull.sum(1, keepdim=True)
    rows, columns = pull.nonzero(as_tuple=True)
    pair_weight = weight[rows, columns] / len(weight)

    def loss(z: Tensor) -> Tensor:
        s = _similarities(z, tau)
        log_sum = (s.exp() * push).sum(2).log()
        if coupled:
            return softplus(log_sum[:, rows] - s[:, rows, columns], threshold=40) @ pair_weight
        return log_sum.mean(1) - (s * weight).sum((1, 2)) / len(weight)

    return loss


def _similarities(z: Tensor, tau: float) -> Tensor:
    rows = z.flatten(1, 2)
    return rows @ rows.transpose(1, 2) / tau


def gaussian_starts(S: int, N: int, K: int, d: int, seed: int) -> Tensor:
    """(S, N, K, d) independent uniform unit rows; start k is the same for every S > k."""
    draws = []
    for k in range(S):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + k)
        draws.append(torch.randn(N, K, d, generator=generator, dtype=torch.float64))
    return normalize(torch.stack(draws), dim=-1)


def antipodal_starts(S: int, y: Tensor, K: int, d: int, seed: int, noise: float = 0.1) -> Tensor:
    """(S, N, K, d) unit rows: some classes near one pole, the others near the opposite one.

    Start k has 1, 2, ..., C-1 classes at the first pole in turn: the configurations that attain the
    bound on the gap of a single anchor.
    """
    classes = int(y.max()) + 1
    pole = torch.zeros(d, dtype=torch.float64)
    pole[0] = 1
    first = torch.arange(S) % (classes - 1) + 1
    sign = torch.where(y[None, :] < first[:, None], 1.0, -1.0)[:, :, None, None]
    return normalize(sign * pole + noise * gaussian_starts(S, len(y), K, d, seed), dim=-1)


def optimise(
    objective: str,
    z: Tensor,
    y: Tensor,
    tau: float,
    iterations: int = 1000,
    gradient_tolerance: float = 1e-9,
    watch: Callable[[int, Tensor, Tensor], None] | None = None,
) -> tuple[Tensor, Minimised]:
    """Minimise an objective (or maximise "gap") over unit rows from S starts z (S, N, K, d).

    The rows are normalised inside the function, so the gradient is the one along the spheres.
    Returns the unit embeddings at the end and the optimiser's account (values with the sign of
    the objective itself).
    """
    if z.dtype != torch.float64:
        raise TypeError(f"z is {z.dtype}: free embeddings are optimised in float64.")
    S, N, K, d = z.shape
    function = losses(objective, y, K, tau)
    sign = -1.0 if objective == "gap" else 1.0

    def flat(x: Tensor) -> Tensor:
        x = x.view(-1, N, K, d)
        # The gradient through the normalisation grows as 1 / length: keep rows off the origin.
        short = (x.norm(dim=-1) < 0.5).flatten(1).any(1)
        return torch.where(short, torch.inf, sign * function(normalize(x, dim=-1)))

    def seen(step: int, rows: Tensor, x: Tensor) -> None:
        watch(step, rows, normalize(x.view(-1, N, K, d), dim=-1))

    found = minimise(
        flat, z.reshape(S, -1), iterations, gradient_tolerance, watch=seen if watch else None
    )
    end = normalize(found.x.view(S, N, K, d), dim=-1)
    return end, Minimised(
        found.x, sign * found.value, found.gradient_norm, found.iterations, found.stalled
    )
