"""Draws `minimisers` from its tables: python analysis/minimisers.py results/minimisers/laptop."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from supcon_theory.analysis import style
from supcon_theory.analysis.minimisers_certificates import TITLE, ceiling, curvature

NAME = "minimisers"
REACHED = 1e-8
MEASURES = {
    "excess": "loss − minimum (nats)",
    "augmentation_variance": "augmentation variance",
    "within_class_variance": "within-class variance",
    "cdnv": "CDNV",
    "directional_cdnv": "directional CDNV",
    "etf_deviation": "ETF deviation",
}


def draw(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    plt.rcParams.update(
        {"axes.titlesize": 9, "axes.labelsize": 8.5, "xtick.labelsize": 7.5, "ytick.labelsize": 7.5}
    )  # many small panels
    table = tables["table"]
    landscape(table[table["part"] == "landscape"], folder)
    if "descent" in tables:
        descent(tables["descent"], folder)
    if "gram" in tables:
        grams(tables["gram"], folder)
    if "spectrum" in tables:
        curvature(table, tables["spectrum"], folder)
    if "windows" in tables:
        ceiling(tables["windows"], table[table["part"] == "ascent"], folder)


# ---- success rate over dimension and temperature -------------------------------------------------
def landscape(rows: pd.DataFrame, folder: Path) -> None:
    """Share of the starts that reached the minimum, a panel for each shape and objective."""
    shapes = list(rows[["C", "n", "K"]].drop_duplicates().itertuples(index=False))
    objectives = [
        name for name in ("nscl", "nscl_coupled", "supcon") if name in set(rows["objective"])
    ]
    reached = rows.assign(reached=rows["excess"] <= REACHED)
    share = reached.groupby(["objective", "C", "n", "K", "d", "tau"], as_index=False)[
        "reached"
    ].agg(success="mean", starts="size")
    figure, axes = plt.subplots(
        len(shapes), len(objectives), squeeze=False, figsize=(7.4, 0.5 + 1.62 * len(shapes))
    )
    for axes_row, shape in zip(axes, shapes, strict=True):
        for cell, objective in zip(axes_row, objectives, strict=True):
            part = share[
                (share[["C", "n", "K"]] == list(shape)).all(axis=1)
                & (share["objective"] == objective)
            ]
            heat(cell, part, shape)
            if cell in axes[0]:
                cell.set_title(TITLE[objective])
            if cell in axes[-1]:
                cell.set_xlabel("d / (C − 1)")
        axes_row[0].set_ylabel(
            f"C = {shape.C}, n = {shape.n:g}, K = {shape.K}\ntemperature τ", fontsize=8
        )
    bar = figure.colorbar(axes[0, 0].images[0], ax=axes, shrink=0.6, pad=0.01)
    bar.set_label("share of starts at the minimum")
    style.save(figure, share, folder, NAME)


def heat(axes: Axes, part: pd.DataFrame, shape) -> None:
    if len(part) == 0:
        axes.axis("off")
        axes.text(
            0.5, 0.5, "needs a second view", ha="center", va="center", transform=axes.transAxes
        )
        return
    grid = part.pivot(index="tau", columns="d", values="success")
    axes.imshow(grid, cmap="cividis", vmin=0, vmax=1, aspect="auto", origin="lower")
    for i, tau in enumerate(grid.index):
        for j, d in enumerate(grid.columns):
            if d < shape.C - 1:
                axes.add_patch(
                    Rectangle((j - 0.5, i - 0.5), 1, 1, fc="0.9", ec="0.6", hatch="////", lw=0)
                )
            else:
                value = grid.loc[tau, d]
                axes.text(
                    j,
                    i,
                    f"{value:.2f}".lstrip("0") if value < 1 else "1",
                    ha="center",
                    va="center",
                    fontsize=6.5,
                    color="k" if value > 0.55 else "w",
                )
    ratio = [f"{d / (shape.C - 1):.3g}".lstrip("0") for d in grid.columns]
    axes.set_xticks(range(len(ratio)), ratio, fontsize=7)
    axes.set_yticks(range(len(grid)), [f"{tau:g}" for tau in grid.index], fontsize=7)
    axes.tick_params(length=2)


# ---- while optimising ----------------------------------------------------------------------------
def descent(rows: pd.DataFrame, folder: Path) -> None:
    """Each measure against the iteration: the median over starts, a band from lowest to highest."""
    figure, axes = plt.subplots(2, 3, figsize=(7.4, 4.6), sharex=True)
    drawn = []
    for cell, (measure, label) in zip(axes.flat, MEASURES.items(), strict=True):
        for objective in ("dcl", "nscl", "nscl_coupled", "supcon"):
            part = carried(rows[rows["objective"] == objective], measure)
            if len(part) == 0:
                continue
            found = pd.DataFrame(
                {
                    "panel": measure,
                    "series": objective,
                    "x": part.index,
                    "mean": part.median(axis=1),
                    "low": part.min(axis=1),
                    "high": part.max(axis=1),
                    "n": part.shape[1],
                }
            )
            drawn.append(found)
            levels = ["mean", "low", "high"]
            shown = found.assign(**found[levels].clip(lower=1e-17))  # 0 has no place on a log axis
            style.band(
                cell,
                shown,
                color=style.COLOUR[objective],
                label=TITLE[objective],
                marker=style.MARKER[objective],
                markevery=4,
                ms=3.5,
                lw=1.2,
            )
        cell.set(xscale="symlog", yscale="log", title=label)
        cell.set_xlim(left=0)
    for cell in axes[1]:
        cell.set_xlabel("L-BFGS iteration")
    axes[0, 0].legend(fontsize=7)
    style.save(figure, pd.concat(drawn), folder, f"{NAME}_descent")


def carried(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Iterations by starts; a start that has ended keeps its last value."""
    grid = rows.drop_duplicates(["seed", "iteration"], keep="last")
    return grid.pivot(index="iteration", columns="seed", values=measure).ffill()


