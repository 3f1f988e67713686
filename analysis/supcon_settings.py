"""Draws `supcon_settings`: errors of SupCon and of cross-entropy where one thing differs."""

from pathlib import Path

import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import ACCURACY
from supcon_theory.claims import settings

NAME = "supcon_settings"
COMPARED = ("supcon", "cross_entropy")
ERROR = "error"
RANGES = {  # factor: title, looks of the x axis
    settings.WRONG: ("wrong labels", dict(xlabel="share of wrong labels")),
    settings.IMAGES: ("images", dict(xlabel="training images a class", xscale="log")),
    settings.BATCH: ("batch", dict(xlabel="images in a batch", xscale="log")),
    settings.LAYERS: ("projector", dict(xlabel="hidden layers")),
}
WORDS = {  # of surfaces
    settings.level(settings.SURFACE, surface): words
    for surface, words in (
        ("none", "rows of any norm"),
        ("ball", "rows in the ball"),
        ("positive", "rows not negative"),
    )
}


@style.drawing(table=(ACCURACY,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Error against each factor of numbers; all else in one panel, a row for each."""
    table = tables["table"]
    rows = style.where(table, C=table["C"].min(), layer="h", probe="linear")
    sheet = style.Sheet(5, columns=3, height=1.75)
    for factor in RANGES:
        if factor == settings.LAYERS:  # the names of the others at the left
            others(sheet, style.where(rows, labels=settings.RIGHT))
        ranged(sheet, rows, factor)
    sheet.save(folder, NAME, title=message(rows))


def ranged(sheet: style.Sheet, rows: pd.DataFrame, factor: str) -> None:
    """The error against the values of a factor, those of the base among them."""
    title, looks = RANGES[factor]
    panel = sheet.panel(
        title, "nothing was varied", ylabel=ERROR, xticks="values", ylim=(0, None), **looks
    )
    base, varied = (style.where(rows, factor=name) for name in (settings.BASE, factor))
    if varied.empty:
        return
    usual = {settings.IMAGES: base["n"], settings.WRONG: 0.0, settings.LAYERS: 1.0}
    varied = varied.assign(x=numbers(varied, factor))
    if factor in usual:
        varied = pd.concat([base.assign(x=usual[factor]), varied])
    panel.trained(style.where(varied, labels=settings.RIGHT), "x", ERROR, COMPARED)
    if factor == settings.WRONG:
        hollow = {"mfc": "w", "lw": 0.7, "label": None, "key": "open: probe given the same labels"}
        for name in COMPARED:
            given = style.where(varied, labels=settings.GIVEN, objective=name)
            look = style.look(name).line() | hollow
            panel.curve(given, "x", ERROR, series=f"{name}, {settings.GIVEN}", **look)


def numbers(rows: pd.DataFrame, factor: str) -> pd.Series:
    """The values of a factor of numbers."""
    return rows["level"].str.removeprefix(settings.level(factor, "")).astype(float)


def others(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """A row for the base and for every setting that is no number, a marker for each objective."""
    panel = sheet.panel("other settings", xlabel=ERROR, xlim=(0, None))
    rows = rows[~rows["factor"].isin([*RANGES])]
    every = list(dict.fromkeys(rows["objective"]))
    rivals = [name for name in every if name not in COMPARED]
    panel.levels(rows, ERROR, "{}, others", every, WORDS, named=rivals)


def message(rows: pd.DataFrame) -> str:
    """Both errors with the most wrong labels, the probe given the same."""
    wrong = style.where(rows, factor=settings.WRONG, labels=settings.GIVEN)
    if wrong.empty or not set(COMPARED) <= set(wrong["objective"]):
        return "Error where one thing at a time differs"
    shares = numbers(wrong, settings.WRONG)
    share, most = shares.max(), wrong[shares == shares.max()].groupby("objective")[ERROR].mean()
    said = ", ".join(f"{style.look(name).name} {most[name]:.1%}" for name in COMPARED)
    return f"Error with {share:.0%} wrong labels (the probe too): {said}"


if __name__ == "__main__":
    style.main(draw)
