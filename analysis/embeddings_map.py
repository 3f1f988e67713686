"""Draws `embeddings_map`: maps of held-out embeddings while they are trained."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import MAPS, POINTS

NAME = "embeddings_map"
FAR = 0.02  # share of the points along each axis that a window leaves out
MARKERS = "os^vDP*X<>"
NAMED = 12  # classes up to which there is room for their names
NAME_LOOK = dict(fontsize=style.SMALL, bbox=dict(fc="w", lw=0, alpha=0.7, pad=0.4))
METHOD = {"tsne": "t-SNE", "pca": "PCA", "umap": "UMAP"}


@style.drawing(table=(MAPS,), points=(POINTS,))
def draw(tables: style.Tables, folder: Path) -> None:
    """A row for each objective, a column for each step; the first seed and the fewest classes."""
    points, numbers = tables["points"], tables["table"]
    C, seed = points["C"].min(), points["seed"].min()
    points = style.where(points, C=C, seed=seed)
    numbers = style.where(numbers, C=C, seed=seed, labels="true")
    steps = sorted(points["step"].unique()) or [np.nan]
    objectives = list(dict.fromkeys(points["objective"])) or [*style.PAIR]
    sheet = style.Sheet(len(objectives) * len(steps), len(steps), 1.55)
    for objective in objectives:
        for step in steps:
            at = dict(objective=objective, step=step)
            title = style.look(objective).name + (f"\nstep\u00a0{step:g}" if step >= 0 else "")
            here = style.where(points, step=step)
            window = dict(xlim=ends(here["x"]), ylim=ends(here["y"]))
            panel = sheet.panel(title, "no map of this step", xticks=[], yticks=[], **window)
            scatter(panel, style.where(points, **at), named=step == steps[-1] and C <= NAMED)
            if panel.drawn and len(of := style.where(numbers, **at)):
                pure, mapped = of["purity"].mean(), of["purity_map"].mean()
                panel.looks["xlabel"] = f"{pure:.2f} ({mapped:.2f})"
    method = METHOD.get(str(numbers["method"].min()), "map")
    images = points["row"].nunique()
    note = (
        f"{method} of {images} held-out images, C = {C:g} classes (colour and marker; named at the "
        f"last step), seed {seed:g}; one map for all panels, each step in a window of its own "
        f"without the farthest {FAR:.0%}. Below: purity, the share of the nearest neighbours with "
        "the same class, among embeddings (and in the map)"
    )
    sheet.save(folder, NAME, title=message(numbers), note=note, legend=False)


def message(numbers: pd.DataFrame) -> str:
    """The purity before training and after it."""
    start = numbers.loc[numbers["step"] == numbers["step"].min(), "purity"].mean()
    last = numbers[numbers["step"] == numbers["step"].max()]
    ends = last.groupby("objective", sort=False)["purity"].mean().dropna()
    if not np.isfinite(start) or ends.empty:
        return "Embeddings while they are trained"
    shares = ", ".join(f"{purity:.0%} {style.look(name).name}" for name, purity in ends.items())
    return f"Neighbours of the same class: {start:.0%} untrained, {shares}"


def scatter(panel: style.Panel, points: pd.DataFrame, named: bool) -> None:
    """The images of each class in its own colour and marker, and where they are its name."""
    for c, of in points.groupby("class"):
        c = int(c)
        name = of["class_name"].fillna(f"class {c}").iloc[0]
        panel.record(name, x=of["x"], mean=of["y"])
        if named:
            (written,) = style.legible([name])
            place = (of["x"].median(), of["y"].median())
            panel.axes.annotate(written, place, ha="center", va="center", **NAME_LOOK)
        look = dict(color=style.PALETTE[c % 10], marker=MARKERS[(c + c // 10) % len(MARKERS)])
        panel.axes.scatter(of["x"], of["y"], s=2.5, linewidths=0, alpha=0.8, **look)
    panel.axes.set_box_aspect(1)


def ends(values: pd.Series) -> tuple[float, float]:
    """Limits of an axis with a little room, without the farthest points."""
    low, high = values.quantile([FAR / 2, 1 - FAR / 2])
    room = 0.06 * (high - low)
    return low - room, high + room


if __name__ == "__main__":
    style.main(draw)
