"""Draws `few_shot`: few-shot error, every bound on it, and which term of a bound matters."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import CROSSED, FEW_SHOT

NAME = "few_shot"
SHOTS = dict(xscale="log", xlabel="samples per class m")
DRAWN = (  # from the loosest to the sharpest of each kind; the refuted form has its own figure
    *("neurips", "tightened", "theorem_4_1", "cantelli", "conditional_trigonometric"),
)


@style.drawing(table=(FEW_SHOT,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Errors of the encoders as used; errors between bounds; shares of the directional term."""
    curves(tables["table"], folder)
    bounds(tables["table"], folder)
    terms(tables["table"], folder)


# ---- error against m, as the encoders would be used ----------------------------------------------
def curves(table: pd.DataFrame, folder: Path) -> None:
    """All-way error from training images as supports, at the largest number of classes."""
    rows = table[(table["protocol"] == "labelled") & (table["ways"] == table["C"])]
    C = rows["C"].max()
    rows = style.where(rows, C=C)
    panels = [
        (classes, probe)
        for classes in ("seen", "unseen")
        for probe in ("nearest centre", "linear")
        if classes == "seen" or (rows["classes"] == classes).any()
    ]
    sheet = style.Sheet(len(panels), columns=2, height=1.75)
    for classes, probe in panels:
        title = f"{classes} classes, " + {"linear": "linear probe"}.get(probe, probe)
        panel = sheet.panel(title, ylabel="error" + style.classes(C), ylim=(0, 1.02), **SHOTS)
        part = style.where(rows, classes=classes, probe=probe)
        test, train = (style.where(part, split=split) for split in ("test", "train"))
        hollow = dict(mfc="none", lw=0.6, label=None, key="open: queries are training images")
        for name in style.objectives(part):
            panel.trained(test, "m", "error", [name], series="{}, test")
            panel.trained(train, "m", "error", [name], series="{}, train", **hollow)
        panel.level(1 - 1 / C if panel.drawn else np.nan, ls=style.DOTTED, label="chance")
    sheet.save(folder, NAME, title=message(rows))


def message(rows: pd.DataFrame) -> str:
    """The error at the most shots, of seen classes by the nearest centre."""
    of = style.where(rows, classes="seen", probe="nearest centre", split="test")
    most = of["m"].max()
    ends = style.where(of, m=most).groupby("objective")["error"].mean().dropna()
    if ends.empty:
        return "Few-shot error of the encoders as used"
    each = [f"{style.look(o).name} {ends[o]:.2f}" for o in style.objectives(of) if o in ends]
    return f"All-way error of the nearest centre from {most:g} images a class: {', '.join(each)}"


# ---- error and bounds, where the theorems apply --------------------------------------------------
def bounds(table: pd.DataFrame, folder: Path) -> None:
    """Two-way and all-way error of held-out features as the population, and of Gaussian classes."""
    held = style.where(table, protocol="resampled", split="test", classes="seen")
    few, many = held["C"].min(), held["C"].max()
    sheet = style.Sheet(6, columns=3, height=1.75)
    other = many if many > few else np.nan
    panels = ((few, "dcl", 2), (few, "dcl", few), (few, "cross_entropy", 2), (other, "dcl", 2))
    for C, name, ways in panels:
        rows = style.where(held, C=C, objective=name)
        bound_panel(sheet, rows, ways, style.look(name).name + style.classes(C))
    for classes, ways in {"two classes": 2, "five classes": 5}.items():
        title = classes.replace("classes", "Gaussian classes")
        bound_panel(sheet, style.where(table, classes=classes), ways, title)
    rows = style.where(held, C=few, objective="dcl", ways=2)
    sheet.save(folder, f"{NAME}_bounds", title=how_far(rows))


