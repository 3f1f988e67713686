"""The two losses of the theorem and their gap, exactly, over a whole data set and per anchor.

    L_DCL  = mean over anchors (i, l) of  -<z_i^l, z_i^l'> / tau (mean over l') + log(S + D)
    L_NSCL = the same with log D in place of log(S + D)
    gap    = L_DCL - L_NSCL = mean of log(1 + S / D), anchor by anchor

(arXiv 2506.04411; S and D as in the notation legend: all K views of the other samples, none of the
anchor's own.) `global_losses` is the fast way; `anchor_losses` is a second, independent and slow
one for chosen anchors, against which the first is checked in every run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from supcon_theory import inputs
from supcon_theory.pairs.class_sums import class_sums
from supcon_theory.pairs.tiles import SUMMED
from supcon_theory.processes import helped

LEAST_TAU = 1 / SUMMED[torch.float64]  # below, exp(1 / tau) overflows float64
DENSE_ANCHORS = 32  # anchors of the dense path held at once


@dataclass(frozen=True)
class GlobalLosses:
    """Per-anchor values, each (N, K) float64. log_S is -inf in a class of one sample."""

    dcl: np.ndarray
    nscl: np.ndarray
    gap: np.ndarray
    log_S: np.ndarray
    log_D: np.ndarray

    @cached_property
    def mean_dcl(self) -> float:
        """L_DCL."""
        return float(self.dcl.mean())

    @cached_property
    def mean_nscl(self) -> float:
        """L_NSCL."""
        return float(self.nscl.mean())

    @cached_property
    def mean_gap(self) -> float:
        """L_DCL - L_NSCL."""
        return float(self.gap.mean())


@dataclass(frozen=True)
class AnchorLosses:
    """Values of M chosen anchors, each (M,) float64.

    `l1` is sum |p_CL - p_NSCL| of the softmax distributions over the anchor's candidates, which
    the theory says is 2 (1 - exp(-gap)).
    """

    dcl: np.ndarray
    nscl: np.ndarray
    log_S: np.ndarray
    log_D: np.ndarray
    l1: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """The difference of the two losses, not log1p(S / D), which it is to be compared with."""
        return self.dcl - self.nscl


def global_losses(
    z: torch.Tensor, y: object, taus: float | Sequence[float], *, pairs: str = "all"
) -> dict[float, GlobalLosses]:
    """DCL, NSCL and their gap of every anchor at every temperature.

    Exact over all N K anchors, O((N K)^2 d) time and O(N K d) memory. Sums of float32 embeddings
    are formed from float32 tiles while 1 / tau <= 80 (relative error about 1e-6 at tau = 1 and
    1e-5 at 1 / 80) and from float64 ones beyond; float64 embeddings stay float64. Inside of
    `shared_over_processes` each process computes its part of the tiles.

    Args:
        z: (N, K, d) unit rows, used as they are.
        y: (N,) labels of at least two classes.
        taus: one or more temperatures, each >= 1 / 650.
        pairs: "all" averages the positive term over all K views l' of the anchor's sample, l' = l
            included, as the theorem writes it; "distinct" leaves l' = l out (K >= 2). The gap is
            the same.

    Returns:
        {tau: losses}, in the order of taus.

    Raises:
        ValueError: rows that are not unit, a single class (no anchor has a negative), a temperature
            or a convention of pairs that does not fit; and what `supcon_theory.inputs` raises.
    """
    z, y, taus = _checked(z, y, taus, pairs)
    cosine = _mean_positive_cosine(z, pairs).cpu().numpy()
    losses = {}
    with helped(z.shape[0] * z.shape[1], z, y, taus):
        both = class_sums(z, y, taus)
    for tau, sums in both.items():
        S, D = (total.cpu().numpy() for total in sums)
        with np.errstate(divide="ignore", over="ignore"):  # S = 0 in a class of one sample
            log_S, log_D, ratio = np.log(S), np.log(D), S / D
        log_ratio = log_S - log_D
        positive = cosine / tau
        losses[tau] = GlobalLosses(
            dcl=np.log(S + D) - positive,
            nscl=log_D - positive,
            gap=np.where(np.isinf(ratio), log_ratio, np.log1p(ratio)),
            log_S=log_S,
            log_D=log_D,
        )
    return {tau: losses[tau] for tau in taus}


def anchor_losses(
    z: torch.Tensor,
    y: object,
    anchors: torch.Tensor | np.ndarray,
    tau: float,
    *,
    pairs: str = "all",
) -> AnchorLosses:
    """DCL, NSCL and softmax distance of chosen anchors, by dense float64 masks.

    Each loss is a log-sum-exp of its own over its own set of candidates: nothing is shared with
    `global_losses` but the definition. O(M N K d) time.

    Args:
        z: as in `global_losses`.
        y: as in `global_losses`.
        anchors: (M, 2) rows (i, l).
        tau: temperature.
        pairs: as in `global_losses`.

    Returns:
        The values of the M anchors.
    """
    z, y, (tau,) = _checked(z, y, tau, pairs)
    N, K, d = z.shape
    anchors = _checked_anchors(anchors, N, K).to(z.device)
    candidates = z.double().reshape(N * K, d)
    sample = torch.arange(N, device=z.device).repeat_interleave(K)
    view = torch.arange(K, device=z.device).repeat(N)
    columns = []
    for i, l in (chunk.T.unsqueeze(2) for chunk in anchors.split(DENSE_ANCHORS)):
        logits = candidates[(i * K + l).squeeze(1)] @ candidates.T / tau
        of_itself = sample == i
        of_its_class = y[sample] == y[i]
        positive = of_itself if pairs == "all" else of_itself & (view != l)
        pull = torch.where(positive, logits, 0.0).sum(1) / positive.sum(1)
        all_negatives, different, same = (
            logits.masked_fill(~candidate, float("-inf"))
            for candidate in (~of_itself, ~of_its_class, of_its_class & ~of_itself)
        )
        columns.append(
            (
                all_negatives.logsumexp(1) - pull,
                different.logsumexp(1) - pull,
                same.logsumexp(1),
                different.logsumexp(1),
                (all_negatives.softmax(1) - different.softmax(1)).abs().sum(1),
            )
        )
    return AnchorLosses(*(torch.cat(values).cpu().numpy() for values in zip(*columns, strict=True)))


def _mean_positive_cosine(z: torch.Tensor, pairs: str) -> torch.Tensor:
    """(N, K) mean over l' of <z_i^l, z_i^l'>, with ("all") or without ("distinct") l' = l."""
    z = z.double()
    total = torch.einsum("nkd,nd->nk", z, z.sum(1))
    if pairs == "all":
        return total / z.shape[1]
    return (total - z.square().sum(2)) / (z.shape[1] - 1)


