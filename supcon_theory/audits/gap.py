"""The gap of a set of embeddings beside every bound on it (arXiv 2506.04411).

Rows are normalised once, in float64, and everything is about those: the tiled losses, the float64
losses of the anchors that are close to a bound, and an independent dense path on some anchors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from supcon_theory.audits.columns import GAP
from supcon_theory.inputs import embeddings, labels, temperatures, unit_rows
from supcon_theory.measures.losses import LEAST_TAU, GlobalLosses, anchor_losses, global_losses
from supcon_theory.measures.sampling import sampled_rows
from supcon_theory.theory import gap as theory
from supcon_theory.theory.ceiling import etf_ceiling, relaxed_ceiling
from supcon_theory.theory.counts import anchor_kappa
from supcon_theory.theory.minima import nscl_coupled_minimum, nscl_minimum
from supcon_theory.theory.transfer import effective_ratio

COLUMNS, VERSION = GAP.columns, GAP.version
SINGLE = 0.05  # from this temperature on float32 tiles are within 3e-6 of float64 ones
CLOSE = 1e-4  # anchors this close to a bound are redone in float64
MANY = 1024  # above so many of them, all anchors are redone in tiles instead of one by one
DENSE = 256  # anchors measured a second time by the dense path
TILE = 32  # anchors whose cosines are held at once


@dataclass(frozen=True)
class Evaluated:
    """Embeddings z (N, K, d), float64 unit rows, labels y (N,) 0 .. C-1 and their exact losses."""

    z: Tensor
    y: Tensor
    losses: dict[float, GlobalLosses]

    @cached_property
    def own(self) -> np.ndarray:
        """(N,) size of each sample's class."""
        return self.counts[self.y.cpu().numpy()]

    @cached_property
    def counts(self) -> np.ndarray:
        """(C,) class sizes."""
        return np.bincount(self.y.cpu().numpy())

    @property
    def balanced(self) -> bool:
        """Are all classes of one size?"""
        return bool(self.counts.min() == self.counts.max())

    @cached_property
    def alignment(self) -> np.ndarray:
        """(N, K) inner product of each row with the mean of all rows."""
        return torch.einsum("nkd,d->nk", self.z, self.z.mean((0, 1))).cpu().numpy()

    @cached_property
    def anchors(self) -> np.ndarray:
        """(M, 2) anchors of the dense path."""
        return drawn_anchors(self.z.shape[0], self.z.shape[1], DENSE)

    @cached_property
    def spread(self) -> np.ndarray:
        """(M,) largest less smallest cosine of each of those to the views of other samples."""
        return cosine_range(self.z, self.anchors)


def evaluated(z: Tensor, y: Tensor, taus: Sequence[float]) -> Evaluated:
    """Normalise in float64 and evaluate both losses exactly.

    Args:
        z: Embeddings (N, K, d), rows unit up to rounding.
        y: Labels (N,), of any kind.
        taus: Temperatures.

    Returns:
        The set, with its losses in the order of the temperatures. Below .05, and for float64
        embeddings, they are sums of float64 tiles, otherwise of float32 ones.
    """
    given, taus = embeddings(z), temperatures(taus, least=LEAST_TAU)
    rows, y = unit_rows(given.detach()), labels(y, len(given)).to(given.device)
    single = [tau for tau in taus if tau >= SINGLE and given.dtype != torch.float64]
    double = [tau for tau in taus if tau not in single]
    losses = global_losses(rows.float(), y, single) if single else {}
    losses |= global_losses(rows, y, double) if double else {}
    return Evaluated(rows, y, {tau: losses[tau] for tau in taus})


def gap_audit(z: Tensor, y: Tensor, taus: Sequence[float]) -> list[dict[str, Any]]:
    """Measure the gap at each temperature against the theory.

    Args:
        z: Embeddings (N, K, d), rows unit up to rounding.
        y: Labels (N,), of any kind.
        taus: Temperatures.

    Returns:
        A row per temperature: `tau` and `COLUMNS`. What is about balanced classes is NaN for
        others; `r` and `violation_interval` are NaN where every class has one sample.
    """
    found = evaluated(z, y, taus)
    return [gap_row(found, tau) for tau in found.losses]


