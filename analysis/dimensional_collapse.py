"""Draws `dimensional_collapse`: class means of trained networks against hardness; spectra."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import DIMENSIONAL_COLLAPSE
from supcon_theory.audits.rows import last_step
from supcon_theory.claims.dimensional_collapse import HELD, THROUGH

NAME = "dimensional_collapse"
COLORS = tuple(style.EXTRA.values())
KINDS = {  # objective, surface, weights: how it looks
    ("scl_ball", "ball", HELD): dict(color=COLORS[0], marker="o", ls="-", label="SCL/HSCL"),
    ("ucl_ball", "ball", HELD): dict(
        color=COLORS[2], marker="s", ls=style.DASHED, label="UCL/HUCL"
    ),
    ("ucl_ball", "ball", THROUGH): dict(
        color=COLORS[3], marker="^", ls=style.DASHDOT, label="HUCL, full gradient"
    ),
    ("scl_ball", "none", HELD): dict(
        color=COLORS[0], marker="x", ls=style.DOTTED, label="SCL/HSCL, not normalised"
    ),
    ("ucl_ball", "none", HELD): dict(
        color=COLORS[2], marker="+", ls=style.DOTTED, label="UCL/HUCL, not normalised"
    ),
}
LINES = ("-", style.DASHED, style.DASHDOT, style.DOTTED, (0, (7, 2)))
MARKS = ("o", "s", "^", "v", "D")


@style.drawing(table=(DIMENSIONAL_COLLAPSE,), spectrum=(DIMENSIONAL_COLLAPSE,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Ends against the tilt; training; spectra."""
    table, spectrum = tables["table"], tables["spectrum"]
    table = table[table["C"] == table["C"].min()]
    end = last_step(table)
    sheet = style.Sheet(6, columns=3, height=1.75)
    by_tilt(sheet, end, "equal_products", "class means", "cosines' distance from ETF")
    by_tilt(sheet, end, "means_rank", "class means", "effective rank")
    by_tilt(sheet, end, "error", "new images", "error of nearest mean")
    along(sheet, style.where(table, objective="ucl_ball", surface="ball", weights=HELD))
    for objective, name in (("scl_ball", "SCL, HSCL"), ("ucl_ball", "UCL, HUCL")):
        rows = style.where(spectrum, objective=objective, surface="ball", weights=HELD)
        spectra(sheet, rows[rows["C"] == rows["C"].min()], name)
    sheet.save(folder, NAME, title=message(end))


def message(end: pd.DataFrame) -> str:
    """Between which effective ranks the class means are, over tilts, in the ball."""
    rows = style.where(end, surface="ball", weights=HELD)
    ranks = rows.groupby(["objective", "tilt"])["means_rank"].mean()
    if len(ranks) < 2:
        return "Class means of networks trained with hard negatives"
    most = rows["C"].iloc[0] - 1
    low, high = ranks.min(), ranks.max()
    return f"Class means fill {low:.2g} to {high:.2g} of {most:g} dimensions at every tilt"


def by_tilt(sheet: style.Sheet, end: pd.DataFrame, column: str, title: str, axis: str) -> None:
    """A curve for every kind of training."""
    panel = sheet.panel(title, xscale="symlog", xlabel="tilt b", ylabel=axis, xticks="values")
    for (objective, surface, weights), line in KINDS.items():
        rows = style.where(end, objective=objective, surface=surface, weights=weights)
        panel.curve(rows, "tilt", column, absent="none", **line)


def along(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """Distance from the ETF along training, by tilt."""
    axis = "cosines' distance from ETF"
    panel = sheet.panel("UCL, HUCL", xscale="symlog", xlabel="step", ylabel=axis)
    for k, (tilt, of) in enumerate(rows.groupby("tilt")):
        panel.curve(of, "step", "equal_products", **of_tilt(k, f"b = {tilt:g}"))


def spectra(sheet: style.Sheet, rows: pd.DataFrame, name: str) -> None:
    """Singular values of the class means over the largest, by tilt."""
    looks = dict(xlabel="rank", ylabel="singular value of means", xticks="values")
    panel = sheet.panel(name, yscale="log", **looks)
    for k, (tilt, of) in enumerate(rows.groupby("tilt")):
        panel.curve(of, "rank", "singular_value", **of_tilt(k, f"b = {tilt:g}"))


def of_tilt(k: int, label: str) -> dict:
    """The look of the k-th tilt."""
    shade = str(np.round(0.7 - 0.7 * min(k, 4) / 4, 2))
    look = dict(color=shade, ls=LINES[k % 5], marker=MARKS[k % 5], label=label)
    return look | {"band": False}


if __name__ == "__main__":
    style.main(draw)
