"""Draws `supcon_accuracy`: error of frozen features by encoder, probe, layer and labels."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import ACCURACY

NAME = "supcon_accuracy"
PROBES = {  # layer, probe: how it looks
    ("h", "linear"): dict(color=style.EXTRA["indigo"], marker="o", label="h, linear probe"),
    ("z", "linear"): dict(
        color=style.EXTRA["indigo"], marker="o", mfc="none", label="z, linear probe"
    ),
    ("h", "nearest centre"): dict(color=style.EXTRA["rose"], marker="s", label="h, class means"),
    ("z", "nearest centre"): dict(
        color=style.EXTRA["rose"], marker="s", mfc="none", label="z, class means"
    ),
    ("h", "neighbours"): dict(color=style.EXTRA["teal"], marker="^", label="h, ten neighbours"),
}
NAMES = {"supcon_in": "SupCon, in", "nt_xent": "SimCLR"}
MAIN = ("supcon", "supcon_in", "nt_xent", "dcl", "nscl", "cross_entropy")


@style.drawing(table=(ACCURACY,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Errors with all labels; errors against m; what a linear probe gains over class means."""
    table = tables["table"]
    C = table["C"].min()
    rows = style.where(table, C=C)
    sheet = style.Sheet(4, columns=2, height=1.9)
    everything(sheet, style.where(rows, classes="seen"), C)
    held = style.where(rows, layer="h")
    shots = dict(xscale="log", xlabel="labelled images per class m")
    panel = sheet.panel("h, by means", ylabel="error" + style.classes(C), **shots)
    for classes, fill in (("seen", {}), ("unseen", dict(mfc="none", lw=0.6, label=None))):
        part = style.where(held, classes=classes, probe="nearest centre")
        key = "open: classes not trained on"
        for name in MAIN:
            series = f"{name}, {classes}"
            more = {"key": key} if fill else {}
            line = look(name) | fill | more
            panel.curve(style.where(part, level=name), "m", "error", series=series, **line)
    for layer in ("h", "z"):
        title = f"{layer}, linear gain"
        panel = sheet.panel(title, ylabel="error, means less linear", **shots)
        part = gains(style.where(rows, layer=layer, classes="seen"))
        for name in MAIN:
            panel.curve(style.where(part, level=name), "m", "error", series=name, **look(name))
        panel.level(0 if panel.drawn else np.nan, ls=style.DOTTED)
    sheet.save(folder, NAME, title=message(style.where(rows, classes="seen", layer="h")))


def everything(sheet: style.Sheet, rows: pd.DataFrame, C: float) -> None:
    """With all labels: a row per encoder, a marker per layer and probe."""
    levels = list(dict.fromkeys(rows["level"].dropna()))
    rows = rows[rows["m"] == rows["m"].max()]
    panel = sheet.panel("all labels", xlabel="error" + style.classes(C))
    for k, ((layer, probe), marker) in enumerate(PROBES.items()):
        of = style.where(rows, layer=layer, probe=probe).groupby("level")["error"]
        found = of.agg(mean="mean", low="min", high="max", n="size").reset_index(names="x")
        if found["mean"].notna().any():
            panel.record(f"{layer}, {probe}", **found)
            y = found["x"].map(levels.index) + 0.15 * (k - 2)
            panel.axes.hlines(y, found["low"], found["high"], color=marker["color"], lw=0.9)
            panel.axes.plot(found["mean"], y, ls="none", ms=3, **marker)
    if panel.drawn:
        panel.named["y"] = [named(level) for level in levels]
        panel.looks |= dict(xlim=(0, None), ylim=(len(levels) - 0.5, -0.5))


def gains(rows: pd.DataFrame) -> pd.DataFrame:
    """Error of the nearest centre less that of the linear probe, by encoder, m and seed."""
    of = rows.pivot_table(index=["level", "m", "seed"], columns="probe", values="error")
    of = of.reindex(columns=["nearest centre", "linear"])
    return (of["nearest centre"] - of["linear"]).rename("error").reset_index()


def message(rows: pd.DataFrame) -> str:
    """Whose features a linear probe classifies best, with all labels."""
    rows = style.where(rows[rows["m"] == rows["m"].max()], probe="linear")
    errors = rows.groupby("level")["error"].mean().dropna()
    if "supcon" not in errors or len(errors) == 1:
        return "Error of frozen features by encoder, probe and labelled images"
    best = errors.drop("supcon").idxmin()
    ours, theirs = (f"{errors[level]:.1%}" for level in ("supcon", best))
    return f"SupCon's features err in {ours} of held-out images, those of {named(best)} in {theirs}"


def named(level: str) -> str:
    """What an axis says of an encoder."""
    return NAMES.get(level, style.look(level).name).removeprefix("supcon, ").replace("tau", "τ")


def look(level: str) -> dict:
    """The look of an encoder, under the name that the paper gives it."""
    found = style.look(level)
    return found.line(label=named(level), ms=3)


if __name__ == "__main__":
    style.main(draw)
