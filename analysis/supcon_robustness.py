"""Draws `supcon_robustness`: errors and calibration against severity, by kind, and by setting."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits import robustness_curves as curves
from supcon_theory.audits.columns import ROBUSTNESS

NAME = "supcon_robustness"
ENCODERS = {  # level, layer: what it is called
    ("supcon", "h"): "SupCon",
    ("dcl", "h"): "CL",
    ("nscl", "h"): "NSCL",
    curves.ONE_STAGE: "cross-entropy",
    ("cross_entropy", "h"): "cross-entropy, two stages",
}


@style.drawing(table=(ROBUSTNESS,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Means over kinds against severity; each kind beside cross-entropy; the grid of settings."""
    table = tables["table"]
    C = table["C"].min()
    rows = style.where(table, C=C)
    sheet = style.Sheet(4, columns=2, height=1.9)
    severity = dict(xlabel="severity (0: clean)")
    for title, column, name in (
        ("all kinds", "error", "error" + style.classes(C)),
        ("all kinds, calibration", "ece", "calibration error (ECE)"),
    ):
        panel = sheet.panel(title, ylabel=name, ylim=(0, None), **severity)
        for encoder in ENCODERS:
            of = curves.of_encoder(rows, *encoder)
            means = of.groupby(["seed", "severity"], as_index=False)[[column]].mean()
            panel.curve(means, "severity", column, **look(encoder))
    by_kind(sheet, rows)
    by_setting(sheet, style.where(rows, part="grid"), C)
    sheet.save(folder, NAME, title=message(rows))


def look(encoder: tuple[str, str]) -> dict:
    """The look of an encoder: filled on the layer that is compared, open on the other."""
    second = encoder == ("cross_entropy", "h")
    more = dict(mfc="none", lw=0.6, band=False) if second else {}
    return style.look(encoder[0]).line(label=ENCODERS[encoder], ms=3) | more


def by_kind(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """Errors over those of cross-entropy's network: a row per kind, a marker per encoder."""
    panel = sheet.panel("each kind", xlabel="errors over cross-entropy's")
    ratios = {
        encoder: curves.kind_ratios(rows, *encoder).dropna()
        for encoder in ENCODERS
        if encoder != curves.ONE_STAGE
    }
    kinds = list(dict.fromkeys(kind for of in ratios.values() for kind in of["corruption"]))
    for k, (encoder, of) in enumerate(ratios.items()):
        found = of.groupby("corruption")["ratio"].agg(["mean", "min", "max", "size"]).reset_index()
        found.columns = ["x", "mean", "low", "high", "n"]
        if len(found):
            marker = look(encoder)
            panel.record(ENCODERS[encoder], **found)
            y = found["x"].map(kinds.index) + 0.16 * (k - 1.5)
            panel.axes.hlines(y, found["low"], found["high"], color=marker["color"], lw=0.8)
            panel.axes.plot(
                found["mean"], y, ls="none", ms=3, **{n: marker[n] for n in MARK if n in marker}
            )
    if panel.drawn:
        panel.axes.axvline(1, lw=0.8, color="0.5", ls=style.DOTTED, zorder=1)
        panel.named["y"] = kinds
        panel.looks |= dict(ylim=(len(kinds) - 0.5, -0.5))


MARK = ("color", "marker", "mfc", "label")


def by_setting(sheet: style.Sheet, grid: pd.DataFrame, C: float) -> None:
    """Errors of SupCon and of cross-entropy at every optimiser and learning rate, clean images."""
    panel = sheet.panel("settings", ylabel="error, clean" + style.classes(C), ylim=(0, None))
    order = grid.sort_values(["strength", "optimiser", "lr"])["level"].dropna()
    names = list(dict.fromkeys(order))
    grid = grid.assign(place=[float(names.index(n)) if n in names else np.nan for n in grid.level])
    for shift, objective in ((-0.08, "supcon"), (0.08, "cross_entropy")):
        line = style.look(objective).line(ls="none", ms=3.5, label=None, series=objective)
        of = style.where(grid.assign(place=grid["place"] + shift), objective=objective)
        found = panel.curve(of, "place", "error", band=False, **line)
        if len(found):
            panel.axes.vlines(found["x"], found["low"], found["high"], color=line["color"], lw=0.8)
    if panel.drawn:
        panel.named["x"] = [name.replace(", lr = ", "\n").replace(", ", "\n") for name in names]
        panel.looks |= dict(xlabel="optimiser, learning rate, views")


def message(rows: pd.DataFrame) -> str:
    """The errors of SupCon and of cross-entropy on corrupted images."""
    errors = {
        level: of.loc[of["severity"] > 0, "error"].mean()
        for level, layer in (("supcon", "h"), curves.ONE_STAGE)
        if len(of := curves.of_encoder(rows, level, layer))
    }
    if len(errors) < 2 or not all(value == value for value in errors.values()):
        return "Errors and calibration on corrupted images, by encoder"
    ours, theirs = errors.values()
    return f"On corrupted images SupCon's features err in {ours:.1%}, cross-entropy in {theirs:.1%}"


if __name__ == "__main__":
    style.main(draw)
