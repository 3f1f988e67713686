"""Draws `loss_tracking`: both losses, their gap and every bound on it along training."""

from pathlib import Path

import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import BATCH_MEANS, EARLIER_BOUNDS, TRAINING

NAME = "loss_tracking"
STEPS = dict(xscale="symlog", xlabel="training step", xlim=(0, None))
CENTRED = {"bound_centred": dict(color=style.PALETTE[4], ls=style.DASHDOT, label="centred bound")}
THIN = dict(lw=0.9, band=False, absent=style.UNEQUAL)
NULLS = {
    "shuffled": dict(color="0.5", marker="x", ls=style.DOTTED, label="null: shuffled labels"),
    "walk": dict(color=style.PALETTE[2], marker="+", ls=style.DASHED, label="null: random walk"),
}
EARLIER = {  # bound: its look; several lines of a paper share a colour
    "bound_arora": (style.PALETTE[3], "^", "-", "Arora 2019"),
    "bound_nozawa_sato": (style.PALETTE[5], "v", "-", "Nozawa 2021"),
    "bound_bao": (style.PALETTE[9], "D", "-", "Bao 2022, upper"),
    "bound_bao_lower": (style.PALETTE[9], "d", style.DOTTED, "Bao 2022, lower"),
}


@style.drawing(table=(TRAINING, BATCH_MEANS, EARLIER_BOUNDS))
def draw(tables: style.Tables, folder: Path) -> None:
    """Losses at few and many classes, the gap, transfer, mini-batches and earlier bounds."""
    table = tables["table"]
    table = table[table["tau"] == table["tau"].max()]
    few, many = table["C"].min(), table["C"].max()
    exact = table[table["protocol"] == "exact"]
    sheet = style.Sheet(6, height=1.75)
    losses(sheet, exact[exact["C"] == few], few)
    gap(sheet, table[(table["C"] == few) & (table["split"] == "test")], few)
    transfer(sheet, exact[exact["split"] == "train"])
    losses(sheet, exact[(exact["C"] == many) & (many > few)], many)
    last = table[(table["step"] == table["step"].max()) & (table["C"] == few)]
    batches(sheet, last[(last["protocol"] == "batch") & (last["split"] == "train")], few)
    earlier(sheet, last, few)
    note = f"{style.at_tau(table['tau'].max(), table['tau_train'].unique())}; {sheet.note()}"
    sheet.save(folder, NAME, note=note)


def losses(sheet: style.Sheet, rows: pd.DataFrame, C: float) -> None:
    """Both losses of the CL-trained encoder, and NSCL plus each bound on the gap.

    All less the log of the number of NSCL's negatives, a constant: the gap stays what it is.
    """
    absent = "the run has one number of classes" if rows.empty and C == C else "no rows"
    label = "loss − log K(N − n) (nats)"
    panel = sheet.panel(f"CL-trained{style.classes(C)}", absent, ylabel=label, **STEPS)
    rows = rows[rows["objective"] == "dcl"]
    bounds = {name: style.RULER[name] for name in ("bound_published", "bound_ceiling")} | CENTRED
    added = {name: rows["level_nscl"] + rows[name] for name in (*bounds, "gap")}
    rows = rows.assign(**added)
    train = rows[rows["split"] == "train"]
    panel.columns(train, "step", bounds, series="nscl + {}", **THIN)
    for objective, column in {"dcl": "gap", "nscl": "level_nscl"}.items():
        look = style.LOOKS[objective].line(label=None, series=f"loss {objective}, train")
        panel.curve(train, "step", column, **look, tag={"dcl": "DCL", "nscl": "NSCL"}[objective])
        look |= {"series": f"loss {objective}, test", "key": "ring: held-out images"}
        look |= {"ls": "none", "mfc": "none", "ms": 5.5, "band": False}
        panel.curve(rows[rows["split"] == "test"], "step", column, **look)


def gap(sheet: style.Sheet, rows: pd.DataFrame, C: float) -> None:
    """The gap on held-out images between its bounds, and its nulls."""
    panel = sheet.panel(
        f"held-out gap{style.classes(C)}", ylabel="gap (nats)", **STEPS, ylim=(0, None)
    )
    exact, null = (style.where(rows, protocol=name) for name in ("exact", "control"))
    of = style.where(exact, objective="dcl")
    panel.columns(of, "step", style.RULER | CENTRED, series="{}", **THIN)
    panel.trained(exact, "step", "gap")
    panel.curve(style.where(null, labels="shuffled"), "step", "gap", **NULLS["shuffled"])
    panel.curve(style.where(null, objective="walk"), "step", "gap", **NULLS["walk"])


def transfer(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """NSCL loss above its floor, for encoders trained on either loss; the end says which C."""
    label = "NSCL loss − its floor (nats)"
    panel = sheet.panel("transfer, training set", ylabel=label, **STEPS, ylim=(0, None))
    rows = rows.assign(above=rows["loss_nscl"] - rows["floor"])
    for C, of in rows.groupby("C"):
        panel.trained(of, "step", "above", tag=f"C = {C:g}")


def batches(sheet: style.Sheet, rows: pd.DataFrame, C: float) -> None:
    """Means over mini-batches less the exact value, side by side: a bar is the range of seeds."""
    absent, label = "no mini-batch is at most half of the set", "batch mean − exact (nats)"
    looks = dict(xscale="log", xticks=rows["batch"], xlabel="images in a mini-batch", ylabel=label)
    panel = sheet.panel(f"mini-batch bias{style.classes(C)}", absent, **looks)
    looks = {name: style.LOOKS[name].line(label=None) for name in style.PAIR}
    looks["gap"] = dict(color="0.2", marker="^", ls=style.DOTTED, label="gap (e)")
    for k, (name, look) in enumerate(looks.items()):
        beside = rows.assign(batch=rows["batch"] * 1.12 ** (k - 1))
        found = panel.curve(beside, "batch", f"bias_{name}", **look, band=False, series=name)
        if len(found):
            panel.axes.vlines(found["x"], found["low"], found["high"], color=look["color"], lw=0.8)
    if len(rows):
        panel.axes.axhline(0, color="0.6", lw=0.6, zorder=0)


def earlier(sheet: style.Sheet, last: pd.DataFrame, C: float) -> None:
    """Distance of each bound from the supervised loss that it bounds, against the negatives."""
    rows = last[last["protocol"] == "surrogate"]
    absent = "earlier bounds are about classes of equal size"
    looks = dict(xscale="log", yscale="log", xlabel="number of negatives", ylim=(None, 1e4))
    title = f"older bounds{style.classes(C)}"
    panel = sheet.panel(title, absent, ylabel="|bound − its loss| (nats)", **looks)
    for bound, (colour, marker, dashes, label) in EARLIER.items():
        of = rows.assign(slack=(rows[bound] - rows["loss_supervised"]).abs())
        look = dict(color=colour, marker=marker, ls=dashes, label=label)
        panel.curve(of, "negatives", "slack", **look)
    if len(rows):  # Arora's bound grows without end: what lies above 1e4 is cut
        ends = style.where(last, protocol="exact", objective="dcl", split="test")
        upper = (ends["bound_published"] - ends["gap"]).mean()
        panel.level(upper, color="k", label="2506.04411, upper")
        panel.level(ends["gap"].mean(), color="k", ls=style.DOTTED, label="2506.04411, lower")
        panel.level(rows["chance"].mean(), ls=style.DASHDOT, label="log C (chance)")


if __name__ == "__main__":
    style.main(draw)
