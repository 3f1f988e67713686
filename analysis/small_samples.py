"""Draws `small_samples`: bias, coverage of intervals and proved bounds against samples."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import ESTIMATES

NAME = "small_samples"
LOOKS = {  # measure: how it looks
    "cdnv": dict(color=style.PALETTE[0], label="CDNV"),
    "directional_cdnv": dict(color=style.PALETTE[1], label="directional CDNV"),
    "nc1": dict(color=style.PALETTE[2], label="NC1"),
    "participation_ratio": dict(color=style.PALETTE[3], label="participation ratio"),
    "cka": dict(color=style.PALETTE[4], label="CKA"),
    "rsa": dict(color=style.PALETTE[9], label="RSA"),
}
LAWS = {  # what is drawn of which law
    "isotropic": "isotropic classes",
    "thin": "thin classes",
    "sphere classes": "finite law, classes",
    "related": "related pairs",
    "independent": "unrelated pairs",
    "sphere pairs": "finite law, pairs",
}


@style.drawing(table=(ESTIMATES,))
def draw(tables: style.Tables, folder: Path) -> None:
    """A panel of biases for each law, one of coverage, two of proved bounds."""
    table = tables["table"]
    sampled = table[table["draws"] > 0]
    sheet = style.Sheet(len(LAWS) + 3, columns=3, height=1.6)
    looks = dict(xscale="log", xlabel="samples n", xlim=(1.7, None))
    for law, title in LAWS.items():
        panel = sheet.panel(title, ylabel="relative bias", ylim=(-1, 1.05), **looks)
        rows = style.where(sampled, law=law)
        for name, look in LOOKS.items():
            mine = style.where(rows, measure=name)
            key = "dashed: plug-in, solid: corrected"
            panel.curve(mine, "n", "bias_plug_in", ls=style.DASHED, key=key, **unnamed(look))
            panel.curve(mine, "n", "bias_corrected", ls="-", **look)
        panel.level(0 if panel.drawn else np.nan, ls=style.DOTTED)
    panel = sheet.panel("jackknife intervals", ylabel="coverage", ylim=(0.5, 1.02), **looks)
    for name, look in LOOKS.items():
        panel.curve(over_laws(style.where(sampled, measure=name)), "n", "covered", **look)
    panel.level(0.95 if panel.drawn else np.nan, ls=style.DOTTED)
    looks |= dict(yscale="log")
    panel = sheet.panel(
        "proved bounds", "no bound is finite", ylabel="bound, truth dotted", **looks
    )
    for name in ("cdnv", "directional_cdnv"):
        rows, look = style.where(sampled, law="sphere classes", measure=name), LOOKS[name]
        panel.curve(rows, "n", "upper", band=False, **look)
        level = rows["truth"].mean()
        panel.level(level, f"{name}, truth", color=look["color"], ls=style.DOTTED)
    panel.say("infinite for fewer" if panel.drawn else "")
    panel = sheet.panel("Cantelli attained", ylabel="share, bound", **looks)
    panel.looks["yscale"] = "linear"
    rows = style.where(sampled, law="two points")
    panel.curve(rows, "n", "missed", color="k", ls=style.DASHED, label="plug-in below the error")
    panel.curve(rows, "n", "upper", color="k", ls="-", label="proved bound on the error")
    panel.level(rows["truth"].mean(), "error", ls=style.DOTTED)
    sheet.save(folder, NAME)


def unnamed(look: dict) -> dict:
    """The look without a place in the legend, named in the CSV."""
    return dict(color=look["color"], series=f"{look['label']}, plug-in")


def over_laws(rows: pd.DataFrame) -> pd.DataFrame:
    """Coverage of each seed and n, the mean over laws."""
    return rows.groupby(["n", "seed"], as_index=False)["covered"].mean()


if __name__ == "__main__":
    style.main(draw)
