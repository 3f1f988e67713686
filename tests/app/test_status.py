"""What is done and what is missing of a results folder, and the time that it will take."""

import dataclasses
import json

import pandas as pd
import pytest

from supcon_theory.app import experiments, remaining
from supcon_theory.app.command import run
from supcon_theory.runs import experiment as runs
from supcon_theory.runs import store
from supcon_theory.runs.cells import Shared
from supcon_theory.runs.published import PublishedRun, published_run
from tests.app.toys import toy


@pytest.fixture
def one(monkeypatch, tmp_path):
    """The one experiment there is, published with 8 s a cell, and where its results are."""
    made, out = toy("toy", cost=1.0), tmp_path / "results"
    monkeypatch.setattr(runs, "draw", lambda *about: "")
    monkeypatch.setattr(experiments, "names", lambda: ["toy"])
    monkeypatch.setattr(experiments, "experiment", lambda name: made)
    known = {"laptop": PublishedRun(80.0, 10, 2)}
    monkeypatch.setattr(remaining, "published_run", lambda name, preset: known.get(preset))
    return made, out


def left(one, preset="laptop", **flags):
    made, out = one
    config = dataclasses.replace(made.presets[preset], out=out, **flags)
    return remaining.remaining(made, preset, config)


def took(out, seconds: float) -> None:
    """Let all stored cells have taken so long."""
    for path in (out / "toy" / "cells").glob("*/manifest.json"):
        manifest = json.loads(path.read_text())
        store.write_json(path, manifest | {"seconds": seconds})
        index = path.with_name("files.json")
        hashes = json.loads(index.read_text()) | {path.name: store.digest(path.read_bytes())}
        store.write_json(index, hashes)


def test_time_left_is_from_the_published_run_then_from_cells_done(one):
    made, out = one
    assert left(one) == (0, ("seed=0", "seed=1"), 16.0, "the published run")
    assert left(one, "smoke")[2:] == (8.0, "a guess")  # two cells, 1 s each and 3 s of training
    assert made.run(["--seeds", "1", "--out", str(out)]) == 0
    took(out, 2.0)
    assert left(one) == (1, ("seed=1",), 2.0, "cells done")
    trained = out / "encoders" / "toy1"
    trained.mkdir(parents=True)
    (trained / "manifest.json").touch()
    assert left(one).seconds == 0.5  # its encoder is there: 1 of 4 parts is left
    assert left(one, force=True)[:2] == (0, ("seed=0", "seed=1"))
    assert made.run(["--out", str(out)]) == 0
    assert left(one)[:3] == (2, (), 0.0)


def test_a_damaged_cell_is_missing(one):
    made, out = one
    assert made.run(["--out", str(out)]) == 0
    (table, _) = (out / "toy" / "cells").glob("*/table.csv")
    table.write_text("altered")
    assert left(one).done == 1 and len(left(one).missing) == 1


def test_encoders_that_cells_share_count_once():
    shares = [
        dataclasses.replace(c, shared={"encoders/x": Shared("plain", 3.0)})
        for c in toy("t").cells(toy("t").presets["laptop"])
    ]
    assert remaining._cost(shares) == 5.0


def test_status_says_what_is_missing(one, capsys):
    made, out = one
    assert made.run(["--seeds", "1", "--out", str(out)]) == 0
    took(out, 2.0)
    capsys.readouterr()
    assert run(["status", str(out), "--cells"]) == 0
    said = capsys.readouterr().out
    assert "1 of 2" in said and "cells done" in said and "toy: seed=1" in said
    assert "Left: 2 s of one core" in said and f"run all laptop --out {out}" in said
    assert run(["status", str(out), "--preset", "paper"]) == 0


def test_list_says_how_long_published_runs_took(capsys):
    assert run(["list"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in experiments.names())
    assert "laptop" in said and "`supcon-theory run all laptop` took" in said
    found = published_run("gap_vs_classes", "laptop")
    assert found is not None and found.cpu_seconds > 0 and found.cells > 0
    assert published_run("gap_vs_classes", "huge") is None


def test_status_lists_runs_and_what_is_stored(tmp_path, capsys):
    folder = tmp_path / "toy" / "laptop-mine"
    folder.mkdir(parents=True)
    pd.DataFrame({"verdict": ["PASS", "PASS", "FAIL"]}).to_csv(folder / "claims.csv")
    manifest = {"cells": {"a": "1", "b": "2"}, "failed": {"b": "why"}, "time": "2026"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for name, done in (("1", True), ("2", False), ("1.damaged", True)):
        (tmp_path / "encoders" / name).mkdir(parents=True)
        if done:
            (tmp_path / "encoders" / name / "manifest.json").touch()
    broken = tmp_path / "toy" / "smoke"
    broken.mkdir()
    (broken / "claims.csv").touch()
    assert run(["status", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "toy/laptop-mine" in said and "2 PASS, 1 FAIL" in said and "unreadable" in said
    assert "encoders: 1 finished, 1 begun, 1 set aside" in said


def test_status_of_odd_folders_is_a_line_each(tmp_path, capsys):
    for name, claims, manifest in (
        ("a", "verdict\n", '{"cells": 3, "failed": null}'),
        ("b", "verdict\n", "[1]"),
        ("c", "verdict\n", None),
        ("d", "other\n1\n", '{"cells": {}, "failed": {}}'),
        ("e", "", '{"cells": {}, "failed": {}}'),
    ):
        folder = tmp_path / "toy" / name
        folder.mkdir(parents=True)
        (folder / "claims.csv").write_text(claims)
        if manifest:
            (folder / "manifest.json").write_text(manifest)
    (tmp_path / "encoders" / "1.damaged").mkdir(parents=True)
    assert run(["status", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.count("unreadable") == 5 and "cannot be read (No such file" in said
    assert "encoders: 0 finished, 0 begun, 1 set aside" in said
