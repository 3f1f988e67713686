"""Draws `loss_tracking` from its table: python analysis/loss_tracking.py
results/loss_tracking/laptop.
"""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from supcon_theory.analysis import style

NAME = "loss_tracking"
BOUNDS = {
    "bound_published": ("k", "-", "published bound"),
    "bound_ceiling": ("0.25", "--", "ETF ceiling"),
    "bound_centred": ("0.25", ":", "centred bound"),
}
EARLIER = {
    "bound_arora": (style.PALETTE[3], "^", "Arora et al. 2019"),
    "bound_nozawa_sato": (style.PALETTE[2], "v", "Nozawa, Sato 2021"),
    "bound_bao": (style.PALETTE[4], "s", "Bao et al. 2022, upper"),
    "bound_bao_lower": (style.PALETTE[4], "D", "Bao et al. 2022, lower"),
}
DASHES = {"train": "-", "test": (0, (4, 2))}
SETS = {"train": "training images", "test": "held-out"}


def draw(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    table = tables["table"]
    table = table[table["tau"] == table["tau"].max()]
    exact = table[table["protocol"] == "exact"]
    few, many = table["C"].min(), table["C"].max()
    figure, axes = plt.subplots(2, 3, figsize=(11, 6.6))
    drawn = [
        losses_panel(axes[0, 0], exact[exact["C"] == few], "a"),
        gap_panel(axes[0, 1], table[table["C"] == few], "b"),
        transfer_panel(axes[0, 2], exact, "c"),
        losses_panel(axes[1, 0], exact[exact["C"] == many], "d"),
        batch_panel(axes[1, 1], table[table["protocol"] == "batch"], "e"),
        earlier_panel(axes[1, 2], table, "f"),
    ]
    figure.suptitle(
        f"evaluated at τ = {table['tau'].max():g}, trained at τ = "
        f"{table['tau_train'].iloc[0]:g}; bands: lowest to highest seed",
        fontsize=9,
    )
    style.save(figure, pd.concat(drawn, ignore_index=True), folder, NAME)


def over_training(axes: Axes, ylabel: str, title: str) -> None:
    axes.set(xscale="symlog", xlabel="training step", ylabel=ylabel, title=title)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(lambda x, at: f"{x:g}")


def losses_panel(axes: Axes, rows: pd.DataFrame, panel: str) -> pd.DataFrame:
    """Both losses of the CL-trained encoder, and NSCL plus each bound on the gap.

    All less the log of the number of NSCL's negatives, a constant: the gap stays what it is.
    """
    rows = rows[rows["objective"] == "dcl"]
    drawn = []
    for split, dashes in DASHES.items():
        mine = rows[rows["split"] == split]
        of = mine.assign(
            **{b: mine["level_nscl"] + mine[b] for b in BOUNDS},
            dcl=mine["level_nscl"] + mine["gap"],
        )
        looks = [
            ("dcl", style.PALETTE[0], "o", "DCL"),
            ("level_nscl", style.PALETTE[1], "s", "NSCL"),
        ]
        for column, colour, marker, label in looks:
            drawn.append(style.aggregate(of, panel, f"{column} {split}", "step", column))
            style.band(
                axes,
                drawn[-1],
                color=colour,
                marker=marker,
                ls=dashes,
                label=f"{label}, {SETS[split]}",
                mfc=colour if split == "train" else "white",
            )
        if split == "train":
            for bound, (colour, kind, label) in BOUNDS.items():
                drawn.append(style.aggregate(of, panel, f"nscl + {bound}", "step", bound))
                axes.plot(
                    drawn[-1]["x"],
                    drawn[-1]["mean"],
                    color=colour,
                    ls=kind,
                    lw=1.2,
                    label=f"NSCL + {label}",
                )
    over_training(
        axes, "loss − log K(N − n) (nats)", f"{panel}  CL-trained, C = {rows['C'].iloc[0]}"
    )
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.5 * (high - low))  # room for the legend
    axes.legend(fontsize=7, loc="upper left", ncol=2)
    return pd.concat(drawn)


def gap_panel(axes: Axes, rows: pd.DataFrame, panel: str) -> pd.DataFrame:
    """The gap on held-out images between its bounds, and its nulls."""
    rows = rows[rows["split"] == "test"]
    exact = rows[rows["protocol"] == "exact"]
    cl = exact[exact["objective"] == "dcl"]
    drawn = []
    for bound, (colour, dashes, label) in {
        **style.RULER,
        "bound_centred": BOUNDS["bound_centred"],
    }.items():
        drawn.append(style.aggregate(cl, panel, bound, "step", bound))
        look = dict(color=colour, ls=dashes, lw=1.2)
        if bound == "bound_centred":
            look = dict(color=style.PALETTE[4], ls="-.", lw=1.4)
        axes.plot(drawn[-1]["x"], drawn[-1]["mean"], label=label, **look)
    null = rows[rows["protocol"] == "control"]
    curves = [
        (cl, style.PALETTE[0], "o", "CL-trained"),
        (exact[exact["objective"] == "nscl"], style.PALETTE[1], "s", "NSCL-trained"),
        (null[null["labels"] == "shuffled"], style.PALETTE[7], "x", "null: shuffled labels"),
        (null[null["objective"] == "walk"], style.PALETTE[2], "+", "null: random walk"),
    ]
    for of, colour, marker, label in curves:
        drawn.append(style.aggregate(of, panel, label, "step", "gap"))
        style.band(axes, drawn[-1], color=colour, marker=marker, label=label)
    over_training(axes, "gap (nats)", f"{panel}  gap, held-out, C = {rows['C'].iloc[0]}")
    axes.set_ylim(0, drawn[2]["high"].max() * 1.6)
    axes.legend(fontsize=7, ncol=2, loc="upper left")
    return pd.concat(drawn)


