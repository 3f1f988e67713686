"""Draws `multitask`: axes of independent tasks beside their bound, and the error of each task."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import MULTITASK

NAME = "multitask"
FORMS = {  # column: how it looks
    "over_pair": dict(color=style.PALETTE[3], marker="^", label="variance of the pair (refuted)"),
    "over_all": dict(color="k", marker="o", label="variance of all classes"),
    "over_cells": dict(color=style.PALETTE[9], marker="s", label="variance of cell means (ours)"),
}
COSINES = {
    "bound_all": dict(color="k", ls=style.DASHED, label="bound, variance of all classes"),
    "bound_cells": dict(color=style.PALETTE[9], ls=style.DASHED, label="bound, cell means (ours)"),
    "cosine": dict(color=style.PALETTE[0], marker="o", label="|cosine|"),
}


@style.drawing(table=(MULTITASK,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Random laws, the law that refutes one form, pairs of attributes, errors."""
    table = tables["table"]
    table = table[table["layer"] != "z"]
    laws, made, axes, shots = (
        style.where(table, protocol=name)
        for name in ("factors", "constructed", "axes", "few shots")
    )
    pairs = sorted(axes["attribute"].dropna().unique())
    sheet = style.Sheet(3 + len(pairs), columns=3, height=1.65)
    level = dict(ls=style.DOTTED)

    look = dict(yscale="log", xlabel="C1 and C2", ylabel="largest cosine / bound")
    panel = sheet.panel("random laws", **look)
    numbers = sorted(set(zip(laws["C1"].dropna(), laws["C2"].dropna(), strict=True)))
    place = {pair: k for k, pair in enumerate(numbers)}
    at = [place.get(pair, np.nan) for pair in zip(laws["C1"], laws["C2"], strict=True)]
    most = laws.assign(m=at).groupby(["m", "seed"], as_index=False)[list(FORMS)].max()
    panel.columns(most, "m", FORMS, ls="")
    panel.named["x"] = [f"{a:g}, {b:g}" for a, b in numbers]
    panel.level(1.0 if panel.drawn else np.nan, "bound", **level)

    panel = sheet.panel(
        "thin classes", xscale="log", yscale="log", xlabel="spread", ylabel="cosine / bound"
    )
    panel.columns(made, "spread", {name: FORMS[name] for name in ("over_pair", "over_all")})
    panel.level(1.0 if panel.drawn else np.nan, "bound", **level)

    looks = dict(xscale="symlog", xlabel="epoch", xlim=(0, None))
    panel = sheet.panel("CL, few-shot error", ylabel="error / chance", ylim=(0, None), **looks)
    m = shots["m"].max()
    key = f"m = {m:g}" if np.isfinite(m) else ""
    for k, (name, rows) in enumerate(style.where(shots, m=m).groupby("attribute")):
        look = dict(color=style.PALETTE[(4, 5, 6)[k % 3]], marker="DvP"[k % 3], label=name, key=key)
        panel.curve(rows, "epoch", "of_chance", **look)
    panel.level(1.0 if panel.drawn else np.nan, "chance", **level)

    for name in pairs:
        panel = sheet.panel(f"{name}", yscale="log", ylabel="|cosine|, bound", **looks)
        panel.columns(axes[axes["attribute"] == name], "epoch", COSINES)
        panel.level(1.0 if panel.drawn else np.nan, "1", **level)
    sheet.save(folder, NAME, title=message(laws))


def message(laws: pd.DataFrame) -> str:
    """How far above the form that averages over a pair alone a cosine was seen."""
    worst = laws["over_pair"].max()
    if not np.isfinite(worst):
        return "Axes of independent tasks beside the bound on their cosine"
    return f"With the variance of a pair alone a cosine is up to {worst:.0f} times its bound"


if __name__ == "__main__":
    style.main(draw)
