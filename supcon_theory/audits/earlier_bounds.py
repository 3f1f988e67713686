"""Contrastive loss with M independent negatives, exactly, beside earlier bounds.

The bounds are those of `theory.earlier_bounds`. The views of the set are the population: a positive
is any view of the anchor's class, the negatives any views, drawn with replacement. The expectation
over all draws is exact for every M, from

    E log X = integral over t > 0 of (e^{-t} - E e^{-t X}) / t,   X = e^p + sum_k e^{n_k},

for E e^{-t X} = phi_y(t) phi(t)^M, phi(t) being the mean of e^{-t e^{n}} over the population.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from supcon_theory.audits.columns import EARLIER_BOUNDS
from supcon_theory.audits.gap import drawn_anchors
from supcon_theory.inputs import embeddings, labels, temperatures, unit_rows
from supcon_theory.measures.losses import LEAST_TAU
from supcon_theory.theory import earlier_bounds as theory

COLUMNS, VERSION = EARLIER_BOUNDS.columns, EARLIER_BOUNDS.version
STEP = 0.3  # of the trapezoid rule in log t; its error is about exp(-pi^2 / STEP) = 5e-15
TAIL = 32.0  # e^-TAIL is what is cut off on the left


def earlier_bounds_audit(
    z: Tensor, y: Tensor, taus: Sequence[float], negatives: Sequence[int], anchors: int = 64
) -> list[dict[str, Any]]:
    """Both losses of the earlier papers and every bound between them.

    Args:
        z: Embeddings (N, K, d), rows unit up to rounding.
        y: Labels (N,).
        taus: Temperatures.
        negatives: Numbers M of negatives.
        anchors: How many anchors are drawn; losses and bounds are means over them, violations
            those of the worst, since every bound holds for each anchor.

    Returns:
        A row per temperature and M: `tau` and `COLUMNS`. The bounds are about equally frequent
        classes and are NaN for others.
    """
    z = embeddings(z).detach()
    N, K, _ = z.shape
    views, of = unit_rows(z).flatten(0, 1), labels(y, N).to(z.device).repeat_interleave(K)
    counts = torch.bincount(of)
    C, balanced = len(counts), bool(counts.min() == counts.max())
    chosen = torch.from_numpy(drawn_anchors(N, K, anchors) @ [K, 1]).to(z.device)
    centres = views.new_zeros(C, views.shape[1]).index_add_(0, of, views) / counts[:, None]
    rows = []
    for tau in temperatures(taus, least=LEAST_TAU):
        towards = views[chosen] @ centres.T / tau
        own = towards.gather(1, of[chosen, None])[:, 0]
        supervised = (towards.logsumexp(1) - own).cpu().numpy()
        pairs = (((views @ views[i] / tau).cpu(), (of == of[i]).cpu()) for i in chosen)
        log_sums = torch.stack([expected_log_sums(*pair, tau, negatives) for pair in pairs])
        contrastive = (log_sums - own.cpu()[:, None]).T.numpy()
        for M, loss in zip(negatives, contrastive, strict=True):
            row = {"tau": tau, "negatives": M, "loss_contrastive": float(loss.mean())}
            row |= {"loss_supervised": float(supervised.mean()), "chance": math.log(C)}
            for name, bound in _bounds(loss, M, C, tau).items():
                bound = bound if balanced else np.full_like(bound, np.nan)
                beyond = bound - supervised if name == "bao_lower" else supervised - bound
                row |= {f"bound_{name}": float(bound.mean())}
                row |= {f"violation_{name}": float(beyond.max())}
            rows.append(row)
    return rows


def _bounds(loss: np.ndarray, M: int, C: int, tau: float) -> dict[str, np.ndarray]:
    return {
        "arora": theory.arora_upper(loss, M, C),
        "nozawa_sato": theory.nozawa_sato_upper(loss, M, C),
        "bao": theory.bao_upper(loss, M, C, tau),
        "bao_lower": theory.bao_lower(loss, M, C, tau),
    }


def expected_log_sums(logits: Tensor, own: Tensor, tau: float, negatives: Sequence[int]) -> Tensor:
    """E log(e^p + sum of M e^{n_k}) of one anchor.

    Args:
        logits: Its cosines to the population over tau, (P,) float64, all |logits| <= 1/tau.
        own: Which of them p is drawn from, (P,) bool; the M independent n_k are drawn from all.
        tau: Temperature.
        negatives: Numbers M.

    Returns:
        The expectation for each M, (len(negatives),) float64.
    """
    M = torch.tensor(negatives, dtype=torch.float64)
    lowest = -math.log(max(negatives) + 1) - 1 / tau - TAIL
    s = torch.arange(lowest, math.log(50.0) + 1 / tau + STEP, STEP, dtype=torch.float64)
    fall = torch.expm1(-torch.outer(s.exp(), logits.exp()))
    log_all, log_own = torch.log1p(fall.mean(1)), torch.log1p(fall[:, own].mean(1))
    transform = torch.exp(log_own[:, None] + log_all[:, None] * M)
    return STEP * (torch.exp(-s.exp())[:, None] - transform).sum(0)
