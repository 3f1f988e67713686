"""Draws `gap_vs_classes`: the gap against the number of classes, between what it could be."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import GAP

NAME = "gap_vs_classes"
OPEN = {"mfc": "w", "lw": 0.7, "label": None}
RATIO = "r = (exp(gap) − 1) / κ"
CLASSES = dict(xscale="log", yscale="log", xlabel="number of classes C", xticks="values")


@style.drawing(table=(GAP,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Gap and r against C, their controls, r while training, and imbalanced subsets."""
    table = tables["table"][lambda t: t["gap"].notna()]
    subset = (table["trained_imbalance"] > 1) | (table["imbalance"] > 1)
    whole = table[~subset]
    last = whole[whole["step"] == whole["step"].max()]
    true = style.where(last, labels="true")
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
    sheet.save(folder, NAME, title=message(true[(true["tau"] == high) & (true["data"] == main)]))


def message(rows: pd.DataFrame) -> str:
    """How many times the gap of CL-trained encoders is that of equal similarities."""
    r = style.where(rows, objective="dcl").groupby("C")["r"].mean().dropna()
    if r.empty:
        return "The gap between CL and NSCL against the number of classes"
    ends = {f"{r[C]:.2g} (C = {C:g})": C for C in (r.index[0], r.index[-1])}
    return f"CL training: the gap is {' to '.join(ends)} times that of equal similarities"


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
    look = dict(lw=1, band=False, series="{}", absent=style.UNEQUAL)
    panel.columns(rows, "C", style.RULER, **look)


def curves(panel: style.Panel, rows: pd.DataFrame, main: str, column: str) -> None:
    """CL- and NSCL-trained; further data sets with open markers."""
    for name, part in rows.groupby("data", sort=False):
        look = {} if name == main else OPEN | {"key": f"open: {name}"}
        panel.trained(part, "C", column, series=f"{{}} {name}", **look)


def levels(sheet: style.Sheet, rows: pd.DataFrame, main: str, tau: float) -> None:
    """What r is and what it would be if the gap were a bound: 1 is counting alone."""
    ratios = {bound: np.expm1(rows[bound]) / np.expm1(rows["bound_equal"]) for bound in style.RULER}
    rows = rows.assign(**ratios)
    panel = sheet.panel(style.joined("r", style.at_tau(tau)), ylabel=RATIO, **CLASSES)
    ruler(panel, rows, main)
    curves(panel, rows, main, "r")


def shuffled(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """The control: the same embeddings under shuffled labels."""
    panel = sheet.panel("control: shuffled labels", ylabel="r", **CLASSES)
    true, other = (style.where(rows, labels=labels) for labels in ("true", "shuffled"))
    for objective in style.PAIR:
        panel.trained(true, "C", "r", [objective])
        panel.trained(other, "C", "r", [objective], **OPEN, key="open: shuffled labels")


def training(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """R while training, for few and many classes; the line's end says which."""
    looks = dict(xscale="symlog", yscale="log", xlabel="training step", ylabel="r")
    room = (0, 8 * rows["step"].max())  # for the numbers of classes at the ends
    panel = sheet.panel("r while training", **looks, xlim=room)
    rows = rows[rows["labels"] == "true"]
    classes = sorted(rows["C"].unique())
    for C in sorted({classes[0], classes[-1]} if classes else ()):
        panel.trained(style.where(rows, C=C), "step", "r", tag=f"C = {C:g}")


def imbalanced(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """Imbalanced subsets: the published n_max bound, the class-averaged one, the gap."""
    rows = rows[rows["labels"] == "true"]
    trained = rows["trained_imbalance"] > 1
    looks = CLASSES | dict(xlabel="n_max / n_min", ylabel="gap (nats)")
    title = "imbalance" + style.classes(rows["C"].max())
    panel = sheet.panel(title, "no imbalanced subset was measured", **looks)
    bounds = {
        "bound_n_max": style.RULER["bound_published"],
        "bound_class_average": dict(color="0.3", ls=style.DASHDOT, label="class-averaged bound"),
        "bound_equal": style.RULER["bound_equal"],
    }
    panel.columns(rows[~trained], "imbalance", bounds, lw=1, band=False)
    hollow = OPEN | {"ls": "none", "ms": 5, "key": "open: trained on the subset"}
    for objective in style.PAIR:
        panel.trained(rows[~trained], "imbalance", "gap", [objective])
        panel.trained(rows[trained], "imbalance", "gap", [objective], **hollow)


if __name__ == "__main__":
    style.main(draw)
