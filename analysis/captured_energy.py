"""Draws `captured_energy`: B exact, along training and without labels; the bounds made of it."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import CAPTURED_ENERGY

NAME = "captured_energy"
COLORS = tuple(style.EXTRA.values())
SHOWN = 9  # dimensions of the errors that are drawn, or the nearest
NEAR = 0.05  # the reported distance of the estimate without labels
MODELS = {
    "one content": dict(color=style.EXTRA["indigo"], marker="o"),
    "a noisier task": dict(color=style.EXTRA["rose"], marker="s"),
    "a faint view": dict(color=style.EXTRA["teal"], marker="^"),
}
ERRORS = {  # column: how it looks
    "error": dict(color="k", marker="o", label="few-shot error"),
    "certificate_chernoff": dict(color=style.EXTRA["purple"], marker="s", label="our certificate"),
    "bound_captured": dict(color=style.EXTRA["wine"], ls=style.DASHED, label="bound by B"),
}
COSINES = {
    "cosine": dict(color="k", marker="o", label="|cosine| of two axes"),
    "bound_cosine": dict(color=style.EXTRA["wine"], ls=style.DASHDOT, label="bound by both B"),
}


@style.drawing(table=(CAPTURED_ENERGY,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Exact laws above, encoders below."""
    table = tables["table"]
    exact, small, views, shots, axes = (
        style.where(table, protocol=name)
        for name in ("gaussian", "enumerated", "views", "few shots", "axes")
    )
    sheet = style.Sheet(6, columns=3, height=1.65)

    panel = sheet.panel("Gaussian views", xlabel="dimensions r", ylabel="captured energy B")
    for name, look in MODELS.items():
        rows = style.where(exact, classes=name)
        panel.curve(rows, "r", "B", band=False, color=look["color"], label=name)
        key = "markers: estimated from 10,000 labelled samples"
        points = look | dict(ls="", series=f"{name}, estimated", key=key)
        panel.curve(rows, "r", "energy", band=False, **points)

    panel = sheet.panel(
        "enumerated laws", xlabel="shots m", ylabel="worst error / bound", ylim=(0, 1.05)
    )
    for k, (r, rows) in enumerate(small.groupby("r")):
        panel.curve(
            rows, "m", "of_bound", color=COLORS[k % len(COLORS)], marker=".", label=f"r = {r:g}"
        )
    panel.level(1.0 if panel.drawn else np.nan, ls=style.DOTTED)

    looks = dict(xscale="symlog", xlabel="epoch", xlim=(0, None))
    panel = sheet.panel("along training, held out", ylabel="B of the classes", **looks)
    rows = style.where(views, split="test", labels="true")
    panel.trained(rows, "epoch", "energy", key="solid: labelled", ls="-")
    key = "dotted: without labels"
    more = dict(ls=style.DOTTED, label=None, series="{}, without labels", key=key)
    panel.trained(rows, "epoch", "label_free", **more)

    panel = sheet.panel("what views share besides", ylabel="label-free − labelled B", **looks)
    trained = style.objectives(views)
    panel.trained(
        style.where(views, split="train", labels="true"), "epoch", "label_free_error", trained
    )
    for edge in (-NEAR, NEAR) if panel.drawn else ():
        panel.level(edge, f"{edge:+g}", ls=style.DASHED)

    looks = dict(xscale="log", yscale="log", xlabel="shots m", ylabel="error, bound")
    dimensions = shots["r"].dropna().unique()
    r = min(dimensions, key=lambda of: abs(of - SHOWN), default=SHOWN)
    panel = sheet.panel(f"CL-trained, r = {r:g}", "no encoder in this table", **looks)
    panel.columns(style.where(shots, objective="dcl", r=r), "m", ERRORS)
    panel.level(0.5 if panel.drawn else np.nan, "chance", ls=style.DOTTED)

    panel = sheet.panel(
        "axes of tasks", xlabel="dimensions r", ylabel="|cosine|, bound", xscale="log", yscale="log"
    )
    mine = style.where(axes, objective="dcl")
    panel.columns(mine.groupby(["r", "seed"], as_index=False)[list(COSINES)].mean(), "r", COSINES)
    panel.level(1.0 if panel.drawn else np.nan, "1", ls=style.DOTTED)
    sheet.save(folder, NAME, title=message(style.where(views, labels="true", split="train")))


def message(rows: pd.DataFrame) -> str:
    """How far off the energy told without labels is at the end of CL training."""
    rows = style.where(rows, objective="dcl")
    error = rows.loc[rows["epoch"] == rows["epoch"].max(), "label_free_error"].mean()
    if not np.isfinite(error):
        return "What embeddings capture of a label, with labels and without"
    return f"CL: the captured energy told without labels is off by {error:+.2f}"


if __name__ == "__main__":
    style.main(draw)
