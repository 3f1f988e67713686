"""Draws `hard_geometry`: the critical tilt, where HUCL ends on both sides of it, spectra."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import HARD_GEOMETRY
from supcon_theory.claims.hard_geometry import best_starts
from supcon_theory.theory.tilt import best_cosine, critical_tilt

NAME = "hard_geometry"
COLORS = tuple(style.EXTRA.values())
CLASSES = np.unique(np.geomspace(2, 1000, 40).astype(int))
TEMPERATURES = (1.0, 0.5, 0.2)
ENDS = {  # weights: how their end looks
    "differentiated": dict(
        color=style.EXTRA["indigo"], marker="o", label="gradient through weights"
    ),
    "held constant": dict(color=style.EXTRA["wine"], marker="x", label="weights held constant"),
}
ORDERS = ("scl_ball", "ucl_ball", "hscl", "h_nscl", "hucl")


@style.drawing(table=(HARD_GEOMETRY,), spectrum=(HARD_GEOMETRY,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Closed forms as lines, free embeddings as points."""
    table = tables["table"]
    sheet = style.Sheet(6, columns=3, height=1.7)
    critical(sheet, table)
    shapes = table[table["part"] == "threshold"]
    shape = shapes[["C", "tau"]].drop_duplicates().head(2).tail(1)
    shown = table.merge(shape, on=["C", "tau"])
    ends(sheet, shown)
    gain(sheet, shapes)
    order(sheet, table)
    held(sheet, table)
    spectra(sheet, tables["spectrum"].merge(shape, on=["C", "tau"]))
    sheet.save(folder, NAME, title=message(shape))


def message(shape: pd.DataFrame) -> str:
    """The critical tilt of the shape that is shown."""
    if shape.empty:
        return "How hard negatives may be before collapsed classes are no minimum"
    C, tau = float(shape["C"].iloc[0]), float(shape["tau"].iloc[0])
    where = f"(C = {C:g}, τ = {tau:g})"
    most = critical_tilt(int(C), tau)
    return f"Full-gradient HUCL leaves the simplex beyond a tilt of {most:.3f} {where}"


def critical(sheet: style.Sheet, table: pd.DataFrame) -> None:
    """The critical tilt against the number of classes."""
    looks = dict(xscale="log", xlabel="classes C", ylabel="tilt above which no ETF")
    panel = sheet.panel("critical tilt", **looks)
    if not (table["part"] == "threshold").any():
        return
    for k, tau in enumerate(TEMPERATURES):
        rows = pd.DataFrame({"C": CLASSES, "seed": 0})
        rows["b"] = [critical_tilt(int(C), tau) for C in CLASSES]
        panel.curve(rows, "C", "b", color="k", ls=LINES[k], marker="", label=f"τ = {tau:g}")


LINES = ("-", style.DASHED, style.DOTTED)


def ends(sheet: style.Sheet, table: pd.DataFrame) -> None:
    """The cosine of class means at the best start against the tilt; the closed form."""
    C, tau = (table[name].min() if len(table) else np.nan for name in ("C", "tau"))
    title = f"C = {C:g}, τ = {tau:g}".replace("C = nan, τ = nan", "where HUCL ends")
    looks = dict(xlabel="tilt b", ylabel="cosine of class means")
    panel = sheet.panel(title, **looks)
    through = style.where(table, part="threshold")
    through = through[through["d"] >= through["C"]]
    tilts = through["tilt"].max()
    if np.isfinite(tilts):
        rows = pd.DataFrame({"tilt": np.linspace(0, tilts, 100), "seed": 0})
        rows["rho"] = [best_cosine(int(C), tau, b) for b in rows["tilt"]]
        panel.curve(rows, "tilt", "rho", color="k", ls="-", label="best of equal cosines")
    for weights, rows in (("differentiated", through), ("held constant", held_only(table))):
        panel.curve(best_starts(rows), "tilt", "cosine", ls="none", **ENDS[weights])


def held_only(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of weights held constant."""
    return style.where(table, part="held")


def gain(sheet: style.Sheet, table: pd.DataFrame) -> None:
    """How far below the ETF the best start is, against the tilt over the critical one."""
    looks = dict(xlabel="tilt over critical tilt", ylabel="nats below the ETF", yscale="log")
    panel = sheet.panel("what is gained", "no tilt is above the critical one", **looks)
    table = table.assign(
        below=-table["violation_etf"].where(table["violation_etf"] < 0),
        ratio=(table["tilt"] / table["critical_tilt"]).round(6),
    )
    for k, ((C, tau), rows) in enumerate(table.groupby(["C", "tau"])):
        best = best_starts(rows[rows["d"] >= rows["C"]])
        label = f"C = {C:g}, τ = {tau:g}"
        look = dict(color=COLORS[k % len(COLORS)], marker="o", label=label)
        panel.curve(best, "ratio", "below", ls="-", **look)


def order(sheet: style.Sheet, table: pd.DataFrame) -> None:
    """Mean excess of each hardened loss over its plain form."""
    looks = dict(xlabel="tilt b", ylabel="hardened − plain (nats)")
    panel = sheet.panel("hardening raises a loss", **looks)
    rows = style.where(table, part="order")
    for name in ORDERS:
        look = style.look(name)
        line = look.line(label=look.name, series=name)
        panel.curve(style.where(rows, objective=name), "tilt", "excess", band=False, **line)


def held(sheet: style.Sheet, table: pd.DataFrame) -> None:
    """How far from the ETF weights held constant leave the class means after so many steps."""
    rows = held_only(table)
    steps = rows["iteration"].max()
    title = "held weights" + (f", {steps:g} steps" if np.isfinite(steps) else "")
    looks = dict(xlabel="tilt b", ylabel="deviation from ETF", yscale="log")
    panel = sheet.panel(title, **looks)
    look = ENDS["held constant"] | dict(label=None)
    panel.curve(rows, "tilt", "rho_error", ls="-", series="held constant", **look)


def spectra(sheet: style.Sheet, spectrum: pd.DataFrame) -> None:
    """Singular values of class means over the largest, gradients through the weights."""
    looks = dict(xlabel="rank", ylabel="singular value of means", ylim=(0, 1.1), xticks="values")
    panel = sheet.panel("class means", **looks)
    rows = style.where(spectrum, weights="differentiated")
    rows = rows.assign(seed=0)[rows["tilt"] == rows["tilt"].max()]
    for k, (d, of) in enumerate(rows.groupby("d")):
        label = f"d = C{'' if d == of['C'].min() else ' − 1'}, hardest"
        look = dict(color=COLORS[k % len(COLORS)], marker="os"[k % 2], ls=LINES[k % 3], label=label)
        panel.curve(of, "rank", "singular_value", **look)


if __name__ == "__main__":
    style.main(draw)
