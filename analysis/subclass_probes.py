"""Draws `subclass_probes`: what is read of characters that labels do not name, along training."""

from pathlib import Path

import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import KEPT
from supcon_theory.audits.rows import last_step

NAME = "subclass_probes"
JOINT = "joint loss"  # what `ssem` is called in figures
LAYERS = {"h": "features h", "z": "embeddings z"}


@style.drawing(table=(KEPT,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Errors above, shares of the variance below."""
    table = tables["table"]
    fine, coarse = (style.where(table, feature=name) for name in ("subclass", "class"))
    sheet = style.Sheet(6, columns=3, height=1.75)
    for layer, name in LAYERS.items():
        rows = style.where(fine, layer=layer)
        curves(sheet, rows, "error_linear", f"characters, {name}", "error of a linear probe")
    z = style.where(fine, layer="z")
    curves(sheet, z, "error_centre", "characters, centres of z", "error of nearest centre")
    rows = style.where(coarse, layer="z")
    curves(sheet, rows, "error_linear", "script and case, z", "error of a linear probe")
    curves(sheet, z, "share_coarse", "script and case, z", "share of variance")
    curves(sheet, z, "share", "characters in them, z", "share of variance")
    sheet.save(folder, NAME, title=message(fine))


def message(fine: pd.DataFrame) -> str:
    """The errors of SupCon and CL on characters at the end, from embeddings."""
    end = last_step(style.where(fine, layer="z"))
    of = [style.where(end, objective=name)["error_linear"].mean() for name in ("supcon", "dcl")]
    if any(pd.isna(error) for error in of):
        return "What embeddings keep of characters that labels do not name"
    return f"Characters without labels: SupCon's embeddings miss {of[0]:.0%}, CL's {of[1]:.0%}"


def curves(sheet: style.Sheet, rows: pd.DataFrame, column: str, title: str, axis: str) -> None:
    """A curve for every loss, and guessing where an error is shown."""
    panel = sheet.panel(title, xscale="symlog", xlabel="step", ylabel=axis)
    for name in style.objectives(rows):
        line = style.look(name).line()
        line["label"] = JOINT if name == "ssem" else line["label"].removesuffix("-trained")
        panel.curve(style.where(rows, objective=name), "step", column, **line)
    if column.startswith("error"):
        guess = dict(color="0.5", ls=style.DOTTED, marker="", label="guessing", band=False)
        panel.curve(rows, "step", "chance", **guess)


if __name__ == "__main__":
    style.main(draw)
