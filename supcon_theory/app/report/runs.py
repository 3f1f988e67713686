"""The finished runs of a folder, whether of somebody's results or published.

A result is `<folder>/NAME/PRESET/` with `manifest.json`; a published run `<folder>/NAME/` or
`<folder>/NAME/full/` with `run.json`, and a text, `<folder>/NAME/README.md`.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from supcon_theory.analysis.publish import cpu_seconds
from supcon_theory.app import experiments
from supcon_theory.claims.claim import MUST_HOLD
from supcon_theory.claims.evaluate import HOLDS, basis, compare, counted
from supcon_theory.runs import store
from supcon_theory.runs.exits import Refused
from supcon_theory.runs.progress import duration
from supcon_theory.runs.published import published

CLAIMS = ("claim", "statement", "kind", "source", "verdict", "found")
HOLDING = "theorems that hold"
STANDS = (*HOLDS, "NOT ASKED")


class Run(NamedTuple):
    """One run: what was asked, what was found, and what it took."""

    name: str
    preset: str
    question: str
    command: str
    made: str  # when, how long, on what
    seconds: float  # of one core
    claims: pd.DataFrame  # CLAIMS; published_run, beside_it where there is one
    pictures: tuple[Path, ...]
    summaries: Mapping[str, pd.DataFrame]  # what the run says first; none of a published one
    text: str  # Markdown: what was found, as the published run's README says it; or nothing
    place: Path

    @property
    def title(self) -> str:
        """Its heading."""
        return f"{self.name}, {self.preset}"

    @property
    def overview(self) -> dict[str, object]:
        """Its row in the table of all runs."""
        must = self.claims["kind"].isin(MUST_HOLD)
        holds = self.claims.loc[must, "verdict"].isin(STANDS)
        return {
            "experiment": self.name,
            "preset": self.preset,
            HOLDING: f"{holds.sum()} of {must.sum()}",
            "trends": counted(self.claims.loc[~must, "verdict"]),
            "core time": duration(self.seconds),
        }

    @property
    def verdict(self) -> str:
        """What the verdicts say, in words."""
        must = self.claims["kind"].isin(MUST_HOLD)
        broken = self.claims.loc[must & ~self.claims["verdict"].isin(STANDS)]
        words = [f"Theorems, identities, counterexamples that hold: {self.overview[HOLDING]}."]
        words += [f"{row.claim} does not ({row.verdict})." for row in broken.itertuples()]
        trends = self.claims.loc[~must]
        if len(trends):
            words.append(f"Trends: {counted(trends['verdict'])}.")
        if "beside_it" in self.claims:
            beside = self.claims["beside_it"].replace("", "without its counterpart")
            words.append(f"Beside the published run: {counted(beside)}.")
        return " ".join(words)


def finished(folder: Path, presets: Collection[str] | None = None) -> tuple[list[Run], list[str]]:
    """All finished runs, by name and preset, and a sentence for each that cannot be read.

    Args:
        folder: of results, or of published runs.
        presets: only these, or all.

    Returns:
        the runs; the sentences.

    """
    runs, odd = [], []
    for claims in sorted([*folder.glob("*/claims.csv"), *folder.glob("*/[!.]*/claims.csv")]):
        try:
            run = _run(claims.parent)
        except (store.Damaged, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
            odd.append(f"{claims.parent} ({type(error).__name__}: {error})")
            continue
        if presets is None or run.preset in presets:
            runs.append(run)
    return runs, odd


def _run(place: Path) -> Run:
    shown = (place / "run.json").exists()  # published
    about = store.read_json(place / ("run.json" if shown else "manifest.json"))
    name, preset = str(about["experiment"]), str(about["preset"])
    claims = _claims(pd.read_csv(place / "claims.csv"))
    if not shown:
        theirs = published(name, preset, about["configuration"])
        if theirs is not None:
            claims = _beside(claims, theirs)
    seconds = about["cpu_seconds"] if shown else _seconds(place, about)
    made = (
        f"{about['time'][:10]}, {duration(seconds)} of one core, {about['machine']['processor']} "
        f"with {about['machine']['cores']} cores; supcon_theory "
        f"{about['versions']['supcon_theory']}, PyTorch {about['versions']['torch']}"
    )
    home = place.parent if place.name == preset else place
    return Run(
        name=name,
        preset=preset if shown else place.name,
        question=_question(name),
        command=about["command"],
        made=made,
        seconds=seconds,
        claims=claims,
        pictures=tuple(sorted(place.glob(f"{name}*.png"))),
        summaries=_summaries(place),
        text=_text(home / "README.md") if shown and home == place else "",
        place=place,
    )


def _summaries(place: Path) -> dict[str, pd.DataFrame]:
    """The tables that are there in LaTeX as well; a caption is in LaTeX alone."""
    tables = (path.with_suffix(".csv") for path in sorted(place.glob("*.tex")))
    return {path.stem: pd.read_csv(path) for path in tables if path.exists()}


def _seconds(place: Path, about: dict) -> float:
    """Of one core, by the cells; of all of them, by the clock, where cells are not there now."""
    cells, keys = place.parent / "cells", about["cells"].values()
    if not all((cells / key / "manifest.json").exists() for key in keys):
        return float(about["seconds"])
    return cpu_seconds(cells, keys)


def _question(name: str) -> str:
    try:
        return experiments.experiment(name).question
    except Refused:
        return f"{name}, an experiment that this version does not have"


def _text(path: Path) -> str:
    """The text without its title, which the page has one of its own for."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return re.sub(r"\A# .*\n+", "", text).strip()


def _claims(rows: pd.DataFrame) -> pd.DataFrame:
    for name in ("reason", "scope"):
        rows[name] = rows[name].astype(object).fillna("") if name in rows else ""
    rows = rows.assign(found=["; ".join(basis(row)) for row in rows.to_dict("records")])
    return rows.loc[:, [*CLAIMS, "scope", "n"]]


def _beside(rows: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """What the published run found, and whether it is the same."""
    known = {}
    for row in theirs.to_dict("records"):
        edges = row["interval"]
        found = [row["verdict"], row["reason"]]
        found += [f"interval [{edges[0]:.4g}, {edges[1]:.4g}]"] if edges else []
        known[row["claim"], row["scope"]] = "; ".join(filter(None, found))
    keys = zip(rows["claim"], rows["scope"], strict=True)
    return rows.assign(
        published_run=[known.get(key, "") for key in keys], beside_it=compare(rows, theirs)
    )
