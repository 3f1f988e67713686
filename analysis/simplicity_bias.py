"""Draws `simplicity_bias`: characters with and without stripes over them, by dimension and loss."""

from pathlib import Path

import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import KEPT
from supcon_theory.audits.rows import last_step

NAME = "simplicity_bias"
JOINT = "joint loss"  # what `ssem` is called in figures
KEY = "solid: with stripes, dotted: without"
FEATURES = {
    "stripes": dict(color=style.EXTRA["teal"], marker="s", ls=style.DASHED, label="stripes"),
    "character": dict(color=style.EXTRA["wine"], marker="o", ls="-", label="characters"),
}


@style.drawing(table=(KEPT,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Errors of characters above; stripes, and shares of the variance, below."""
    table = tables["table"]
    end = last_step(table)
    hard, easy = (style.where(end, feature=name) for name in ("character", "stripes"))
    sheet = style.Sheet(6, columns=3, height=1.75)
    for layer, name in (("h", "features h"), ("z", "embeddings z")):
        rows = style.where(hard, layer=layer)
        by_dimension(sheet, rows, "error_linear", f"characters, {name}", "error of a linear probe")
    along(sheet, table)
    z = style.where(easy, layer="z")
    by_dimension(sheet, z, "error_linear", "stripes, embeddings z", "error of a linear probe")
    by_dimension(sheet, z, "share", "stripes, embeddings z", "share of variance")
    rows = style.where(hard, layer="z")
    by_dimension(sheet, rows, "share", "characters, embeddings z", "share of variance")
    sheet.save(folder, NAME, title=message(hard))


def message(hard: pd.DataFrame) -> str:
    """What stripes add to CL's error of characters in the fewest dimensions, from features."""
    rows = style.where(hard, objective="dcl", layer="h")
    rows = rows[rows["d"] == rows["d"].min()]
    of = [
        rows.loc[chosen, "error_linear"].mean()
        for chosen in (rows["contrast"] > 0, rows["contrast"] == 0)
    ]
    if any(pd.isna(error) for error in of):
        return "An easy feature beside a hard one"
    d = rows["d"].min()
    return (
        f"Stripes take CL's error of characters from {of[1]:.0%} to {of[0]:.0%} in {d:g} dimensions"
    )


def by_dimension(
    sheet: style.Sheet, rows: pd.DataFrame, column: str, title: str, axis: str
) -> None:
    """A curve for every loss against the dimension, with stripes and without."""
    looks = dict(xscale="log", xticks="values", xlabel="dimensions d", ylabel=axis)
    panel = sheet.panel(title, **looks)
    for name in style.objectives(rows):
        of = style.where(rows, objective=name)
        line = style.look(name).line(ls="-")
        line["label"] = JOINT if name == "ssem" else line["label"].removesuffix("-trained")
        panel.curve(of[of["contrast"] > 0], "d", column, **line)
        bare = line | dict(ls=style.DOTTED, label=None, series=f"{name} without stripes")
        panel.curve(
            of[of["contrast"] == 0], "d", column, absent="none", band=False, key=KEY, **bare
        )


def along(sheet: style.Sheet, table: pd.DataFrame) -> None:
    """Errors over those of guessing along CL's training under stripes, fewest dimensions."""
    rows = style.where(table, objective="dcl", layer="h")
    rows = rows[(rows["contrast"] > 0) & (rows["d"] == rows["d"].min())]
    panel = sheet.panel("CL with stripes, h", xlabel="step", ylabel="error / guessing")
    for name, line in FEATURES.items():
        panel.curve(style.where(rows, feature=name), "step", "of_chance", **line)


if __name__ == "__main__":
    style.main(draw)
