"""Draws `loss_tracking`: both losses, their gap and every bound on it along training."""

from pathlib import Path

import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import BATCH_MEANS, EARLIER_BOUNDS, TRAINING

NAME = "loss_tracking"
STEPS = dict(xscale="symlog", xlabel="training step", xlim=(0, None))
CENTRED = {
    "bound_centred": dict(color=style.EXTRA["teal"], ls=style.DASHDOT, label="centred bound")
}
LOSSES = {  # of one encoder, so not in the colours of encoders
    "dcl": dict(color=style.EXTRA["indigo"], marker="p", ms=2.8, label="DCL loss"),
    "nscl": dict(color=style.EXTRA["rose"], marker="d", ls=style.DASHED, label="NSCL loss"),
}
THIN = dict(lw=0.9, band=False, absent=style.UNEQUAL)
NULLS = {
    "shuffled": dict(color="0.5", marker="x", ls=style.DOTTED, label="null: shuffled labels"),
    "walk": dict(
        color=style.EXTRA["purple"], marker="+", ls=style.DASHED, label="null: random walk"
    ),
}
EARLIER = {  # bound: its look; several lines of a paper share a colour
    "bound_arora": (style.EXTRA["wine"], "^", "-", "Arora 2019"),
    "bound_nozawa_sato": (style.EXTRA["olive"], "v", "-", "Nozawa 2021"),
    "bound_bao": ("0.6", "h", "-", "Bao 2022, upper"),
    "bound_bao_lower": ("0.6", "H", style.DOTTED, "Bao 2022, lower"),
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
    sheet.save(folder, NAME, note=note, title=message(exact, few))


def message(rows: pd.DataFrame, C: float) -> str:
    """How far CL training brings the NSCL loss, beside NSCL training."""
    last = rows[(rows["step"] == rows["step"].max()) & (rows["split"] == "train")]
    above = (last["loss_nscl"] - last["floor"])[last["C"] == C].groupby(last["objective"]).mean()
    if not set(style.PAIR) <= set(above.dropna().index):
        return "Both losses, their gap and the bounds on it along training"
    return (
        f"CL training ends {above['dcl']:.2f} nats above the floor of NSCL, NSCL training "
        f"{above['nscl']:.2f} (C = {C:g})"
    )


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
    for loss, column in {"dcl": "gap", "nscl": "level_nscl"}.items():
        look = LOSSES[loss] | {"series": f"loss {loss}, train"}
        panel.curve(train, "step", column, **look)
        look |= {"series": f"loss {loss}, test", "key": "ring: held-out images", "label": None}
        look |= {"ls": "none", "mfc": "none", "ms": 5.5, "mew": 0.5, "band": False}
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
    looks = STEPS | dict(xlim=(0, 20 * rows["step"].max()))  # room for the words at the ends
    panel = sheet.panel("transfer, training set", ylabel=label, **looks, ylim=(0, None))
    rows = rows.assign(above=rows["loss_nscl"] - rows["floor"])
    for C, of in rows.groupby("C"):
        panel.trained(of, "step", "above", tag=f"C = {C:g}")


def batches(sheet: style.Sheet, rows: pd.DataFrame, C: float) -> None:
    """Means over mini-batches less the exact value, side by side: a bar is the range of seeds."""
    absent, label = "no mini-batch is at most half of the set", "batch mean − exact (nats)"
    looks = dict(xscale="log", xticks=rows["batch"], xlabel="images in a mini-batch", ylabel=label)
    panel = sheet.panel(f"mini-batch bias{style.classes(C)}", absent, **looks)
    looks = LOSSES | {"gap": dict(color="0.2", marker="^", ls=style.DOTTED, label="gap")}
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
