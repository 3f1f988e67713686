"""The two figures of `minimisers` that show certificates: curvature, and the ceiling of the gap."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from supcon_theory.analysis import style

TITLE = {"nscl": "NSCL", "nscl_coupled": "coupled NSCL", "supcon": "SupCon", "dcl": "CL (dcl)"}


# ---- curvature -----------------------------------------------------------------------------------
def curvature(table: pd.DataFrame, spectra: pd.DataFrame, folder: Path) -> None:
    figure, axes = plt.subplots(1, 3, figsize=(7.4, 2.7))
    at_simplex = spectra[spectra["part"] == "class simplex"]
    drawn = []
    for (objective, tau), part in at_simplex.groupby(["objective", "tau"]):
        if tau in (at_simplex["tau"].min(), at_simplex["tau"].max()):
            dashes = "-" if tau == at_simplex["tau"].max() else ":"
            drawn.append(
                ordered(
                    axes[0],
                    part,
                    f"{TITLE[objective]}, τ = {tau:g}",
                    ls=dashes,
                    color=style.COLOUR[objective],
                )
            )
    axes[0].set_title("a  class simplex")
    spurious = spectra[spectra["part"] == "spurious"]
    one_each = spurious[["C", "K", "d", "tau", "seed"]].drop_duplicates(["C", "tau"])[:4]
    for k, of in enumerate(one_each.itertuples(index=False)):
        part = spurious[(spurious[list(one_each)] == list(of)).all(axis=1)]
        label = f"C = {of.C:g}, d = {of.d:g}, τ = {of.tau:g}"
        drawn.append(ordered(axes[1], part, label, color=style.PALETTE[k + 3]))
    axes[1].set_title("b  spurious minima of NSCL")
    for cell in axes[:2]:
        cell.axhline(0, color="0.5", lw=0.6)
        cell.set(yscale="symlog", xlabel="rank / number", ylabel="eigenvalue × N K")
        cell.legend(fontsize=6)
    drawn.append(directions(axes[2], table[table["part"] == "class simplex"]))
    style.save(figure, pd.concat(drawn), folder, "minimisers_curvature")


def ordered(axes: Axes, part: pd.DataFrame, label: str, **look) -> pd.DataFrame:
    values = np.sort(part["eigenvalue"].to_numpy())
    x = np.arange(1, len(values) + 1) / len(values)
    axes.plot(x, values, label=label, lw=1.2, drawstyle="steps-mid", **look)
    return pd.DataFrame({"panel": part["part"].iloc[0], "series": label, "x": x, "mean": values})


def directions(axes: Axes, rows: pd.DataFrame) -> pd.DataFrame:
    """The range of the curvature of dcl along 300 random directions, against temperature."""
    rows = rows[rows["objective"] == "dcl"].sort_values("tau")
    drawn = []
    for k, (name, label) in enumerate(
        (("views_together", "views together"), ("views_independent", "views independent"))
    ):
        low, high = rows[f"{name}_min"], rows[f"{name}_max"]
        x = np.arange(len(rows)) + 0.16 * (2 * k - 1)
        axes.vlines(x, low, high, color=style.PALETTE[k], lw=4, label=label)
        drawn.append(
            pd.DataFrame(
                {"panel": "directions", "series": label, "x": rows["tau"], "low": low, "high": high}
            )
        )
    axes.axhline(0, color="0.5", lw=0.6)
    axes.set_xticks(range(len(rows)), [f"{tau:g}" for tau in rows["tau"]])
    axes.set(
        yscale="symlog",
        xlabel="temperature τ",
        ylabel="curvature × N K",
        title="c  CL, random directions",
    )
    axes.legend(fontsize=6, loc="upper left")
    return pd.concat(drawn)


# ---- the ceiling of the gap ----------------------------------------------------------------------
def ceiling(windows: pd.DataFrame, climbs: pd.DataFrame, folder: Path) -> None:
    """Where the ceiling lacks a proof, and the largest gap found there."""
    figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.0))
    drawn = []
    for k, (n, part) in enumerate(windows.groupby("n")):
        part = part.sort_values("C").dropna()
        label = f"n = {n:g}" if n < 1e5 else "n → ∞"
        look = dict(color=style.PALETTE[k], marker="osD"[k % 3], ms=3.5, lw=1.2)
        axes[0].plot(part["C"], part["outer_high"], label=label, **look)
        axes[0].plot(part["C"], part["outer_low"], **look)
        drawn.append(part.assign(panel="windows"))
    best = climbs.groupby(["C", "n", "tau", "ceiling"], as_index=False)[
        ["gap", "bound_ceiling", "excess"]
    ].max()
    axes[0].scatter(
        best["C"], best["tau"], marker="x", c="k", s=22, label="ascents (right)", zorder=3
    )
    axes[0].axhline(0.86, color="0.5", lw=0.8, ls="--")
    axes[0].text(
        0.98,
        0.875,
        "proved above for all C, n",
        ha="right",
        fontsize=7,
        color="0.35",
        transform=axes[0].get_yaxis_transform(),
    )
    axes[0].set(
        xscale="log",
        xlabel="number of classes C",
        ylabel="temperature τ",
        ylim=(0, 1.35),
        title="a  no proof between the curves",
    )
    axes[0].legend(fontsize=7, loc="upper left", ncols=2)
    names = [f"{r.C:g}, {r.n:g}, {r.tau:g}" for r in best.itertuples()]
    below = (-best["excess"]).clip(lower=1e-16)
    for answer, look in (
        ("proved", dict(color=style.PALETTE[2], marker="o", label="ceiling proved")),
        ("fails", dict(color=style.PALETTE[3], marker="D", label="no proof")),
    ):
        of = np.flatnonzero(best["ceiling"] == answer)
        axes[1].plot(below.iloc[of], of, ls="", ms=5, **look)
    axes[1].set_yticks(range(len(best)), names, fontsize=7)
    axes[1].set(xscale="log", xlim=(1e-16, 1e-8), ylabel="C, n, τ")
    axes[1].set(
        xlabel="ceiling − largest gap found (nats)", title="b  no ascent passes the ceiling"
    )
    axes[1].legend(fontsize=7, loc="lower right")
    drawn.append(best.assign(panel="ascents"))
    style.save(figure, pd.concat(drawn), folder, "minimisers_ceiling")
