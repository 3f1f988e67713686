"""Contrastive loss with M independent negatives, exactly, beside the earlier bounds of
`theory.surrogate_gaps`.

The views of the set are the population: a positive is any view of the anchor's class, the negatives
any views, drawn with replacement. The expectation over all draws is exact for every M, from

    E log X = integral over t > 0 of (e^{-t} - E e^{-t X}) / t,   X = e^p + sum_k e^{n_k},

for E e^{-t X} = phi_y(t) phi(t)^M, phi(t) being the mean of e^{-t e^{n}} over the population.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from supcon_theory.audits.gap import spread_anchors
from supcon_theory.theory import earlier_bounds as theory

STEP = 0.3  # of the trapezoid rule in log t; its error is about exp(-pi^2 / STEP) = 5e-15
TAIL = 32.0  # e^-TAIL is what is cut off on the left


def surrogate_audit(
    z: Tensor, y: Tensor, tau: float, negatives: Sequence[int], anchors: int = 64
) -> list[dict[str, float]]:
    """A row for each number of negatives M: both losses, every bound, its worst excess.

    z (N, K, d) unit rows; y (N,) labels 0 ... C - 1 of balanced classes. Means over `anchors` views
    that are evenly spread over the set; the bounds hold for each of them, and violation_* is that of
    the worst. `chance` = log C is the supervised loss of a constant encoder.

    Raises ValueError if the classes are not balanced.
    """
    N, K, _ = z.shape
    counts = torch.bincount(y)
    C = len(counts)
    if counts.min() != counts.max():
        raise ValueError(
            f"the class sizes are {sorted(set(counts.tolist()))}: these bounds are about "
            "equally frequent classes, so pass a balanced set."
        )
    views = torch.nn.functional.normalize(z.double(), dim=-1).flatten(0, 1)
    of = y.repeat_interleave(K)
    chosen = torch.from_numpy(spread_anchors(N, K, anchors) @ [K, 1])
    centres = torch.zeros(C, views.shape[1], dtype=views.dtype).index_add_(0, of, views)
    towards = views[chosen] @ (centres / (K * counts[0])).T / tau
    own = towards.gather(1, of[chosen, None])[:, 0]
    supervised = (towards.logsumexp(1) - own).numpy()
    log_sums = torch.stack(
        [expected_log_sums(views @ views[i] / tau, of == of[i], tau, negatives) for i in chosen]
    )
    rows = []
    for M, column in zip(negatives, (log_sums - own[:, None]).T.numpy(), strict=True):
        uppers = {
            "arora": theory.arora_upper(column, M, C),
            "nozawa_sato": theory.nozawa_sato_upper(column, M, C),
            "bao": theory.bao_upper(column, M, C, tau),
        }
        lower = theory.bao_lower(column, M, C, tau)
        rows.append(
            {
                "tau": tau,
                "negatives": M,
                "loss_contrastive": column.mean(),
                "loss_supervised": supervised.mean(),
                "chance": math.log(C),
                "bound_bao_lower": lower.mean(),
                "violation_bao_lower": (lower - supervised).max(),
            }
            | {f"bound_{name}": bound.mean() for name, bound in uppers.items()}
            | {f"violation_{name}": (supervised - bound).max() for name, bound in uppers.items()}
        )
    return rows


def expected_log_sums(logits: Tensor, own: Tensor, tau: float, negatives: Sequence[int]) -> Tensor:
    """(len(negatives),) E log(e^p + sum of M e^{n_k}) of an anchor with these logits (P,) to the
    population; p is drawn from those marked `own`. All |logits| <= 1/tau, float64.
    """
    M = torch.tensor(negatives, dtype=torch.float64)
    lowest = -math.log(max(negatives) + 1) - 1 / tau - TAIL
    s = torch.arange(lowest, math.log(50.0) + 1 / tau + STEP, STEP, dtype=torch.float64)
    fall = torch.expm1(-torch.outer(s.exp(), logits.exp()))
    log_all, log_own = torch.log1p(fall.mean(1)), torch.log1p(fall[:, own].mean(1))
    transform = torch.exp(log_own[:, None] + log_all[:, None] * M)
    return STEP * (torch.exp(-s.exp())[:, None] - transform).sum(0)
