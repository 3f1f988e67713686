"""Draws `alignment`: CL beside other encoders in training, the sweeps, the drift and its bounds."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import ALIGNMENT

NAME = "alignment"
CONTROLS = {
    "order": dict(
        color=style.EXTRA["indigo"], marker="v", ls=style.DASHED, label="CL, other order"
    ),
    "seed": dict(color=style.EXTRA["rose"], marker="x", ls=style.DOTTED, label="CL, other draws"),
    "start": dict(color="0.6", marker="+", ls=style.DOTTED, label="CL's own start"),
}
RULES = {
    "B": dict(color=style.EXTRA["wine"], marker="o", label="rate ~ B"),
    "sqrt B": dict(color=style.EXTRA["teal"], marker="s", ls=style.DASHED, label="rate ~ √B"),
    "B^1/4": dict(color=style.EXTRA["olive"], marker="^", ls=style.DOTTED, label="rate ~ √√B"),
}
BASE = "base"
LAYERS = {
    "h": dict(color=style.PALETTE[0], marker="o", label="features h"),
    "z": dict(color=style.PALETTE[3], marker="s", ls=style.DASHED, label="embeddings z"),
}
DRIFTS = {
    "log_drift": dict(color="k", marker="o", label="drift"),
    "log_bound_gaps": dict(color=style.EXTRA["purple"], marker="s", label="bound by gaps (ours)"),
    "log_bound_composition": dict(
        color=style.EXTRA["teal"], marker="^", ls=style.DASHED, label="bound by batches"
    ),
    "log_bound_drift": dict(
        color=style.EXTRA["wine"], marker="x", ls=style.DASHDOT, label="published bound"
    ),
}
DATA = ("o", "s", "^")
NATS = 10  # classes whose surrogate is drawn, or the nearest
ALONG = {"cka": "CKA", "rsa": "RSA", "shared_directions": "shared directions"}


@style.drawing(table=(ALIGNMENT,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Along training, the sweeps, the drift of the surrogate and of published settings."""
    table = tables["table"]
    pairs, swept, drifts, known = (
        style.where(table, protocol=name) for name in ("pair", "sweep", "surrogate", "published")
    )
    seen = style.where(pairs, split="test", layer="h")
    seen = seen[seen["C"] == seen["C"].min()]
    sheet = style.Sheet(9, columns=3, height=1.65)

    looks = dict(xscale="symlog", xlabel="epoch", xlim=(0, None))
    for column, words in ALONG.items():
        panel = sheet.panel("CL beside others", ylabel=f"{words} to CL", ylim=(0, 1.05), **looks)
        beside(panel, seen, column)
    panel = sheet.panel("weights", ylabel="relative gap to CL", **looks)
    beside(panel, seen, "weight_gap")

    axes = dict(ylabel="CKA, debiased", ylim=(0, 1.05))
    panel = sheet.panel("CL and NSCL, classes", xlabel="classes C", xscale="log", **axes)
    varied(panel, style.where(swept, factor="C"), "C")
    panel = sheet.panel("temperature", xlabel="tau", xscale="log", **axes)
    varied(panel, style.where(swept, factor="tau"), "tau_train")
    panel = sheet.panel(
        "batch, equal epochs",
        xlabel="batch B",
        xscale="log",
        xticks="values",
        ylabel=axes["ylabel"],
    )
    rows = style.where(swept, factor="batch", layer="h")
    for rule, look in RULES.items():
        panel.curve(rows[rows["rule"].isin([rule, BASE])], "batch", "cka_debiased", **look)

    log = dict(xscale="log", xlabel="tau", ylabel="log of the distance, nats")
    C = min(drifts["C"].dropna().unique(), key=lambda of: abs(of - NATS), default=NATS)
    panel = sheet.panel(f"surrogate, C = {C:g}", yscale="symlog", **log)
    rows = style.where(drifts, C=C)
    panel.columns(rows[rows["rate"] == rows["rate"].min()], "tau", DRIFTS)
    level(panel, rows)
    panel = sheet.panel("published settings", yscale="log", **log)
    for marker, (name, rows) in zip(DATA, known.groupby("data"), strict=False):
        look = dict(color=style.EXTRA["wine"], marker=marker, label=str(name))
        panel.curve(rows, "tau", "log_bound_drift", band=False, **look)
    level(panel, known)
    sheet.save(folder, NAME, title=message(seen))


def beside(panel: style.Panel, rows: pd.DataFrame, column: str) -> None:
    """A curve of every encoder that is compared with CL."""
    for name in rows["other"].dropna().unique():
        if name not in CONTROLS:
            line = style.look(str(name)).line(label=style.look(str(name)).name)
            panel.curve(style.where(rows, other=name), "epoch", column, **line)
    for name, line in CONTROLS.items():
        panel.curve(style.where(rows, other=name), "epoch", column, **line)


def varied(panel: style.Panel, rows: pd.DataFrame, x: str) -> None:
    """A curve of each layer."""
    for layer, look in LAYERS.items():
        panel.curve(style.where(rows, layer=layer), x, "cka_debiased", **look)


def level(panel: style.Panel, rows: pd.DataFrame) -> None:
    """The most that two matrices of cosines can be apart."""
    most = rows["log_cap"].max() if panel.drawn else np.nan
    panel.level(most, "most it can be", ls=style.DOTTED, label="most it can be")


def message(rows: pd.DataFrame) -> str:
    """CKA to NSCL and to CL with another order of the batches, at the end."""
    ended = rows.loc[rows["epoch"] == rows["epoch"].max()]
    near, order = (style.where(ended, other=name)["cka"].mean() for name in ("nscl", "order"))
    if not np.isfinite([near, order]).all():
        return "How alike CL and supervised encoders become"
    return f"CKA to CL: NSCL {near:.2f}, CL itself on another order of the batches {order:.2f}"


if __name__ == "__main__":
    style.main(draw)
