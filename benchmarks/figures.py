"""Draws the figures of the benchmarks from their CSV, as they are printed.

python benchmarks/figures.py [FOLDER]     figures/benchmarks by default
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

FIGURES = Path(__file__).resolve().parents[1] / "figures" / "benchmarks"
PEERS = {  # what other libraries call a loss: its id here, the marker of the library
    "lightly NTXentLoss": ("nt_xent", "o"),
    "lightly DCLLoss": ("dcl", "o"),
    "pml SupConLoss": ("supcon", "D"),
    "pml NTXentLoss": ("nt_xent", "D"),
}
OURS = ("dcl", "nscl", "nt_xent", "supcon")
PLAIN = dict(color="0.5", marker="x", ls=style.DASHED, label="plain")
VERSIONS = {
    "ours": dict(color="k", marker="o", ls="-", label="ours"),
    "plain": PLAIN,
    "loop": dict(color=style.EXTRA["olive"], marker="^", ls=style.DOTTED, label="loop"),
    "one-pass": dict(color=style.EXTRA["wine"], marker="v", ls=style.DASHDOT, label="one pass"),
}


def growth(rows: pd.DataFrame, column: str) -> float:
    """Exponent b of a power law images^b from 1024 images on (of all, if fewer than 2 sizes)."""
    large = rows[rows["images"] >= 1024]
    rows = large if len(large) >= 2 else rows
    if len(rows) < 2:
        return np.nan
    return float(np.polyfit(np.log(rows["images"]), np.log(rows[column].clip(lower=1e-3)), 1)[0])


def objectives(folder: Path) -> None:
    """CPU time and memory of the losses beside their peers."""
    table = pd.read_csv(folder / "benchmark_objectives.csv").assign(seed=0)
    sheet = style.Sheet(2, 2, 2.4)
    axes = dict(xscale="log", yscale="log", xlabel="images (two views each)", xticks="values")
    for column, title in {"cpu_ms": "CPU time (ms)", "memory_mb": "extra memory (MB)"}.items():
        panel = sheet.panel(title.split(" (")[0], ylabel=title, **axes)
        for name in (*OURS, "plain", *PEERS):
            rows = table[table["function"] == name]
            if name in PEERS:
                loss, marker = PEERS[name]
                line = dict(color=style.look(loss).color, marker=marker, mfc="w", ls=style.DOTTED)
                line["label"] = name
            else:
                line = (
                    PLAIN if name == "plain" else style.look(name).line(label=style.look(name).name)
                )
            panel.curve(rows, "images", column, **line, band=False)
    largest = table[table["images"] == table["images"].max()].set_index("function")[
        ["cpu_ms", "memory_mb"]
    ]
    times, less = largest.loc["lightly NTXentLoss"] / largest.loc["nt_xent"]
    rates = [growth(table[table["function"] == name], "cpu_ms") for name in OURS]
    title = (
        f"NT-Xent takes {times:.1f} times less CPU time and {less:.0f} times less memory than "
        f"the fastest peer at {table['images'].max()} images"
    )
    note = f"one thread; CPU time grows as images^{np.mean(rates):.1f} from 1024 images on (ours)"
    sheet.save(folder, "benchmark_objectives", title=title, note=note, table=False)


def measures(folder: Path) -> None:
    """CPU time of CDNV and directional CDNV in three versions, and what they lose in accuracy."""
    table = pd.read_csv(folder / "benchmark_measures.csv").assign(seed=0)
    errors = pd.read_csv(folder / "benchmark_measures.accuracy.csv").assign(seed=0)
    table = table[table["what"] == "CDNV"]
    sheet = style.Sheet(4, 2, 1.7)
    looks = dict(xscale="log", yscale="log", ylabel="CPU time (s)", xticks="values")
    names = {"N": "samples N", "C": "classes C", "d": "dimensions d"}
    for grows, label in names.items():
        part = table[table["sweep"] == grows]
        fixed = ", ".join(f"{k} = {part[k].iloc[0]:,}" for k in names if k != grows)
        panel = sheet.panel(fixed, xlabel=label, **looks)
        for version in ("ours", "plain", "loop"):
            rows = part[part["version"] == version]
            panel.curve(rows, grows, "cpu_seconds", **VERSIONS[version], band=False)
    looks = dict(yscale="log", ylabel="relative error of CDNV")
    panel = sheet.panel("accuracy", xlabel="common offset of the features", **looks)
    offsets = sorted(errors["offset"].unique())
    errors["place"] = errors["offset"].map(offsets.index)
    panel.named["x"] = [style.short(offset) for offset in offsets]
    least = float(np.finfo(np.float64).eps)  # 0 has no place on a logarithmic axis
    for version in ("ours", "plain", "one-pass"):
        rows = errors[errors["version"] == version]
        rows = rows.assign(error=rows["error"].clip(lower=least))
        panel.curve(rows, "place", "error", **VERSIONS[version], band=False)
    slower = table.loc[table["version"] == "ours", "of_plain"].median()
    worst = errors[errors["offset"] == errors["offset"].max()].set_index("version")["error"]
    title = (
        f"CDNV: {slower:.1f} times the CPU time of plain float32 buys errors of "
        f"{style.short(max(worst['ours'], least))} instead of {style.short(worst['plain'])} where "
        "features share an offset"
    )
    note = "one thread; ours: float64 sums in tiles; plain: whole arrays in float32"
    sheet.save(folder, "benchmark_measures", title=title, note=note, table=False)


def global_losses(folder: Path) -> None:
    """CPU time and memory of the exact losses over a whole data set."""
    table = pd.read_csv(folder / "benchmark_global_losses.csv").assign(seed=0)
    lines = {
        "ours": VERSIONS["ours"],
        "ours, 2 taus": VERSIONS["ours"]
        | dict(marker="s", mfc="w", ls=style.DASHED, label="ours, 2 temperatures"),
        "product": dict(color=style.EXTRA["teal"], marker="D", ls="-", label="products alone"),
        "plain": PLAIN | dict(label="plain, best block"),
        "plain 1024": PLAIN | dict(marker="+", ls=style.DOTTED, label="plain, block of 1024"),
    }
    sheet = style.Sheet(2, 2, 2.2)
    axes = dict(xscale="log", yscale="log", xlabel="rows N K", xticks="values")
    panel = sheet.panel("CPU time", ylabel="CPU time (s)", **axes)
    for version, line in lines.items():
        panel.curve(table[table["version"] == version], "rows", "seconds", **line, band=False)
    panel = sheet.panel("memory", ylabel="extra memory (MB)", **axes)
    ours = table[table["version"] == "ours"]
    panel.curve(ours, "rows", "extra_mb", **lines["ours"], band=False)
    whole = ours.assign(extra_mb=4 * ours["rows"].astype(float) ** 2 / 2**20)
    look = dict(color=style.EXTRA["wine"], ls=style.DASHDOT, label="N K × N K in float32")
    panel.curve(whole, "rows", "extra_mb", **look, band=False)
    most = ours.dropna(subset="ratio").iloc[-1]
    title = (
        f"Exact losses of {most['rows']:,.0f} rows in {most['ratio']:.2f} of the plain CPU time "
        f"and {most['extra_mb']:.0f} MB"
    )
    note = "one thread; products alone: the floor of anything exact"
    sheet.save(folder, "benchmark_global_losses", title=title, note=note, table=False)


def draw(folder: Path) -> bool:
    """Draw those figures whose CSV a folder has; whether there is any."""
    found = [
        figure
        for figure in (objectives, measures, global_losses)
        if (folder / f"benchmark_{figure.__name__}.csv").exists()
    ]
    with style.printed(folder):
        for figure in found:
            figure(folder)
    return bool(found)


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else FIGURES
    if not draw(given):
        sys.exit(f"{given} has no CSV of a benchmark: run one of benchmarks/ first")
