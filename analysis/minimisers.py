"""Draws `minimisers`: where free embeddings end, how they get there, and what is proved of it."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle
from supcon_theory.analysis import style

from supcon_theory.audits.columns import EIGENVALUES, GRAM, MINIMISERS
from supcon_theory.claims.minima import REACHED

NAME = "minimisers"
OBJECTIVES = ("nscl", "nscl_coupled", "supcon")
SHAPE, SETTING = ["C", "n", "K"], ["objective", "C", "n", "K", "d", "tau"]
HATCH = dict(fc="0.92", ec="0.6", hatch="////", lw=0)
MEASURES = {
    "excess": "loss − minimum (nats)",
    "augmentation_variance": "augmentation variance",
    "within_class_variance": "within-class variance",
    "cdnv": "CDNV",
    "directional_cdnv": "directional CDNV",
    "etf_deviation": "ETF deviation",
}


TABLES = dict(table=(MINIMISERS,), descent=(MINIMISERS,), gram=(GRAM,))
TABLES |= dict(spectrum=(EIGENVALUES,))


@style.drawing(**TABLES)
def draw(tables: style.Tables, folder: Path) -> None:
    """Shares of starts at the minimum, descents, Gram matrices, curvature and the ceiling."""
    table = tables["table"]
    landscape(table[table["part"] == "landscape"], folder)
    descent(tables["descent"], folder)
    grams(tables["gram"], folder)
    curvature(table[table["part"] == "class simplex"], tables["spectrum"], folder)
    ceiling(table[table["part"] == "ascent"], folder)


# ---- success rate over dimension and temperature -------------------------------------------------
def landscape(rows: pd.DataFrame, folder: Path) -> None:
    """Share of the starts that reached the minimum, a panel for each shape and objective."""
    shapes = list(rows[SHAPE].drop_duplicates().itertuples(index=False))
    objectives = [name for name in OBJECTIVES if (rows["objective"] == name).any()]
    reached = rows.assign(reached=rows["excess"] <= REACHED).dropna(subset="excess")
    share = reached.groupby(SETTING, as_index=False)["reached"].agg(success="mean", starts="size")
    sheet = style.Sheet(len(shapes) * len(objectives), len(objectives), 1.6)
    for shape in shapes:
        for name in objectives:
            of = (share[SHAPE] == list(shape)).all(axis=1) & (share["objective"] == name)
            panel = sheet.panel(style.look(name).name, "needs a second view")
            of_shape = f"C = {shape.C:g}, n = {shape.n:g}, K = {shape.K:g}"
            panel.looks |= dict(xlabel="d / (C − 1)", ylabel=f"{of_shape}\ntemperature τ")
            heat(panel, share[of], shape.C)
    note = (
        f"share of up to {share['starts'].max():g} starts that end within {style.short(REACHED)} "
        "nats of the minimum (dark: none, yellow: all); hatched: d < C − 1, too few dimensions for "
        "a simplex ETF"
    )
    sheet.save(folder, NAME, title=message(share), note=note, legend=False)


def message(share: pd.DataFrame) -> str:
    """The smallest share of starts at the minimum, where a simplex ETF has room."""
    room = share[share["d"] >= share["C"] - 1]
    least = room.groupby("objective")["success"].min()
    each = [f"{least[o]:.0%} of {style.look(o).name}" for o in OBJECTIVES if o in least]
    if not each:
        return "Share of starts that reach the minimum"
    return f"Starts that reach the minimum in the worst setting: {', '.join(each)}"


def heat(panel: style.Panel, part: pd.DataFrame, C: float) -> None:
    """Shares at each temperature and dimension, with the numbers."""
    grid = part.pivot_table(index="tau", columns="d", values="success")
    look = dict(vmin=0, vmax=1, aspect="auto", origin="lower", cmap="cividis")
    panel.image(grid, "success", **look)
    for (i, j), value in np.ndenumerate(grid.to_numpy()):
        if grid.columns[j] < C - 1:
            panel.axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, **HATCH))
        elif np.isfinite(value):
            text = f"{value:.2f}".lstrip("0") if value < 1 else "1"
            look = dict(ha="center", va="center", color="k" if value > 0.55 else "w")
            panel.axes.text(j, i, text, fontsize=style.SMALL, **look)
    panel.named["x"] = [f"{d / (C - 1):.2g}".lstrip("0") for d in grid.columns]
    panel.named["y"] = [f"{tau:g}" for tau in grid.index]


# ---- while optimising ----------------------------------------------------------------------------
def descent(rows: pd.DataFrame, folder: Path) -> None:
    """Each measure against the iteration; a start that has ended keeps its last value."""
    sheet = style.Sheet(len(MEASURES), height=1.55)
    least = 1e-17  # 0 has no place on a logarithmic axis
    for measure, label in MEASURES.items():
        looks = dict(xscale="symlog", yscale="log", xlabel="L-BFGS iteration", xlim=(0, None))
        panel = sheet.panel(label, **looks)
        for name in ("dcl", *OBJECTIVES):
            part = rows[(rows["objective"] == name) & rows[measure].notna()]
            table = dict(index="iteration", columns="seed", values=measure, aggfunc="last")
            grid = part.pivot_table(**table).ffill().clip(lower=least)
            if len(grid):
                found = grid.agg(["median", "min", "max"], axis=1).reset_index()
                found.columns = ["x", "mean", "low", "high"]
                look = style.look(name).line(label=style.look(name).name, markevery=4)
                panel.band(panel.record(name, **found), **look)
    note = "line: median over the starts; band: lowest to highest start"
    title = "Free embeddings: whether loss and geometry reach their limits together"
    sheet.save(folder, f"{NAME}_descent", title=title, note=note)


# ---- Gram matrices -------------------------------------------------------------------------------
def grams(rows: pd.DataFrame, folder: Path) -> None:
    """Cosines of all samples in class order, beside the ideal."""
    panels = {
        name: part.pivot_table(index="i", columns="j", values="cosine")
        for name, part in rows.groupby("panel", sort=False)
    }
    spurious = [name for name in panels if "above L*" in name]
    unequal = [name for name in panels if "classes of" in name]
    chosen = [name for name in panels if name not in spurious + unequal[1:]] + spurious[:2]
    ends = [name for name in chosen if name.startswith("nscl, d") and len(panels[name])]
    if ends:
        panels["class simplex"] = ideal(panels[ends[0]])
        chosen = ["class simplex", *chosen]
    sheet = style.Sheet(len(chosen), columns=4)
    for name in chosen:
        sheet.panel(in_words(name)).cosines(panels[name], name)
    note = (
        "cosines of the samples in class order, from −1 (blue) to 1 (red), of one start each; "
        "+: above the minimum"
    )
    title = "Where free embeddings end: at the ideal of their loss, or in a spurious minimum"
    sheet.save(folder, f"{NAME}_gram", title=title, note=note, legend=False)


def in_words(name: str) -> str:
    """The title of a Gram matrix from its name in the table."""
    objective, *rest = name.split(", start")[0].replace("tau", "τ").split(", ")
    words = ", ".join(of.replace(" ", "\u00a0") for of in rest)
    words = re.sub(r"(\S+)\u00a0above\u00a0L\*", "+\\1\u00a0nats", words)
    words = re.sub(r"(?<=\d)\u00a0(?=\d)", "/", words)  # sizes of classes
    return "\n".join(filter(None, (style.look(objective).name, words)))


def ideal(like: pd.DataFrame) -> pd.DataFrame:
    """The class simplex with as many equal classes as the blocks of ones in `like`."""
    first = int((like.iloc[0] > 0.999).sum())
    classes = np.arange(len(like)) // max(first, 1)
    others = -1 / max(classes.max(), 1)
    return pd.DataFrame(np.where(classes[:, None] == classes, 1.0, others))


# ---- curvature -----------------------------------------------------------------------------------
def curvature(simplex: pd.DataFrame, spectra: pd.DataFrame, folder: Path) -> None:
    """Hessian eigenvalues at the class simplex and at other minima; random directions."""
    sheet = style.Sheet(3, height=1.9)
    looks = dict(yscale="symlog", xlabel="rank / number", ylabel="eigenvalue × N K")
    looks["ylim"] = (-500, None)  # room for what the lines are
    panel = sheet.panel("class simplex", **looks)
    at = spectra[spectra["part"] == "class simplex"]
    ends = {at["tau"].min(): style.DOTTED, at["tau"].max(): "-"}
    for (name, tau), part in at[at["tau"].isin(ends)].groupby(["objective", "tau"]):
        look = dict(color=style.look(name).color, ls=ends[tau])
        ordered(panel, part, f"{style.look(name).name}, τ = {tau:g}", **look)
    panel = sheet.panel("spurious minima of NSCL", "none was found", **looks)
    spurious = spectra[spectra["part"] == "spurious"]
    one_each = spurious[["C", "K", "d", "tau", "seed"]].drop_duplicates(["C", "tau"])[:4]
    for k, of in enumerate(one_each.itertuples(index=False)):
        part = spurious[(spurious[list(one_each)] == list(of)).all(axis=1)]
        look = dict(color=("k", style.EXTRA["wine"], style.EXTRA["teal"], "0.6")[k])
        look["ls"] = ("-", style.DASHED, style.DASHDOT, style.DOTTED)[k]
        ordered(panel, part, f"C = {of.C:g}, d = {of.d:g}, τ = {of.tau:g}", **look)
    directions(sheet, simplex[simplex["objective"] == "dcl"].sort_values("tau"))
    note = (
        "eigenvalues of the Hessian in order; bars: lowest to highest of random directions, all "
        "views of a sample moved alike or each on its own"
    )
    for panel in sheet.panels:
        if panel.drawn:
            panel.axes.axhline(0, color="0.6", lw=0.6, zorder=0)
            panel.axes.legend(loc="best", handlelength=1.6)
    sheet.save(folder, f"{NAME}_curvature", title=bent(simplex), note=note, legend=False)


def bent(simplex: pd.DataFrame) -> str:
    """What the class simplex is for each loss, if it is that at every temperature."""
    least = simplex.groupby("objective")["smallest_but_rotations"].agg(["min", "max"]).dropna()
    kinds = [
        f"a {'minimum' if low > 0 else 'saddle'} of {style.look(str(name)).name}"
        for name, low, high in least.itertuples()
        if name in style.PAIR and (low > 0) == (high > 0)
    ]
    return f"The class simplex is {' and '.join(kinds)}" if kinds else "Curvature at minima"


def ordered(panel: style.Panel, part: pd.DataFrame, label: str, **look) -> None:
    """All eigenvalues of a Hessian in order."""
    values = np.sort(part["eigenvalue"].dropna().to_numpy())
    if len(values):
        x = np.arange(1, len(values) + 1) / len(values)
        panel.record(label, x=x, mean=values)
        panel.axes.plot(x, values, label=label, drawstyle="steps-mid", **look)


def directions(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """The range of the curvature of dcl along random directions, against temperature."""
    looks = dict(yscale="symlog", xlabel="temperature τ", ylabel="curvature of CL × N K")
    looks["ylim"] = (None, 50)  # room for what the bars are
    panel = sheet.panel("random directions", "no curvature was measured", **looks)
    looks = {"views together": dict(color="k", lw=3), "views independent": dict(color="0.6", lw=3)}
    for k, (label, look) in enumerate(looks.items()):
        name = label.replace(" ", "_")
        low, high = rows[f"{name}_min"], rows[f"{name}_max"]
        if low.notna().any():
            panel.record(label, x=rows["tau"], low=low, high=high)
            panel.axes.vlines(np.arange(len(rows)) + 0.2 * k - 0.1, low, high, label=label, **look)
    panel.named["x"] = [f"{tau:g}" for tau in rows["tau"]]


# ---- the ceiling of the gap ----------------------------------------------------------------------
def ceiling(climbs: pd.DataFrame, folder: Path) -> None:
    """How far the largest gap found stays below its ceiling."""
    best = climbs.groupby(["C", "n", "tau"])["violation_ceiling"].max().dropna().reset_index()
    sheet = style.Sheet(1, columns=1, height=2.3)
    looks = dict(xscale="log", ylabel="C, n, τ", xlabel="ceiling − largest gap found (nats)")
    panel = sheet.panel("", "no ascent was made", **looks)
    below, of = (-best["violation_ceiling"]).clip(lower=1e-16), np.arange(len(best))
    if len(best):
        panel.record("ascents", x=below, mean=of)
        panel.axes.plot(below, of, ls="", color=style.EXTRA["teal"], marker="o")
    above = int((best["violation_ceiling"] > 0).sum())
    panel.say(f"{above} of {len(best)} above it, at the left edge" if above else "")
    panel.named["y"] = [f"{r.C:g}, {r.n:g}, {r.tau:g}" for r in best.itertuples()]
    count = f"{above or 'None'} of {len(best)} ascents climbs above the ceiling of the gap"
    title = count if len(best) else "The ceiling of the gap"
    sheet.save(folder, f"{NAME}_ceiling", title=title, legend=False)


if __name__ == "__main__":
    style.main(draw)