def transfer_panel(axes: Axes, rows: pd.DataFrame, panel: str) -> pd.DataFrame:
    """NSCL loss above its floor, for encoders trained on either loss."""
    rows = rows[rows["split"] == "train"]
    rows = rows.assign(above=rows["loss_nscl"] - rows["floor"])
    drawn = []
    for C, dashes in zip(sorted(rows["C"].unique()), ("-", (0, (4, 2)), ":", "-."), strict=False):
        for objective in ("dcl", "nscl"):
            of = rows[(rows["C"] == C) & (rows["objective"] == objective)]
            drawn.append(style.aggregate(of, panel, f"{objective} C={C}", "step", "above"))
            style.band(
                axes,
                drawn[-1],
                color=style.COLOUR[objective],
                marker=style.MARKER[objective],
                ls=dashes,
                label=f"{style.LABEL[objective]}, C = {C}",
            )
    over_training(axes, "NSCL loss − its floor (nats)", f"{panel}  transfer, training images")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7, handlelength=3.5)
    return pd.concat(drawn)


def batch_panel(axes: Axes, rows: pd.DataFrame, panel: str) -> pd.DataFrame:
    """Means over mini-batches less the exact value."""
    drawn = []
    looks = {
        "bias_dcl": (style.PALETTE[0], "o", "DCL per negative"),
        "bias_nscl": (style.PALETTE[1], "s", "NSCL per negative"),
        "bias_gap": (style.PALETTE[2], "^", "gap"),
    }
    for C, dashes in zip(sorted(rows["C"].unique()), ("-", (0, (4, 2)), ":", "-."), strict=False):
        for column, (colour, marker, label) in looks.items():
            of = rows[(rows["C"] == C) & (rows["split"] == "train")]
            drawn.append(style.aggregate(of, panel, f"{column} C={C}", "batch", column))
            style.band(
                axes, drawn[-1], color=colour, marker=marker, ls=dashes, label=f"{label}, C = {C}"
            )
    axes.axhline(0, color="0.5", lw=0.8)
    axes.set(
        xscale="log",
        xlabel="images in a mini-batch",
        ylabel="batch mean − exact (nats)",
        title=f"{panel}  mini-batch estimates, end of training",
    )
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda x, at: f"{x:g}")
    axes.legend(fontsize=7, handlelength=3.5)
    return pd.concat(drawn)


def earlier_panel(axes: Axes, table: pd.DataFrame, panel: str) -> pd.DataFrame:
    """Distance of each bound from the supervised loss that it bounds, against the negatives."""
    rows = table[(table["protocol"] == "surrogate") & (table["step"] == table["step"].max())]
    if rows.empty:
        return pd.DataFrame()
    rows = rows[rows["C"] == rows["C"].min()]
    C = rows["C"].iloc[0]
    drawn = []
    for bound, (colour, marker, label) in EARLIER.items():
        of = rows.assign(slack=(rows[bound] - rows["loss_supervised"]).abs())
        of = of[np.isfinite(of["slack"])]
        drawn.append(style.aggregate(of, panel, bound, "negatives", "slack"))
        style.band(
            axes,
            drawn[-1],
            color=colour,
            marker=marker,
            label=label,
            ls="--" if bound.endswith("lower") else "-",
        )
    ends = table[
        (table["protocol"] == "exact")
        & (table["step"] == table["step"].max())
        & (table["C"] == C)
        & (table["split"] == "test")
        & (table["objective"] == "dcl")
    ]
    slacks = {
        "2506.04411, upper": ("-", ends["bound_published"] - ends["gap"]),
        "2506.04411, lower": (":", ends["gap"]),
    }
    for label, (dashes, slack) in slacks.items():
        axes.axhline(slack.mean(), color="k", ls=dashes, label=label)
        drawn.append(
            pd.DataFrame(
                {
                    "panel": panel,
                    "series": label,
                    "x": np.nan,
                    "mean": slack.mean(),
                    "low": slack.min(),
                    "high": slack.max(),
                    "n": len(slack),
                },
                index=[0],
            )
        )
    axes.axhline(rows["chance"].iloc[0], color="0.6", lw=0.8, ls="-.", label="log C")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="number of negatives",
        ylabel="distance to its loss (nats)",
        title=f"{panel}  bound − supervised loss, C = {C}",
    )
    axes.set_ylim(0.5 * min(1.0, ends["gap"].min()), 1e4)  # Arora's bound grows without end
    axes.legend(fontsize=6.5, loc="upper right", handlelength=1.2, borderaxespad=0)
    return pd.concat(drawn)


if __name__ == "__main__":
    style.main(draw)
