"""Draws `pretrained`: where models trained by others lie, and their few-shot errors and bounds."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import FEW_SHOT, GAP, PLACEMENT

NAME = "pretrained"
NAMES = {
    "minilm": "MiniLM",
    "wordllama": "WordLlama",
    "efficientnet": "EfficientNet-Lite0",
    "recogniser": "recogniser",
    "pixels": "pixels",
}
LABELS = {
    "true": dict(color=style.EXTRA["indigo"], marker="o", label="true labels"),
    "coarse": dict(color=style.EXTRA["teal"], marker="s", label="coarser"),
    "coarser": dict(color=style.EXTRA["rose"], marker="^", label="coarsest"),
    "shuffled": dict(color="0.45", marker="x", label="shuffled"),
}
BOUNDS = ("neurips", "theorem_4_1", "cantelli", "conditional_trigonometric")
Pairs = Mapping[tuple[str, str], str]


@style.drawing(table=(GAP, FEW_SHOT, PLACEMENT))
def draw(tables: style.Tables, folder: Path) -> None:
    """Places of the gap and effects of the level of labels; errors and bounds of every pair."""
    table = tables["table"]
    pairs = {
        (encoder, data): f"{NAMES.get(encoder, encoder)}, {data}"
        for encoder, data in table[["encoder", "data"]].dropna().drop_duplicates().to_numpy()
    }
    places(style.where(table, protocol="exact"), pairs, folder)
    shots(style.where(table, protocol="resampled", ways=2), pairs, folder)


# ---- the gap between counting and collapse -------------------------------------------------------
def places(rows: pd.DataFrame, pairs: Pairs, folder: Path) -> None:
    """Position at the highest and the lowest temperature, r by level, the bound by temperature."""
    high = 0.62 + 0.13 * len(pairs)
    sheet = style.Sheet(4, 2, (high, high, high, 1.75))
    for tau in (rows["tau"].max(), rows["tau"].min()):
        looks = dict(xlabel="0: counting, 1: collapse")
        panel = sheet.panel(f"place of the gap, {style.at_tau(tau)}", "no gap", **looks)
        markers(panel, style.where(rows, tau=tau), "position", pairs, ("true", "shuffled"))
        if panel.drawn:
            panel.axes.axvline(0, color="0.5", ls=style.DOTTED)
            panel.axes.axvline(1, color="0.3", ls=style.DASHED)
    tau = rows["tau"].max()
    looks = dict(xscale="log", xlabel="r, 1 where all similarities are equal")
    panel = sheet.panel(f"levels of labels, {style.at_tau(tau)}", "no gap", **looks)
    markers(panel, style.where(rows, tau=tau), "r", pairs, LABELS)
    if panel.drawn:
        panel.axes.axvline(1, color="0.5", ls=style.DOTTED)
    first = next(iter(pairs), ("", ""))
    of = style.where(rows, encoder=first[0], data=first[1], labels="true")
    looks = dict(xscale="log", yscale="log", xlabel="temperature τ", xticks="values")
    panel = sheet.panel(pairs.get(first, "no model"), "no gap", ylabel="gap (nats)", **looks)
    panel.columns(of, "tau", style.RULER)
    panel.curve(of, "tau", "gap", **LABELS["true"] | {"label": "gap"})
    most = of[["tau", "seed"]].assign(most=1 / of["tau"])
    look = dict(color=style.EXTRA["wine"], label="1/τ: a bound above says nothing")
    panel.curve(most, "tau", "most", band=False, ls=style.DASHDOT, **look)
    note = "marker: mean over draws of classes and samples, bar: lowest to highest draw"
    sheet.save(folder, NAME, title=message(rows), note=note)


def message(rows: pd.DataFrame) -> str:
    """How far the models have come from counting to collapse, at the highest temperature."""
    rows = style.where(rows, tau=rows["tau"].max(), labels="true")
    found = rows.groupby(["encoder", "data"])["position"].mean().dropna()
    if found.empty:
        return "Models trained by others between counting and collapse"
    ends = f"{found.min():.1%} to {found.max():.1%}"
    return f"Models trained by others are {ends} of the way from counting to collapse"


def markers(
    panel: style.Panel, rows: pd.DataFrame, column: str, pairs: Pairs, labels: Mapping | tuple
) -> None:
    """Mean and range over draws: a row per pair of a model and data, a marker per labelling."""
    for offset, name in zip(np.linspace(-0.2, 0.2, len(labels)), labels, strict=True):
        of = style.where(rows, labels=name).dropna(subset=[column])
        found = of.groupby(["encoder", "data"])[column]
        found = found.agg(mean="mean", low="min", high="max", n="size").reset_index()
        if not len(found):
            continue
        keys = list(zip(found.pop("encoder"), found.pop("data"), strict=True))
        panel.record(name, x=[pairs[key] for key in keys], **found)
        y = np.array([list(pairs).index(key) for key in keys]) + offset
        look = LABELS[name] | {"ms": 3}
        panel.axes.hlines(y, found["low"], found["high"], color=look["color"], lw=0.9)
        panel.axes.plot(found["mean"], y, ls="none", **look)
    if panel.drawn:
        shown = panel.letter != "b"
        panel.named["y"] = [name if shown else "" for name in pairs.values()]
        panel.looks |= dict(ylim=(len(pairs) - 0.5, -0.5))


# ---- few shots -----------------------------------------------------------------------------------
def shots(rows: pd.DataFrame, pairs: Pairs, folder: Path) -> None:
    """Two-way error and bounds against the labels a class, a panel per pair."""
    sheet = style.Sheet(len(pairs), columns=3, height=1.5)
    finite = rows[np.isfinite(rows["m"])]
    for (encoder, data), title in pairs.items():
        of = style.where(finite, encoder=encoder, data=data)
        least = of.groupby("m")["error"].mean().min() / 3
        looks = dict(xscale="log", yscale="log", ylim=(least, 20), xlabel="labels a class m")
        panel = sheet.panel(title, "not in this run", ylabel="two-way error", **looks)
        for name in BOUNDS:
            look = style.BOUNDS[name]
            look = look | {"marker": "."} if name.startswith("conditional") else look
            panel.curve(of, "m", f"bound_{name}", **look)
        panel.curve(of, "m", "error", color="k", marker="o", label="error of the nearest centre")
        panel.level(0.5 if panel.drawn else np.nan, ls=style.DOTTED, label="chance")
    sheet.save(folder, f"{NAME}_shots", title=shots_message(finite))


def shots_message(rows: pd.DataFrame) -> str:
    """How far the trigonometric certificate is above the error, at the most labels it is known."""
    best = "bound_conditional_trigonometric"
    rows = rows.dropna(subset=[best])
    rows = rows[(rows["m"] == rows["m"].max()) & (rows["error"] > 0)]
    if rows.empty:
        return "Two-way error of the nearest centre and its bounds"
    ratio, m = (rows[best] / rows["error"]).median(), rows["m"].iloc[0]
    return f"With {m:g} labels a class the best certificate is {ratio:.2g} times the error (median)"


if __name__ == "__main__":
    style.main(draw)
