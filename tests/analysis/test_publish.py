"""Publishing a run, and the links to what is published."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from supcon_theory.analysis import publish

ROOT = Path(publish.__file__).resolve().parents[1]
VERDICT = {
    "claim": "A1",
    "statement": "the gap | is positive",
    "kind": "theorem",
    "verdict": "PASS",
    "reason": None,
    "ci_low": None,
    "ci_high": None,
    "tightness": 0.5,
    "n": 12,
}


@pytest.fixture
def run(tmp_path):
    """A finished run of an experiment."""
    folder = tmp_path / "results" / "an_experiment" / "laptop"
    cell = folder.parent / "cells" / "a1b2"
    cell.mkdir(parents=True)
    folder.mkdir()
    (cell / "manifest.json").write_text(json.dumps({"seconds": 90.04}))
    manifest = {key: "x" for key in publish.KEPT} | {"experiment": "an_experiment"}
    manifest |= {"preset": "laptop", "cells": {"C=2": "a1b2"}, "secret": "stays here"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for name in ("an_experiment.pdf", "an_experiment.png", "an_experiment_more.png"):
        (folder / name).write_text(name)
    for name in ("an_experiment", "table", "summary", "unpublished"):
        (folder / f"{name}.csv").write_text("x,y\n1,0.1\n")
    fields = [{"name": "x", "type": "integer"}, {"name": "y", "type": "number"}]
    resources = [
        {"name": name, "path": f"{name}.csv", "schema": {"fields": fields}}
        for name in ("table", "unpublished", "summary")
    ]
    resources[-1]["title"] = "A summary"
    (folder / "datapackage.json").write_text(json.dumps({"resources": resources}))
    (folder / "columns.md").write_text(
        "# Columns\n\n## `table.csv`\n\n| x |\n\n## `unpublished.csv`\n\n| x |\n"
    )
    for name in ("figures.json", "caption.tex", "summary.tex"):
        (folder / name).write_text(name)
    pd.DataFrame([VERDICT]).to_csv(folder / "claims.csv", index=False)
    (folder / "claims.json").write_text("{}")
    return folder


def test_a_run_is_published_whole_and_its_text_stays(run, tmp_path):
    figures = tmp_path / "figures"
    (figures / "an_experiment").mkdir(parents=True)
    (figures / "an_experiment" / "README.md").write_text("what it shows")
    (figures / "an_experiment" / "an_experiment_gone.png").write_text("of an earlier run")
    place = publish.publish(run, figures)
    assert place == figures / "an_experiment"
    assert sorted(path.name for path in place.iterdir()) == [
        "README.md",
        *("an_experiment.csv", "an_experiment.pdf", "an_experiment.png", "an_experiment_more.png"),
        *("caption.tex", "claims.csv", "claims.json", "columns.md", "datapackage.json"),
        *("figures.json", "run.json", "summary.csv", "summary.tex", "table.csv"),
    ]
    described = json.loads((place / "datapackage.json").read_text())["resources"]
    assert [of["path"] for of in described] == ["table.csv", "summary.csv"]
    assert (place / "columns.md").read_text() == "# Columns\n\n## `table.csv`\n\n| x |\n"
    made = json.loads((place / "run.json").read_text())
    assert made["cells"] == 1 and made["cpu_seconds"] == 90.0 and "secret" not in made
    page = publish.verdicts(figures, ["missing", "an_experiment"])
    assert "## an_experiment, laptop" in page
    row = r"| A1 | the gap \| is positive | theorem | **PASS** | value / bound 0.5; n = 12 |"
    assert row in page.splitlines()


def test_a_full_run_stands_beside_the_laptop_run(run, tmp_path):
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"preset": "full"}))
    assert publish.publish(run, tmp_path / "figures").name == "full"
    page = publish.verdicts(tmp_path / "figures", ["an_experiment"])
    assert "(../figures/an_experiment/full/an_experiment.png)" in page


def test_a_run_with_other_flags_stands_beside_under_a_name(run, tmp_path):
    figures = tmp_path / "figures"
    publish.publish(run, figures)
    assert publish.publish(run, figures, "cifar10") == figures / "an_experiment" / "cifar10"
    page = publish.verdicts(figures, ["an_experiment"])
    assert "## an_experiment, laptop\n" in page and "## an_experiment, laptop, cifar10\n" in page
    assert "(../figures/an_experiment/cifar10/an_experiment.png)" in page


def test_a_large_table_is_packed_the_same_way_each_time(run, tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "LARGEST", 1)
    packed = [
        (publish.publish(run, tmp_path / name) / "table.csv.gz").read_bytes() for name in "ab"
    ]
    assert packed[0] == packed[1]
    described = json.loads((tmp_path / "a" / "an_experiment" / "datapackage.json").read_text())
    assert (
        described["resources"][0] | {"path": "table.csv.gz", "compression": "gz"}
        == (described["resources"][0])
    )
    assert "## `table.csv.gz`" in (tmp_path / "a" / "an_experiment" / "columns.md").read_text()
    again = pd.read_csv(tmp_path / "a" / "an_experiment" / "table.csv.gz")
    pd.testing.assert_frame_equal(again, pd.read_csv(run / "table.csv"))


def test_a_run_without_a_figure_is_refused_in_a_sentence(run, tmp_path):
    for picture in run.glob("*.p[dn][fg]"):
        picture.unlink()
    with pytest.raises(ValueError, match=r"run `python -m supcon_theory\.analysis\.an_experiment"):
        publish.publish(run, tmp_path / "figures")


def test_a_run_whose_columns_are_not_described_is_refused_in_a_sentence(run, tmp_path):
    (run / "datapackage.json").unlink()
    with pytest.raises(ValueError, match="run an_experiment again, from its store"):
        publish.publish(run, tmp_path / "figures")


def test_a_smoke_run_does_not_take_the_place_of_a_laptop_run(run, tmp_path):
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"preset": "smoke"}))
    with pytest.raises(ValueError, match="is a run of smoke: publish one of laptop or full"):
        publish.publish(run, tmp_path / "figures")


def test_the_page_of_verdicts_is_that_of_the_published_runs(tmp_path, monkeypatch):
    publish.main(["--check"])
    (tmp_path / "docs").mkdir()
    (tmp_path / "figures").mkdir()
    (tmp_path / "docs" / "verdicts.md").write_text("an earlier page")
    monkeypatch.setattr(publish, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match=r"verdicts\.md is outdated: run `python -m"):
        publish.main(["--check"])
    publish.main([])
    publish.main(["--check"])


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *(ROOT / "figures").glob("*/*.md")],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([\w./-]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link
