"""Draws `gap_vs_classes`: the gap against the number of classes, between what it could be."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import GAP

NAME = "gap_vs_classes"
OBJECTIVES = ("dcl", "nscl")
OPEN = {"mfc": "w", "lw": 0.7, "label": None}
RATIO = "r = (exp(gap) − 1) / κ"
CLASSES = dict(xscale="log", yscale="log", xlabel="number of classes C", xticks="values")


@style.drawing(table=(GAP,))
def draw(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Gap and r against C, their controls, r while training, and imbalanced subsets."""
    table = tables["table"][lambda t: t["gap"].notna()]
    subset = (table["trained_imbalance"] > 1) | (table["imbalance"] > 1)
    whole = table[~subset]
    last = whole[whole["step"] == whole["step"].max()]
    true = last[last["labels"] == "true"]
    high, low = table["tau"].max(), table["tau"].min()
    main = table["data"].iloc[0] if len(table) else ""
    sheet = style.Sheet(6)
    gaps(sheet, true[true["tau"] == high], main, high)
    levels(sheet, true[true["tau"] == high], main, high)
    gaps(sheet, true[(true["tau"] == low) & (low < high)], main, low if low < high else np.nan)
    shuffled(sheet, last[(last["tau"] == high) & (last["data"] == main)])
    training(sheet, whole[(whole["tau"] == high) & (whole["data"] == main)])
    at_last = (table["tau"] == high) & (table["step"] == table["step"].max())
    C = table.loc[subset & at_last, "C"].max()
    imbalanced(sheet, table[at_last & (table["data"] == main) & (table["C"] == C)])
    sheet.save(folder, NAME)


def gaps(sheet: style.Sheet, rows: pd.DataFrame, main: str, tau: float) -> None:
    """The gap between the three levels of the ruler."""
    title = style.joined("gap", style.at_tau(tau, rows["tau_train"].unique()))
    absent = "evaluated at one temperature only" if np.isnan(tau) else "no row with a gap"
    panel = sheet.panel(title, absent, ylabel="gap (nats)", **CLASSES)
    ruler(panel, rows, main)
    curves(panel, rows, main, "gap")


def ruler(panel: style.Panel, rows: pd.DataFrame, main: str) -> None:
    """The three levels, of the first data set and beyond its last C of the others."""
    most = rows.loc[rows["data"] == main, "C"].max()
    rows = rows[(rows["data"] == main) | (rows["C"] > most)]
    for bound, look in style.RULER.items():
        look = look | {"lw": 1, "band": False, "series": bound}
        panel.curve(rows, "C", bound, absent=style.UNEQUAL, **look)


def curves(panel: style.Panel, rows: pd.DataFrame, main: str, column: str) -> None:
    """CL- and NSCL-trained; further data sets with open markers."""
    for name, part in rows.groupby("data", sort=False):
        for objective in OBJECTIVES:
            look = style.LOOKS[objective].line()
            if name != main:
                look |= OPEN | {"note": f"open: {name}"}
            panel.curve(
                part[part["objective"] == objective],
                "C",
                column,
                series=f"{objective} {name}",
                **look,
            )


def levels(sheet: style.Sheet, rows: pd.DataFrame, main: str, tau: float) -> None:
    """What r is and what it would be if the gap were a bound: 1 is counting alone."""
    ratios = {bound: np.expm1(rows[bound]) / np.expm1(rows["bound_equal"]) for bound in style.RULER}
    rows = rows.assign(**ratios)
    panel = sheet.panel(style.joined("learned part", style.at_tau(tau)), ylabel=RATIO, **CLASSES)
    ruler(panel, rows, main)
    curves(panel, rows, main, "r")


def shuffled(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """The control: the same embeddings under shuffled labels."""
    panel = sheet.panel("control: shuffled labels", ylabel="r", **CLASSES)
    for objective in OBJECTIVES:
        of = rows[rows["objective"] == objective]
        look = style.LOOKS[objective].line()
        panel.curve(of[of["labels"] == "true"], "C", "r", **look)
        look |= OPEN | {"note": "open: shuffled labels"}
        panel.curve(of[of["labels"] == "shuffled"], "C", "r", **look)


def training(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """R while training, for few, some and many classes; the line's end says which."""
    looks = dict(xscale="symlog", yscale="log", xlabel="training step", ylabel="r", xlim=(0, None))
    panel = sheet.panel("r while training", **looks)
    rows = rows[rows["labels"] == "true"]
    classes = sorted(rows["C"].unique())
    for C in sorted({classes[k] for k in (0, len(classes) // 2, -1)} if classes else ()):
        for objective in OBJECTIVES:
            of = rows[(rows["C"] == C) & (rows["objective"] == objective)]
            panel.curve(of, "step", "r", **style.LOOKS[objective].line(), tag=f"C = {C:g}")


def imbalanced(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """Imbalanced subsets: the published n_max bound, the class-averaged one, the gap."""
    rows = rows[rows["labels"] == "true"]
    trained = rows["trained_imbalance"] > 1
    looks = CLASSES | dict(xlabel="imbalance n_max / n_min", ylabel="gap (nats)")
    title, absent = (
        "imbalance" + style.classes(rows["C"].max()),
        "no imbalanced subset was measured",
    )
    panel = sheet.panel(title, absent, **looks)
    for bound, look in {
        "bound_n_max": style.RULER["bound_published"],
        "bound_class_average": dict(color="0.3", ls=style.DASHDOT, label="class-averaged bound"),
        "bound_equal": style.RULER["bound_equal"],
    }.items():
        panel.curve(rows[~trained], "imbalance", bound, lw=1, band=False, **look)
    for objective in OBJECTIVES:
        of, look = rows["objective"] == objective, style.LOOKS[objective].line()
        panel.curve(rows[of & ~trained], "imbalance", "gap", **look)
        look |= OPEN | {"ls": "none", "ms": 5, "note": "open: trained on the subset"}
        panel.curve(rows[of & trained], "imbalance", "gap", **look)


if __name__ == "__main__":
    style.main(draw)
