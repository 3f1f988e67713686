"""L-BFGS with a strong-Wolfe line search on many independent problems of one shape at once.

A batch of starts is not one problem: each start needs its own curvature pairs, step and stopping
time, or a line search accepts steps for the sum that are bad for most. Here every start keeps its
own and only the evaluation of the function is shared, which for a few dozen free embeddings is an
order of magnitude faster than one optimiser per start.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

ARMIJO, CURVATURE = 1e-4, 0.9  # Nocedal and Wright, section 3.1, for quasi-Newton directions
TRIALS = 40  # function values per line search before it counts as failed


@dataclass(frozen=True)
class Minimised:
    """Where each of the starts ended. `stalled`: it stopped short of the gradient tolerance."""

    x: Tensor  # (starts, P)
    value: Tensor  # (starts,)
    gradient_norm: Tensor  # (starts,)
    iterations: Tensor  # (starts,)
    stalled: Tensor  # (starts,) bool


def value_and_gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """Values (starts,) of a function that acts on rows of x separately, and its gradient."""
    x = x.detach().requires_grad_(True)
    values = function(x)
    (gradient,) = torch.autograd.grad(values.sum(), x)
    return values.detach(), gradient.clone()  # an expanded gradient cannot be written to


def minimise(
    function: Callable[[Tensor], Tensor],
    x: Tensor,
    iterations: int = 1000,
    gradient_tolerance: float = 1e-9,
    memory: int = 20,
    watch: Callable[[int, Tensor, Tensor], None] | None = None,
) -> Minimised:
    """Minimise `function`, (starts, P) -> (starts,) row by row, from the rows of x.

    A row stops when the Euclidean norm of its gradient is at the tolerance, when its line search
    fails also along steepest descent, or after `iterations` steps.

    Args:
        function: acts on rows separately.
        x: (starts, P) starts.
        iterations: most steps of a row.
        gradient_tolerance: Euclidean norm at which a row has arrived.
        memory: curvature pairs kept of each row.
        watch: `watch(step, rows, x_rows)` sees the rows still moving after each step.

    Returns:
        Where each row ended.

    Raises:
        ValueError: starts of another shape, or at which the function is not finite.
    """
    if x.ndim != 2:
        raise ValueError(f"x has shape {tuple(x.shape)}: give starts as rows, (starts, P).")
    x = x.detach().clone()
    value, gradient = value_and_gradient(function, x)
    if not torch.isfinite(value).all():
        raise ValueError("the function is not finite at every start; choose other starts.")
    steps = torch.zeros(len(x), dtype=torch.long)
    moving = torch.arange(len(x))[gradient.norm(dim=1) > gradient_tolerance]
    s_pairs = torch.zeros(memory, *x.shape, dtype=x.dtype)
    y_pairs = torch.zeros_like(s_pairs)
    rho = torch.zeros(memory, len(x), dtype=x.dtype)  # 0 marks an absent pair
    for step in range(iterations):
        if len(moving) == 0:
            break
        g = gradient[moving]
        direction = -_two_loops(g, s_pairs[:, moving], y_pairs[:, moving], rho[:, moving], step)
        uphill = (direction * g).sum(1) >= 0
        direction[uphill] = -g[uphill]
        first = (rho[:, moving] == 0).all(dim=0) | uphill
        length = torch.where(first, 1 / g.abs().sum(1).clamp(min=1), 1.0)
        new_x, new_value, new_gradient, found = _line_search(
            function, x[moving], value[moving], g, direction, length
        )
        # A failed search with memory gets one more chance without it; without memory it is the end.
        ended = moving[~found & first]
        rho[:, moving[~found]] = 0
        accepted = moving[found]
        slot = step % memory
        s, yv = new_x[found] - x[accepted], new_gradient[found] - gradient[accepted]
        curvature = (s * yv).sum(1)
        s_pairs[slot, accepted], y_pairs[slot, accepted] = s, yv
        rho[slot, moving] = 0
        rho[slot, accepted] = torch.where(curvature > 0, 1 / curvature, 0.0)
        x[accepted], value[accepted] = new_x[found], new_value[found]
        gradient[accepted] = new_gradient[found]
        steps[accepted] += 1
        if watch is not None:
            watch(step + 1, moving, x[moving])
        going = gradient[moving].norm(dim=1) > gradient_tolerance
        moving = moving[going & ~torch.isin(moving, ended)]
    norm = gradient.norm(dim=1)
    return Minimised(x, value, norm, steps, norm > gradient_tolerance)


def _two_loops(g: Tensor, s: Tensor, y: Tensor, rho: Tensor, step: int) -> Tensor:
    """The product H g of the L-BFGS inverse Hessian, all rows at once (Nocedal, Wright, 7.4)."""
    memory = len(rho)
    order = [(step - 1 - i) % memory for i in range(min(step, memory))]  # newest first
    q, alphas = g.clone(), []
    for k in order:
        alpha = rho[k] * (s[k] * q).sum(1)
        q -= alpha[:, None] * y[k]
        alphas.append(alpha)
    if order:
        k = order[0]
        square = (y[k] * y[k]).sum(1)
        known = rho[k] > 0
        q = q * torch.where(known, 1 / (rho[k] * square), 1.0)[:, None]
    for k, alpha in zip(reversed(order), reversed(alphas), strict=True):
        beta = rho[k] * (y[k] * q).sum(1)
        q += (alpha - beta)[:, None] * s[k]
    return q


def _line_search(
    function: Callable[[Tensor], Tensor],
    x: Tensor,
    value: Tensor,
    gradient: Tensor,
    direction: Tensor,
    step: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A strong-Wolfe step for every row, by doubling and bisection."""
    # `low` always has sufficient decrease and a slope that is still too negative, `high` lacks the
    # decrease or climbs, so a strong-Wolfe point lies between them and bisection closes in on one.
    # The decrease is asked for up to the rounding of the value (a sum of many terms), without which
    # nothing could be accepted within a square root of the machine precision of a minimum.
    slope = (gradient * direction).sum(1)
    rounding = 64 * torch.finfo(x.dtype).eps * value.abs().clamp(min=1)
    low, high = torch.zeros_like(step), torch.full_like(step, torch.inf)
    best = [x.clone(), value.clone(), gradient.clone()]
    found = torch.zeros(len(x), dtype=torch.bool)
    open_rows = torch.arange(len(x))
    for _ in range(TRIALS):
        i = open_rows
        trial = x[i] + step[i, None] * direction[i]
        new_value, new_gradient = value_and_gradient(function, trial)
        new_slope = (new_gradient * direction[i]).sum(1)
        too_far = ~(new_value <= value[i] + ARMIJO * step[i] * slope[i] + rounding[i])
        too_far |= new_slope > CURVATURE * slope[i].abs()
        too_near = ~too_far & (new_slope < CURVATURE * slope[i])
        done = ~too_far & ~too_near
        for kept, new in zip(best, (trial, new_value, new_gradient), strict=True):
            kept[i[done]] = new[done]
        found[i[done]] = True
        high[i[too_far]] = step[i[too_far]]
        low[i[too_near]] = step[i[too_near]]
        open_rows = i[~done]
        if len(open_rows) == 0:
            break
        i = open_rows
        step[i] = torch.where(high[i].isinf(), 2 * low[i], (low[i] + high[i]) / 2)
    return best[0], best[1], best[2], found
