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

from supcon_theory.pairs.class_sums import FLOAT64_LIMIT, same_and_different_sums

UNIT_TOLERANCE = 1e-5  # float32 rows normalised in any of the usual ways are within 1e-6
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
        return float(self.dcl.mean())

    @cached_property
    def mean_nscl(self) -> float:
        return float(self.nscl.mean())

    @cached_property
    def mean_gap(self) -> float:
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
    z: torch.Tensor, y: torch.Tensor, taus: Sequence[float], *, pairs: str = "all"
) -> dict[float, GlobalLosses]:
    """DCL, NSCL and their gap of every anchor at every temperature: {tau: GlobalLosses}.

    z (N, K, d) unit rows; y (N,) integer labels of at least two classes; taus each >= 1 / 650.
    pairs="all" averages the positive term over all K views l' of the anchor's sample, l' = l
    included, as the theorem writes it; "distinct" leaves l' = l out (K >= 2). The gap is the same.

    Exact over all N K anchors, O((N K)^2 d) time and O(N K d) memory. Sums of float32 embeddings
    are formed from float32 tiles while 1 / tau <= 80 (relative error about 1e-6 at tau = 1 and
    1e-5 at 1 / 80) and from float64 ones beyond; float64 embeddings stay float64.

    Raises ValueError or TypeError on wrong shapes or types, NaN or infinite entries, rows that are
    not unit, a single class (no anchor has a negative), or a temperature out of range.
    """
    taus = [float(tau) for tau in np.atleast_1d(taus)]
    z, y = _checked(z, y, taus, pairs)
    cosine = _mean_positive_cosine(z, pairs).cpu().numpy()
    losses = {}
    for tau, (S, D) in same_and_different_sums(z, y, taus).items():
        S, D = S.cpu().numpy(), D.cpu().numpy()
        with np.errstate(divide="ignore"):  # S = 0 in a class of one sample
            log_S, log_D = np.log(S), np.log(D)
        positive = cosine / tau
        losses[tau] = GlobalLosses(
            dcl=np.log(S + D) - positive,
            nscl=log_D - positive,
            gap=np.log1p(S / D),
            log_S=log_S,
            log_D=log_D,
        )
    return {tau: losses[tau] for tau in taus}


def anchor_losses(
    z: torch.Tensor,
    y: torch.Tensor,
    anchors: torch.Tensor | np.ndarray,
    tau: float,
    *,
    pairs: str = "all",
) -> AnchorLosses:
    """DCL, NSCL and softmax distance of the anchors (M, 2), rows (i, l), by dense float64 masks.

    Each loss is a log-sum-exp of its own over its own set of candidates: nothing is shared with
    `global_losses` but the definition. O(M N K d) time. Raises what that raises, and ValueError on
    anchors of another shape or outside z.
    """
    z, y = _checked(z, y, [tau], pairs)
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
    return AnchorLosses(
        *(torch.cat(values).cpu().numpy() for values in zip(*columns, strict=False))
    )


def _mean_positive_cosine(z: torch.Tensor, pairs: str) -> torch.Tensor:
    """(N, K) mean over l' of <z_i^l, z_i^l'>, with ("all") or without ("distinct") l' = l."""
    z = z.double()
    total = torch.einsum("nkd,nd->nk", z, z.sum(1))
    if pairs == "all":
        return total / z.shape[1]
    return (total - z.square().sum(2)) / (z.shape[1] - 1)


def _checked(
    z: torch.Tensor, y: torch.Tensor, taus: Sequence[float], pairs: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Z without gradient, in float32 or float64, and y beside it, or one sentence why not."""
    if not isinstance(z, torch.Tensor) or not z.is_floating_point() or z.ndim != 3:
        raise TypeError(
            f"z is {_described(z)}: pass a floating-point torch tensor (samples N, views K, d)."
        )
    y = torch.as_tensor(y, device=z.device)
    if 0 in z.shape:
        raise ValueError(f"z has shape {tuple(z.shape)}: none of (samples N, views K, d) may be 0.")
    if y.shape != z.shape[:1] or y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        raise ValueError(f"y is {_described(y)}: pass {len(z)} integer labels, one per sample.")
    if not taus:
        raise ValueError("no temperature was given: pass at least one, such as 1.0.")
    for tau in taus:
        if not tau >= 1 / FLOAT64_LIMIT or not tau < float("inf"):
            raise ValueError(
                f"tau = {tau}: pass a finite temperature of at least 1/{FLOAT64_LIMIT:.0f}, "
                "below which exp(1 / tau) overflows float64."
            )
    if pairs not in ("all", "distinct") or (pairs == "distinct" and z.shape[1] < 2):
        raise ValueError(
            f"pairs={pairs!r} with K = {z.shape[1]}: pass 'all', or 'distinct' with K >= 2 views."
        )
    z = z.detach()
    if z.dtype != torch.float64:
        z = z.float()
    norms = torch.linalg.vector_norm(z, dim=2)
    if not torch.isfinite(norms).all():
        raise ValueError("z has NaN or infinite entries: remove those samples or fix the encoder.")
    if norms.numel() and (norms - 1).abs().max() > UNIT_TOLERANCE:
        worst = norms.flatten()[(norms - 1).abs().argmax()].item()
        raise ValueError(
            f"z has a row of norm {worst:.6g}: rows must be unit to {UNIT_TOLERANCE:g}, "
            "divide each by its norm (torch.nn.functional.normalize(z.float(), dim=-1))."
        )
    classes = torch.unique(y).tolist()
    if len(classes) < 2:
        raise ValueError(
            f"y holds only the classes {classes}: NSCL needs at least two, "
            "or an anchor has no negatives."
        )
    return z, y


def _checked_anchors(anchors: torch.Tensor | np.ndarray, N: int, K: int) -> torch.Tensor:
    anchors = torch.as_tensor(anchors)
    whole = not anchors.is_floating_point()
    if not whole or anchors.ndim != 2 or anchors.shape[1] != 2 or len(anchors) == 0:
        raise ValueError(
            f"anchors is {_described(anchors)}: pass integers of shape (M, 2) with M >= 1, "
            "each row (sample, view)."
        )
    outside = ((anchors < 0) | (anchors >= torch.tensor([N, K]))).any(1)
    if outside.any():
        raise ValueError(
            f"anchor {anchors[outside][0].tolist()} does not exist: "
            f"pass (sample, view) below ({N}, {K})."
        )
    return anchors.long()


def _described(x: object) -> str:
    if isinstance(x, torch.Tensor):
        return f"a {x.dtype} tensor of shape {tuple(x.shape)}"
    return f"a {type(x).__name__}"
