"""Draws `small_samples`: bias, coverage of intervals and proved bounds against samples."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import ESTIMATES

NAME = "small_samples"
FEW = 16  # samples that the title speaks of, or the next number above
LOOKS = {  # measure: how it looks
    "cdnv": dict(color=style.EXTRA["indigo"], label="CDNV"),
    "directional_cdnv": dict(color=style.EXTRA["rose"], label="directional CDNV"),
    "nc1": dict(color=style.EXTRA["teal"], label="NC1"),
    "participation_ratio": dict(color=style.EXTRA["olive"], label="participation ratio"),
    "cka": dict(color=style.EXTRA["purple"], label="CKA"),
    "rsa": dict(color=style.EXTRA["wine"], label="RSA"),
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
    sheet.save(folder, NAME, title=message(sampled))


def message(rows: pd.DataFrame) -> str:
    """The bias at a few samples, plug-in and corrected: the mean over laws of its size."""
    rows = rows[rows["measure"].isin(list(LOOKS)) & rows["bias_corrected"].notna()]
    few = rows.loc[rows["n"] >= FEW, "n"].min()
    if not np.isfinite(few):
        return "Estimates from few samples: bias, coverage, proved bounds"
    bias = style.where(rows, n=few)[["bias_plug_in", "bias_corrected"]].abs().mean()
    plug_in, corrected = (f"{value:.0%}" for value in bias)
    return (
        f"From {few:g} samples plug-in values are off by {plug_in}, corrected ones by {corrected}"
    )


def unnamed(look: dict) -> dict:
    """The look without a place in the legend, named in the CSV."""
    return dict(color=look["color"], series=f"{look['label']}, plug-in")


def over_laws(rows: pd.DataFrame) -> pd.DataFrame:
    """Coverage of each seed and n, the mean over laws."""
    return rows.groupby(["n", "seed"], as_index=False)["covered"].mean()


if __name__ == "__main__":
    style.main(draw)
