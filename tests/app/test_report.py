"""One page over all runs of a folder, and its twin in Markdown."""

import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from supcon_theory.app.command import run
from supcon_theory.app.report.markdown import relinked
from supcon_theory.app.report.runs import finished
from tests.browser import open_page

FIGURES = Path(__file__).parents[2] / "figures"
CLAIM = {
    "claim": "T1",
    "scope": "",
    "kind": "theorem",
    "verdict": "PASS",
    "margin": 1.0,
    "ci_low": None,
    "ci_high": None,
    "level": None,
    "n": 4,
    "needs": None,
    "tightness": None,
    "reason": None,
    "statement": "a | b < <c>",
    "source": "own",
    "null": "",
}
TREND = (
    CLAIM
    | {"claim": "S1", "kind": "trend", "verdict": "FAIL"}
    | {
        "ci_low": 0.1,
        "ci_high": 0.2,
        "level": 0.95,
    }
)
ABOUT = {
    "experiment": "gap_vs_classes",
    "preset": "laptop",
    "command": "supcon-theory run gap_vs_classes",
    "time": "2026-01-02T03:04:05+00:00",
    "machine": {"processor": "a processor", "cores": 2},
    "versions": {"supcon_theory": "0", "torch": "1"},
}
RESULT = ABOUT | {"configuration": {"seeds": 5}, "cells": {"a": "1"}, "seconds": 61.0}


def made(folder: Path, record: str, about: dict, claims=(CLAIM, TREND)) -> Path:
    folder.mkdir(parents=True)
    pd.DataFrame(claims).to_csv(folder / "claims.csv", index=False)
    (folder / record).write_text(json.dumps(about))
    Image.new("RGB", (3, 2), "red").save(folder / f"{about['experiment']}.png")
    return folder


@pytest.fixture
def results(tmp_path):
    folder = made(tmp_path / "results" / "gap_vs_classes" / "laptop", "manifest.json", RESULT)
    pd.DataFrame({"C": [2], "gap": [0.123456]}).to_csv(folder / "summary.csv", index=False)
    (folder / "summary.tex").touch()
    return tmp_path / "results"


def test_a_report_says_everything_of_a_run_on_both_pages(results, capsys):
    assert run(["report", str(results)]) == 0
    page = (results / "report" / "index.html").read_text()
    twin = (results / "report" / "report.md").read_text()
    for said in (page, twin):
        for words in (
            *("How does the gap between CL and NSCL close", "1 of 1", "1 FAIL", "0.1235"),
            *("supcon-theory run gap_vs_classes", "1 min 01 s", "a processor", "2026-01-02"),
            "95 % interval [0.1, 0.2]" if said is twin else "FAIL",
        ):
            assert words in said, words
    assert page.index("Every claim") < page.index("How does the gap")
    assert twin.index("| PASS |") < twin.index("How does the gap")
    assert "&lt;c&gt;" in page and r"a \| b" in twin
    assert '<span class="bad">FAIL</span>' in page and '<a href="#gap-vs-classes-laptop">' in page
    picture = twin.split("](")[1].split(")")[0]
    assert (results / "report" / picture).resolve().exists()


def test_times_are_those_of_the_cells_where_they_are_there(results):
    cell = results / "gap_vs_classes" / "cells" / "1"
    cell.mkdir(parents=True)
    (cell / "manifest.json").write_text('{"seconds": 7.5}')
    ((found,), odd) = finished(results)
    assert found.seconds == 7.5 and not odd


def test_a_run_stands_beside_the_published_one(results):
    theirs = json.loads((FIGURES / "few_shot_counterexample" / "claims.json").read_text())
    about = RESULT | {key: theirs[key] for key in ("experiment", "preset", "configuration")}
    mine = pd.read_csv(FIGURES / "few_shot_counterexample" / "claims.csv").to_dict("records")
    mine[0]["verdict"] = "FAIL"
    place = results / "few_shot_counterexample" / "laptop"
    made(place, "manifest.json", about, mine)
    found = {one.name: one for one in finished(results)[0]}["few_shot_counterexample"]
    assert list(found.claims["beside_it"]) == ["differs", *["as published"] * (len(mine) - 1)]
    assert found.claims["published_run"].str.startswith("PASS").all()
    assert "1 differs" in found.verdict
    assert "does not (FAIL)" in found.verdict


