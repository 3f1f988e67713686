"""Draws `orthogonal_frames`: prototypes over rates, batches and labels; rows not negative."""

from pathlib import Path

import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import ORTHOGONAL_FRAMES

NAME = "orthogonal_frames"
PULLS = {
    0.0: dict(color=style.EXTRA["indigo"], marker="o", ls="-", label="SupCon"),
    1.0: dict(color=style.EXTRA["rose"], marker="s", ls=style.DASHED, label="with prototypes"),
}
SURFACES = {
    "sphere": dict(color=style.EXTRA["indigo"], marker="o", ls="-", label="SupCon"),
    "positive": dict(
        color=style.EXTRA["teal"], marker="^", ls=style.DASHDOT, label="without negative entries"
    ),
}


@style.drawing(table=(ORTHOGONAL_FRAMES,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Prototypes above; labels, and rows without a negative entry, below."""
    table = tables["table"]
    table = table[table["C"] == table["C"].min()]
    rates, batches = (style.where(table, study=name) for name in ("rate", "batch"))
    sheet = style.Sheet(6, columns=3, height=1.75)
    pulls(sheet, rates, "lr", "learning rate", "error", "new images", "error of neighbours")
    pulls(sheet, rates, "lr", "learning rate", "means_rank", "class means", "effective rank")
    pulls(sheet, batches, "batch", "batch size", "error", "new images", "error of neighbours")
    labels(sheet, style.where(table, study="labels"))
    rectified = style.where(table, study="rectified")
    surfaces(sheet, rectified, "cosine", "mean cosine")
    surfaces(sheet, rectified, "spread", "largest − smallest cosine")
    sheet.save(folder, NAME, title=message(rectified))


def message(rows: pd.DataFrame) -> str:
    """Cosines of class means under the largest imbalance, with and without negative entries."""
    rows = rows[rows["trained_imbalance"] == rows["trained_imbalance"].max()]
    at = rows.groupby("surface")["cosine"].mean()
    if not {*SURFACES} <= {*at.index}:
        return "Two ways from a simplex to an orthogonal frame"
    ratio = rows["trained_imbalance"].iloc[0]
    return (
        f"Class sizes up to 1 : {ratio:g}: means have cosines of {at['sphere']:.2f}, "
        f"without negative entries of {at['positive']:.2f}"
    )


def pulls(
    sheet: style.Sheet, rows: pd.DataFrame, x: str, xlabel: str, column: str, title: str, axis: str
) -> None:
    """A curve with prototypes and one without."""
    looks = dict(xscale="log", xticks="values", xlabel=xlabel, ylabel=axis)
    panel = sheet.panel(title, **looks)
    for pull, line in PULLS.items():
        panel.curve(style.where(rows, pull=pull), x, column, **line)


def labels(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """Error against the share of labels that the pull knows, besides NT-Xent."""
    looks = dict(xlabel="share of labels", ylabel="error of neighbours")
    panel = sheet.panel("NT-Xent with prototypes", **looks)
    line = dict(color=style.EXTRA["wine"], marker="D", ls="-", label=None, series="NT-Xent")
    panel.curve(rows, "named", "error", **line)


def surfaces(sheet: style.Sheet, rows: pd.DataFrame, column: str, axis: str) -> None:
    """A curve of unit rows and one of those without a negative entry."""
    looks = dict(xscale="log", xticks="values", xlabel="ratio of class sizes")
    panel = sheet.panel("class means", ylabel=axis, **looks)
    for surface, line in SURFACES.items():
        panel.curve(style.where(rows, surface=surface), "trained_imbalance", column, **line)


if __name__ == "__main__":
    style.main(draw)
