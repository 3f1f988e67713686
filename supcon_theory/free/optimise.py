"""Free embeddings: the unit rows themselves are optimised, many starts at once, in float64.

The objectives are those of `supcon_theory.objectives`, mapped over a hundred small configurations
by torch.func (in the dense form of the pairs), so that they are evaluated together and may be
differentiated twice.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize

from supcon_theory.free.lbfgs import Minimised, minimise
from supcon_theory.objectives import IDS, OBJECTIVES
from supcon_theory.pairs.batch import Batch, softplus


def gap(z: Tensor, y: Tensor, *, tau: float) -> Tensor:
    """Mean over anchors of log(1 + S / D), dcl - nscl (arXiv 2506.04411), of z (N, K, d)."""
    b = Batch(z, y, tau, "oth")
    return b.reduce(softplus(b.log_sum("sis") - b.log_sum("oth")), "mean")


def losses(objective: str, y: Tensor, tau: float, **options: object) -> Callable[[Tensor], Tensor]:
    """The function (starts, N, K, d) unit embeddings -> (starts,) losses, twice differentiable.

    Args:
        objective: an id, or "gap".
        y: (N,) labels.
        tau: temperature.
        options: of the objective.

    Returns:
        The function; it raises what the objective raises.

    Raises:
        ValueError: no such objective.
    """
    if objective != "gap" and objective not in IDS:
        raise ValueError(f"objective {objective!r}: one of {', '.join(IDS)} or 'gap'.")
    function = gap if objective == "gap" else OBJECTIVES[objective]
    return torch.func.vmap(lambda z: function(z, y, tau=tau, **options))


def gaussian_starts(starts: int, N: int, K: int, d: int, seed: int) -> Tensor:
    """(starts, N, K, d) independent uniform unit rows; start k does not depend on their number."""
    draws = []
    for k in range(starts):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + k)
        draws.append(torch.randn(N, K, d, generator=generator, dtype=torch.float64))
    return normalize(torch.stack(draws), dim=-1)


def antipodal_starts(starts: int, y: Tensor, K: int, d: int, seed: int) -> Tensor:
    """(starts, N, K, d) unit rows: some classes near one pole, the others near the opposite one."""
    # Start k has 1, 2, ..., C-1 classes at the first pole in turn: the configurations that attain
    # the bound on the gap of a single anchor.
    classes = int(y.max()) + 1
    pole = torch.zeros(d, dtype=torch.float64)
    pole[0] = 1
    first = torch.arange(starts) % (classes - 1) + 1
    sign = torch.where(y[None, :] < first[:, None], 1.0, -1.0)[:, :, None, None]
    return normalize(sign * pole + 0.1 * gaussian_starts(starts, len(y), K, d, seed), dim=-1)


def onto_sphere(x: Tensor) -> Tensor:
    """Rows of length 1, also of rows below 1e-12: the bisections of a line search may meet at 0."""
    return normalize(x, dim=-1, eps=torch.finfo(x.dtype).tiny)


def into_ball(x: Tensor) -> Tensor:
    """Rows of length at most 1: longer ones are divided by their length (arXiv 2311.05139)."""
    return x / x.norm(dim=-1, keepdim=True).clamp(min=1)


def kept_long(value: Tensor, x: Tensor) -> Tensor:
    """The values (starts,) at rows x (starts, ..., d), infinite where a row is shorter than 1/2."""
    # The gradient through a normalisation grows as 1/length: a line search would end at the origin.
    short = (x.norm(dim=-1) < 0.5).flatten(1).any(1)
    return torch.where(short, torch.inf, value)


def follow(
    objective: str,
    z: Tensor,
    y: Tensor,
    tau: float,
    steps: int,
    rate: float = 0.05,
    **options: object,
) -> Tensor:
    """Where Adam takes unit rows, its rate falling to 0 as a half cosine.

    For gradients that belong to no function, such as those of detached weights, along which a line
    search decides nothing.

    Args:
        objective: an id of `supcon_theory.objectives`.
        z: (starts, N, K, d) unit rows in float64.
        y: (N,) labels.
        tau: temperature.
        steps: of Adam.
        rate: its first learning rate.
        options: of the objective.

    Returns:
        The unit embeddings at the end.
    """
    function, x = losses(objective, y, tau, **options), z.clone().requires_grad_()
    optimiser = torch.optim.Adam([x], lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        function(onto_sphere(x)).sum().backward()
        optimiser.step()
        schedule.step()
    return onto_sphere(x.detach())


def optimise(
    objective: str,
    z: Tensor,
    y: Tensor,
    tau: float,
    iterations: int = 1000,
    gradient_tolerance: float = 1e-9,
    watch: Callable[[int, Tensor, Tensor], None] | None = None,
    ball: bool = False,
    **options: object,
) -> tuple[Tensor, Minimised]:
    """Minimise an objective (or maximise "gap") over unit rows from starts z (starts, N, K, d).

    The rows are normalised inside the function, so the gradient is the one along the spheres.

    Args:
        objective: an id of `supcon_theory.objectives`, or "gap".
        z: (starts, N, K, d) unit rows in float64.
        y: (N,) labels.
        tau: temperature.
        iterations: most steps of a start.
        gradient_tolerance: norm of the gradient at which a start has arrived.
        watch: `watch(step, starts, z)` sees the starts still moving after each step.
        ball: over rows of the unit ball instead: longer ones are drawn back to the sphere.
        options: of the objective.

    Returns:
        The embeddings at the end, and the optimiser's account (values with the sign of the
        objective itself).

    Raises:
        TypeError: another precision.
    """
    if z.dtype != torch.float64:
        raise TypeError(f"z is {z.dtype}: free embeddings are optimised in float64.")
    starts, N, K, d = z.shape
    function = losses(objective, y, tau, **options, **({"unit": False} if ball else {}))
    onto = into_ball if ball else onto_sphere
    sign = -1.0 if objective == "gap" else 1.0

    def flat(x: Tensor) -> Tensor:
        x = x.view(-1, N, K, d)
        value = sign * function(onto(x))
        return value if ball else kept_long(value, x)

    def seen(step: int, rows: Tensor, x: Tensor) -> None:
        if watch is not None:
            watch(step, rows, onto(x.view(-1, N, K, d)))

    found = minimise(flat, z.reshape(starts, -1), iterations, gradient_tolerance, watch=seen)
    end = onto(found.x.view(starts, N, K, d))
    return end, Minimised(
        found.x, sign * found.value, found.gradient_norm, found.iterations, found.stalled
    )
