"""Draws `gap_vs_classes` from its table: python analysis/gap_vs_classes.py results/gap_vs_classes/full."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from supcon_theory.analysis import style

OBJECTIVES = ("dcl", "nscl")
NAME = "gap_vs_classes"


def draw(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    table = tables["table"]
    table = table[table["gap"].notna()]
    main = table["data"].iloc[0]
    balanced = table[table["trained_imbalance"] == 1]
    last = balanced[(balanced["step"] == balanced["step"].max()) & (balanced["imbalance"] == 1)]
    true = last[last["labels"] == "true"]
    high, low = table["tau"].max(), table["tau"].min()
    figure, axes = plt.subplots(2, 3, figsize=(10.5, 6.2))
    drawn = [
        gap_panel(axes[0, 0], true[true["tau"] == high], main, "a"),
        ratio_panel(axes[0, 1], true[true["tau"] == high], main, "b"),
        gap_panel(axes[0, 2], true[true["tau"] == low], main, "c"),
        shuffled_panel(axes[1, 0], last[(last["tau"] == high) & (last["data"] == main)], "d"),
        step_panel(
            axes[1, 1], balanced[(balanced["tau"] == high) & (balanced["data"] == main)], "e"
        ),
        imbalance_panel(axes[1, 2], table[(table["tau"] == high) & (table["data"] == main)], "f"),
    ]
    axes[0, 0].set_title(f"a  gap, τ = {high:g} (as published)")
    axes[0, 1].set_title(f"b  learned part of the gap, τ = {high:g}")
    axes[0, 2].set_title(f"c  gap, τ = {low:g} (as trained)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    style.save(figure, pd.concat(drawn, ignore_index=True), folder, NAME)


def look(objective: str, **more) -> dict:
    return (
        dict(
            color=style.COLOUR[objective],
            marker=style.MARKER[objective],
            label=style.LABEL[objective],
        )
        | more
    )


def gap_panel(axes: Axes, rows: pd.DataFrame, main: str, panel: str) -> pd.DataFrame:
    """Gap against C between the three levels of the ruler."""
    drawn = ruler(axes, rows, main, panel, {bound: bound for bound in style.RULER})
    drawn += curves(axes, rows, main, panel, "gap")
    axes.set(xscale="log", yscale="log", xlabel="number of classes C", ylabel="gap (nats)")
    style.log_numbers(axes)
    class_ticks(axes)
    return pd.concat(drawn)


def ratio_panel(axes: Axes, rows: pd.DataFrame, main: str, panel: str) -> pd.DataFrame:
    """R against C: 1 is counting alone; what lies above is learned."""
    rows = rows.assign(
        r_ceiling=lambda t: ratio(t, "bound_ceiling"),
        r_published=lambda t: ratio(t, "bound_published"),
        r_equal=1.0,
    )
    drawn = ruler(
        axes, rows, main, panel, {bound: bound.replace("bound", "r") for bound in style.RULER}
    )
    drawn += curves(axes, rows, main, panel, "r")
    axes.set(
        xscale="log", yscale="log", xlabel="number of classes C", ylabel="r = (exp(gap) − 1) / κ"
    )
    class_ticks(axes)
    axes.set_yticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    axes.yaxis.minorticks_off()
    return pd.concat(drawn)


def ruler(
    axes: Axes, rows: pd.DataFrame, main: str, panel: str, columns: dict
) -> list[pd.DataFrame]:
    """The three levels; of a second data set (other n) too, without a further label."""
    drawn = []
    for bound, column in columns.items():
        colour, dashes, label = style.RULER[bound]
        for name, part in rows.groupby("data", sort=False):
            drawn.append(style.aggregate(part, panel, f"{column} {name}", "C", column))
            axes.plot(
                drawn[-1]["x"],
                drawn[-1]["mean"],
                color=colour,
                ls=dashes,
                lw=1.2,
                label=label if name == main else None,
            )
    return drawn


def curves(
    axes: Axes, rows: pd.DataFrame, main: str, panel: str, column: str
) -> list[pd.DataFrame]:
    """CL- and NSCL-trained, bands over seeds; a second data set with open markers."""
    drawn = []
    for name, part in rows.groupby("data", sort=False):
        for objective in OBJECTIVES:
            of = part[part["objective"] == objective]
            drawn.append(style.aggregate(of, panel, f"{objective} {name}", "C", column))
            changes = (
                {}
                if name == main
                else {
                    "mfc": "white",
                    "ls": (0, (4, 2)),
                    "label": f"{style.LABEL[objective]}, {name}",
                }
            )
            style.band(axes, drawn[-1], **look(objective, **changes))
    return drawn


def ratio(rows: pd.DataFrame, bound: str) -> pd.Series:
    """What r would be if the gap were the bound."""
    return np.expm1(rows[bound]) / np.expm1(rows["bound_equal"])


def shuffled_panel(axes: Axes, rows: pd.DataFrame, panel: str) -> pd.DataFrame:
    """The control: the same embeddings under shuffled labels."""
    drawn = []
    for labels, dashes in (("true", "-"), ("shuffled", ":")):
        for objective in OBJECTIVES:
            of = rows[(rows["labels"] == labels) & (rows["objective"] == objective)]
            drawn.append(style.aggregate(of, panel, f"{objective} {labels}", "C", "r"))
            label = style.LABEL[objective] + (", shuffled labels" if labels == "shuffled" else "")
            style.band(axes, drawn[-1], **look(objective, ls=dashes, label=label))
    axes.axhline(1, color="0.5", lw=0.8)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="number of classes C",
        ylabel="r",
        title="d  control: shuffled labels",
    )
    class_ticks(axes)
    axes.set_yticks([1, 2, 4], ["1", "2", "4"])
    axes.yaxis.minorticks_off()
    axes.legend()
    return pd.concat(drawn)


def step_panel(axes: Axes, rows: pd.DataFrame, panel: str) -> pd.DataFrame:
    """R while training, for few, some and many classes."""
    rows = rows[(rows["labels"] == "true") & (rows["imbalance"] == 1)]
    classes = sorted(rows["C"].unique())
    drawn = []
    for C, dashes in zip(
        sorted({classes[0], classes[len(classes) // 2], classes[-1]}),
        ("-", "--", ":"),
        strict=False,
    ):
        for objective in OBJECTIVES:
            of = rows[(rows["C"] == C) & (rows["objective"] == objective)]
            drawn.append(style.aggregate(of, panel, f"{objective} C={C}", "step", "r"))
            label = f"C = {C}" if objective == "dcl" else None
            style.band(axes, drawn[-1], **look(objective, ls=dashes, label=label))
    axes.set(
        xscale="symlog",
        yscale="log",
        xlabel="training step",
        ylabel="r",
        title="e  r while training",
    )
    axes.set_xlim(left=0)
    axes.set_yticks([1, 2, 4], ["1", "2", "4"])
    axes.yaxis.minorticks_off()
    axes.legend()
    return pd.concat(drawn)


def imbalance_panel(axes: Axes, rows: pd.DataFrame, panel: str) -> pd.DataFrame:
    """Imbalanced subsets: the published n_max bound, the class-averaged one, the gap."""
    rows = rows[(rows["labels"] == "true") & (rows["step"] == rows["step"].max())]
    C = rows.loc[rows["imbalance"] > 1, "C"].max()
    rows = rows[rows["C"] == C]
    kept = rows[rows["trained_imbalance"] == 1]
    drawn = []
    for bound, colour, dashes, label in (
        ("bound_n_max", "k", "-", "published n_max bound"),
        ("bound_class_average", "0.25", "-.", "class-averaged bound"),
        ("bound_equal", "0.5", ":", "equal similarities"),
    ):
        drawn.append(style.aggregate(kept, panel, bound, "imbalance", bound))
        axes.plot(drawn[-1]["x"], drawn[-1]["mean"], color=colour, ls=dashes, lw=1.2, label=label)
    for objective in OBJECTIVES:
        of = kept[kept["objective"] == objective]
        drawn.append(style.aggregate(of, panel, objective, "imbalance", "gap"))
        style.band(axes, drawn[-1], **look(objective, label=None))
        of = rows[(rows["trained_imbalance"] > 1) & (rows["objective"] == objective)]
        if len(of):
            drawn.append(style.aggregate(of, panel, f"{objective} trained", "imbalance", "gap"))
            style.band(
                axes,
                drawn[-1],
                **look(
                    objective,
                    ls="none",
                    mfc="white",
                    ms=7,
                    label=style.LABEL[objective] + " on the subset",
                ),
            )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="imbalance n_max / n_min",
        ylabel="gap (nats)",
        title=f"f  imbalanced subsets, C = {C}",
    )
    style.log_numbers(axes)
    ticks = sorted(kept["imbalance"].unique())
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.minorticks_off()
    axes.set_ylim(top=axes.get_ylim()[1] * 6)  # room for the legend
    axes.legend(loc="upper left")
    return pd.concat(drawn)


def class_ticks(axes: Axes) -> None:
    axes.set_xticks([2, 8, 32, 128, 512], ["2", "8", "32", "128", "512"])
    axes.xaxis.minorticks_off()
    low, high = axes.dataLim.intervalx
    axes.set_xlim(low / 1.2, high * 1.2)


if __name__ == "__main__":
    style.main(draw)
