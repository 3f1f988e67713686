"""Draws `collapse` from its tables: python analysis/collapse.py results/collapse/laptop."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform
from supcon_theory.analysis import style

NAME = "collapse"
MEASURES = {
    "cdnv": "CDNV",
    "directional_cdnv": "directional CDNV",
    "nscl_above_floor_tau1": "NSCL loss above its floor (nats)",
}


def draw(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    along_training(tables["table"], folder)
    at_the_end(tables["gram"], tables["spectrum"], folder)


def along_training(table: pd.DataFrame, folder: Path) -> None:
    """Each measure of z against the epoch: CL and NSCL, train and held-out, and the controls."""
    classes = sorted(table["C"].unique())
    figure, axes = plt.subplots(
        len(MEASURES),
        len(classes),
        squeeze=False,
        sharex="col",
        figsize=(4.4 * len(classes) + 0.6, 8.4),
    )
    drawn = []
    for column, C in enumerate(classes):
        rows = table[(table["C"] == C) & (table["layer"] == "z")]
        for row, (measure, label) in enumerate(MEASURES.items()):
            drawn.append(panel(axes[row, column], rows, measure, f"{measure} C={C}"))
            axes[row, column].set(yscale="log", ylabel=label if column == 0 else "")
            style.log_numbers(axes[row, column])
        simplex = table.loc[table["objective"] == "instance simplex", "cdnv"]
        if len(simplex):
            axes[0, column].axhline(
                simplex.mean(), color="0.4", ls="-.", lw=1, label="instance simplex (train)"
            )
        axes[0, column].set_title(f"C = {C}, embeddings z")
        axes[-1, column].set_xscale("symlog", linthresh=0.1)
        axes[-1, column].set_xlim(left=0)
        axes[-1, column].set_xlabel("epoch")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=1 + len(classes))
    style.save(figure, pd.concat(drawn, ignore_index=True), folder, NAME)


def panel(axes: Axes, rows: pd.DataFrame, measure: str, name: str) -> pd.DataFrame:
    drawn = []
    for objective in ("dcl", "nscl"):
        for split, dashes in (("train", "-"), ("test", "--")):
            of = rows[
                (rows["objective"] == objective)
                & (rows["split"] == split)
                & (rows["labels"] == "true")
            ]
            drawn.append(style.aggregate(of, name, f"{objective} {split}", "epoch", measure))
            where = "train" if split == "train" else "held-out"
            style.band(
                axes,
                drawn[-1],
                color=style.COLOUR[objective],
                ls=dashes,
                marker=style.MARKER[objective],
                mfc=None if split == "train" else "white",
                label=f"{style.LABEL[objective]}, {where}",
            )
        of = rows[
            (rows["objective"] == objective)
            & (rows["split"] == "test")
            & (rows["labels"] == "shuffled")
        ]
        if of[measure].notna().any():
            drawn.append(style.aggregate(of, name, f"{objective} shuffled", "epoch", measure))
            style.band(
                axes,
                drawn[-1],
                color=style.COLOUR[objective],
                ls=":",
                lw=1.2,
                label=f"{style.LABEL[objective]}, held-out, shuffled labels",
            )
    return pd.concat(drawn)


def at_the_end(gram: pd.DataFrame, spectrum: pd.DataFrame, folder: Path) -> None:
    """Gram matrices of the centred class means beside the ideal one, and the spectra of z."""
    C, seed = gram["C"].min(), gram["seed"].min()
    kept = gram[
        (gram["C"] == C)
        & (gram["seed"] == seed)
        & (gram["layer"] == "z")
        & (gram["split"] == "test")
    ]
    objectives = list(kept["objective"].unique())
    matrices = {
        o: kept[kept["objective"] == o].pivot(index="i", columns="j", values="cosine")
        for o in objectives
    }
    order = class_order(matrices[objectives[0]].to_numpy())
    ideal = pd.DataFrame(np.where(np.eye(C), 1.0, -1 / (C - 1)))
    figure = plt.figure(figsize=(2.15 * (len(objectives) + 1), 5.2))
    grid = figure.add_gridspec(2, 2 * (len(objectives) + 1), height_ratios=[1, 1.35])
    drawn = []
    shown = {**{style.LABEL[o]: m for o, m in matrices.items()}, "ideal simplex ETF": ideal}
    panels = []
    for place, (title, matrix) in enumerate(shown.items()):
        axes = figure.add_subplot(grid[0, 2 * place : 2 * place + 2])
        picture = axes.imshow(
            matrix.to_numpy()[np.ix_(order, order)],
            vmin=-1,
            vmax=1,
            cmap=sns.color_palette("vlag", as_cmap=True),
        )
        axes.set(title=title, xticks=[], yticks=[])
        axes.title.set_fontsize(9)
        panels.append(axes)
        values = matrix.to_numpy()[np.ix_(order, order)]
        i, j = np.indices(values.shape)
        drawn.append(
            pd.DataFrame(
                {
                    "panel": f"gram C={C}",
                    "series": title,
                    "x": i.ravel(),
                    "y": j.ravel(),
                    "mean": values.ravel(),
                }
            )
        )
    figure.colorbar(picture, ax=panels, label="cosine", shrink=0.8)
    classes = sorted(spectrum["C"].unique())
    width = 2 * (len(objectives) + 1) // len(classes)
    for place, many in enumerate(classes):
        axes = figure.add_subplot(grid[1, place * width : (place + 1) * width])
        rows = spectrum[
            (spectrum["C"] == many) & (spectrum["layer"] == "z") & (spectrum["split"] == "test")
        ]
        for objective in objectives:
            of = rows[rows["objective"] == objective]
            drawn.append(
                style.aggregate(of, f"spectrum C={many}", objective, "rank", "singular_value")
            )
            style.band(axes, drawn[-1], color=style.COLOUR[objective], label=style.LABEL[objective])
        axes.axvline(many - 1, color="0.5", ls=":", lw=1)
        axes.set(
            yscale="log",
            ylim=(1e-3, 1.3),
            xlabel="rank of the singular value (dotted: C − 1)",
            ylabel="singular value of z / largest" if place == 0 else "",
            title=f"spectrum, held-out, C = {many}",
        )
    axes.legend()
    style.save(figure, pd.concat(drawn, ignore_index=True), folder, f"{NAME}_geometry")


def class_order(gram: np.ndarray) -> np.ndarray:
    """Similar classes next to each other (average linkage of 1 - cosine)."""
    distance = 1 - gram
    np.fill_diagonal(distance, 0)
    return leaves_list(linkage(squareform(distance, checks=False), "average"))


if __name__ == "__main__":
    style.main(draw)