def how_far(rows: pd.DataFrame) -> str:
    """How many times the error each bound is, at the most shots where all are."""
    rows = rows[np.isfinite(rows["m"])]
    means = rows.groupby("m")[["error", *(f"bound_{name}" for name in DRAWN)]].mean()
    over = means.div(means["error"], axis=0).drop(columns="error").replace(np.inf, np.nan)
    over = over.dropna(axis=1, how="all").dropna()
    if over.empty:
        return "The few-shot error and bounds on it"
    at = over.iloc[-1].rename(lambda column: style.BOUNDS[column.removeprefix("bound_")]["label"])
    best, worst = at.idxmin(), at.idxmax()
    words = f"the {worst} is {at[worst]:.3g} times the error, the {best} {at[best]:.3g} times"
    return f"Two-way, m = {over.index[-1]:g}{style.classes(rows['C'].max())}: {words}"


def bound_panel(sheet: style.Sheet, rows: pd.DataFrame, ways: float, title: str) -> None:
    """The measured error and every bound against the number of shots, and 4 (C' - 1) V_dir."""
    limit = (ways - 1) * 4 * rows["V_dir"].mean()  # stands in the rows of m = inf
    rows = rows[(rows["ways"] == ways) & np.isfinite(rows["m"])]
    ylim = (rows.loc[rows["error"] > 0, "error"].min() / 2, max(60, 3 * limit))
    label = f"{'two' if ways == 2 else 'all'}-way error"
    panel = sheet.panel(title, "not in this run", yscale="log", ylabel=label, ylim=ylim, **SHOTS)
    for name in DRAWN:
        key = "without marker: bounds on it"
        panel.curve(rows, "m", f"bound_{name}", **style.BOUNDS[name], band=False, key=key)
    panel.curve(rows, "m", "error", color="k", marker="o", label="error of the nearest centre")
    if panel.drawn:
        look = dict(color=style.BOUNDS["theorem_4_1"]["color"], xmin=0.93, lw=2)
        panel.level(limit, **look, label="limit of Theorem 4.1")
        panel.level(1 - 1 / ways, ls=style.DOTTED, label="chance")


# ---- which term matters --------------------------------------------------------------------------
def terms(table: pd.DataFrame, folder: Path) -> None:
    """Share of the directional term in each two-way bound against m."""
    rows = style.where(table, protocol="resampled", split="test", classes="seen", ways=2)
    rows = rows[rows["C"] == rows["C"].max()]
    sheet = style.Sheet(len(CROSSED), columns=3, height=1.75)
    shots = rows.loc[np.isfinite(rows["m"]), "m"]
    xlim = (shots.min() / 1.3, shots.max() * 1.3)
    for bound in CROSSED:
        looks = dict(ylabel="share of directional variation", ylim=(0, 1), xlim=xlim)
        panel = sheet.panel(style.BOUNDS[bound]["label"], **looks, **SHOTS)
        share = rows[f"directional_{bound}"] / rows[f"bound_{bound}"]
        finite = rows.assign(share=share)[np.isfinite(rows[f"dispersion_{bound}"])]
        panel.trained(finite, "m", "share", style.objectives(finite))
        if panel.drawn:
            panel.level(0.5, ls=style.DOTTED, label="half of the bound")
            if len(finite) < len(rows[np.isfinite(rows["m"])]):
                panel.say("no bound at smaller m")
    sheet.save(folder, f"{NAME}_terms", title=half(rows))


def half(rows: pd.DataFrame) -> str:
    """From how many shots the directional term is half of each bound."""
    of, found = style.where(rows, objective="dcl"), []
    for bound in CROSSED:
        share = (of[f"directional_{bound}"] / of[f"bound_{bound}"]).groupby(of["m"]).mean()
        above = share[np.isfinite(share.index) & (share >= 0.5)]
        found += [f"{above.index[0]:g} ({style.BOUNDS[bound]['label']})"] if len(above) else []
    if not found:
        return "Which term of a bound matters"
    return f"Directional variation is half of the bound from m = {', '.join(found)} on"


if __name__ == "__main__":
    style.main(draw)
