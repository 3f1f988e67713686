"""Draws `augmentation`: error, gap, geometry by strength, and by what is left out of the views."""

from pathlib import Path

import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import ACCURACY, AUGMENTATION, GAP, GEOMETRY
from supcon_theory.claims.augmentation import NONE, OURS, SELF

NAME = "augmentation"
EVERY = ("dcl", "nscl", "supcon", "cross_entropy")
MEASURES = {
    "gap": ("r", "r, the gap over counting"),
    "views of ours": ("augmentation_variance", "variance of views"),
    "classes": ("cdnv", "CDNV"),
    "training": ("left", "left to the least loss"),
}


@style.drawing(table=(ACCURACY, GAP, GEOMETRY, AUGMENTATION))
def draw(tables: style.Tables, folder: Path) -> None:
    """Error, r, variance of views, CDNV and training against strength; operations left out."""
    table = tables["table"]
    C, tau = table["C"].min(), table["tau"].max()
    rows = style.where(table, C=C)
    errors = style.where(rows, layer="h", probe="linear")
    swept = rows["level"].astype(str).str.startswith("strength")
    of_z = style.where(rows[swept], layer="z", tau=tau)
    others = errors[~swept.reindex(errors.index)]
    sheet = style.Sheet(5 + (len(others) > 0), columns=3, height=1.75)
    more = dict(xlabel="strength of augmentation", xticks="values")
    panel = sheet.panel("linear probe", ylabel="error" + style.classes(C), ylim=(0, None), **more)
    panel.trained(errors[swept.reindex(errors.index)], "strength", "error", EVERY)
    for title, (column, words) in MEASURES.items():
        scale = {} if column == "left" else {"yscale": "log"}
        panel = sheet.panel(title, ylabel=words, **more, **scale)
        panel.trained(of_z, "strength", column, EVERY)
    if len(others):
        varied(sheet, pd.concat([style.where(errors, level=OURS), others]))
    sheet.save(folder, NAME, title=message(errors))


def varied(sheet: style.Sheet, errors: pd.DataFrame) -> None:
    """The error of every encoder with ours, with parts of it left out, with images mixed."""
    panel = sheet.panel("left out, or mixed", xlabel="error, linear probe", xlim=(0, None))
    panel.levels(errors, "error", "{}, varied", EVERY, {OURS: "ours"})


def message(errors: pd.DataFrame) -> str:
    """What CL and SupCon lose without augmentation."""
    means = errors.groupby(["objective", "level"])["error"].mean().to_dict()
    said = []
    for name, words in ((SELF, "CL"), ("supcon", "SupCon")):
        ends = (means.get((name, NONE)), means.get((name, OURS)))
        if any(end is None or end != end for end in ends):
            return "Accuracy, gap and geometry by the augmentation trained with"
        said.append(f"{words} {ends[0]:.1%} and {ends[1]:.1%}")
    return f"Error without augmentation and with ours: {', '.join(said)}"


if __name__ == "__main__":
    style.main(draw)
