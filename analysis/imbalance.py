"""Draws `imbalance`: cosines of class means against the size ratio, merging, trained encoders."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import IMBALANCE

NAME = "imbalance"
PAIRS = {  # column: how it looks
    "cosine_large": dict(color=style.PALETTE[0], ls="-", label="two large classes"),
    "cosine_mixed": dict(color=style.PALETTE[2], ls=style.DASHED, label="a large and a small one"),
    "cosine_small": dict(color=style.PALETTE[3], ls=style.DASHDOT, label="two small classes"),
}
NAMES = {"nscl": "NSCL", "supcon": "SupCon"}
COLORS = tuple(style.EXTRA.values())
MARKS = ("o", "s", "^", "v", "D")
LINES = ("-", style.DASHED, style.DOTTED)
GROUPS = {"large": "-", "small": style.DASHED}
KEY = "solid: large classes, dashed: small ones"


@style.drawing(table=(IMBALANCE,))
def draw(tables: style.Tables, folder: Path) -> None:
    """The programme as lines with free embeddings as points; thresholds; encoders."""
    table = tables["table"]
    sheet = style.Sheet(6, columns=3, height=1.75)
    few = table[table["C"] == table["C"].min()]
    tau = middle(few)
    for objective, name in NAMES.items():
        cosines(sheet, style.where(few, objective=objective, tau=tau), name, tau)
    thresholds(sheet, style.where(few, part="threshold"))
    trained = table[(table["part"] == "encoders") & (table["layer"] == "z")]
    trained = trained[trained["split"] == "test"]
    groups(sheet, trained, "cosine", "trained: means", "cosine of means")
    groups(sheet, trained, "error", "trained: new images", "few-shot error")
    gaps(sheet, style.where(table, part="gaps"))
    sheet.save(folder, NAME, title=message(few, tau))


def middle(table: pd.DataFrame) -> float:
    """The temperature that is shown: the one nearest to .5."""
    found = sorted(table["tau"].dropna().unique(), key=lambda tau: abs(tau - 0.5))
    return float(found[0]) if found else np.nan


def message(table: pd.DataFrame, tau: float) -> str:
    """The threshold of NSCL."""
    rows = style.where(table, part="threshold", objective="nscl", tau=tau)
    if rows.empty or not np.isfinite(rows["threshold"].iloc[0]):
        return "Where unequal classes end, and when small ones merge"
    found = rows["threshold"].iloc[0]
    return f"NSCL's small classes share one point from a size ratio of {found:.3g} on (τ = {tau:g})"


def cosines(sheet: style.Sheet, rows: pd.DataFrame, name: str, tau: float) -> None:
    """Cosines of class means against the ratio of their sizes."""
    title = f"{name}, τ = {tau:g}".replace(", τ = nan", "")
    looks = dict(xscale="log", xlabel="size ratio", ylabel="cosine", ylim=(-1.08, 1.08))
    panel = sheet.panel(title, **looks)
    programme, free = (style.where(rows, part=part) for part in ("programme", "free"))
    panel.columns(programme, "imbalance", PAIRS, marker="", band=False)
    points = dict(ls="none", marker="o", label=None, series="{}, free embeddings")
    panel.columns(free, "imbalance", PAIRS, key="points: free embeddings", **points)


def thresholds(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """The ratio at which small classes merge against the number of negatives."""
    looks = dict(xscale="log", yscale="log", xlabel="negatives", ylabel="size ratio")
    panel = sheet.panel("small classes merge", **looks)
    rows = rows[np.isfinite(rows["threshold"])]
    for k, (tau, of) in enumerate(rows.groupby("tau")):
        coupled = of[of["negatives"].notna()]
        look = dict(color=COLORS[k % len(COLORS)], marker=MARKS[k % 5], ls=LINES[k % 3])
        panel.curve(coupled, "negatives", "threshold", label=f"τ = {tau:g}", **look)


def groups(sheet: style.Sheet, rows: pd.DataFrame, column: str, title: str, label: str) -> None:
    """A measure of the large classes, and of the small ones."""
    panel = sheet.panel(title, xscale="log", xlabel="size ratio", ylabel=label)
    for objective, of in rows.groupby("objective"):
        look = style.look(objective)
        for group, line in GROUPS.items():
            name = look.name if group == "large" else None
            drawn = look.line(label=name, series=f"{objective}, {group}") | dict(ls=line)
            panel.curve(style.where(of, group=group), "imbalance", column, key=KEY, **drawn)


def gaps(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """The gap over the bound of each anchor's class size, at the highest temperature."""
    looks = dict(xscale="log", xlabel="size ratio", ylabel="gap / bound")
    panel = sheet.panel("gap of anchors", **looks)
    rows = rows[rows["tau"] == rows["tau"].max()]
    for objective, of in rows.groupby("objective"):
        look = style.look(objective)
        for group, line in GROUPS.items():
            drawn = look.line(label=None, series=f"{objective}, {group}") | dict(ls=line)
            of_group = style.where(of, group=group)
            panel.curve(of_group, "imbalance", "of_bound", key=KEY, **drawn)


if __name__ == "__main__":
    style.main(draw)
