"""Draws `few_shot_counterexample`: python analysis/few_shot_counterexample.py FOLDER."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from supcon_theory.analysis import style

NAME = "few_shot_counterexample"
LINES = {
    "bound_older": ("older 1/m form (refuted)", style.PALETTE[3], "-"),
    "bound_neurips": ("NeurIPS form", style.PALETTE[0], "--"),
    "bound_tightened": ("NeurIPS form, tightened", style.PALETTE[2], "-."),
    "bound_theorem_4_1": ("Theorem 4.1", style.PALETTE[4], ":"),
    "bound_cantelli": ("Cantelli certificate", style.PALETTE[1], (0, (5, 1))),
}


def draw(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    table = tables["table"]
    figure, axes = plt.subplots(
        1, table["scale"].nunique(), figsize=(7.2, 3.5), sharey=True, squeeze=False
    )
    drawn = []
    for axis, (scale, rows) in zip(axes[0], table.groupby("scale"), strict=False):
        name = r"$V = \sqrt{m}$" if scale == 1 else rf"$V = {scale:g}\sqrt{{m}}$"
        for column, (label, colour, dashes) in LINES.items():
            drawn.append(style.aggregate(rows, name, column, "m", column))
            axis.plot(drawn[-1]["x"], drawn[-1]["mean"], color=colour, ls=dashes, label=label)
        drawn.append(style.aggregate(rows, name, "error", "m", "error"))
        style.band(axis, drawn[-1], color="k", marker="o", ls="none", label="error, measured")
        axis.set(xscale="log", yscale="log", xlabel="supports per class m", title=name)
        axis.axhline(0.5, color="0.7", lw=0.8)
    axes[0, 0].set_ylabel("two-way error")
    axes[0, 0].text(1, 0.53, "chance", color="0.5", fontsize=8)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    style.save(figure, pd.concat(drawn, ignore_index=True), folder, NAME)


if __name__ == "__main__":
    style.main(draw)
