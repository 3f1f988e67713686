"""Draws `universality` from its table: python analysis/universality.py RESULTS_FOLDER."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter
from supcon_theory.analysis import style

NAME = "universality"
FACTORS = (
    "base",
    "objective",
    "encoder",
    "data",
    "C",
    "d",
    "trained K",
    "evaluated K",
    "trained tau",
)
LABELS = {  # colour, marker, name
    "true": (style.PALETTE[0], "o", "true"),
    "coarse": (style.PALETTE[2], "s", "coarse"),
    "random": ("0.45", "x", "random"),
    "kmeans": (style.PALETTE[1], "^", "k-means"),
    "kmeans_equal": (style.PALETTE[4], "D", "equal k-means"),
}
OVER = {
    "over_bound": ("bound_class_average", "gap / class-averaged bound"),
    "over_ceiling": ("bound_ceiling", "gap / ETF ceiling (balanced labels)"),
}


def draw(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    table = tables["table"]
    table = table.assign(**{name: table["gap"] / table[bound] for name, (bound, _) in OVER.items()})
    levels = in_order(table)
    taus = sorted(table["tau"].unique(), reverse=True)
    height = 1.5 + 0.56 * len(levels)
    figure, axes = plt.subplots(
        2, len(taus), figsize=(3.5 * len(taus), height), sharey=True, squeeze=False
    )
    drawn = []
    for row, (name, (_, label)) in enumerate(OVER.items()):
        for column, tau in enumerate(taus):
            panel = "abcdefghijklmnop"[row * len(taus) + column]
            here = axes[row, column]
            drawn.append(grid_panel(here, table[table["tau"] == tau], levels, name, panel))
            here.set_xlabel(label)
            here.set_title(f"{panel}  τ = {tau:g}\n{largest(drawn[-1], levels)}", fontsize=8)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), title="labels")
    style.save(figure, pd.concat(drawn, ignore_index=True), folder, NAME)


def in_order(table: pd.DataFrame) -> dict[str, str]:
    """Points of the grid, the base first and then factor by factor: level -> what the axis says."""
    points = table[["factor", "value", "level"]].drop_duplicates("level")
    points = points.sort_values("factor", key=lambda names: names.map(FACTORS.index), kind="stable")
    return {row.level: said(row.factor, str(row.value)) for row in points.itertuples()}


def said(factor: str, value: str) -> str:
    if factor == "base":
        return "base: " + style.LABEL["dcl"]
    if factor == "objective":
        return style.LABEL["init" if value == "untrained" else value]
    factor = {"encoder": "", "data": "", "trained tau": "trained at τ"}.get(factor, factor)
    return f"{factor} = {value}" if factor else value


def grid_panel(
    axes: Axes, rows: pd.DataFrame, levels: Mapping, name: str, panel: str
) -> pd.DataFrame:
    """Mean and range over seeds: a row per point of the grid, a marker per labelling."""
    drawn = []
    offsets = np.linspace(-0.3, 0.3, len(LABELS))
    for offset, (labels, (colour, marker, text)) in zip(offsets, LABELS.items(), strict=True):
        of = rows[(rows["labels"] == labels) & rows[name].notna()]
        found = style.aggregate(of, panel, labels, "level", name)
        y = np.array([list(levels).index(level) for level in found["x"]]) + offset
        axes.hlines(y, found["low"], found["high"], color=colour, lw=1.2)
        axes.plot(found["mean"], y, ls="none", marker=marker, color=colour, label=text)
        drawn.append(found)
    for labels in ("true", "coarse"):
        of = rows[(rows["level"] == "base") & (rows["labels"] == labels)]
        counting = np.mean(of["bound_equal"] / of[OVER[name][0]])
        axes.axvline(
            counting,
            color=LABELS[labels][0],
            ls=":",
            lw=1.2,
            zorder=0,
            label=f"{labels}, all similarities equal",
        )
    axes.axvline(1, color="k", lw=1)
    axes.set(xscale="log", ylim=(len(levels) - 0.5, -0.5))
    axes.set_xlim(axes.get_xlim()[0], 1.1)
    low, high = axes.get_xlim()  # over many decades only their powers have room
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 60 else (1,)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yticks(range(len(levels)), list(levels.values()))
    for line in np.arange(0.5, len(levels) - 1):
        axes.axhline(line, color="0.9", lw=0.6, zorder=0)
    return pd.concat(drawn)


def largest(drawn: pd.DataFrame, levels: Mapping) -> str:
    """The worst case of a panel in words."""
    if len(drawn) == 0:
        return "no balanced labels"
    worst = drawn.loc[drawn["mean"] == drawn["mean"].max()].iloc[0]
    point = levels[worst["x"]].removeprefix("base: ")
    return f"largest {worst['mean']:.2f}: {point}, {LABELS[worst['series']][2]}"


if __name__ == "__main__":
    style.main(draw)
