"""Draws `loss_families`: views that part, batches, frames, ranks, encoders."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import LOSS_FAMILIES
from supcon_theory.claims.loss_families import best_starts

NAME = "loss_families"
COLORS = tuple(style.EXTRA.values())
MARKS, LINES = ("o", "s", "^", "v"), ("-", style.DASHED, style.DOTTED)
DESIGNS = {  # of fixed batches: what it is called
    "halves": "0\nshared",
    "apart": "2\nclasses",
    "bound": "1\nshared",
}


@style.drawing(table=(LOSS_FAMILIES,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Closed forms as lines, free embeddings and encoders as points."""
    table = tables["table"]
    sheet = style.Sheet(6, columns=3, height=1.75)
    batches(sheet, style.where(table, part="batches"))
    views(sheet, style.where(table, part="sigmoid"))
    frames(sheet, style.where(table, part="fixed batches"))
    ranks(sheet, style.where(table, part="prototypes"))
    encoders = style.where(table, part="encoders")
    trained(sheet, encoders, "error", "trained: new images", "error of neighbours")
    trained(sheet, encoders, "rankme", "trained: rank", "effective rank")
    sheet.save(folder, NAME, title=message(style.where(table, part="batches")))


def message(rows: pd.DataFrame) -> str:
    """What a small batch changes in the mean of a loss."""
    rows = rows[rows["batch"] == rows["batch"].min()]
    at = rows.groupby("objective")["batch_bias"].mean()
    if not {"kcl", "nt_xent"} <= {*at.index} or not np.isfinite(at["nt_xent"]):
        return "What other contrastive losses do differently"
    return (
        f"Batches of {rows['batch'].iloc[0]:g} change the mean of NT-Xent by {at['nt_xent']:.2f}, "
        "of KCL by nothing"
    )


def batches(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """Mean over all batches of a size less the value on all samples."""
    looks = dict(xlabel="batch size", ylabel="mean − value on all", xticks="values")
    panel = sheet.panel("all batches of a size", **looks)
    for objective, of in rows.groupby("objective"):
        look = style.look(objective)
        line = look.line(label=look.name, series=objective)
        panel.curve(of, "batch", "batch_bias", **line)


def views(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """The cosine of own views against the bias of the sigmoid loss."""
    panel = sheet.panel("sigmoid loss", xlabel="bias", ylabel="cosine of own views")
    for k, (n, of) in enumerate(rows.groupby("n")):
        look = dict(color=COLORS[k % len(COLORS)])
        best = best_starts(of)
        line = dict(ls=LINES[k % 3], marker="", series=f"closed form, {n:g} samples", label=None)
        panel.curve(best.assign(seed=0), "bias_option", "own_predicted", **look, **line)
        points = dict(ls="none", marker=MARKS[k % 4], label=f"{n:g} samples")
        panel.curve(best, "bias_option", "own_cosine", key="lines: closed form", **look, **points)


def frames(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """Cosines of class means where fixed batches take rows without a negative entry."""
    looks = dict(xlabel="fixed batches", ylabel="cosine of means", ylim=(-0.1, 1.1))
    panel = sheet.panel("rows not negative", xlim=(-0.5, 2.5), **looks)
    panel.named["x"] = list(DESIGNS.values())
    rows = rows[rows["rows"] == "not negative"]
    rows = rows.assign(place=rows["design"].map({name: k for k, name in enumerate(DESIGNS)}))
    for k, (column, label) in enumerate(
        {"most_cosine": "largest", "least_cosine": "smallest"}.items()
    ):
        look = dict(color=COLORS[k + 3], marker=MARKS[k + 2], ls="none", label=label)
        panel.curve(rows, "place", column, band=False, **look)


def ranks(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """The cosine of class means against the weight of the pull to prototypes."""
    panel = sheet.panel("SupCon", xlabel="weight of prototypes", ylabel="cosine of means")
    weights = sorted(rows["penalty"].dropna().unique())
    panel.named["x"] = [f"{weight:g}" for weight in weights]
    rows = rows.assign(place=rows["penalty"].map(weights.index, na_action="ignore").astype(float))
    look = dict(color=COLORS[0], marker="o", ls="-", label=None, series="SupCon and prototypes")
    panel.curve(rows, "place", "most_cosine", **look)


def trained(sheet: style.Sheet, rows: pd.DataFrame, column: str, title: str, label: str) -> None:
    """A measure of trained encoders against the batch size."""
    panel = sheet.panel(title, xscale="log", xlabel="batch size", ylabel=label, xticks="values")
    for objective, of in rows.groupby("objective"):
        look = style.look(objective)
        line = look.line(label=look.name, series=objective)
        panel.curve(of, "batch", column, **line)


if __name__ == "__main__":
    style.main(draw)