def _checked(
    z: torch.Tensor, y: object, taus: float | Sequence[float], pairs: str
) -> tuple[torch.Tensor, torch.Tensor, list[float]]:
    """Z without gradient, in float32 or float64, numbers of the classes, and the temperatures."""
    z = inputs.embeddings(z).detach()
    numbers = inputs.labels(y, len(z)).to(z.device)
    inputs.choice(pairs, "pairs", ("all", "distinct"))
    if pairs == "distinct" and z.shape[1] < 2:
        raise ValueError(f"pairs is {pairs!r} with K = {z.shape[1]}: pass 'all', or K >= 2 views.")
    if not numbers.any():
        raise ValueError(
            f"y holds only the classes {inputs.class_names(y)}: NSCL needs at least two, "
            "or an anchor has no negatives."
        )
    return z.to(inputs.working_dtype(z)), numbers, inputs.temperatures(taus, least=LEAST_TAU)


def _checked_anchors(anchors: torch.Tensor | np.ndarray, N: int, K: int) -> torch.Tensor:
    anchors = torch.as_tensor(anchors)
    whole = not anchors.is_floating_point()
    if not whole or anchors.ndim != 2 or anchors.shape[1] != 2 or len(anchors) == 0:
        raise ValueError(
            f"anchors is a {anchors.dtype} tensor of shape {tuple(anchors.shape)}: pass integers "
            "of shape (M, 2) with M >= 1, each row (sample, view)."
        )
    outside = ((anchors < 0) | (anchors >= torch.tensor([N, K]))).any(1)
    if outside.any():
        raise ValueError(
            f"anchor {anchors[outside][0].tolist()} does not exist: "
            f"pass (sample, view) below ({N}, {K})."
        )
    return anchors.long()
