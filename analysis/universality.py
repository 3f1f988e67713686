"""Draws `universality`: how near the gap comes to its bounds over encoders, data and labels."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import FLOORS, GAP

NAME = "universality"
FACTORS = (
    *("base", "objective", "encoder", "data", "C", "d"),
    *("trained K", "evaluated K", "trained tau", "nuisance"),
)
LABELS = {
    "true": dict(color="k", marker="o", label="true labels"),
    "coarse": dict(color=style.EXTRA["teal"], marker="s", ls=style.DASHED, label="coarse"),
    "random": dict(color="0.55", marker="x", ls=style.DOTTED, label="random"),
    "kmeans": dict(color=style.EXTRA["olive"], marker="^", ls=style.DASHDOT, label="k-means"),
    "kmeans_equal": dict(color=style.EXTRA["rose"], marker="D", label="equal k-means"),
}
NONE = "no bound: no balanced labels"
OVER = {"bound_class_average": "class-averaged bound", "bound_ceiling": "ETF ceiling"}


@style.drawing(table=(GAP, FLOORS))
def draw(tables: style.Tables, folder: Path) -> None:
    """Gap over bound at every point (highest temperature), and its largest at each temperature."""
    table = tables["table"]
    table = table.assign(**{bound: table["gap"] / table[bound] for bound in OVER})
    levels = in_order(table)
    tau = table["tau"].max()
    high = 0.7 + 0.17 * len(levels)
    sheet = style.Sheet(4, 2, (high, high, 1.6, 1.6))
    at = table[table["tau"] == tau]
    for bound, label in OVER.items():
        grid(sheet, at, levels, bound, f"gap / {label}")
    for bound, label in OVER.items():
        temperatures(sheet, table, bound, f"largest gap / {label}")
    note = "marker: mean over seeds, bar (band): lowest to highest seed; a row: one change"
    sheet.save(folder, NAME, title=message(at), note=note)


def message(rows: pd.DataFrame) -> str:
    """The largest share of each bound that any point of the grid takes."""
    most = rows.groupby(["level", "labels"])[list(OVER)].mean().max()
    if most.isna().any():
        return "The gap beside its bounds over encoders, data and labels"
    parts = [f"{most[bound]:.0%} of the {label}" for bound, label in OVER.items()]
    at = style.at_tau(rows["tau"].max()).split(" (")[0]
    return f"Whatever the encoder, data and labels, the gap is at most {' and '.join(parts)} ({at})"


def in_order(table: pd.DataFrame) -> dict[str, str]:
    """Points of the grid, the base first and then factor by factor: level -> what the axis says."""
    points = table[["factor", "value", "level"]].drop_duplicates("level").dropna()
    places = points["factor"].map({name: k for k, name in enumerate(FACTORS)})
    points = points.loc[places.sort_values(kind="stable").index]
    return {row.level: said(row.factor, str(row.value)) for row in points.itertuples()}


def said(factor: str, value: str) -> str:
    """What the axis says of a point: the factor that is changed and its value."""
    if factor == "base":
        return "base: " + style.LOOKS["dcl"].trained
    if factor == "objective":
        return style.look(value).trained
    factor = {"encoder": "", "data": "", "trained tau": "trained at τ"}.get(factor, factor)
    return f"{factor} = {value}" if factor else value


def grid(sheet: style.Sheet, rows: pd.DataFrame, levels: Mapping, bound: str, title: str) -> None:
    """Mean and range over seeds: a row per point of the grid, a marker per labelling."""
    at = style.at_tau(rows["tau"].max())
    panel = sheet.panel(title, NONE, xlabel=f"ratio at {at}")
    places = {level: k for k, level in enumerate(levels)}
    rows = rows[np.isfinite(rows[bound])]
    for offset, (labels, look) in zip(np.linspace(-0.3, 0.3, 5), LABELS.items(), strict=True):
        of = rows[rows["labels"] == labels].groupby("level")[bound]
        found = of.agg(mean="mean", low="min", high="max", n="size").reset_index(names="x")
        if len(found):
            panel.record(labels, **found)
            y = found["x"].map(places) + offset
            panel.axes.hlines(y, found["low"], found["high"], color=look["color"], lw=0.9)
            panel.axes.plot(found["mean"], y, **look | {"ms": 2.5, "ls": "none"})
    if panel.drawn:
        panel.axes.axvline(1, color="k", lw=0.8)
        panel.axes.hlines(np.arange(0.5, len(levels)), 0, 1, color="0.9", lw=0.5, zorder=0)
        panel.named["y"] = list(levels.values()) if panel.letter == "a" else [""] * len(levels)
        panel.looks |= dict(xlim=(0, None), ylim=(len(levels) - 0.5, -0.5))


def temperatures(sheet: style.Sheet, table: pd.DataFrame, bound: str, title: str) -> None:
    """The largest ratio over the grid against the temperature, and the range over seeds of it."""
    looks = dict(xscale="log", yscale="log", xlabel="temperature τ", xticks="values")
    panel = sheet.panel(title, NONE, ylabel="ratio", ylim=(None, 1.2), **looks)
    for labels, look in LABELS.items():
        of = table[table["labels"] == labels]
        worst = of.groupby(["tau", "seed"], as_index=False)[bound].max()
        panel.curve(worst, "tau", bound, **look, series=labels)
    panel.level(1 if panel.drawn else np.nan, color="k", label="the bound")


if __name__ == "__main__":
    style.main(draw)
