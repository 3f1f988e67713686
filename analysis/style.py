"""One look for all figures, and the drawing of aggregated tables.

A figure is drawn from a tidy table (panel, series, x, mean, low, high, n), and that table is written
beside it: what the CSV says is what the picture shows.
"""

import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

PALETTE = sns.color_palette("colorblind")


class Looks(dict):
    """What objectives look like; one that is not listed gets `other(name, how many before it)`."""

    def __init__(self, other: Callable[[str, int], object], listed: Mapping[str, object]) -> None:
        super().__init__(listed)
        self.other, self.listed = other, len(listed)

    def __missing__(self, name: str) -> object:
        return self.setdefault(name, self.other(name, len(self) - self.listed))


COLOUR = Looks(
    lambda _, k: PALETTE[(3, 5, 6, 7, 9)[k % 5]],
    {
        "dcl": PALETTE[0],
        "nscl": PALETTE[1],
        "supcon": PALETTE[2],
        "cross_entropy": PALETTE[4],
        "nscl_coupled": PALETTE[8],
        "init": "0.55",
    },
)
MARKER = Looks(
    lambda _, k: "PX*<>"[k % 5],
    {
        "dcl": "o",
        "nscl": "s",
        "supcon": "^",
        "cross_entropy": "D",
        "nscl_coupled": "v",
        "init": "x",
    },
)
LABEL = Looks(
    lambda name, _: f"{name}-trained",
    {
        "dcl": "CL-trained",
        "nscl": "NSCL-trained",
        "supcon": "SupCon-trained",
        "cross_entropy": "cross-entropy",
        "nscl_coupled": "coupled NSCL",
        "init": "untrained",
    },
)
RULER = {
    "bound_equal": ("0.5", ":", "equal similarities"),
    "bound_ceiling": ("0.25", "--", "ETF ceiling"),
    "bound_published": ("k", "-", "published bound"),
}


def use() -> None:
    """Set the look; called by the scripts, never at import."""
    sns.set_theme(style="ticks", palette="colorblind", font_scale=0.9)
    plt.rcParams.update(
        {
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            "lines.linewidth": 1.6,
            "lines.markersize": 4.5,
            "legend.fontsize": 8,
            "savefig.dpi": 200,
            "pdf.fonttype": 42,
            "svg.hashsalt": "supcon_theory",
        }
    )


def aggregate(table: pd.DataFrame, panel: str, series: str, x: str, y: str) -> pd.DataFrame:
    """Mean and range over seeds of column y at each x, as rows of a figure's table."""
    values = table.groupby(x)[y]
    return pd.DataFrame(
        {
            "panel": panel,
            "series": series,
            "x": values.mean().index,
            "mean": values.mean().values,
            "low": values.min().values,
            "high": values.max().values,
            "n": values.count().values,
        }
    )


def band(axes: Axes, rows: pd.DataFrame, **look) -> None:
    """A line through the means, a band from the lowest to the highest seed."""
    rows = rows.sort_values("x")
    (line,) = axes.plot(rows["x"], rows["mean"], **look)
    axes.fill_between(rows["x"], rows["low"], rows["high"], color=line.get_color(), alpha=0.2, lw=0)


def log_numbers(axes: Axes) -> None:
    """Plain numbers on a logarithmic y axis: powers of ten, and 2 and 5 of them over few decades."""

    def minor(value: float, _: int) -> str:
        low, high = axes.get_ylim()
        leading = round(value / 10 ** math.floor(math.log10(value)))
        return f"{value:g}" if leading in (2, 5) and high / low < 60 else ""

    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(minor))


def save(figure: Figure, drawn: pd.DataFrame, folder: Path, name: str) -> None:
    """PDF and PNG of a figure with the CSV that it draws; equal tables give equal bytes."""
    drawn.to_csv(folder / f"{name}.csv", index=False)
    figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})
    figure.savefig(folder / f"{name}.png", metadata={"Software": None})
    plt.close(figure)


def main(draw: Callable[[Mapping[str, pd.DataFrame], Path], None]) -> None:
    """Run `draw(tables, folder)` on the folder named on the command line."""
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "table.csv").exists():
        print(
            f"usage: python {sys.argv[0]} FOLDER, where FOLDER holds the table.csv of a run",
            file=sys.stderr,
        )
        sys.exit(2)
    folder = Path(sys.argv[1])
    tables = {path.stem: pd.read_csv(path) for path in sorted(folder.glob("*.csv"))}
    use()
    draw(tables, folder)
