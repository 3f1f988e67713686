"""Draws `few_shot_counterexample`: where the older few-shot bound is below the error."""

import math
from pathlib import Path

import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import COUNTEREXAMPLE

NAME = "few_shot_counterexample"


@style.drawing(table=(COUNTEREXAMPLE,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Two-way error and bounds on it against the number of supports, a panel for each variance."""
    table = tables["table"]
    scales = list(table.groupby("scale")) or [(math.nan, table)]
    sheet = style.Sheet(len(scales), columns=3, height=1.9)
    looks = dict(xscale="log", yscale="log", xlabel="supports per class m")
    for scale, rows in scales:
        title = f"V = {scale:g} √m".replace("= 1 ", "= ").replace("nan ", "")
        panel = sheet.panel(title, ylabel="two-way error", **looks)
        for name in ("older", "neurips", "tightened", "theorem_4_1", "cantelli"):
            panel.curve(rows, "m", f"bound_{name}", **style.BOUNDS[name], band=False)
        panel.curve(rows, "m", "error", color="k", marker="o", ls="none", label="error, measured")
        panel.level(0.5 if panel.drawn else math.nan, ls=style.DOTTED, label="chance")
    sheet.save(folder, NAME, title=message(table))


def message(table: pd.DataFrame) -> str:
    """From how many supports the refuted bound is below the error."""
    rows = style.where(table, scale=table["scale"].min())
    means = rows.groupby("m")[["error", "bound_older"]].mean()
    below = means.index[means["bound_older"] < means["error"]]
    if below.empty:
        return "The older few-shot bound beside the error"
    return f"The 1/m form is below the error from m = {style.short(below[0])} on: it is no bound"


if __name__ == "__main__":
    style.main(draw)
