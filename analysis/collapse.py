"""Draws `collapse`: what collapses while an encoder is trained, and the geometry at the end."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform
from supcon_theory.analysis import style

from supcon_theory.audits.columns import COLLAPSE, GRAM, SPECTRUM

NAME = "collapse"
NAMED = 12  # classes up to which there is room for their names
MEASURES = {
    "cdnv": "CDNV",
    "directional_cdnv": "directional CDNV",
    "nscl_above_floor": "NSCL − its floor (nats)",
}
SHUFFLED = "dotted: held-out, shuffled labels"
CURVES = (  # labels, split, and what tells the curve from the first
    ("true", "train", {}),
    ("true", "test", dict(mfc="w", lw=0.7, label=None, key="open: held-out images")),
    ("shuffled", "test", dict(ls=style.DOTTED, marker="", lw=0.8, label=None, key=SHUFFLED)),
)


@style.drawing(table=(COLLAPSE,), gram=(GRAM,), spectrum=(SPECTRUM,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Measures of z along training; Gram matrices of the class means and spectra at the end."""
    along_training(tables["table"], folder)
    at_the_end(tables["gram"], tables["spectrum"], folder)


def along_training(table: pd.DataFrame, folder: Path) -> None:
    """Each measure of z against the epoch: CL and NSCL, train and held-out, and the controls."""
    rows = table[(table["layer"] == "z") | (table["objective"] == "instance simplex")]
    numbers = sorted(rows["C"].dropna().unique()) or [np.nan]
    columns = len(numbers) if len(numbers) > 1 else 3
    count = len(MEASURES) * len(numbers)
    sheet = style.Sheet(count, columns, 1.45)
    looks = dict(xscale="symlog", yscale="log", xlabel="epoch", xlim=(0, None))
    tau = rows["tau"].max()
    for measure, label in MEASURES.items():
        at = (rows["tau"] == tau) if measure == "nscl_above_floor" else rows["tau"].isna()
        for C in numbers:
            title = label.split(" (")[0] + style.classes(C)
            panel = sheet.panel(title, ylabel=label, **looks)
            here = rows[at & (rows["C"] == C)]
            for objective in style.PAIR:
                for labels, split, other in CURVES:
                    part = style.where(here, labels=labels, split=split)
                    other = other | {"series": f"{{}}, {split}, {labels} labels"}
                    panel.trained(part, "epoch", measure, [objective], **other)
            control = style.where(here, objective="instance simplex")[measure].mean()
            if measure == "cdnv":  # along its directions it has no variance at all
                look = style.LOOKS["instance simplex"]
                panel.level(control, label=f"{look.name} (train)", color=look.color, ls=look.ls)
    sheet.save(folder, NAME, title=message(rows))


def message(rows: pd.DataFrame) -> str:
    """How far the CDNV of held-out images falls while CL trains."""
    of = style.where(rows, objective="dcl", labels="true", split="test", C=rows["C"].min())
    cdnv = of.groupby("step")["cdnv"].mean().dropna()
    if len(cdnv) < 2:
        return "Variance within classes along training"
    words = f"falls from {cdnv.iloc[0]:.2g} to {cdnv.iloc[-1]:.2g} on held-out images"
    return f"CL training: CDNV {words}{style.classes(of['C'].min())}"


def at_the_end(gram: pd.DataFrame, spectrum: pd.DataFrame, folder: Path) -> None:
    """Gram matrices of the centred class means beside the ideal one, and the spectra of z."""
    gram, spectrum = (style.where(of, layer="z", split="test") for of in (gram, spectrum))
    C, seed = gram["C"].min(), gram["seed"].min()
    gram = style.where(gram, C=C, seed=seed)
    matrices = {
        style.look(name).trained: part.pivot_table(index="i", columns="j", values="cosine")
        for name, part in gram.groupby("objective", sort=False)
    }
    numbers = sorted(spectrum["C"].dropna().unique()) or [np.nan]
    sheet = style.Sheet(len(matrices) + 1 + len(numbers), columns=4, height=1.55)
    order = class_order(next(iter(matrices.values()), pd.DataFrame()))
    names = gram.groupby("i")["class_i"].first()
    for title, matrix in matrices.items():
        panel = sheet.panel(title.removesuffix("-trained"))
        panel.cosines(matrix.reindex(index=order, columns=order), title)
        if panel.letter == "a" and len(order) <= NAMED and names.notna().all():
            panel.named["y"] = style.legible(names.reindex(order))
    panel = sheet.panel("ideal simplex ETF", "no Gram matrix in this table")
    if matrices:
        k = np.arange(int(C))
        panel.cosines(pd.DataFrame(np.where(k[:, None] == k, 1.0, -1 / (C - 1))), "ideal")
    looks = dict(yscale="log", ylim=(1e-3, 1.3), xlabel="rank")
    for many in numbers:
        of = style.where(spectrum, C=many)
        title = "spectrum" + style.classes(many)
        panel = sheet.panel(title, ylabel="singular value", **looks)
        panel.trained(of, "rank", "singular_value", style.objectives(of), marker="")
        if panel.drawn:
            panel.axes.axvline(many - 1, color="0.6", lw=0.8, zorder=0)
    note = (
        f"class means of held-out images{style.classes(C)}, seed {seed:g}, similar classes "
        f"adjacent; colour: cosine from −1 (blue) to 1 (red); singular values relative to the "
        f"largest, grey line: rank C − 1; {sheet.note()}"
    )
    sheet.save(folder, f"{NAME}_geometry", title=nearest(matrices, C), note=note)


def nearest(matrices: dict[str, pd.DataFrame], C: float) -> str:
    """Whose class means are nearest to and farthest from a simplex ETF."""
    far = {}
    for name, matrix in matrices.items():
        other = matrix.index.to_numpy()[:, None] != matrix.columns.to_numpy()
        off = np.abs(matrix.to_numpy()[other] + 1 / max(C - 1, 1))
        far[name] = float(off.mean()) if len(off) else np.nan
    if len(far) < 2 or not np.isfinite(list(far.values())).all():
        return "Class means beside a simplex ETF"
    best, worst = min(far, key=far.__getitem__), max(far, key=far.__getitem__)
    how = f"{best} nearest (cosines off by {far[best]:.2f}), {worst} farthest ({far[worst]:.2f})"
    return f"Class means beside a simplex ETF: {how}"


def class_order(gram: pd.DataFrame) -> np.ndarray:
    """Similar classes adjacent (average linkage of 1 - cosine); as given if a cosine is NaN."""
    distance = 1 - gram.to_numpy()
    if len(distance) < 2 or not np.isfinite(distance).all():
        return gram.index.to_numpy()
    np.fill_diagonal(distance, 0)
    order = leaves_list(linkage(squareform(distance, checks=False), "average"))
    return gram.index.to_numpy()[order]


if __name__ == "__main__":
    style.main(draw)
