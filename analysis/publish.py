"""Makes finished runs the published ones: results/ -> figures/NAME[/full], and docs/verdicts.md.

python -m supcon_theory.analysis.publish results/gap_vs_classes/full results/minimisers/laptop
python -m supcon_theory.analysis.publish results/gap_vs_classes/laptop-cifar10 --beside cifar10
python -m supcon_theory.analysis.publish            # only docs/verdicts.md, from figures/
python -m supcon_theory.analysis.publish --check    # is that page as it would be written?
"""

import argparse
import json
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import fill

import pandas as pd

from supcon_theory.claims.evaluate import MEANINGS, basis

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 2_000_000  # bytes of a table.csv that is published; above, it is stored compressed
TITLE = "# Verdicts of the published runs"
HEAD = f"Written by `python -m supcon_theory.analysis.publish`. {MEANINGS}"
SUMMARY = (".csv", ".tex")
KEPT = ("experiment", "preset", "command", "time", "machine", "versions", "configuration")


def publish(folder: Path, figures: Path, beside: str = "") -> Path:
    """Copy a run's figures with their CSV, its table, its verdicts, and what made it.

    The text (README.md) stays; all else that the place held gives way.

    Args:
        folder: A finished run, `<out>/NAME/<preset>`.
        figures: The folder of all published runs.
        beside: A name for a run with other flags, which is published beside those of the presets.

    Returns:
        `figures/NAME`, `figures/NAME/full` for a run of the preset `full`, `figures/NAME/beside`.

    Raises:
        ValueError: If no figure was drawn of the run, or its columns are not described, or it is
            of another preset.
    """
    manifest = json.loads((folder / "manifest.json").read_text())
    name, preset = manifest["experiment"], manifest["preset"]
    if preset not in ("laptop", "full"):
        raise ValueError(f"{folder} is a run of {preset}: publish one of laptop or full")
    pictures = sorted(folder.glob(f"{name}*.p[dn][fg]"))
    if not pictures:
        command = f"python -m supcon_theory.analysis.{name} {folder}"
        raise ValueError(f"{folder} has no {name}.pdf: run `{command}` first")
    if not (folder / "datapackage.json").exists():
        raise ValueError(f"{folder} has no datapackage.json: run {name} again, from its store")
    place = figures / name / (beside or ("full" if preset == "full" else ""))
    place.mkdir(parents=True, exist_ok=True)
    for old in place.iterdir():
        if old.is_file() and old.name != "README.md":
            old.unlink()
    drawn = {picture.with_suffix(".csv") for picture in pictures}
    others = [folder / name for name in ("claims.csv", "claims.json", "figures.json")]
    others += sorted(folder.glob("caption*.tex"))
    described = json.loads((folder / "datapackage.json").read_text())
    short = {of["name"] for of in described["resources"] if "title" in of}  # the summaries
    others += sorted(f for f in folder.glob("*.*") if f.stem in short and f.suffix in SUMMARY)
    for file in (*pictures, *sorted(drawn), *others):
        if file.exists():
            shutil.copyfile(file, place / file.name)
    if (place / "claims.csv").exists():  # it becomes what others are compared with
        verdicts = pd.read_csv(place / "claims.csv", dtype=str, keep_default_na=False)
        verdicts.assign(published="").to_csv(place / "claims.csv", index=False)
    table = pd.read_csv(folder / "table.csv")
    large = (folder / "table.csv").stat().st_size > LARGEST
    packed = {"method": "gzip", "mtime": 0} if large else None
    file = place / ("table.csv.gz" if large else "table.csv")
    table.to_csv(file, index=False, compression=packed)
    describe(place, folder, described, large)
    kept = {key: manifest[key] for key in KEPT} | {"cells": len(manifest["cells"])}
    kept["command"] = re.sub(r" --out[= ]('[^']*'|\S+)", "", kept["command"])  # a place of its own
    seconds = cpu_seconds(folder.parent / "cells", manifest["cells"].values())
    kept["cpu_seconds"] = round(seconds, 1)
    (place / "run.json").write_text(json.dumps(kept, indent=1) + "\n")
    return place