def test_published_runs_are_read_with_their_texts(tmp_path):
    made(tmp_path / "gap_vs_classes", "run.json", ABOUT | {"cpu_seconds": 5})
    made(
        tmp_path / "gap_vs_classes" / "full",
        "run.json",
        ABOUT | {"preset": "full", "cpu_seconds": 9},
    )
    text = "# Title\n\nSaid **here**: [more](full/), [paper](https://arxiv.org).\n\n## Part\n"
    (tmp_path / "gap_vs_classes" / "README.md").write_text(text)
    assert run(["report", str(tmp_path), "--out", str(tmp_path / "r")]) == 0
    page, twin = ((tmp_path / "r" / name).read_text() for name in ("index.html", "report.md"))
    assert "Said <strong>here</strong>: more, <a href" in page and "<h3>Part</h3>" in page
    assert "[more](../gap_vs_classes/full/)" in twin and "### Part" in twin
    assert "gap_vs_classes, full" in page and page.count("Said <strong>") == 1


def test_every_published_run_of_the_project_is_on_the_page():
    runs, odd = finished(FIGURES)
    places = sorted(path.parent for path in FIGURES.rglob("run.json"))
    assert sorted(one.place for one in runs) == places and not odd
    assert all(one.pictures and len(one.claims) for one in runs)
    assert all(one.text for one in runs if one.place.parent == FIGURES)


def test_only_the_presets_asked_for(results, capsys):
    made(results / "gap_vs_classes" / "smoke", "manifest.json", RESULT | {"preset": "smoke"})
    assert [one.preset for one in finished(results, ["laptop"])[0]] == ["laptop"]
    assert run(["report", str(results), "--preset", "paper"]) == 2
    assert "holds no finished run of paper" in capsys.readouterr().err


@pytest.mark.parametrize(
    "record, about",
    [
        ("manifest.json", []),
        ("manifest.json", {}),
        ("other.json", {}),
        ("run.json", ABOUT),
        ("run.json", ABOUT | {"cpu_seconds": 1, "machine": 3}),
        ("manifest.json", RESULT | {"cells": 3}),
        ("manifest.json", RESULT | {"configuration": None}),
    ],
)
def test_what_cannot_be_read_is_named(record, about, results, capsys):
    place = results / "toy" / "laptop"
    place.mkdir(parents=True)
    pd.DataFrame([CLAIM]).to_csv(place / "claims.csv")
    (place / record).write_text(json.dumps(about))
    assert run(["report", str(results)]) == 0
    said = capsys.readouterr()
    assert f"left out: {place}" in said.err and "1 runs" in said.out


@pytest.mark.parametrize(
    "argv, said",
    [
        (["nowhere"], "There is no folder nowhere"),
        (["."], "holds no finished run"),
        (["results", "--out", "file/x"], "that cannot be written to"),
    ],
)
def test_bad_usage_is_a_sentence(argv, said, results, capsys, monkeypatch):
    monkeypatch.chdir(results.parent)
    (results.parent / "file").touch()
    assert run(["report", *argv]) == 2
    assert said in capsys.readouterr().err


def test_links_lead_where_they_led():
    text = "[a](b.md), ![c](d.png), [e](https://f), [g](#h)"
    assert relinked(text, "../x") == "[a](../x/b.md), [c](../x/d.png), [e](https://f), [g](#h)"
    assert relinked(text, None) == "a, c, [e](https://f), [g](#h)"


SCRIPT = """
const page = document.documentElement;
const images = Array.from(document.images);
return [page.scrollWidth - page.clientWidth, images.map((i) => i.naturalWidth), images[0].alt];
"""


def test_the_page_fits_a_narrow_window_and_fetches_nothing(results, tmp_path):
    assert run(["report", str(results)]) == 0
    opened = open_page(results / "report" / "index.html", SCRIPT, tmp_path)
    overflow, widths, alt = opened.value
    assert overflow == 0 and widths == [3] and "How does the gap" in alt
    assert not opened.console and not opened.outside
