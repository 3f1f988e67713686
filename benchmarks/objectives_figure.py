"""Draws benchmark_objectives.{png,pdf} from benchmark_objectives.csv of a folder.

python benchmarks/objectives_figure.py figures/benchmarks
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

SHOWN = {  # function: (colour of the palette, marker, line)
    "dcl": (0, "o", "-"),
    "nscl": (1, "s", "-"),
    "nt_xent": (2, "^", "-"),
    "supcon": (4, "D", "-"),
    "plain": (7, "x", "--"),
    "lightly NTXentLoss": (2, "^", ":"),
    "lightly DCLLoss": (0, "o", ":"),
    "pml SupConLoss": (4, "D", ":"),
    "pml NTXentLoss": (3, "v", ":"),
}


def growth(rows: pd.DataFrame, column: str) -> float:
    """Exponent b of a power law images^b through the sizes from 1024 on (all, if fewer than 2)."""
    large = rows[rows["images"] >= 1024]
    rows = large if len(large) >= 2 else rows
    if len(rows) < 2:
        return float("nan")
    return float(np.polyfit(np.log(rows["images"]), np.log(rows[column].clip(lower=1e-3)), 1)[0])


def draw(folder: Path) -> None:
    table = pd.read_csv(folder / "benchmark_objectives.csv")
    palette = sns.color_palette("colorblind")
    with sns.axes_style("ticks"), plt.rc_context({"font.size": 8, "pdf.fonttype": 42}):
        figure, both = plt.subplots(1, 2, figsize=(7.0, 3.9))
        for axes, column, label in zip(
            both, ("cpu_ms", "memory_mb"), ("CPU time (ms)", "peak extra memory (MB)"), strict=True
        ):
            for name, (colour, marker, line) in SHOWN.items():
                rows = table[table["function"] == name].sort_values("images")
                b = growth(rows, column)
                axes.loglog(
                    rows["images"], rows[column], line, marker=marker, ms=4, lw=1.3,
                    color=palette[colour], mfc="white" if line == ":" else None,
                    label=name if np.isnan(b) else f"{name}  {b:.1f}",
                )  # fmt: skip
            sizes = sorted(table["images"].unique())
            axes.set_xticks(sizes, [str(size) for size in sizes])
            axes.minorticks_off()
            axes.set(xlabel="images (two views each)", ylabel=label)
            axes.legend(
                frameon=False, fontsize=7, ncol=2, loc="lower center", bbox_to_anchor=(0.45, 1.0),
                title="growth exponent from 1024 images", title_fontsize=7, columnspacing=1.0,
            )  # fmt: skip
            sns.despine(ax=axes)
        figure.tight_layout()
        figure.savefig(folder / "benchmark_objectives.pdf", metadata={"CreationDate": None})
        figure.savefig(folder / "benchmark_objectives.png", dpi=200, metadata={"Software": None})
        plt.close(figure)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "benchmark_objectives.csv").exists():
        sys.exit(f"usage: python {sys.argv[0]} FOLDER, one that holds benchmark_objectives.csv")
    draw(Path(sys.argv[1]))
