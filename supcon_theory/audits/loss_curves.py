"""Statistics of the losses along training, from the rows of `audits.training`. Torch-free."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from supcon_theory.audits.columns import LOSS_CURVES
from supcon_theory.audits.few_shot_curves import pearson
from supcon_theory.audits.rows import last_step, select
from supcon_theory.statistics import slope
from supcon_theory.theory.transfer import forced_correlation, transfer_bound

CURVE = ["C", "split", "objective", "labels", "tau", "seed"]


def trained_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of CL-trained encoders that have an NSCL-trained partner; not those before training."""
    rows = select(table, {"protocol": "exact", "objective": "dcl"})
    return rows.loc[rows["step"] > 0] if "step" in rows else rows.iloc[:0]


def premise(table: pd.DataFrame) -> pd.DataFrame:
    """Pairs of encoders about which the transfer bound speaks (arXiv 2506.04411, corollary).

    Args:
        table: Rows of `audits.training` with what they are about.

    Returns:
        A row for each CL- (f) and NSCL-trained (g) encoder, of any checkpoints after the start,
        with L_DCL(f) <= L_DCL(g), and its `violation_transfer`. A loss that is NaN stays.
    """
    keys = ["C", "split", "seed", "tau"]
    if not {*keys, "step", "protocol", "objective", "loss_dcl", "loss_nscl", "gap"} <= set(table):
        return table.iloc[:0]
    f, g = (
        select(table, {"protocol": "exact", "objective": name}).loc[
            :, [*keys, "step", "loss_dcl", "loss_nscl", "gap"]
        ]
        for name in ("dcl", "nscl")
    )
    pairs = f.loc[f["step"] > 0].merge(g.loc[g["step"] > 0], on=keys, suffixes=("_f", "_g"))
    pairs = pairs.loc[~(pairs["loss_dcl_f"] > pairs["loss_dcl_g"])]
    difference = pairs["loss_nscl_f"] - pairs["loss_nscl_g"]
    return pairs.assign(violation_transfer=difference - transfer_bound(pairs["gap_g"]))


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Correlations and slope of each curve over checkpoints, and how much of them is forced.

    Args:
        table: Rows of `audits.training`, protocols "exact" and "control".

    Returns:
        A row per curve, with the columns of `LOSS_CURVES`.
    """
    rows = table.loc[table["protocol"].isin(["exact", "control"])].sort_values("step")
    found = []
    groups: Any = rows.groupby(CURVE)
    for key, mine in groups:
        dcl, nscl, gap = (mine[name].to_numpy() for name in ("loss_dcl", "loss_nscl", "gap"))
        bound = mine["bound_n_max"].max() if "bound_n_max" in mine else np.nan
        pearson_losses = pearson(dcl, nscl)
        known = np.isfinite(pearson_losses) and np.isfinite(bound)
        forced = float(forced_correlation(nscl.std(), bound)) if known else np.nan
        found.append(
            dict(zip(CURVE, key, strict=True))
            | {
                "points": len(mine),
                "pearson": pearson_losses,
                "forced": forced,
                "violation_forced": forced - pearson_losses,
                "slope": slope(nscl, dcl),
                "pearson_gap": pearson(gap, mine["bound_centred"].to_numpy()),
                "range_nscl": np.ptp(nscl),
                "range_gap": np.ptp(gap),
                "bound": bound,
            }
        )
    none = [*CURVE, *(column.name for column in LOSS_CURVES.columns)]
    return pd.DataFrame(found, columns=None if found else none)


def least(table: pd.DataFrame, where: Mapping[str, object], column: str) -> pd.Series:
    """Per seed the smallest value over the curves; NaN if one is."""
    rows: Any = curves(select(table, where))
    return rows.groupby("seed")[column].min(skipna=False)


def at_end(table: pd.DataFrame, column: str, over: str = "mean") -> pd.Series:
    """Per seed, a column at the last step, joined over C by "mean" or "max"; NaN if one is."""
    rows: Any = last_step(trained_pairs(table))
    return rows.groupby("seed")[column].agg(over, skipna=False)


def untrained_excess(table: pd.DataFrame) -> pd.Series:
    """Per seed, NSCL loss before training less that of the NSCL-trained encoder at the end."""
    rows: Any = select(table, {"protocol": "exact", "labels": "true"})
    start: Any = select(rows, {"step": 0, "objective": "dcl"})
    end: Any = select(last_step(rows), {"objective": "nscl"})
    return start.set_index("seed")["loss_nscl"] - end.set_index("seed")["loss_nscl"]


def batch_bias(table: pd.DataFrame, tau: float, column: str, size: str) -> pd.Series:
    """Per seed, the bias of the smallest or the largest batches that is worst over C and split.

    Args:
        table: Rows of `audits.batch_means`, protocol "batch".
        tau: Temperature evaluated at.
        column: `bias_dcl`, `bias_nscl` or `bias_gap`.
        size: "min" (signed bias of the smallest batches) or "max" (its size in the largest).

    Returns:
        Values indexed by seed; NaN if one is.
    """
    rows = select(table, {"protocol": "batch", "tau": tau})
    sets = rows.groupby(["C", "split"])["batch"].transform(size)
    worst = rows.loc[rows["batch"] == sets]
    values: Any = worst[column].abs() if size == "max" else worst[column]
    return values.groupby(worst["seed"]).max(skipna=False)