def labelling_audit(z: Tensor, y: Tensor, taus: Sequence[float]) -> list[dict[str, Any]]:
    """`gap_audit` with the distances of the losses from their floors (`FLOORS`), in one pass."""
    found = evaluated(z, y, taus)
    return [gap_row(found, tau) | floor_row(found, tau) for tau in found.losses]


def floor_audit(z: Tensor, y: Tensor, taus: Sequence[float]) -> list[dict[str, Any]]:
    """Only the distances of the NSCL losses from their floors: a row per temperature."""
    found = evaluated(z, y, taus)
    return [{"tau": tau} | floor_row(found, tau) for tau in found.losses]


def gap_row(found: Evaluated, tau: float) -> dict[str, float]:
    """The row of `gap_audit` at one temperature."""
    losses, shape = found.losses[tau], found.z.shape[:2]
    own = np.repeat(found.own[:, None], shape[1], axis=1)
    limits = anchor_limits(found.counts, own, found.alignment, tau)
    close = np.abs(np.stack(limits) - losses.gap) < CLOSE
    gap = _redone(found, tau, losses.gap, np.any(close, axis=0))
    mean = float(gap.mean())
    return (
        {"tau": tau, "loss_dcl": losses.mean_dcl, "loss_nscl": losses.mean_nscl}
        | bound_columns(found.counts, tau, mean, mean)
        | anchor_columns(limits, gap)
        | _dense(found, tau, gap)
    )


Limits = tuple[np.ndarray, np.ndarray, np.ndarray]


def anchor_limits(counts: np.ndarray, own: np.ndarray, alignment: np.ndarray, tau: float) -> Limits:
    """The bounds on each anchor's gap: lower, upper, centred (NaN unless balanced).

    Args:
        counts: (C,) class sizes.
        own: Size of each anchor's class.
        alignment: Inner product of each anchor with the mean of all rows.
        tau: Temperature.

    Returns:
        Three arrays of the shape of `own`.
    """
    N, C = counts.sum(), len(counts)
    upper = theory.anchor_upper_bound(own, N, tau)
    lower = theory.anchor_lower_bound(own, N, tau)
    balanced = counts.min() == counts.max()
    centred = (
        theory.centred_bound(alignment, C, counts[0], tau)
        if balanced
        else np.full_like(upper, np.nan)
    )
    return lower, upper, centred


def anchor_columns(limits: Limits, gap: np.ndarray) -> dict[str, float]:
    """How far the worst anchor is outside of each of its limits."""
    lower, upper, centred = limits
    return {
        "violation_lower": float((lower - gap).max()),
        "violation_upper": float((gap - upper).max()),
        "violation_centred": float((gap - centred).max()),
    }


def bound_columns(counts: np.ndarray, tau: float, mean: float, least: float) -> dict[str, float]:
    """The mean gap, its ratio r, the bounds for these class sizes and their violations.

    Args:
        counts: (C,) class sizes.
        tau: Temperature.
        mean: The mean gap, or an estimate of it.
        least: What it is at least: itself, or the low end of its interval.

    Returns:
        The columns of `GAP` that the class sizes and the mean gap decide.
    """
    C, n = len(counts), int(counts[0])
    equal = theory.equal_similarity_gap(counts)
    ceiling = relaxed = published = proved = np.nan
    if counts.min() == counts.max():
        ceiling, published = etf_ceiling(C, n, tau), theory.published_bound(C, tau)
        relaxed, proved = relaxed_ceiling(C, n, tau), 1.0
    bounds = {
        "ceiling": float(ceiling),
        "relaxed": float(relaxed),
        "published": float(published),
        "n_max": float(theory.published_bound_any_counts(counts, tau)),
        "class_average": float(theory.class_averaged_bound(counts, tau)),
    }
    return (
        {"gap": mean, "r": float(effective_ratio(mean, equal)), "bound_equal": equal}
        | {f"bound_{name}": bound for name, bound in bounds.items()}
        | {f"violation_{name}": least - bound for name, bound in bounds.items()}
        | {"ceiling_proved": proved}
    )


