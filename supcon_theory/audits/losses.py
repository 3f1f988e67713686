"""Losses and gap of a whole set and of each class beside their bounds, for classes of any size.

Up to a number of rows every anchor is evaluated. Beyond, anchors are drawn with replacement and
each is still evaluated against all rows; a mean over anchors then has an interval that holds for
every set of embeddings (`theory.bounded_means`): each anchor's loss, less the logarithm of the
number of its terms, and each anchor's gap lie between limits that are known beforehand.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from supcon_theory import inputs
from supcon_theory.audits.columns import LOSSES, PER_CLASS
from supcon_theory.audits.gap import (
    Evaluated,
    anchor_columns,
    anchor_limits,
    bound_columns,
    floor_row,
    gap_row,
)
from supcon_theory.audits.opened import Opened
from supcon_theory.measures.losses import LEAST_TAU
from supcon_theory.measures.sampled_losses import RowLosses, sampled_losses, supcon_of
from supcon_theory.theory import gap as theory
from supcon_theory.theory import unequal
from supcon_theory.theory.bounded_means import CONFIDENCE, mean_interval_of_bounded
from supcon_theory.theory.counts import anchor_kappa
from supcon_theory.theory.minima import dcl_minimum
from supcon_theory.theory.transfer import effective_ratio

COLUMNS, VERSION = LOSSES.columns, LOSSES.version
CLASS_COLUMNS, CLASS_VERSION = PER_CLASS.columns, PER_CLASS.version
Row = dict[str, Any]


@dataclass(frozen=True)
class Anchors:
    """M anchors and their losses at each temperature; `rows` is what `GAP` and `FLOORS` say.

    The mean of a quantity over all anchors is that over these if `exact`, else estimated by it.
    """

    by_tau: dict[float, RowLosses]
    owners: np.ndarray  # (M,) class numbers
    alignment: np.ndarray  # (M,) inner products with the mean of all rows
    rows: dict[float, Row]
    exact: bool


def all_anchors(found: Opened, full: Evaluated) -> Anchors:
    """Every row as an anchor; for a set whose rows are in memory, with its losses."""
    K = found.source.shape[1]
    counts = torch.from_numpy(found.counts)
    by_tau = {}
    for tau, losses in full.losses.items():
        supcon = supcon_of(losses, full.z, full.y, found.moments.sums, counts, tau)
        columns = (losses.dcl, losses.nscl, supcon, losses.gap)
        by_tau[tau] = RowLosses(*(x.ravel() for x in columns))
    rows = {tau: gap_row(full, tau) | floor_row(full, tau) for tau in full.losses}
    owners = found.y.repeat_interleave(K).numpy()
    return Anchors(by_tau, owners, full.alignment.ravel(), rows, exact=True)


def drawn_anchors(
    found: Opened, taus: Sequence[float], count: int, progress: Callable[[float], None]
) -> Anchors:
    """Anchors drawn with replacement, each against all rows."""
    N, K, _ = found.source.shape
    taus = inputs.temperatures(taus, least=LEAST_TAU)
    rows = found.drawn(count)
    (by_tau,) = sampled_losses(found.source, [found.y], [found.moments.sums], rows, taus, progress)
    mean = found.moments.sums.sum(0) / (N * K)
    picked, place = np.unique(rows // K, return_inverse=True)
    alignment = (found.source.at(picked).double() @ mean).numpy()[place, rows % K]
    owners = found.y.numpy()[rows // K]
    anchors = Anchors(by_tau, owners, alignment, {}, exact=False)
    for tau, losses in by_tau.items():
        gap = _mean(losses.gap, _gap_limits(found.counts, tau), anchors.exact)
        dcl, nscl = (_loss(name, tau, K, found.counts, anchors) for name in ("dcl", "nscl"))
        limits = anchor_limits(found.counts, found.counts[owners], alignment, tau)
        anchors.rows[tau] = (
            {"tau": tau, "loss_dcl": dcl[0], "loss_nscl": nscl[0]}
            | bound_columns(found.counts, tau, gap[0], gap[1])
            | anchor_columns(limits, losses.gap)
        )
    return anchors


def gap_rows(found: Opened, anchors: Anchors) -> list[Row]:
    """A row per temperature: `GAP`, `FLOORS` and `LOSSES`; what was not evaluated is NaN."""
    counts, (_, K, d) = found.counts, found.source.shape
    N, C = counts.sum(), len(counts)
    rows = []
    for tau, losses in anchors.by_tau.items():
        row = anchors.rows[tau]
        own = counts[anchors.owners]
        means = {
            f"loss_{name}": _loss(name, tau, K, counts, anchors)
            for name in ("dcl", "nscl", "supcon")
        } | {"gap": _mean(losses.gap, _gap_limits(counts, tau), anchors.exact)}
        floors = {
            "dcl": float(dcl_minimum(N, 1, K, tau)),
            "nscl": unequal.nscl_floor_any_counts(counts, K, tau),
            "supcon": unequal.supcon_floor_any_counts(counts, K, tau),
        }
        relaxed = unequal.relaxed_ceiling_any_counts(counts, tau)
        centred = unequal.centred_bound_any_counts(anchors.alignment, own, N, tau)
        equal = row["bound_equal"]
        rows.append(
            row
            | {"anchors": len(own), "confidence": 1.0 if anchors.exact else CONFIDENCE}
            | {"loss_supcon": means["loss_supcon"][0]}
            | {f"{name}_low": low for name, (_, low, _) in means.items()}
            | {f"{name}_high": high for name, (_, _, high) in means.items()}
            | {f"equal_{name}": _equal(name, counts, counts / N, K) for name in floors}
            | {f"floor_{name}": floor for name, floor in floors.items()}
            | {"floor_attained": float(counts.min() == counts.max() and d >= C - 1)}
            | {
                f"violation_floor_{name}": floor - means[f"loss_{name}"][2]
                for name, floor in floors.items()
            }
            | {
                "bound_relaxed": relaxed,
                "violation_relaxed": means["gap"][1] - relaxed,
                "bound_centred": float(centred.mean()),
                "violation_centred_any": float((losses.gap - centred).max()),
                "learned": (means["gap"][0] - equal) / (relaxed - equal)
                if relaxed > equal
                else np.nan,
            }
        )
    return rows


def class_table(found: Opened, anchors: Anchors) -> pd.DataFrame:
    """A row per temperature and class: `PER_CLASS`. NaN for a class without a drawn anchor."""
    counts, K = found.counts, found.source.shape[1]
    N = counts.sum()
    order = np.argsort(anchors.owners, kind="stable")
    ends = np.searchsorted(anchors.owners[order], np.arange(len(counts) + 1))
    rows = []
    for tau, losses in anchors.by_tau.items():
        lower, upper = (
            bound(counts, N, tau)
            for bound in (theory.anchor_lower_bound, theory.anchor_upper_bound)
        )
        centred = unequal.centred_bound_any_counts(
            anchors.alignment, counts[anchors.owners], N, tau
        )
        equal = np.log1p(anchor_kappa(counts, N))
        for c, name in enumerate(found.names):
            mine = order[ends[c] : ends[c + 1]]
            row = {"class": name, "n": counts[c], "anchors": len(mine), "tau": tau}
            row |= {"bound_lower": lower[c], "bound_equal": equal[c], "bound_upper": upper[c]}
            row["equal_nscl"] = np.log(K * (N - counts[c]))
            row["floor_nscl"] = row["equal_nscl"] - 2 / tau  # its rows at u, all others at -u
            if len(mine):
                own = losses.at(mine)
                gap = _mean(own.gap, (lower[c], upper[c]), anchors.exact)
                row |= {
                    "loss_dcl": own.dcl.mean(),
                    "loss_nscl": own.nscl.mean(),
                    "loss_supcon": own.supcon.mean(),
                    "gap": gap[0],
                    "r": float(effective_ratio(gap[0], equal[c])),
                    "gap_low": gap[1],
                    "gap_high": gap[2],
                    "gap_sd": own.gap.std(),
                    "gap_min": own.gap.min(),
                    "gap_max": own.gap.max(),
                    "bound_centred": centred[mine].mean(),
                    "violation_lower": lower[c] - own.gap.min(),
                    "violation_upper": own.gap.max() - upper[c],
                    "violation_centred": (own.gap - centred[mine]).max(),
                    "violation_floor": row["floor_nscl"] - own.nscl.min(),
                }
            rows.append(row)
    return pd.DataFrame(rows)


def _terms(name: str, n_c: np.ndarray, N: int, K: int) -> np.ndarray:
    """Terms in the denominator of a loss of an anchor whose class has n_c of the N samples."""
    sizes = {"dcl": K * (N - 1), "nscl": K * (N - n_c), "supcon": N * K - 1}
    return np.broadcast_to(sizes[name], np.shape(n_c))


def _equal(name: str, counts: np.ndarray, weights: np.ndarray, K: int) -> float:
    """The loss at equal similarities: the mean logarithm of the number of terms."""
    return float(weights @ np.log(_terms(name, counts, counts.sum(), K)))


def _loss(
    name: str, tau: float, K: int, counts: np.ndarray, anchors: Anchors
) -> tuple[float, float, float]:
    """Mean of a loss over all anchors, and its interval.

    What is left without the logarithm of the number of terms, whose mean is known exactly, is a
    log-mean-exp of cosines / tau less a mean of positive ones. Of DCL and NSCL one of the K
    positives is the anchor itself, so that their mean cosine is at least (2 - K) / K.

    Returns:
        The mean, and what it is at least and at most.
    """
    if name == "supcon" and counts.min() * K < 2:  # a row without a positive, drawn or not
        return np.nan, np.nan, np.nan
    least = -1.0 if name == "supcon" else 2 / K - 1
    limits = -2 / tau, (1 - least) / tau
    values = getattr(anchors.by_tau[tau], name)
    logs = np.log(_terms(name, counts[anchors.owners], counts.sum(), K))
    constant = _equal(name, counts, counts / counts.sum(), K)
    mean, low, high = _mean(values - logs, limits, anchors.exact)
    return constant + mean, constant + low, constant + high


def _gap_limits(counts: np.ndarray, tau: float) -> tuple[float, float]:
    """What no anchor's gap is below or above."""
    N = counts.sum()
    lower, upper = (
        bound(counts, N, tau) for bound in (theory.anchor_lower_bound, theory.anchor_upper_bound)
    )
    return float(lower.min()), float(upper.max())


def _mean(
    values: np.ndarray, limits: tuple[float, float], exact: bool
) -> tuple[float, float, float]:
    """The mean over all anchors, and what it is at least and at most."""
    mean = float(values.mean())
    return (mean, mean, mean) if exact else (mean, *mean_interval_of_bounded(values, *limits))
