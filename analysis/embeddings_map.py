"""Draws `embeddings_map` from its tables: python analysis/embeddings_map.py
results/embeddings_map/laptop.
"""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from supcon_theory.analysis import style

NAME = "embeddings_map"
MARKERS = "os^vDP*X<>"
METHOD = {"tsne": "t-SNE", "pca": "PCA", "umap": "UMAP"}


def draw(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """The panels of the first seed and the fewest classes; purity of the embeddings in each
    title.
    """
    points, numbers = tables["points"], tables["table"]
    C, seed = points["C"].min(), points["seed"].min()
    points = points[(points["C"] == C) & (points["seed"] == seed)]
    numbers = numbers[
        (numbers["C"] == C) & (numbers["seed"] == seed) & (numbers["labels"] == "true")
    ]
    numbers = numbers.set_index(["objective", "step"])
    steps, objectives = sorted(points["step"].unique()), ("dcl", "nscl")
    figure, axes = plt.subplots(
        2, len(steps), figsize=(2.2 * len(steps), 4.9), sharex=True, sharey=True, squeeze=False
    )
    # ten colours that colour-blind readers tell apart, and markers in case of more classes or doubt
    colours = sns.color_palette("colorblind", 10)
    for row, objective in enumerate(objectives):
        for column, step in enumerate(steps):
            here = axes[row, column]
            panel = points[(points["objective"] == objective) & (points["step"] == step)]
            for c, of in panel.groupby("class"):
                here.scatter(
                    of["x"],
                    of["y"],
                    s=7,
                    color=colours[c % 10],
                    linewidths=0,
                    alpha=0.8,
                    marker=MARKERS[(c + c // 10) % len(MARKERS)],
                )
            found = numbers.loc[(objective, step)]
            here.set_title(
                f"step {step}\npurity {found['purity']:.2f}, map {found['purity_map']:.2f}",
                fontsize=8.5,
            )
            here.set(xticks=[], yticks=[], aspect="equal")
        axes[row, 0].set_ylabel(f"{style.LABEL[objective]}\ndimension 2")
    for here in axes[-1]:
        here.set_xlabel("dimension 1")
    method = METHOD[numbers["method"].iloc[0]]
    figure.suptitle(
        f"{method} of {panel.shape[0]} held-out images, C = {C} classes (colour and marker), "
        "one map for all panels",
        fontsize=9.5,
    )
    style.save(figure, points.drop(columns=["cell"], errors="ignore"), folder, NAME)


if __name__ == "__main__":
    style.main(draw)
