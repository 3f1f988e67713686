"""Statistics of the losses along training, from the table that `claims.dynamics` is about."""

import numpy as np
import pandas as pd

from supcon_theory.claims import select
from supcon_theory.statistics import slope
from supcon_theory.theory.transfer import forced_correlation, transfer_bound

CURVE = ["C", "split", "objective", "labels", "tau", "seed"]


def trained_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of CL-trained encoders that have an NSCL-trained partner; not those before training."""
    rows = select(table, {"protocol": "exact", "objective": "dcl"})
    return rows[rows["step"] > 0] if "step" in rows else rows.iloc[:0]


def premise(table: pd.DataFrame) -> pd.DataFrame:
    """Pairs of a CL- and an NSCL-trained encoder, of any checkpoints after the start, where the
    former has the lower DCL loss: what A9 is about. A loss that is NaN stays, to be reported.
    """
    keys = ["C", "split", "seed", "tau"]
    if not {*keys, "step", "protocol", "objective", "loss_dcl", "loss_nscl", "gap"} <= set(table):
        return table.iloc[:0]
    f, g = (
        select(table, {"protocol": "exact", "objective": name})[
            [*keys, "step", "loss_dcl", "loss_nscl", "gap"]
        ]
        for name in ("dcl", "nscl")
    )
    pairs = f[f["step"] > 0].merge(g[g["step"] > 0], on=keys, suffixes=("_f", "_g"))
    pairs = pairs[~(pairs["loss_dcl_f"] > pairs["loss_dcl_g"])]
    excess = pairs["loss_nscl_f"] - pairs["loss_nscl_g"] - transfer_bound(pairs["gap_g"])
    return pairs.assign(excess_transfer=excess)


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each curve over checkpoints: correlations, slope, and how much of them is
    forced.
    """
    rows = table[table["protocol"].isin(["exact", "control"])].sort_values("step")
    found = []
    for key, mine in rows.groupby(CURVE):
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
                "excess_forced": forced - pearson_losses,
                "slope": slope(nscl, dcl),
                "pearson_gap": pearson(gap, mine["bound_centred"].to_numpy()),
                "range_nscl": np.ptp(nscl),
                "range_gap": np.ptp(gap),
                "bound": bound,
            }
        )
    return pd.DataFrame(found)


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation; NaN for fewer than three points, a constant or a value that is not finite."""
    if len(a) < 3 or not np.isfinite([a, b]).all() or np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan
    return float(np.corrcoef(a, b)[0, 1])


def least(table: pd.DataFrame, where: dict, column: str) -> pd.Series:
    """Per seed the smallest value over the curves; NaN if one is."""
    if not {*CURVE, "protocol", "loss_dcl"} <= set(table):
        raise KeyError(column)
    rows = select(curves(table), where)
    return rows.groupby("seed")[column].apply(lambda values: values.min(skipna=False))


def at_end(table: pd.DataFrame, where: dict, column: str, over=pd.Series.mean) -> pd.Series:
    """Per seed, a column at the last step, joined over C by `over`; NaN if one is."""
    rows = select(trained_pairs(table), where)
    rows = rows[rows["step"] == rows["step"].max()]
    return rows.groupby("seed")[column].apply(lambda values: over(values, skipna=False))


def untrained_excess(table: pd.DataFrame, where: dict) -> pd.Series:
    """Per seed, NSCL loss before training less that of the NSCL-trained encoder at the end."""
    rows = select(table, where | {"protocol": "exact", "labels": "true"})
    start = select(rows, {"step": 0, "objective": "dcl"}).set_index("seed")["loss_nscl"]
    end = select(rows, {"step": rows["step"].max(), "objective": "nscl"}).set_index("seed")[
        "loss_nscl"
    ]
    return start - end


def batch_bias(table: pd.DataFrame, tau: float, column: str, size: str) -> pd.Series:
    """Per seed, the bias of the smallest or the largest batches that is worst over C and split."""
    rows = select(table, {"protocol": "batch", "tau": tau})
    sets = rows.groupby(["C", "split"])["batch"].transform(size)
    worst = rows[rows["batch"] == sets]
    values = worst[column].abs() if size == "max" else worst[column]
    return values.groupby(worst["seed"]).apply(lambda found: found.max(skipna=False))
