"""Draws `gap_controls`: the gap where one thing at a time differs from the sweep over classes."""

from pathlib import Path

import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import GAP

NAME = "gap_controls"
CLASSES = dict(xscale="log", xlabel="number of classes C", xticks="values")
SETTINGS = {  # factor: how it looks
    "base": style.look("dcl").line(label="n of each class"),
    "images": dict(color=style.EXTRA["wine"], marker="s", ls=style.DASHED, label="as many images"),
    "subset": dict(color=style.EXTRA["teal"], marker="^", ls=style.DASHDOT, label="one encoder"),
}


@style.drawing(table=(GAP,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Gap and r by setting, on held-out images, while training is doubled, of other losses."""
    table = tables["table"][lambda t: t["gap"].notna()]
    table = table[table["tau"] == table["tau"].max()]
    true = style.where(table, labels="true")
    train = style.where(true, split="train")
    sheet = style.Sheet(6)
    settings(sheet, style.where(train, objective="dcl"), "gap")
    settings(sheet, style.where(train, objective="dcl"), "r")
    control(sheet, style.where(table, split="train", objective="dcl"))
    held_out(sheet, style.where(true, factor="base"))
    doubled(sheet, style.where(train, objective="dcl"))
    others(sheet, train)
    sheet.save(folder, NAME, title=message(style.where(table, split="train", objective="dcl")))


def message(rows: pd.DataFrame) -> str:
    """R of one encoder on the fewest and the most of its classes."""
    of = style.where(rows, factor="subset", labels="true")
    r = of.groupby("C")["r"].mean()
    whole = style.where(rows, factor="base", labels="true")
    most = whole[whole["C"] == whole["C"].max()]["r"].mean()
    if r.empty or pd.isna(most):
        return "The gap where one thing at a time differs"
    fewest, C = r.index[0], whole["C"].max()
    return (
        f"One encoder: r is {r.iloc[0]:.2f} on {fewest:g} of its classes, {most:.2f} on all {C:g}"
    )


def settings(sheet: style.Sheet, rows: pd.DataFrame, column: str) -> None:
    """The gap, or r, of CL: classes of n images, as many images for every C, one encoder."""
    name = {"gap": "gap (nats)", "r": "r = (exp(gap) − 1) / κ"}[column]
    panel = sheet.panel(
        f"{column} of CL", "nothing was varied", ylabel=name, yscale="log", **CLASSES
    )
    for factor, look in SETTINGS.items():
        panel.curve(style.where(rows, factor=factor), "C", column, **look)
    if column == "gap":
        base = style.where(rows, factor="base")
        panel.columns(base, "C", {"bound_equal": style.RULER["bound_equal"]}, lw=1, band=False)


def control(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """The same under shuffled labels."""
    panel = sheet.panel("control: shuffled labels", "nothing was shuffled", ylabel="r", **CLASSES)
    for factor, look in SETTINGS.items():
        panel.curve(style.where(rows, factor=factor, labels="shuffled"), "C", "r", **look)


def held_out(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """R on training images and on held-out ones (hollow)."""
    panel = sheet.panel("held-out images", "none were measured", ylabel="r", **CLASSES)
    for objective in style.PAIR:
        panel.trained(style.where(rows, split="train"), "C", "r", [objective])
        hollow = {"mfc": "w", "lw": 0.7, "label": None, "key": "open: held-out images"}
        panel.trained(style.where(rows, split="test"), "C", "r", [objective], **hollow)


def doubled(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """R against the length of training, for each number of classes at which it was doubled."""
    longer = sorted(style.where(rows, factor="steps")["C"].unique())
    looks = dict(xscale="log", xlabel="steps of training", ylabel="r", xticks="values")
    panel = sheet.panel("CL trained for longer", "training was not doubled", **looks)
    colors = (style.EXTRA["indigo"], style.EXTRA["rose"], style.EXTRA["olive"])
    for C, color, marker in zip(longer, colors, "os^", strict=False):
        of = rows[(rows["C"] == C) & rows["factor"].isin(["base", "steps"])]
        panel.curve(of, "step", "r", color=color, marker=marker, label=f"C = {C:g}")


def others(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """R of CL with four views and of NT-Xent over that of CL with two."""
    base = style.where(rows, factor="base")
    of_cl = style.where(base, objective="dcl").set_index(["seed", "C"])["r"]
    panel = sheet.panel("r over that of CL", "nothing to compare", ylabel="ratio", **CLASSES)
    four = style.where(rows, factor="views", objective="dcl")
    for of, look in (
        (style.where(base, objective="nt_xent"), style.look("nt_xent").line()),
        (four, dict(color=style.EXTRA["indigo"], marker="D", ls=style.DOTTED, label="four views")),
    ):
        of = of.assign(
            ratio=of["r"] / of_cl.reindex(pd.MultiIndex.from_frame(of[["seed", "C"]])).values
        )
        panel.curve(of, "C", "ratio", **look)
    panel.axes.axhline(1, color="0.7", lw=0.6, zorder=0)


if __name__ == "__main__":
    style.main(draw)
