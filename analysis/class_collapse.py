"""Draws `class_collapse`: the threshold, how far classes spread above it, what is kept of them."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import CLASS_COLLAPSE
from supcon_theory.claims.class_collapse import best_starts
from supcon_theory.theory.mixture import collapse_threshold, within_cosine

NAME = "class_collapse"
TEMPERATURES = np.geomspace(0.05, 3, 60)
NUMBERS = ((10, 50), (100, 500), (1000, 1000))  # classes, and samples of each
COLORS = tuple(style.EXTRA.values())
LINES = ("-", style.DASHED, style.DOTTED)


@style.drawing(table=(CLASS_COLLAPSE,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Closed forms as lines, free embeddings as points."""
    table = tables["table"]
    sheet = style.Sheet(3, columns=3, height=1.9)
    looks = dict(xscale="log", xlabel="temperature τ", ylabel="weight of own views")
    panel = sheet.panel("collapse below", **looks)
    for k, (m, n) in enumerate(NUMBERS if len(table) else ()):
        values = [collapse_threshold(m, n, tau) for tau in TEMPERATURES]
        rows = pd.DataFrame({"tau": TEMPERATURES, "alpha": values, "seed": 0})
        label = f"C = {m}, n = {n}"
        panel.curve(rows, "tau", "alpha", color="k", ls=LINES[k], marker="", label=label)
    ends(sheet, table)
    kept(sheet, style.where(table, part="features"))
    sheet.save(folder, NAME, title=message(table))


def message(table: pd.DataFrame) -> str:
    """The threshold of the first shape that free embeddings were asked for."""
    rows = table[table["part"] == "mixture"].dropna(subset=["C", "n", "tau"])
    if rows.empty:
        return "When classes collapse, and what a linear encoder keeps of them"
    C, n, tau = (float(rows[name].iloc[0]) for name in ("C", "n", "tau"))
    least = collapse_threshold(int(C), int(n), tau)
    where = f"(C = {C:g}, n = {n:g}, τ = {tau:g})"
    return f"Classes collapse up to a weight of own views of {least:.3f} {where}"


def ends(sheet: style.Sheet, table: pd.DataFrame) -> None:
    """Cosine within a class against the weight of own views, free embeddings and closed form."""
    looks = dict(xlabel="weight of own views α", ylabel="cosine within a class")
    panel = sheet.panel("best start", **looks)
    free = table[table["part"].isin(["mixture", "others"])].dropna(subset=["C", "n", "tau"])
    best = best_starts(free)
    for k, ((C, n, tau), rows) in enumerate(best.groupby(["C", "n", "tau"])):
        look = dict(color=COLORS[k % len(COLORS)])
        alphas = np.linspace(0, 1, 101)
        values = [within_cosine(int(C), int(n), tau, alpha) for alpha in alphas]
        line = pd.DataFrame({"alpha": alphas, "a": values, "seed": 0})
        label = f"C = {C:g}, n = {n:g}, τ = {tau:g}"
        mixture = style.where(rows, part="mixture")
        panel.curve(line, "alpha", "a", ls="-", marker="", series=f"closed form, {label}", **look)
        panel.curve(mixture, "alpha", "within_cosine", ls="none", marker="o", label=label, **look)


def kept(sheet: style.Sheet, table: pd.DataFrame) -> None:
    """Energies of class and subclass in a linear encoder, for each kind of pairs."""
    panel = sheet.panel("linear encoder", ylabel="energy kept", ylim=(-0.05, 1.1), xlabel="loss")
    names = list(dict.fromkeys(table["method"].dropna()))
    table = table.assign(place=table["method"].map({name: i for i, name in enumerate(names)}))
    panel.named["x"] = [SHORT.get(name, name) for name in names]
    for column, label, marker in (
        ("class_energy", "class", "s"),
        ("subclass_energy", "subclass", "o"),
    ):
        look = dict(color=style.EXTRA["wine"], mfc="w" if marker == "o" else None, marker=marker)
        panel.curve(table, "place", column, ls="none", label=label, band=False, **look)
    if not panel.drawn:
        panel.named.clear()


SHORT = {
    "supervised": "sup.",
    "joint": "joint",
    "self-supervised": "self",
    "negatives of other classes": "NSCL",
}


if __name__ == "__main__":
    style.main(draw)
