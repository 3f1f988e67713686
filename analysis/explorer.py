"""The measured points of docs/explorer.html, from the published tables of `gap_vs_classes`.

`python -m supcon_theory.analysis.explorer` writes them between the markers of that page.
"""

import json
from pathlib import Path

import pandas as pd
from supcon_theory.analysis import style

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explorer.html"
PUBLISHED = ROOT / "figures" / "gap_vs_classes"
START, END = "/* points: generated */", "/* end of points */"
RUNS = {"laptop": PUBLISHED, "full": PUBLISHED / "full"}
PANELS = {"a": 1.0, "c": 0.5}  # of the figure, and the temperature at which each is evaluated
SIZES = {"glyphs": 64, "kanji": 44}  # images a class


def points() -> list[dict[str, object]]:
    """What was measured: objective, data, C, n, tau, and the gap with its range over seeds."""
    found = []
    for run, folder in RUNS.items():
        table = pd.read_csv(folder / "gap_vs_classes.csv")
        for panel, tau in PANELS.items():
            rows = style.where(table, panel=panel)
            for row in rows.itertuples(index=False):
                objective, _, data = str(row.series).partition(" ")
                if objective not in style.PAIR or data not in SIZES:
                    continue  # a bound, or a control
                short = {key: float(f"{getattr(row, key):.6g}") for key in ("mean", "low", "high")}
                about = {"run": run, "objective": objective, "data": data, "tau": tau}
                sizes = {"C": int(row.x), "n": SIZES[data]}
                found.append(about | sizes | {"gap": short.pop("mean")} | short)
    return found


def page(text: str) -> str:
    """The page with the points of today between its markers."""
    before, rest = text.split(START)
    rows = ",\n".join(f"  {json.dumps(point)}" for point in points())
    return f"{before}{START} [\n{rows},\n] {END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
