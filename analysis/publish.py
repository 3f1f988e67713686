"""Makes finished runs the published ones: results/ -> figures/, and the README's verdict table.

python analysis/publish.py results/gap_vs_classes/full results/minimisers/laptop
python analysis/publish.py            # only the README's table, from figures/
"""

import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "figures"
BEGIN, END = "<!-- verdicts: written by analysis/publish.py -->", "<!-- end of verdicts -->"


def publish(folder: Path) -> None:
    """Copy a run's figures with their CSV, its verdicts, and what made it."""
    manifest = json.loads((folder / "manifest.json").read_text())
    name = manifest["experiment"]
    pictures = sorted(folder.glob(f"{name}*.p[dn][fg]"))
    if not pictures:
        raise SystemExit(
            f"{folder} has no {name}.pdf: run `python analysis/{name}.py {folder}` first"
        )
    for picture in pictures:
        for file in (picture, picture.with_suffix(".csv")):
            if file.exists():
                shutil.copyfile(file, FIGURES / file.name)
    shutil.copyfile(folder / "claims.csv", FIGURES / f"{name}.claims.csv")
    kept = {
        key: manifest[key]
        for key in ("experiment", "preset", "command", "time", "machine", "versions", "config")
    }
    kept["cells"] = len(manifest["cells"])
    kept["cpu_seconds"] = compute_time(folder, manifest["cells"].values())
    (FIGURES / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n")


def compute_time(folder: Path, cells: Iterable[str]) -> float:
    """CPU seconds of these cells together, whenever they were computed."""
    found = (json.loads((folder / "cells" / cell / "manifest.json").read_text()) for cell in cells)
    return round(sum(manifest["seconds"] for manifest in found), 1)


ORDER = (
    "gap_vs_classes",
    "loss_tracking",
    "universality",
    "minimisers",
    "collapse",
    "embeddings_map",
    "few_shot",
    "few_shot_counterexample",
)


def verdict_tables() -> str:
    """All published verdicts in Markdown: a table for each experiment, a row for each claim."""
    lines = []
    for name in ORDER:
        path = FIGURES / f"{name}.claims.csv"
        if not path.exists():
            continue
        made = json.loads((FIGURES / f"{name}.json").read_text())
        lines += [
            "",
            f"### {name}",
            "",
            f"[figure](figures/{name}.png), [text](figures/{name}.md); "
            f"`{made['command']}`, {made['cpu_seconds'] / 60:.0f} min of CPU time",
            "",
            "| claim | statement | kind | verdict | found |",
            "|---|---|---|---|---|",
        ]
        for row in pd.read_csv(path).itertuples():
            found = [row.reason] if isinstance(row.reason, str) else []
            if not pd.isna(row.ci_low):
                found.append(f"95 % interval [{row.ci_low:.4g}, {row.ci_high:.4g}]")
            if not pd.isna(row.tightness):
                found.append(f"value / bound {row.tightness:.2g}")
            found.append(f"n = {row.n}")
            cells = (row.claim, row.statement, row.kind, f"**{row.verdict}**", "; ".join(found))
            lines.append("| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    FIGURES.mkdir(exist_ok=True)
    for folder in sys.argv[1:]:
        publish(Path(folder))
    readme = ROOT / "README.md"
    text = readme.read_text()
    before, rest = text.split(BEGIN)
    readme.write_text(f"{before}{BEGIN}\n{verdict_tables()}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
