"""Every measure beside what it is without any structure: shuffled labels, and random directions.

ETF deviation, for one, is often smaller for shuffled labels than for the true ones: alone it
misleads. Shuffled labels keep the class sizes and the embeddings; random directions keep the class
sizes and d only. Where the second has a closed form it stands in `isotropic_by`, else simulated
rows (the same number, one draw) go through the same code.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from supcon_theory.audits.columns import NEAREST, NULLS
from supcon_theory.audits.opened import Opened
from supcon_theory.measures import collapse
from supcon_theory.measures.class_distances import cdnv, directional_cdnv
from supcon_theory.measures.class_geometry import UNIFORMITY_SAMPLES
from supcon_theory.measures.moments import Measure, Moments
from supcon_theory.measures.neighbours import vote_error
from supcon_theory.measures.random_losses import random_losses
from supcon_theory.measures.rows import RandomRows, each_tile
from supcon_theory.measures.sampled_losses import RowLosses, sampled_losses
from supcon_theory.measures.similarity import uniformity
from supcon_theory.measures.spectrum import rank_columns, streamed_singular_values
from supcon_theory.measures.streamed_moments import streamed_moments
from supcon_theory.theory.gap import equal_similarity_gap
from supcon_theory.theory.transfer import effective_ratio

COLUMNS, VERSION = NULLS.columns, NULLS.version
Row = dict[str, Any]
ANCHORS = 1024  # anchors of the losses under shuffled labels
OF_CLASSES: dict[str, Callable[[Moments], Any]] = {
    "cdnv": cdnv,
    "directional_cdnv": directional_cdnv,
    "nc1": collapse.nc1,
    "within_class_variance": collapse.within_class_variance,
    "equinorm": collapse.equinorm,
    "equiangularity": collapse.equiangularity,
    "max_angle": collapse.max_angle,
    "etf_deviation": collapse.etf_deviation,
}
OF_LOSSES = ("loss_dcl", "loss_nscl", "loss_supcon", "gap", "r")
HIGH_IS_BETTER = ("rankme", "participation_ratio", "stable_rank", "power_law")
NEITHER = ("loss_dcl", "gap", "r")  # what shuffled labels or a constant encoder can have as well
RANDOM = "random directions, simulated"


def class_null_rows(found: Opened, measured: Mapping[str, float]) -> list[Row]:
    """CDNV, nc1 and the other measures of labelled moments.

    Args:
        found: The set.
        measured: Their values, by name.

    Returns:
        A row of `NULLS` for each. Isotropic is random directions; for the directional CDNV it is
        isotropic noise about the class means as they are, whose value is cdnv / d.
    """
    random = streamed_moments(RandomRows(found.source.shape, found.seed), [found.y])[0]
    rows, samples = [], len(found.y)
    for name, measure in OF_CLASSES.items():
        null = _null(
            measured[name],
            [_value(measure(moments)) for moments in found.shuffled_moments],
            samples,
        )
        if name == "directional_cdnv":
            d = found.source.shape[2]
            isotropic = {"isotropic": measured["cdnv"] / d, "isotropic_by": "cdnv / d, noise alike"}
        else:
            isotropic = {"isotropic": _value(measure(random)), "isotropic_by": RANDOM}
        rows.append({"measure": name} | null | isotropic | _better(name))
    return rows


def label_free_rows(found: Opened, measured: Mapping[str, float]) -> list[Row]:
    """Ranks, uniformity and what the views do, which no labels enter: random directions only.

    Args:
        found: The set.
        measured: Their values, by name.

    Returns:
        A row of `NULLS` for each that is defined. Independent views of a sample have an alignment
        E|z - z'|^2 of 2, and a variance about their mean of 1 - 1/K.
    """
    N, K, d = found.source.shape
    random = RandomRows((N, K, d), found.seed)
    looked_at = RandomRows((min(N, UNIFORMITY_SAMPLES), K, d), found.seed)
    rows = torch.cat([tile for _, tile in each_tile(looked_at)])
    nulls = {
        name: (value, RANDOM)
        for name, value in rank_columns(*streamed_singular_values(random)).items()
    }
    nulls["uniformity"] = (uniformity(rows, max_samples=None).value, RANDOM)
    nulls["alignment"] = (2.0, "2, closed form")
    nulls["augmentation_variance"] = (1 - 1 / K, "1 - 1/K, closed form")
    return [
        {"measure": name}
        | _null(measured[name], [], N)
        | {"isotropic": value, "isotropic_by": by}
        | _better(name)
        for name, (value, by) in nulls.items()
        if np.isfinite(measured[name])
    ]


def loss_null_rows(
    found: Opened, gap_table: Sequence[Row], progress: Callable[[float], None]
) -> list[Row]:
    """Losses and gap at each temperature.

    Args:
        found: The set.
        gap_table: Rows of `GAP` and `LOSSES`.
        progress: Called with the share that is done.

    Returns:
        A row of `NULLS` for each loss, the gap and r at each temperature. Under shuffled labels at
        most 1,024 drawn anchors are evaluated, against all rows.
    """
    taus = [row["tau"] for row in gap_table]
    drawn = found.drawn(ANCHORS)
    anchors = drawn if drawn.size < found.norms.numel() else np.arange(found.norms.numel())
    labelings, sums = found.shuffled_labels, [m.sums for m in found.shuffled_moments]
    by_labeling = sampled_losses(found.source, labelings, sums, anchors, taus, progress)
    equal = equal_similarity_gap(found.counts)
    rows = []
    for row in gap_table:
        tau = row["tau"]
        null = [_means(by_tau[tau], equal) for by_tau in by_labeling]
        random = _means(random_losses(found.source.shape, found.counts, tau, found.seed), equal)
        for name in OF_LOSSES:
            rows.append(
                {"measure": name, "tau": tau}
                | _null(row[name], [means[name] for means in null], len(anchors))
                | {"isotropic": random[name], "isotropic_by": RANDOM}
                | _better(name)
            )
    return rows


def neighbour_null_row(found: Opened, error: float, voters: np.ndarray, samples: np.ndarray) -> Row:
    """The leave-one-out error of nearest neighbours, which do not depend on the labels.

    The neighbours of a random direction are any others, so the isotropic error is that of votes of
    samples drawn at random.

    Args:
        found: The set.
        error: The error under the true labels.
        voters: (M, k) nearest others of the samples classified.
        samples: (M,) which they are.

    Returns:
        A row of `NULLS`.
    """
    errors = []
    for shuffled in found.shuffled_labels:
        errors.append(vote_error(voters, shuffled.numpy(), shuffled.numpy()[samples]))
    rng = np.random.default_rng(np.random.SeedSequence((found.seed, 5)))
    y = found.y.numpy()
    others = rng.integers(len(y) - 1, size=voters.shape)
    others += others >= samples[:, None]
    random = {"isotropic": vote_error(others, y, y[samples]), "isotropic_by": RANDOM}
    name = {"measure": "neighbour_error", "m": NEAREST}
    return name | _null(error, errors, len(samples)) | random | _better("neighbour_error")


def shot_null_rows(measured: Sequence[Row], shuffled: Sequence[Sequence[Row]]) -> list[Row]:
    """Few-shot errors of the nearest centre on held-out samples.

    Args:
        measured: Rows of `HELD_OUT` under the true labels.
        shuffled: The same under each shuffle.

    Returns:
        A row of `NULLS` for each. Where labels say nothing every class is as near: 1 - 1 / ways.
    """
    return [
        {"measure": f"held_out_error_{row['ways']}_way", "m": row["m"]}
        | _null(row["error"], [null[k]["error"] for null in shuffled], row["queries"])
        | {"isotropic": row["chance"], "isotropic_by": "1 - 1 / ways"}
        | _better("error")
        for k, row in enumerate(measured)
    ]


def _means(losses: RowLosses, equal: float) -> dict[str, float]:
    gap = float(losses.gap.mean())
    found = {
        "loss_dcl": losses.dcl.mean(),
        "loss_nscl": losses.nscl.mean(),
        "loss_supcon": losses.supcon.mean(),
        "gap": gap,
        "r": effective_ratio(gap, equal),
    }
    return {name: float(value) for name, value in found.items()}


def _value(measure: Any) -> float:
    return measure.value if isinstance(measure, Measure) else measure.mean


def _null(measured: float, shuffled: Sequence[float], rows: int) -> Row:
    found = np.array(shuffled, float)
    mean, low, high = (found.mean(), found.min(), found.max()) if len(found) else [np.nan] * 3
    return {
        "measured": measured,
        "shuffled_mean": float(mean),
        "shuffled_low": float(low),
        "shuffled_high": float(high),
        "shuffles": len(found),
        "rows": rows,
    }


def _better(name: str) -> Row:
    if name in NEITHER:
        return {"better": "neither"}
    return {"better": "high" if name in HIGH_IS_BETTER else "low"}
