"""One audit: few-shot errors, spectrum, the gap of every class and what is close to what."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import HELD_OUT, PAIRS, PER_CLASS, SPECTRUM

NAME = "audit"
COLORS = tuple(style.EXTRA.values())
LINES = (style.DOTTED, style.DASHED, "-", style.DASHDOT)


@style.drawing(
    per_class=(PER_CLASS,),
    pairs=(PAIRS,),
    spectrum=(SPECTRUM,),
    held_out=(HELD_OUT,),
)
def draw(tables: style.Tables, folder: Path) -> None:
    """Errors, spectrum, gaps of classes, pairs."""
    sheet = style.Sheet(4, columns=2, height=1.9)
    errors(sheet, tables["held_out"])
    spectrum(sheet, tables["spectrum"])
    gaps(sheet, tables["per_class"])
    pairs(sheet, tables["pairs"])
    sheet.save(folder, NAME, title=message(tables["held_out"]))


def message(table: pd.DataFrame) -> str:
    """The error of the nearest centre among most classes with most labels."""
    rows = style.where(table, probe="nearest centre")
    rows = style.where(rows, ways=rows["ways"].max())
    rows = style.where(rows, m=rows["m"].max()).dropna(subset=["error"])
    if rows.empty:
        return "Few labels, spectrum, gaps and pairs of these embeddings"
    m, ways = rows["m"].iloc[0], rows["ways"].iloc[0]
    error = f"{rows['error'].mean():.1%}"
    return f"With {m:g} labels a class the nearest of {ways:g} centres is wrong in {error}"


def errors(sheet: style.Sheet, table: pd.DataFrame) -> None:
    """Few-shot errors of held-out samples against the number of labels."""
    looks = dict(xscale="log", xticks="values", xlabel="labels a class", ylabel="error")
    panel = sheet.panel("few labels, held out", "no few-shot errors in this audit", **looks)
    for k, (probe, color) in enumerate(
        {"nearest centre": style.EXTRA["indigo"], "linear": style.EXTRA["rose"]}.items()
    ):
        rows = style.where(table, probe=probe)
        for n, ways in enumerate(sorted(rows["ways"].dropna().unique())):
            look = dict(color=color, marker="os"[k], ls=LINES[n % len(LINES)])
            panel.curve(
                style.where(rows, ways=ways), "m", "error", label=f"{probe}, {ways:g}-way", **look
            )


def spectrum(sheet: style.Sheet, table: pd.DataFrame) -> None:
    """Singular values against their rank."""
    looks = dict(xscale="log", yscale="log", xlabel="rank", ylabel="singular value / largest")
    panel = sheet.panel("spectrum", **looks)
    panel.curve(table, "rank", "singular_value", color=style.EXTRA["indigo"])


def gaps(sheet: style.Sheet, table: pd.DataFrame) -> None:
    """The gap of every class, in order, beside counting alone, at each temperature."""
    panel = sheet.panel(
        "gap of every class",
        xlabel="class, by its gap",
        ylabel="gap CL - NSCL (nats)",
        yscale="log",
    )
    for k, (tau, rows) in enumerate(table.groupby("tau")):
        rows = rows.sort_values("gap").assign(place=np.arange(1, len(rows) + 1))
        look = dict(color=COLORS[k % len(COLORS)], ls="", marker="o", ms=2.5)
        panel.curve(rows, "place", "gap", label=style.at_tau(float(str(tau))), **look)
        panel.curve(
            rows, "place", "bound_equal", label="counting alone", color="0.5", ls=style.DOTTED
        )


def pairs(sheet: style.Sheet, table: pd.DataFrame) -> None:
    """CDNV against directional CDNV of every pair, in descending order."""
    panel = sheet.panel(
        "pairs of classes", xlabel="pair, the closest first", ylabel="CDNV of a pair",
        xscale="log", yscale="log",
    )  # fmt: skip
    for column, look in {
        "cdnv": dict(color=style.EXTRA["teal"], label="all directions"),
        "directional_cdnv": dict(
            color=style.EXTRA["wine"], ls=style.DASHED, label="along the line"
        ),
    }.items():
        rows = table.sort_values(column, ascending=False)
        panel.curve(rows.assign(place=np.arange(1, len(rows) + 1)), "place", column, **look)


if __name__ == "__main__":
    style.main(draw)
