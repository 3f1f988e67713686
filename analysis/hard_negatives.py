"""Draws `hard_negatives`: losses and A* along training, errors, the hardened gap."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import HARD_NEGATIVES

NAME = "hard_negatives"
COLORS = tuple(style.EXTRA.values())
MARKS, LINES = ("o", "s", "^", "v"), ("-", style.DASHED, style.DOTTED)


def of_loss(objective: str, marker: str, ls: object) -> dict:
    """The look of the loss that an objective minimises."""
    of = style.look(objective)
    return dict(color=of.color, marker=marker, ls=ls, label=of.name)


LOSSES = {  # column: how it looks
    "loss_ucl": of_loss("nt_xent", "o", "-") | dict(label="UCL"),
    "loss_hucl": of_loss("hucl", "s", style.DASHED),
    "loss_scl": of_loss("scl_jiang", "^", "-"),
    "loss_hscl": of_loss("hscl", "v", style.DASHED),
}
TRAINED = {"nt_xent": "loss_ucl", "hucl": "loss_hucl", "scl_jiang": "loss_scl", "hscl": "loss_hscl"}


@style.drawing(table=(HARD_NEGATIVES,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Along training on the left; ends on the right."""
    table = tables["table"]
    order = style.where(table, part="order", hardening="exponential")
    hardest = order[order["beta"] == order["beta"].max()]
    sheet = style.Sheet(6, columns=3, height=1.75)
    losses(sheet, style.where(hardest, objective="nt_xent"))
    premise(sheet, hardest)
    over(sheet, order)
    crossings(sheet, style.where(table, part="crossing"))
    errors(sheet, style.where(table, part="encoders"))
    gaps(sheet, style.where(table, part="classes"))
    sheet.save(folder, NAME, title=message(order, hardest))


def message(order: pd.DataFrame, hardest: pd.DataFrame) -> str:
    """The share of anchors at the end of UCL's training that A* is true of."""
    end = style.where(hardest, objective="nt_xent")
    end = end[end["step"] == end["step"].max()]
    if end.empty or not np.isfinite(end["premise"]).any():
        return "Hard negatives along training"
    share, beta = end["premise"].mean(), order["beta"].max()
    return f"Trained with UCL, hard negatives (β = {beta:g}) obey A* at {share:.0%} of the anchors"


def losses(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """The four losses along training with UCL."""
    panel = sheet.panel("UCL-trained", xscale="symlog", xlabel="step", ylabel="loss (nats)")
    panel.columns(rows, "step", LOSSES)


def premise(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """The share of anchors at which A* holds."""
    looks = dict(xscale="symlog", xlabel="step", ylabel="anchors with A*", ylim=(0, 1.02))
    panel = sheet.panel("assumption", **looks)
    for objective, column in TRAINED.items():
        line = LOSSES[column] | dict(series=f"trained with {LOSSES[column]['label']}")
        panel.curve(style.where(rows, objective=objective), "step", "premise", **line)


def over(sheet: style.Sheet, order: pd.DataFrame) -> None:
    """H-SCL less H-UCL along training, all trainings together, by hardness."""
    panel = sheet.panel("H-SCL − H-UCL", xscale="symlog", xlabel="step", ylabel="nats")
    for k, (beta, of) in enumerate(order.groupby("beta")):
        look = dict(color=COLORS[k % len(COLORS)], marker=MARKS[k % 4], ls=LINES[k % 3])
        panel.curve(of, "step", "over", label=f"β = {beta:g}", **look)


def crossings(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """The hardness from which on H-SCL is above UCL, by what was trained with."""
    every = dict(ylabel="from β", yscale="symlog")
    trained(sheet, rows, "beta_crossing", "H-SCL passes UCL", every)


def errors(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """Error of neighbours on new images, by what was trained with."""
    trained(sheet, rows, "error", "new images", dict(ylabel="error of neighbours"))


def trained(sheet: style.Sheet, rows: pd.DataFrame, column: str, title: str, looks: dict) -> None:
    """By what was trained with: against its hardness, if there are several."""
    if rows.loc[rows["trained_beta"] > 0, "trained_beta"].nunique() < 2:
        each(sheet.panel(title, xlabel="trained with", **looks), rows, column)
        return
    panel = sheet.panel(title, xlabel="trained with β", xscale="symlog", xticks="values", **looks)
    for plain, hardened in (("nt_xent", "hucl"), ("scl_jiang", "hscl")):
        of = rows[rows["objective"].isin([plain, hardened])].fillna({"trained_beta": 0.0})
        line = LOSSES[TRAINED[hardened]] | dict(series=f"{hardened}, {column}")
        panel.curve(of, "trained_beta", column, key="β = 0: UCL and SCL", **line)


def each(panel: style.Panel, rows: pd.DataFrame, column: str) -> None:
    """A point for every seed, side by side, above the name of what was trained with."""
    panel.named["x"] = [LOSSES[name]["label"] for name in TRAINED.values()]
    place = rows["objective"].map({name: k for k, name in enumerate(TRAINED)}).astype(float)
    rows = rows.assign(place=place + 0.08 * (rows["seed"] - rows["seed"].mean()))
    look = dict(color=COLORS[2], marker="o", ls="none", label=None, series=column)
    panel.curve(rows, "place", column, absent="none", key="points: seeds", **look)


def gaps(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """H-UCL less H-NSCL against the number of classes."""
    looks = dict(xscale="log", yscale="log", xlabel="classes C", ylabel="H-UCL − H-NSCL")
    panel = sheet.panel("hardened gap", xticks="values", **looks)
    for k, (beta, of) in enumerate(rows.groupby("beta")):
        look = dict(color=COLORS[k % len(COLORS)], marker=MARKS[k % 4], ls=LINES[k % 3])
        panel.curve(of, "C", "gap", label=f"β = {beta:g}", **look)


if __name__ == "__main__":
    style.main(draw)