def describe(place: Path, folder: Path, described: dict, packed: bool) -> None:
    """Say of what is published, and only of that, what its columns mean.

    Args:
        place: What is published.
        folder: The run.
        described: The Data Package of the run.
        packed: Whether the table is compressed.
    """
    if packed:
        table = next(of for of in described["resources"] if of["path"] == "table.csv")
        table |= {"path": "table.csv.gz", "compression": "gz"}
    there = [of for of in described["resources"] if (place / of["path"]).exists()]
    text = json.dumps(described | {"resources": there}, indent=1, sort_keys=True)
    (place / "datapackage.json").write_text(text + "\n")
    page = (folder / "columns.md").read_text()
    page = page.replace("## `table.csv`", "## `table.csv.gz`") if packed else page
    head, *parts = page.split("\n## ")
    kept = [part for part in parts if (place / part.split("`")[1]).exists()]
    (place / "columns.md").write_text("\n## ".join([head, *kept]).rstrip() + "\n")


def cpu_seconds(cells: Path, keys: Iterable[str]) -> float:
    """CPU seconds of these cells together, whenever they were computed."""
    found = (json.loads((cells / key / "manifest.json").read_text()) for key in keys)
    return sum(manifest["seconds"] for manifest in found)


def verdicts(figures: Path, order: Sequence[str]) -> str:
    """All published verdicts in Markdown: a table for each run, a row for each claim.

    Args:
        figures: The folder of all published runs.
        order: Names of the experiments.

    Returns:
        The page docs/verdicts.md.
    """
    lines = [TITLE, "", fill(HEAD, 100)]
    for name in order:
        for place in sorted({file.parent for file in figures.glob(f"{name}/**/claims.csv")}):
            lines += ["", *section(place, name)]
    return "\n".join(lines) + "\n"


def section(place: Path, name: str) -> list[str]:
    """Heading, links and the table of verdicts of one published run."""
    made = json.loads((place / "run.json").read_text())
    beside = "" if place.name == name else place.name
    to = "/".join(filter(None, ("../figures", name, beside)))
    title = made["preset"] if beside in ("", made["preset"]) else f"{made['preset']}, {beside}"
    lines = [
        f"## {name}, {title}",
        "",
        f"[figure]({to}/{name}.png), [text](../figures/{name}/README.md); `{made['command']}`, "
        f"{made['cpu_seconds'] / 60:.0f} min of CPU time",
        "",
        "| claim | statement | kind | verdict | found |",
        "|---|---|---|---|---|",
    ]
    for row in pd.read_csv(place / "claims.csv").to_dict("records"):
        cells = [row[name] for name in ("claim", "statement", "kind")]
        cells += [f"**{row['verdict']}**", "; ".join(basis(row))]
        lines.append("| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |")
    return lines


def main(argv: list[str] | None = None) -> None:
    """Publish the folders given and write docs/verdicts.md, or `--check` that it is as it would be.

    Args:
        argv: The command line; that of the process if None.
    """
    parser = argparse.ArgumentParser(description=main.__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path, help="finished runs, laptop or full")
    parser.add_argument("--beside", default="", help="publish one with other flags under this name")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if outdated")
    given = parser.parse_args(argv)
    figures, page = ROOT / "figures", ROOT / "docs" / "verdicts.md"
    try:
        for folder in () if given.check else given.folders:
            print(publish(folder, figures, given.beside))
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f"{error}")
    text = verdicts(figures, sorted(path.parent.name for path in figures.glob("*/README.md")))
    if not given.check:
        page.write_text(text)
    elif page.read_text() != text:
        sys.exit(f"{page} is outdated: run `python -m supcon_theory.analysis.publish`")


if __name__ == "__main__":
    main()
