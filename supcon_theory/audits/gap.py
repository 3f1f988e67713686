"""The gap of a set of embeddings beside every bound on it (arXiv 2506.04411): a row per temperature.

A row holds both losses, the gap, r, the bounds, and the worst signed excess over each bound over all
anchors (positive means violated). Two columns compare with an independent dense float64 path.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from supcon_theory.measures.losses import GlobalLosses, anchor_losses, global_losses
from supcon_theory.theory import gap as theory
from supcon_theory.theory.ceiling import etf_ceiling, etf_ceiling_is_proved
from supcon_theory.theory.counts import anchor_kappa
from supcon_theory.theory.transfer import effective_ratio

CLOSE = 1e-4  # anchors this close to a bound are redone in float64
MANY = 1024  # above so many of them, all anchors are redone in tiles instead of one by one
DENSE = 256  # anchors measured a second time by the dense path


def gap_audit(z: Tensor, y: Tensor, taus: Sequence[float]) -> list[dict[str, float]]:
    """Measure the gap of z (N, K, d), y (N,) at each temperature against the theory.

    Columns: `loss_dcl`, `loss_nscl`, `gap`; `r`, the effective ratio of `theory.gap` (exp(gap) - 1
    over its value at equal similarities);
    `bound_equal`, `bound_ceiling`, `bound_published`, `bound_n_max`, `bound_class_average`;
    `excess_lower`, `excess_upper`, `excess_centred` (worst anchor), `excess_published`,
    `excess_n_max`, `excess_class_average`, `excess_ceiling` (means); `ceiling_proved`;
    `identity_error`, `distance_error`, `rounding_error`, `excess_interval` (dense anchors). Those
    that are about balanced classes are NaN when the classes are not.

    Where every class has one sample there is no r: it and `excess_interval` are NaN.
    Raises what `global_losses` raises.
    """
    everything = global_losses(z, y, taus)
    taus = list(everything)
    y = torch.as_tensor(y, device=z.device)
    z = torch.nn.functional.normalize(
        z.detach().double(), dim=-1
    )  # float32 rows are unit to 1e-7 only
    anchors = spread_anchors(len(z), z.shape[1])
    spread = cosine_range(z, anchors)
    return [{"tau": tau} | _row(z, y, tau, everything[tau], anchors, spread) for tau in taus]


def _row(z, y, tau: float, losses: GlobalLosses, anchors, spread) -> dict[str, float]:
    counts = np.unique_counts(y.cpu().numpy()).counts
    own = np.repeat(counts_per_sample(y)[:, None], z.shape[1], axis=1)
    total, C = len(z), len(counts)
    balanced = counts.min() == counts.max()
    upper = theory.anchor_upper_bound(own, total, tau)
    lower = theory.anchor_lower_bound(own, total, tau)
    limits = [upper, lower]
    if balanced:
        alignment = torch.einsum("nkd,d->nk", z, z.mean((0, 1))).cpu().numpy()
        centred = theory.centred_bound(alignment, C, counts[0], tau)
        limits.append(centred)
    close = (np.abs(np.stack(limits) - losses.gap) < CLOSE).any(0)
    gap = _redone(z, y, tau, losses.gap, close)
    mean, equal = gap.mean(), theory.equal_similarity_gap(counts)
    row = {
        "loss_dcl": losses.mean_dcl,
        "loss_nscl": losses.mean_nscl,
        "gap": mean,
        "r": float(effective_ratio(mean, equal)),
        "bound_equal": equal,
        "bound_n_max": float(theory.published_bound_any_counts(counts, tau)),
        "bound_class_average": float(theory.class_averaged_bound(counts, tau)),
        "excess_lower": (lower - gap).max(),
        "excess_upper": (gap - upper).max(),
    }
    row["excess_n_max"] = mean - row["bound_n_max"]
    row["excess_class_average"] = mean - row["bound_class_average"]
    if balanced:
        row["bound_published"] = float(theory.published_bound(C, tau))
        row["bound_ceiling"] = float(etf_ceiling(C, counts[0], tau))
        row["excess_published"] = mean - row["bound_published"]
        row["excess_ceiling"] = mean - row["bound_ceiling"]
        row["excess_centred"] = (gap - centred).max()
        row["ceiling_proved"] = bool(etf_ceiling_is_proved(C, counts[0], tau))
    return row | _dense(z, y, tau, gap, anchors, spread)


def _redone(z, y, tau: float, gap: np.ndarray, close: np.ndarray) -> np.ndarray:
    """The gaps with those marked `close` computed again in float64."""
    places = np.argwhere(close)
    if len(places) == 0:
        return gap
    if len(places) > MANY:
        return global_losses(z, y, [tau])[tau].gap
    gap = gap.copy()
    gap[close] = anchor_losses(z, y, places, tau).gap
    return gap


def _dense(z, y, tau: float, gap: np.ndarray, anchors: np.ndarray, spread: np.ndarray) -> dict:
    """Identity, distance of the softmax distributions and the interval of r, on `anchors`."""
    dense = anchor_losses(z, y, anchors, tau)
    ratio = np.log1p(np.exp(dense.log_S - dense.log_D))
    own = counts_per_sample(y)[anchors[:, 0]]
    several = own > 1  # an anchor alone in its class has gap 0 and no r
    log_r = (dense.log_S - dense.log_D)[several] - np.log(anchor_kappa(own[several], len(z)))
    return {
        "identity_error": np.abs(dense.gap - ratio).max(),
        "distance_error": np.abs(dense.l1 + 2 * np.expm1(-dense.gap)).max(),
        "rounding_error": np.abs(dense.gap - gap[tuple(anchors.T)]).max(),
        "excess_interval": (np.abs(log_r) - spread[several] / tau).max()
        if several.any()
        else np.nan,
    }


def counts_per_sample(y: Tensor) -> np.ndarray:
    """(N,) size of each sample's class."""
    found = np.unique_inverse(y.cpu().numpy())
    return np.bincount(found.inverse_indices)[found.inverse_indices]


def spread_anchors(N: int, K: int, count: int = DENSE) -> np.ndarray:
    """(M, 2) anchors (sample, view), at most `count`, evenly spread over the set and all views."""
    rows = np.unique(np.linspace(0, N * K - 1, min(count, N * K)).round().astype(int))
    return np.stack([rows // K, rows % K], axis=1)


def cosine_range(z: Tensor, anchors: np.ndarray) -> np.ndarray:
    """(M,) largest minus smallest cosine of each anchor to the views of all other samples."""
    width = np.empty(len(anchors))
    for at, (i, l) in enumerate(anchors):
        cosines = torch.einsum("nkd,d->nk", z, z[i, l])
        others = torch.cat([cosines[:i], cosines[i + 1 :]])
        width[at] = (others.max() - others.min()).item()
    return width
