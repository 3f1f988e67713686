"""Draws `few_shot` from its table: python analysis/few_shot.py results/few_shot/laptop."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from supcon_theory.analysis import style

NAME = "few_shot"
OBJECTIVES = ("init", "dcl", "nscl", "cross_entropy")
BOUNDS = {  # column, label, colour, dashes; from the oldest to the sharpest
    "older": ("1/m form (refuted)", style.PALETTE[7], ":"),
    "neurips": ("NeurIPS form", style.PALETTE[1], "-"),
    "tightened": ("tightened", style.PALETTE[1], "--"),
    "theorem_4_1": ("Theorem 4.1", style.PALETTE[4], "-"),
    "cantelli": ("Cantelli", style.PALETTE[2], "-"),
    "conditional_cantelli": ("Cantelli given z", style.PALETTE[9], "--"),
    "conditional_trigonometric": ("trigonometric given z", style.PALETTE[9], "-"),
}
TERMS = {
    "theorem_4_1": "Theorem 4.1",
    "neurips": "NeurIPS form",
    "cantelli": "Cantelli certificate",
}


def draw(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    table = tables["table"]
    curves(table, folder)
    bounds(table, folder)
    terms(table, folder)


# ---- error against m, as the encoders would be used ----------------------------------------------
def curves(table: pd.DataFrame, folder: Path) -> None:
    """All-way error from training images as supports, at the largest number of classes."""
    rows = table[(table["protocol"] == "labelled") & (table["ways"] == table["C"])]
    rows = rows[rows["C"] == rows["C"].max()]
    C = int(rows["C"].max())
    panels = [
        ("seen", "nearest centre", "nearest class centre"),
        ("seen", "linear", "linear probe"),
        ("unseen", "nearest centre", "unseen classes, nearest centre"),
        ("unseen", "linear", "unseen classes, linear probe"),
    ]
    panels = [p for p in panels if (rows["classes"] == p[0]).any()]
    figure, axes = plt.subplots(
        1, len(panels), figsize=(2.75 * len(panels), 3.1), sharey=True, squeeze=False
    )
    drawn = []
    for cell, (classes, probe, title) in zip(axes[0], panels, strict=True):
        part = rows[(rows["classes"] == classes) & (rows["probe"] == probe)]
        for objective in OBJECTIVES:
            for split, dashes in (("test", "-"), ("train", "--")):
                mine = part[(part["objective"] == objective) & (part["split"] == split)]
                found = style.aggregate(
                    mine, f"{classes}, {probe}", f"{objective}, {split}", "m", "error"
                )
                style.band(
                    cell,
                    found,
                    color=style.COLOUR[objective],
                    ls=dashes,
                    marker=style.MARKER[objective],
                    label=style.LABEL[objective] if split == "test" else None,
                )
                drawn.append(found)
        cell.axhline(1 - 1 / C, color="0.7", lw=0.8)
        cell.set(xscale="log", xlabel="labelled images per class m", title=title)
        cell.title.set_fontsize(9)
    axes[0, 0].set(ylabel=f"error among {C} classes", ylim=(0, 1.02))
    axes[0, 0].plot([], [], color="0.3", ls="--", label="queries: training images")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    style.save(figure, pd.concat(drawn, ignore_index=True), folder, NAME)


# ---- error and bounds, where the theorems apply --------------------------------------------------
def bounds(table: pd.DataFrame, folder: Path) -> None:
    """Two-way and all-way error of held-out features as the population, and of Gaussian classes."""
    held = table[
        (table["protocol"] == "resampled")
        & (table["split"] == "test")
        & (table["classes"] == "seen")
    ]
    few, many = held["C"].min(), held["C"].max()
    panels = [
        (held[(held["C"] == few) & (held["objective"] == "dcl")], 2, f"CL, C = {few:g}, two-way"),
        (held[(held["C"] == few) & (held["objective"] == "dcl")], few, f"CL, C = {few:g}, all-way"),
        (
            held[(held["C"] == few) & (held["objective"] == "cross_entropy")],
            2,
            f"cross-entropy, C = {few:g}, two-way",
        ),
        (held[(held["C"] == many) & (held["objective"] == "dcl")], 2, f"CL, C = {many:g}, two-way"),
        (table[table["classes"] == "two classes"], 2, "two Gaussian classes"),
        (table[table["classes"] == "five classes"], 5, "five Gaussian classes, all-way"),
    ]
    figure, axes = plt.subplots(2, 3, figsize=(9.2, 6.0))
    drawn = [
        bound_panel(cell, rows, ways, title)
        for cell, (rows, ways, title) in zip(axes.flat, panels, strict=True)
        if len(rows)
    ]
    handles = {
        label: handle
        for cell in axes.flat
        for handle, label in zip(*cell.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=5)
    style.save(figure, pd.concat(drawn, ignore_index=True), folder, f"{NAME}_bounds")


def bound_panel(axes: Axes, rows: pd.DataFrame, ways: int, title: str) -> pd.DataFrame:
    limit = (ways - 1) * 4 * rows["V_dir"].mean()  # stands in the rows of m = inf
    rows = rows[(rows["ways"] == ways) & np.isfinite(rows["m"])]
    drawn = []
    for name, (label, colour, dashes) in BOUNDS.items():
        column = f"bound_{name}"
        if column not in rows or rows[column].isna().all():
            continue
        found = style.aggregate(rows[np.isfinite(rows[column])], title, name, "m", column)
        style.band(axes, found, color=colour, ls=dashes, label=label)
        drawn.append(found)
    found = style.aggregate(rows, title, "error", "m", "error")
    style.band(axes, found, color="k", marker="o", ms=3.5, label="error of the nearest centre")
    axes.axhline(limit, color=style.PALETTE[3], lw=1, ls="-.", label="limit 4 (C′ − 1) Ṽ")
    axes.axhline(1 - 1 / ways, color="0.7", lw=0.8, label="chance")
    low = found["mean"].min()
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="samples per class m",
        ylabel="error, bound",
        ylim=(low / 2, max(60, 3 * limit)),
        title=title,
    )
    axes.title.set_fontsize(9)
    return pd.concat(
        [*drawn, found, found.iloc[:1].assign(series="limit", mean=limit, low=limit, high=limit)]
    )


# ---- which term matters --------------------------------------------------------------------------
def terms(table: pd.DataFrame, folder: Path) -> None:
    """Share of the directional term in each two-way bound against m."""
    rows = table[
        (table["protocol"] == "resampled")
        & (table["split"] == "test")
        & (table["classes"] == "seen")
        & (table["ways"] == 2)
        & np.isfinite(table["m"])
    ]
    rows = rows[rows["C"] == rows["C"].max()]
    figure, axes = plt.subplots(1, 3, figsize=(9.2, 3.1), sharey=True)
    drawn = []
    for cell, (name, title) in zip(axes, TERMS.items(), strict=True):
        finite = rows[np.isfinite(rows[f"dispersion_{name}"])]
        share = finite[f"directional_{name}"] / finite[f"bound_{name}"]
        for objective in OBJECTIVES:
            mine = finite.assign(share=share)[finite["objective"] == objective]
            found = style.aggregate(mine, name, objective, "m", "share")
            style.band(
                cell,
                found,
                color=style.COLOUR[objective],
                marker=style.MARKER[objective],
                label=style.LABEL[objective],
            )
            drawn.append(found)
        cell.axhline(0.5, color="0.7", lw=0.8)
        cell.set(xscale="log", xlabel="samples per class m", title=title, ylim=(0, 1))
    axes[0].set_ylabel("share of directional variation\nin the two-way bound")
    axes[0].legend(loc="upper left")
    style.save(figure, pd.concat(drawn, ignore_index=True), folder, f"{NAME}_terms")


if __name__ == "__main__":
    style.main(draw)