def floor_row(found: Evaluated, tau: float) -> dict[str, float]:
    """How far the NSCL losses are above their minima (arXiv 2506.04411, Theorem 2): `FLOORS`.

        nscl          log(K n (C-1)) - C / ((C-1) tau)
        nscl_coupled  log(1 + K n (C-1) exp(-C / ((C-1) tau)))

    Args:
        found: The set with its losses.
        tau: One of its temperatures.

    Returns:
        `*_above_floor` and its negative, `violation_*_floor`. NaN for unbalanced classes, whose
        minima are others; those of `nscl_coupled` for a single view, which has no positive.
    """
    losses, C, n, K = found.losses[tau], len(found.counts), int(found.counts[0]), found.z.shape[1]
    above = dict.fromkeys(("nscl", "nscl_coupled"), np.nan)
    if found.balanced:
        above["nscl"] = losses.mean_nscl - float(nscl_minimum(C, n, K, tau))
    if found.balanced and K > 1:
        positive = torch.einsum("nkd,nld->nkl", found.z, found.z).cpu().numpy() / tau
        coupled = np.logaddexp(positive, losses.log_D[:, :, None]) - positive
        mean = float(coupled[:, ~np.eye(K, dtype=bool)].mean())
        above["nscl_coupled"] = mean - float(nscl_coupled_minimum(C, n, K, tau))
    return {f"{name}_above_floor": value for name, value in above.items()} | {
        f"violation_{name}_floor": -value for name, value in above.items()
    }


def _redone(found: Evaluated, tau: float, gap: np.ndarray, close: np.ndarray) -> np.ndarray:
    """The gaps with those marked `close` computed again in float64."""
    places = np.argwhere(close)
    if len(places) == 0:
        return gap
    if len(places) > MANY:
        return global_losses(found.z, found.y, [tau])[tau].gap
    gap = gap.copy()
    gap[close] = anchor_losses(found.z, found.y, places, tau).gap
    return gap


def _dense(found: Evaluated, tau: float, gap: np.ndarray) -> dict[str, float]:
    """Identity, distance of the softmax distributions and the interval of r, on drawn anchors."""
    dense = anchor_losses(found.z, found.y, found.anchors, tau)
    log_ratio = dense.log_S - dense.log_D
    own = found.own[found.anchors[:, 0]]
    several = own > 1  # an anchor alone in its class has gap 0 and no r
    log_r = log_ratio[several] - np.log(anchor_kappa(own[several], len(found.z)))
    outside = np.abs(log_r) - found.spread[several] / tau
    return {
        "violation_interval": float(outside.max()) if several.any() else np.nan,
        "identity_error": float(np.abs(dense.gap - np.logaddexp(0, log_ratio)).max()),
        "distance_error": float(np.abs(dense.l1 + 2 * np.expm1(-dense.gap)).max()),
        "rounding_error": float(np.abs(dense.gap - gap[tuple(found.anchors.T)]).max()),
    }


def drawn_anchors(N: int, K: int, count: int) -> np.ndarray:
    """Anchors drawn without replacement, the same for every set of that shape, in any order.

    Args:
        N: Samples.
        K: Views.
        count: Anchors wanted; all N K if there are fewer.

    Returns:
        (M, 2) anchors (sample, view), ascending.
    """
    rows = sampled_rows(N * K, count)
    return np.stack([rows // K, rows % K], axis=1)


def cosine_range(z: Tensor, anchors: np.ndarray) -> np.ndarray:
    """(M,) largest minus smallest cosine of each anchor to the views of all other samples."""
    width = []
    for sample, view in (part.T for part in torch.from_numpy(anchors).to(z.device).split(TILE)):
        low = torch.einsum("md,nkd->mnk", z[sample, view], z)
        high, at = low.clone(), torch.arange(len(sample), device=z.device)
        low[at, sample], high[at, sample] = torch.inf, -torch.inf
        width.append(high.amax((1, 2)) - low.amin((1, 2)))
    return torch.cat(width).cpu().numpy()
