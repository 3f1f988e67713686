"""Draws `collapse`: what collapses while an encoder is trained, and the geometry at the end."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform
from supcon_theory.analysis import style

from supcon_theory.audits.columns import COLLAPSE, GRAM, SPECTRUM

NAME = "collapse"
MEASURES = {
    "cdnv": "CDNV",
    "directional_cdnv": "directional CDNV",
    "nscl_above_floor": "NSCL − its floor (nats)",
}
HELD_OUT = {"mfc": "w", "lw": 0.7, "label": None, "note": "open: held-out images"}
SHUFFLED = {"ls": style.DOTTED, "marker": "", "lw": 0.8, "label": None}
SHUFFLED |= {"note": "dotted: held-out, shuffled labels"}


@style.drawing(table=(COLLAPSE,), gram=(GRAM,), spectrum=(SPECTRUM,))
def draw(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Measures of z along training; Gram matrices of the class means and spectra at the end."""
    along_training(tables["table"], folder)
    at_the_end(tables["gram"], tables["spectrum"], folder)


def along_training(table: pd.DataFrame, folder: Path) -> None:
    """Each measure of z against the epoch: CL and NSCL, train and held-out, and the controls."""
    rows = table[(table["layer"] == "z") | (table["objective"] == "instance simplex")]
    numbers = sorted(rows["C"].dropna().unique()) or [np.nan]
    columns = len(numbers) if len(numbers) > 1 else 3
    sheet = style.Sheet(
        len(MEASURES) * len(numbers), columns=columns, height=1.45, fixed=columns < 3
    )
    tau = rows["tau"].max()
    for measure, label in MEASURES.items():
        at = (rows["tau"] == tau) if measure == "nscl_above_floor" else rows["tau"].isna()
        for C in numbers:
            panel = sheet.panel(
                label.split(" (")[0] + style.classes(C),
                xscale="symlog",
                yscale="log",
                xlabel="epoch",
                ylabel=label,
                xlim=(0, None),
            )
            here = rows[at & (rows["C"] == C)]
            for objective in ("dcl", "nscl"):
                of = here[here["objective"] == objective]
                look = style.LOOKS[objective].line()
                curves = {
                    "train": ("true", "train", look),
                    "test": ("true", "test", look | HELD_OUT),
                    "shuffled": ("shuffled", "test", look | SHUFFLED),
                }
                for series, (labels, split, with_look) in curves.items():
                    part = of[(of["labels"] == labels) & (of["split"] == split)]
                    panel.curve(part, "epoch", measure, **with_look, series=f"{objective} {series}")
            control = here.loc[here["objective"] == "instance simplex", measure].mean()
            if measure == "cdnv":  # along its directions it has no variance at all
                look = style.LOOKS["instance simplex"]
                panel.level(control, label=f"{look.name} (train)", color=look.color, ls=look.ls)
    sheet.save(folder, NAME)


def at_the_end(gram: pd.DataFrame, spectrum: pd.DataFrame, folder: Path) -> None:
    """Gram matrices of the centred class means beside the ideal one, and the spectra of z."""
    gram = gram[(gram["layer"] == "z") & (gram["split"] == "test")]
    C, seed = gram["C"].min(), gram["seed"].min()
    gram = gram[(gram["C"] == C) & (gram["seed"] == seed)]
    spectrum = spectrum[(spectrum["layer"] == "z") & (spectrum["split"] == "test")]
    matrices = {
        style.LOOKS[name].trained: part.pivot_table(index="i", columns="j", values="cosine")
        for name, part in gram.groupby("objective", sort=False)
    }
    numbers = sorted(spectrum["C"].dropna().unique()) or [np.nan]
    sheet = style.Sheet(len(matrices) + 1 + len(numbers), columns=3, height=1.7)
    order = class_order(next(iter(matrices.values()), pd.DataFrame()))
    for title, matrix in matrices.items():
        heat(sheet.panel(title), matrix.reindex(index=order, columns=order), title)
    panel = sheet.panel("ideal simplex ETF", "no Gram matrix in this table")
    if matrices:
        k = np.arange(int(C))
        heat(panel, pd.DataFrame(np.where(k[:, None] == k, 1.0, -1 / (C - 1))), "ideal")
        text = f"class means of held-out images, C = {C:g}, seed {seed:g}, similar classes adjacent"
    for many in numbers:
        of = spectrum[spectrum["C"] == many]
        panel = sheet.panel(
            "spectrum" + style.classes(many),
            yscale="log",
            ylim=(1e-3, 1.3),
            xlabel="rank (vertical line: C − 1)",
            ylabel="singular value / largest",
        )
        for name in of["objective"].unique():
            look = style.LOOKS[name].line(marker="")
            panel.curve(of[of["objective"] == name], "rank", "singular_value", **look)
        if panel.drawn:
            panel.axes.axvline(many - 1, color="0.6", lw=0.8, zorder=0)
    note = f"{text}; colour: cosine from −1 (blue) to 1 (red); {sheet.note()}" if matrices else ""
    sheet.save(folder, f"{NAME}_geometry", note=style.fold(note, 100))


def heat(panel: style.Panel, matrix: pd.DataFrame, series: str) -> None:
    """A matrix of cosines, from blue (-1) to red (1)."""
    panel.looks |= dict(xticks=[], yticks=[])
    panel.image(matrix, series, vmin=-1, vmax=1, cmap=matplotlib.colormaps["RdBu_r"])


def class_order(gram: pd.DataFrame) -> np.ndarray:
    """Similar classes next to each other (average linkage of 1 - cosine); as given if one is NaN."""
    distance = 1 - gram.to_numpy()
    if len(distance) < 2 or not np.isfinite(distance).all():
        return gram.index.to_numpy()
    np.fill_diagonal(distance, 0)
    order = leaves_list(linkage(squareform(distance, checks=False), "average"))
    return gram.index.to_numpy()[order]


if __name__ == "__main__":
    style.main(draw)