# ---- Gram matrices -------------------------------------------------------------------------------
def grams(rows: pd.DataFrame, folder: Path) -> None:
    """Cosines of all samples in class order, beside the ideal."""
    panels = {
        name: part.pivot(index="i", columns="j", values="cosine").to_numpy()
        for name, part in rows.groupby("panel", sort=False)
    }
    spurious = [name for name in panels if "above L*" in name]
    unequal = [name for name in panels if "classes of" in name]
    chosen = [name for name in panels if name not in spurious + unequal[1:]] + spurious[:2]
    ends = [name for name in chosen if name.startswith("nscl, d")]
    if ends:
        panels["ideal"] = ideal(panels[ends[0]])
        chosen = ["ideal", *chosen]
    columns = 4
    figure, axes = plt.subplots(
        -(-len(chosen) // columns),
        columns,
        squeeze=False,
        figsize=(7.4, 2.15 * -(-len(chosen) // columns)),
    )
    for cell in axes.flat[len(chosen) :]:
        cell.axis("off")
    for cell, name in zip(axes.flat, chosen, strict=False):
        image = cell.imshow(panels[name], cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
        title = name.split(", start")[0].replace(", tau", ",\nτ").replace(", classes", ",\nclasses")
        cell.set_title(title, fontsize=7)
        cell.set_xticks([])
        cell.set_yticks([])
    figure.colorbar(image, ax=axes, shrink=0.5, pad=0.01).set_label("cosine")
    drawn = rows[rows["panel"].isin(chosen)]
    style.save(figure, drawn, folder, f"{NAME}_gram")


def ideal(like: np.ndarray) -> np.ndarray:
    """The class simplex with as many equal classes as the blocks of ones in `like`."""
    first = int((like[0] > 0.999).sum())
    classes = np.arange(len(like)) // first
    return np.where(classes[:, None] == classes, 1.0, -1 / (classes.max()))


if __name__ == "__main__":
    style.main(draw)
