"""Draws `anatomy`: what the loss above its minimum is made of, and the gap from moments."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import ANATOMY, COUPLED_ANATOMY, MOMENT_BOUNDS
from supcon_theory.theory.ceiling import etf_ceiling

NAME = "anatomy"
LOOKS = {  # of a term, whatever the loss
    "alignment": ("alignment of views", style.EXTRA["teal"]),
    "collapse": ("collapse of classes", style.EXTRA["wine"]),
    "centring": ("centring", style.EXTRA["sand"]),
    "anchors": ("differences of anchors", style.EXTRA["purple"]),
    "jensen": ("spread of cosines", style.EXTRA["indigo"]),
}
TERMS = {  # of the excess of each loss, from the bottom up
    "nscl": ("excess_alignment", "excess_collapse", "excess_centring", "excess_jensen"),
    "supcon": ("supcon_collapse", "supcon_centring", "supcon_anchors", "supcon_jensen"),
    "nt_xent": ("nt_xent_alignment", "nt_xent_centring", "nt_xent_anchors", "nt_xent_jensen"),
}
EXCESS = {"nscl": "excess", "supcon": "supcon_excess", "nt_xent": "nt_xent_excess"}
FROM_MOMENTS = {  # the upper and the lower bound look the same
    f"bound_{name}{low}": dict(color=style.EXTRA[color], ls=dashes, label=label)
    for name, color, dashes, label in (
        ("moments", "purple", "-", "from two moments"),
        ("four", "teal", style.DOTTED, "range, four moments"),
        ("eight", "wine", style.DASHDOT, "range, eight moments"),
    )
    for low in ("", "_low")
}
CLASSES = dict(xscale="log", xlabel="number of classes C", xticks="values")


@style.drawing(table=(ANATOMY, COUPLED_ANATOMY, MOMENT_BOUNDS))
def draw(tables: style.Tables, folder: Path) -> None:
    """The four terms along training and over C, what collapse is left, the gap and its bounds."""
    table = tables["table"]
    high, lowest = table["tau"].max(), sorted(table["tau"].dropna().unique())[:2]
    at = table[table["tau"] == high]
    sheet = style.Sheet(12)
    followed, sweep = style.where(at, protocol="followed"), style.where(at, protocol="sweep")
    for objective in list(dict.fromkeys(followed["objective"]))[:4]:
        training(sheet, followed, objective)
    trained = sweep[sweep["step"] > 0]
    for objective in style.PAIR:
        shares(sheet, style.where(trained, objective=objective), objective, "nscl")
    for objective in style.PAIR:
        shares(sheet, style.where(trained, objective=objective), objective, "supcon")
    shares(sheet, style.where(trained, objective="dcl"), "dcl", "nt_xent")
    left(sheet, at)
    for tau in reversed(lowest):
        ends = table[(table["protocol"] == "sweep") & (table["tau"] == tau)]
        bounds(sheet, ends[ends["step"] == ends["step"].max()], tau)
    last = sweep[sweep["step"] == sweep["step"].max()]
    sheet.save(folder, NAME, title=message(style.where(last, objective="dcl")))


def message(rows: pd.DataFrame) -> str:
    """How much of what CL leaves of NSCL and of SupCon is collapse, at the most classes."""
    rows = rows.dropna(subset=["share_collapse", "supcon_share_collapse"])
    rows = rows[rows["C"] == rows["C"].max()]
    if rows.empty:
        return "What the loss above its minimum is made of"
    of = rows[["share_collapse", "supcon_share_collapse"]].mean()
    C = rows["C"].max()
    shares = f"{of.iloc[0]:.0%} of what CL leaves of NSCL, {of.iloc[1]:.0%} of SupCon"
    return f"At C = {C:g} collapse is {shares}"


def stacked(
    panel: style.Panel, rows: pd.DataFrame, x: str, loss: str, of: pd.Series | float
) -> None:
    """The terms of a loss over `of`, means over seeds, one on top of the other."""
    parts = pd.DataFrame({name: rows[name].astype(float) / of for name in TERMS[loss]})
    means = parts.groupby(rows[x]).mean().dropna()
    seeds = rows.groupby(x)["seed"].nunique().reindex(means.index)
    below = np.zeros(len(means))
    for name in TERMS[loss]:
        label, color = LOOKS[name.split("_")[-1]]
        above = below + means[name].to_numpy()
        if len(means):
            panel.record(label, x=means.index, low=below, high=above, mean=above, n=seeds)
            panel.axes.fill_between(means.index, below, above, color=color, lw=0, label=label)
        below = above


def training(sheet: style.Sheet, rows: pd.DataFrame, objective: str) -> None:
    """The excess of NSCL along training, in nats."""
    rows = rows[(rows["objective"] == objective) | (rows["step"] == 0)]
    title = style.look(objective).trained + style.classes(rows["C"].max())
    looks = dict(xscale="symlog", xlabel="training step", xlim=(0, None), ylim=(0, None))
    panel = sheet.panel(title, style.UNEQUAL, ylabel="L_NSCL − L* (nats)", **looks)
    stacked(panel, rows, "step", "nscl", 1.0)


def shares(sheet: style.Sheet, rows: pd.DataFrame, objective: str, loss: str) -> None:
    """What each term is of the excess of a loss, after training with an objective."""
    title = f"excess of {style.look(loss).name}, {style.look(objective).trained}"
    looks = CLASSES | dict(ylabel="share of the excess", ylim=(0, 1))
    panel = sheet.panel(title, style.UNEQUAL, **looks)
    stacked(panel, rows, "C", loss, rows[EXCESS[loss]].astype(float))


def left(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """How little of the variance within classes the loss asks to go: at CL's minimiser, none."""
    looks = CLASSES | dict(ylabel="variance within classes W", ylim=(0, 1.05))
    panel = sheet.panel("what has not collapsed", style.UNEQUAL, **looks)
    sweep = style.where(rows, protocol="sweep")
    for objective in style.PAIR:
        of = style.where(sweep[sweep["step"] > 0], objective=objective)
        panel.curve(of, "C", "within", **style.look(objective).line())
    line = dict(color="0.35", marker="+", ls=style.DASHDOT, label="CL's minimiser, free embeddings")
    panel.curve(style.where(rows, protocol="simplex"), "C", "within", **line)


def bounds(sheet: style.Sheet, rows: pd.DataFrame, tau: float) -> None:
    """Bounds on the gap of CL, over the gap."""
    rows = style.where(rows, objective="dcl")
    looks = CLASSES | dict(ylabel="bound / gap", yscale="log")
    title = style.joined("bounds on the gap of CL", style.at_tau(tau, rows["tau_train"].dropna()))
    panel = sheet.panel(title, "no row with a gap", **looks)
    known = rows[["C", "n", "tau"]].notna().all(axis=1)
    rows = rows[known].astype({"gap": float})
    over_gap = {name: rows[name] / rows["gap"] for name in FROM_MOMENTS}
    ceiling = etf_ceiling(rows["C"].round(), rows["n"].round(), rows["tau"]) / rows["gap"]
    rows = rows.assign(ceiling=ceiling, **over_gap)
    panel.columns(rows, "C", {"ceiling": style.RULER["bound_ceiling"]} | FROM_MOMENTS)


if __name__ == "__main__":
    style.main(draw)
